"""Guesses with their evidence, and questions where the evidence is not enough.

A question is put to whoever can answer; without an answer the most cautious reading is taken, and
the line that rests on it says `# ASK`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """What the file does not tell. `cautious` is the option taken without an answer."""

    about: str
    """The line of the entry: 'read', 'clean', 'key', a field or an indicator."""
    text: str
    options: dict[str, str]
    """Answers and what each means."""
    cautious: str


Asker = Callable[[Question], str | None]
"""One of the options, or None where nobody answers."""


def nobody(_question: Question) -> str | None:
    """For drafts made without a person."""
    return None


@dataclass
class Notebook:
    """What is to be said beside the lines of the entry."""

    ask_someone: Asker = nobody
    lines: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    guesses: list[tuple[str, str]] = field(default_factory=list)
    open_questions: list[Question] = field(default_factory=list)

    def guess(self, line: str, evidence: str) -> None:
        """Mark a line as a guess."""
        self._write(line, f"guess: {evidence}")
        self.guesses.append((line, evidence))

    def ask(self, line: str, text: str, options: dict[str, str], cautious: str) -> str:
        """The answer, which needs no mark, or the cautious option, marked."""
        question = Question(line, text, options, cautious)
        answer = self.ask_someone(question)
        if answer in options:
            return str(answer)
        self.open_questions.append(question)
        self._write(line, f"ASK: {text}")
        return cautious

    def leave_open(self, line: str, text: str) -> None:
        """A question that only an edit of the entry or of the file can answer."""
        self.open_questions.append(Question(line, text, {}, ""))
        self._write(line, f"ASK: {text}")

    def comment(self, *lines: str) -> str:
        """What stands behind these lines, as one comment; empty where nothing is to be said."""
        said = [words for line in lines for words in self.lines.get(line, [])]
        return f"  # {'; '.join(said)}" if said else ""

    def _write(self, line: str, words: str) -> None:
        tidy = "".join(letter for letter in " ".join(words.split()) if letter.isprintable())
        if tidy not in self.lines[line]:
            self.lines[line].append(tidy)
