"""Parquet: typed columns, made text again so that the catalog alone says what they are."""

import io
from pathlib import Path

import polars as pl

from etl.catalog import Dataset
from etl.clock import CAN_THO
from etl.extract.raw import Raw, UnreadableFile, in_memory, shaped, text_of


def extract(path: Path, dataset: Dataset) -> Raw:
    """All columns as text; numbers with the decimal sign declared for the dataset.

    Raises:
        UnreadableFile: not Parquet, or a column holds lists, structures or bytes.
    """
    content = path.read_bytes()
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        problem = str(error).splitlines()[0]
        raise UnreadableFile(
            f"not Parquet: {problem}", where=path.name, hint="ask for it again, or as csv"
        ) from None
    columns = pl.DataFrame(
        {c.name: _texts(c, dataset.read.decimal, path) for c in frame.iter_columns()}
    )
    numbers = range(1, frame.height + 1)
    return in_memory(path, content, shaped(columns, numbers, dataset, where=path.name))


def _texts(column: pl.Series, decimal: str, path: Path) -> pl.Series:
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        raise UnreadableFile(
            f"column {column.name!r} holds {column.dtype}",
            where=path.name,
            hint="ask for flat columns: one number, text or date a cell",
        )
    if column.dtype == pl.Float32:
        # Straight to 64 bits, 0.1 would become 0.10000000149011612.
        column = column.cast(pl.String).cast(pl.Float64)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        # 17:00 in UTC is the next day in Cần Thơ.
        column = column.dt.convert_time_zone(CAN_THO.key).dt.replace_time_zone(None)
    cells = column.to_list()
    # Distinct values first: there are few, and Python is slow.
    texts = {cell: text_of(cell, decimal) for cell in set(cells)}
    return pl.Series([texts[cell] for cell in cells], dtype=pl.String)
