"""The process in which a workbook is read: `python -I sheets_child.py PATH PATTERN BYTES`.

A workbook of 8 kB can ask for all memory there is, and the reader then aborts its process. This
one may: it has a limit, and nothing to lose. It imports the reader and nothing of ours, because it
is started once a workbook. The answer goes to standard output, pickled: the names of all sheets,
and name, rows and merged ranges of those asked for; or, as text, why it is not a workbook.
"""

import pickle
import re
import resource
import sys
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

LIST_SHEET = "Cần sửa - To mend"
"""The sheet `etl.returned` puts before those of a department; it is no part of its data."""


def main() -> None:
    """Read the sheets whose name matches the pattern; without a pattern the first."""
    path, pattern, memory = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: Any
    try:
        answer = _sheets(Path(path), pattern)
    except CalamineError as error:
        answer = str(error)
    pickle.dump(answer, sys.stdout.buffer)


def _sheets(path: Path, pattern: str) -> tuple[list[str], list[tuple[str, Any, Any]]]:
    # From an open file the reader goes by the content: many a .xls is an xlsx.
    with path.open("rb") as file:
        book = CalamineWorkbook.from_filelike(file)
    names = [name for name in book.sheet_names if name != LIST_SHEET]
    wanted = [name for name in names if re.search(pattern, name)] if pattern else names[:1]
    found = []
    for name in wanted:
        sheet = book.get_sheet_by_name(name)
        rows = sheet.to_python(skip_empty_area=False)
        found.append((name, rows, sheet.merged_cell_ranges or []))
    return names, found


if __name__ == "__main__":
    main()
