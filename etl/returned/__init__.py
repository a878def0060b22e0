"""Back to the department: its own workbook, with the bad cells marked and explained.

`give_back` rereads the files that have rejected records. What it writes holds the department's own
data, sensitive columns too: it goes back to its owner and never into the warehouse. `broken` says
what the warehouse knows, `source` reads the text again, `places` finds the cells, `explain` has the
reasons, `twins` the other record of a repeated key, `book` the workbook, written in the process of
`book_child`; `telling` says the same without one.
"""

from etl.returned.broken import BadFile, bad_files
from etl.returned.give_back import Changed, GivenBack, InTheWay, give_back, mark_file
from etl.returned.telling import BadCell, bad_cells

__all__ = [
    "BadCell",
    "BadFile",
    "Changed",
    "GivenBack",
    "InTheWay",
    "bad_cells",
    "bad_files",
    "give_back",
    "mark_file",
]
