"""Marks of footnotes behind names: "Xã Phong Điền (1)", "Ô Môn (*)", "Tổng thu ¹".

They are no part of the name. Behind a figure they are none of ours: "1.234 (1)" is unreadable.
"""

import re

_MARK = re.compile(r"(?:\(\s?(?:\d{1,2}|\*{1,3})\s?\)|\*{1,3}|[¹²³⁰⁴-⁹]{1,2})$")
LONGEST = 6
"""Letters of a mark. No more are looked at, so that a cell of any length costs the same."""


def without_mark(text: str) -> str:
    """`text` without the marks of footnotes at its end; what is nothing but a mark stays."""
    name = text.rstrip()
    while match := _MARK.search(name[-LONGEST:]):
        name = name[: len(name) - len(match[0])].rstrip()
    return text if not name or len(name) == len(text.rstrip()) else name
