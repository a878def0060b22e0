"""Errors a person can act on: what is wrong, where, and what to do about it.

Every error the program raises on purpose is a `ForesightError`. A command prints it in three lines
and leaves without a traceback; anything else is a bug.
"""


class ForesightError(Exception):
    """A problem of the user's world: `problem`, `where` it is, and a `hint` what to do."""

    def __init__(self, problem: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.problem}{remedy}"


class Problems(ForesightError):
    """Several problems found in one go, so that all can be mended in one go."""

    def __init__(self, problems: list[ForesightError]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
