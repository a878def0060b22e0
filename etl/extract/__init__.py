"""One file a format: raw text and the place it stood, nothing interpreted."""

from collections.abc import Callable
from pathlib import Path

from etl.catalog import Dataset
from etl.extract import delimited, json_records, parquet, sql, workbook
from etl.extract.raw import Raw

READERS: dict[str, Callable[[Path, Dataset], Raw]] = {
    "csv": delimited.extract,
    "tsv": delimited.extract,
    "xlsx": workbook.extract,
    "xls": workbook.extract,
    "ods": workbook.extract,
    "json": json_records.extract,
    "parquet": parquet.extract,
    "sql": sql.extract,
}
"""What reads each `Format` of the catalog."""
