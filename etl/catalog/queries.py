"""Whether a query of the catalog is one plain select: looked at as text, before any database is.

A database refuses on its own whatever would write. This is to say so early, with the line of the
catalog; so what could hide a second statement (comments, dollar quotes) is not taken at all.
"""

import re
from itertools import pairwise

TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--|/\*|\$\w*\$|\w+|\S")
NOT_TAKEN = {
    ";": "a second statement",
    "--": "a comment",
    "/*": "a comment",
    "'": "a quote that never closes",
    '"': "a quote that never closes",
}
WRITING = frozenset(
    {
        *("alter", "attach", "copy", "create", "delete", "drop", "insert", "into", "merge"),
        *("pragma", "truncate", "update"),
    }
)


def query_problem(query: str) -> str | None:
    """What keeps `query` from being one select in a stated order; `None` if nothing does."""
    tokens = TOKEN.findall(query.strip().removesuffix(";"))
    words = [token.casefold() for token in tokens]
    if not words or words[0] not in ("select", "with"):
        return "the query is no select"
    for token, word in zip(tokens, words, strict=True):
        if word in NOT_TAKEN or re.fullmatch(r"\$\w*\$", word):
            return f"the query holds {NOT_TAKEN.get(word, 'a dollar quote')}"
        if word in WRITING:
            return f"the query holds the word {token!r}"
    if any(word == "e" and following.startswith("'") for word, following in pairwise(words)):
        return "the query holds a quote with escapes"
    if not _ordered(words):
        return "the query does not say its order, and a record is known by its number"
    return None


def _ordered(words: list[str]) -> bool:
    """Whether an `order by` stands outside all parentheses."""
    depth = 0
    for word, following in pairwise(words):
        depth += (word == "(") - (word == ")")
        if depth == 0 and (word, following) == ("order", "by"):
            return True
    return False
