"""What changed from one published version to the next: rows added, gone, and figures changed.

Both tables are as they left. Rows are told apart by the key of the dataset, where it is unique in
both; else a row that differs anywhere is one that is gone and one that was added.
"""

import polars as pl
from pydantic import BaseModel, ConfigDict

EXAMPLES = 5
ROW = "__row"


class Example(BaseModel):
    """One figure that changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    where: str
    """The key of the row, `rice_output, can_tho, 2025-01-01`."""
    column: str
    before: str | None
    after: str | None


class Changes(BaseModel):
    """Counts, and some examples."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    first: bool = False
    """There is no earlier version to compare with."""
    added: int = 0
    """Rows."""
    removed: int = 0
    changed: int = 0
    """Cells of rows that are in both."""
    columns_added: list[str] = []
    columns_removed: list[str] = []
    examples: list[Example] = []
    reasons: list[str] = []
    """Of corrections that the earlier version did not have."""


def changes(before: pl.DataFrame, after: pl.DataFrame, key: list[str]) -> Changes:
    """What became of `before`."""
    shared = [name for name in after.columns if before.schema.get(name) == after.schema[name]]
    old, new = before.select(shared), after.select(shared)
    columns = Changes(
        columns_added=[name for name in after.columns if name not in shared],
        columns_removed=[name for name in before.columns if name not in shared],
    )
    if not key or not set(key) <= set(shared) or _repeats(old, key) or _repeats(new, key):
        counted = {"added": _beyond(new, old), "removed": _beyond(old, new)}
        return columns.model_copy(update=counted)
    cells = _cells(old, new, key, [name for name in shared if name not in key])
    examples = [
        Example(where=", ".join(str(part) for part in where), column=column, before=was, after=now)
        for *where, column, was, now in cells.head(EXAMPLES).iter_rows()
    ]
    counted = {
        "added": len(new.join(old, on=key, how="anti", nulls_equal=True)),
        "removed": len(old.join(new, on=key, how="anti", nulls_equal=True)),
        "changed": len(cells),
    }
    return columns.model_copy(update={**counted, "examples": examples})


def told(title: str, history: list[tuple[str, Changes]]) -> str:
    """The file CHANGES: each version, newest first, in both languages."""
    parts = [f"{title}\n"]
    for version, made in history:
        lines = [f"{version}", f"  {sentence(made)}", f"  {sentence(made, english=True)}"]
        for one in made.examples:
            was, now = one.before or "–", one.after or "–"
            lines.append(f"    {one.where}: {one.column}: {was} -> {now}")
        lines += [f"  Lý do / Reason: {reason}" for reason in made.reasons]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def sentence(made: Changes, *, english: bool = False) -> str:
    """The changes in one sentence."""
    if made.first:
        return "First version." if english else "Phiên bản đầu tiên."
    words = (
        ("rows added", "rows gone", "cells changed", "columns added", "columns gone")
        if english
        else ("dòng thêm", "dòng bớt", "ô được sửa", "cột thêm", "cột bớt")
    )
    columns = len(made.columns_added), len(made.columns_removed)
    counts = zip((made.added, made.removed, made.changed, *columns), words, strict=True)
    said = [f"{count} {word}" for count, word in counts if count]
    if not said:
        return "Only the description changed." if english else "Chỉ phần mô tả thay đổi."
    return f"{', '.join(said)}."


def _repeats(table: pl.DataFrame, key: list[str]) -> bool:
    return table.select(key).is_duplicated().any()


def _beyond(table: pl.DataFrame, other: pl.DataFrame) -> int:
    """How many rows of `table` are not in `other`; a row that stands twice must do so in both."""
    if not table.columns:
        return len(table)
    counted = [
        frame.group_by(frame.columns).len(name) for frame, name in ((table, "n"), (other, "m"))
    ]
    both = counted[0].join(counted[1], on=table.columns, how="left", nulls_equal=True)
    more = (pl.col("n").cast(pl.Int64) - pl.col("m").fill_null(0).cast(pl.Int64)).clip(0)
    return int(both.select(more.sum()).item())


def _cells(
    old: pl.DataFrame, new: pl.DataFrame, key: list[str], columns: list[str]
) -> pl.DataFrame:
    """Key, column, before and after (as text) of each cell that changed, in the order of `new`."""
    both = new.with_row_index(ROW).join(old, on=key, suffix=" before", nulls_equal=True)
    found = [
        both.filter(pl.col(name).ne_missing(pl.col(f"{name} before"))).select(
            ROW,
            *(pl.col(part).cast(pl.String) for part in key),
            pl.lit(name).alias("a column"),
            pl.col(f"{name} before").cast(pl.String).alias("before it"),
            pl.col(name).cast(pl.String).alias("after it"),
        )
        for name in columns
    ]
    if not found:
        return pl.DataFrame()
    return pl.concat(found).sort(ROW, "a column").drop(ROW)
