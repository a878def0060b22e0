"""Simulated dossiers of the one-stop offices, because the real ones are not public.

One CSV file per month of receipt, laid out like a one-stop export, from a seed. What is known of
Cần Thơ is met: of the 190,295 dossiers received from 1 July to 19 October 2025 those at commune
level, about 416 a commune and month; 91.8 % of them resolved by then; in July 2025 69.7 % online
and 1.58 % overdue. What is known elsewhere is borrowed: the spread between communes is Phú Thọ's.
All other figures are assumptions. Those per field, procedure, season and year stand in
`etl/reference/simulation`, each row with its basis; the rest are in `assumed.py`. No person,
no name and no number is real.

A day's expected dossiers are those of today's 103 communes. Before 1 July 2025 each dossier is
handed to one of the former communes there, or to its district, so the comparable city total knows
no jump. A whole month's draws depend on the seed and the month alone: a longer span adds files and
finish dates, and changes nothing else.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from etl.simulate.assumed import EPOCH, LAST, PARAMETERS, RECORD, ROWS, STATEMENT
from etl.simulate.city import City
from etl.simulate.days import Span
from etl.simulate.lines import RULES, UNREADABLE, write_month


@dataclass(frozen=True)
class Simulation:
    """What was generated."""

    files: list[Path]
    rows: int
    """Lines below the headers, the planted bad ones among them."""
    planted: dict[str, int]
    """Bad lines by the rule they break. Each breaks one rule only."""


def simulate_dossiers(
    folder: Path,
    *,
    rows: int = ROWS,
    seed: int = 92,
    first: date = EPOCH,
    last: date = LAST,
    progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Write `dossiers_2022_01.csv` and so on into `folder`, unless they are there already.

    A dossier stands in the file of the month of its receipt, with the finish date known on `last`.
    `rows` is the expected number in the whole of 2022-01 to 2026-10, of which `first` to `last`
    has its share; the draw is random, so the count is near and not equal. `progress` is told the
    months done and their number. `SIMULATED.json` in the folder says what was made.

    Raises:
        ValueError: the span is not in order, or not within 2022 to 2028.
    """
    request = {
        "statement": STATEMENT,
        "seed": seed,
        "requested_rows": rows,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "version": _version(),
    }
    if earlier := _generated(folder, request):
        return earlier
    city = City(seed, rows, Span(first, last))
    _clear(folder)
    months = city.span.months
    planted: dict[str, dict[str, int]] = {}
    lines = 0
    for number, month in enumerate(months, start=1):
        path = folder / f"dossiers_{month:%Y_%m}.csv"
        written, planted[path.name] = write_month(path, city, month)
        lines += written
        if progress is not None:
            progress(number, len(months))
    return _record(folder, request, lines, planted)


def _version() -> str:
    """Changes with the code that draws dossiers and with every file it reads."""
    here = Path(__file__).parent
    etl = here.parent
    read = [
        *sorted(path for path in here.glob("*.py") if path.stem != "service"),
        *(etl / name for name in ("calendars.py", "crosswalk.py")),
        *(etl / "reference" / name for name in ("areas.csv", "crosswalk.csv")),
        *sorted(PARAMETERS.glob("*.csv")),
    ]
    digest = hashlib.blake2b(digest_size=8)
    for path in read:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _generated(folder: Path, request: dict[str, Any]) -> Simulation | None:
    """What the folder holds, if that is what is asked for and complete."""
    path = folder / RECORD
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    files = [folder / name for name in record["planted_by_file"]]
    if any(record.get(key) != value for key, value in request.items()):
        return None
    if not all(file.exists() for file in files):
        return None
    return Simulation(files, record["rows"], record["planted"])


def _clear(folder: Path) -> None:
    # The record goes first: without it, after an interruption, the files count as incomplete.
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).unlink(missing_ok=True)
    for path in folder.glob("dossiers_[0-9][0-9][0-9][0-9]_[0-9][0-9].csv"):
        path.unlink()


def _record(
    folder: Path, request: dict[str, Any], rows: int, planted: dict[str, dict[str, int]]
) -> Simulation:
    total = {
        rule: sum(counts.get(rule, 0) for counts in planted.values())
        for rule in [*RULES, UNREADABLE]
    }
    record = {**request, "rows": rows, "planted": total, "planted_by_file": planted}
    text = json.dumps(record, ensure_ascii=False, indent=2)
    unfinished = folder / f"{RECORD}.part"
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(folder / RECORD)
    return Simulation([folder / name for name in planted], rows, total)
