"""What today's engine would have said on earlier days: replayed, and never issued.

A replay stands at the end of each of the last periods, with the figures known on that day
(`etl.earlier`), forecasts, and is scored against what is known now. The engine is that of today, so
that a replay tells how the engine would have done, not how it did: it is kept in tables of its own
and never added to the track record.

What was said of a day rests on the figures of that day, the catalog and the code. It is kept in the
folder of the installation by these, so that a replay cut short goes on where it was, and one after
a month that ended forecasts from that month alone.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from etl.catalog import Catalog
from etl.earlier import Earlier, earlier
from etl.periods import Frequency
from etl.settings import Settings
from etl.warehouse import LEDGERS, Warehouse, statement
from forecasts.adjust import freed_of, remembered
from forecasts.breaks import declared
from forecasts.engine import Adjust
from forecasts.ledger import keep_benchmarks, score
from forecasts.panel import KEY, steps
from forecasts.request import engine, jobs
from forecasts.run import say_again

ORIGINS = 24
LEVELS = ("city", "nation")
"""Levels replayed by default; of headline indicators all above the communes are."""


SAID = ("forecast", "forecast_series", "forecast_benchmark")
"""Tables of what is said of a day."""
CODE = ("ledger.py", "replay.py")
"""What a replay rests on beside the engine."""


@dataclass(frozen=True, eq=False)
class Replay:
    """What would have been said, and how it would have come out."""

    days: int
    forecasts: pl.DataFrame
    """Columns of `replayed`."""
    scores: pl.DataFrame
    """Columns of `replayed_score`."""


def replay(
    catalog: Catalog,
    settings: Settings,
    *,
    today: date,
    origins: int = ORIGINS,
    levels: tuple[str, ...] = LEVELS,
    progress: Callable[[str], None] = lambda _: None,
) -> Replay:
    """Forecast from each of the last `origins` of every series that have an outcome since.

    Series by category, and communes, are left out: they cost most and lend the least to what is
    told. Nothing is written; `keep` does that.
    """
    with earlier(catalog, settings) as past:
        aside = past.warehouse
        for table in LEDGERS:
            aside.clear(table)
        days = _days(_series(aside, catalog, levels), origins)
        shelf = _Shelf(settings.home, catalog)
        adjust = remembered(freed_of(declared(catalog)))
        for done, (day, asked) in enumerate(days, start=1):
            past.set_back(day)
            _leave_only(aside, asked)
            known = shelf.take(aside, day, done)
            if not known:
                shelf.keep(aside, _say(aside, catalog, day, asked, adjust))
            progress(f"replay {done} of {len(days)}: {day}{', known' if known else ''}")
        shelf.tidy()
        past.present()
        score(aside, today=today)
        return _result(past, len(days))


def keep(warehouse: Warehouse, replayed: Replay) -> None:
    """Put the replay in the place of the one before."""
    for table, rows in (("replayed", replayed.forecasts), ("replayed_score", replayed.scores)):
        warehouse.clear(table)
        warehouse.write(table, rows)


def _series(warehouse: Warehouse, catalog: Catalog, levels: tuple[str, ...]) -> pl.DataFrame:
    """The series to replay: columns of KEY, frequency, and their last period."""
    headlines = {name for dataset in catalog.resources for name in dataset.present.headline}
    asked = {
        (indicator.name, job.level, job.frequency.value)
        for job in jobs(catalog)
        for indicator in job.indicators
        if not job.by_category
        and job.level != "commune"
        and (job.level in levels or indicator.name in headlines)
    }
    wanted = pl.DataFrame(
        sorted(asked),
        schema=dict.fromkeys(("indicator", "level", "frequency"), pl.String),
        orient="row",
    )
    found = warehouse.query("forecasts", "last_periods")
    return found.join(wanted, on=wanted.columns, how="semi")


def _days(series: pl.DataFrame, origins: int) -> list[tuple[date, pl.DataFrame]]:
    """Days to stand on, in order, each with the series that are forecast on it.

    A day is the first after a period; the periods of a series are the last `origins` that another
    of its periods follows.
    """
    if series.is_empty():
        return []
    rows = [
        (*row[:-1], day) for row in series.iter_rows() for day in _ends(row[-2], row[-1], origins)
    ]
    columns = [*series.drop("last").columns, "day"]
    asked = pl.DataFrame(rows, schema=columns, orient="row").sort("day", "frequency")
    parts = asked.partition_by("day", "frequency", maintain_order=True)
    return [(part["day"][0], part) for part in parts]


def _ends(frequency: str, last: date, origins: int) -> Iterator[date]:
    unit = Frequency(frequency).polars_step.removeprefix("1")
    first = pl.select(pl.lit(last).dt.offset_by(f"-{origins - 1}{unit}")).item()
    yield from steps(first, Frequency(frequency), origins)


def _leave_only(warehouse: Warehouse, asked: pl.DataFrame) -> None:
    with warehouse.registered(asked.select(*KEY, "level", "frequency")) as view:
        warehouse.run(f"create or replace temp view asked as from {view}")
        warehouse.run(statement("forecasts", "leave_only"))
        warehouse.run("drop view asked")


def _say(
    warehouse: Warehouse, catalog: Catalog, day: date, asked: pl.DataFrame, adjust: Adjust
) -> int:
    """Forecast on `day`, with the benchmark beside it; the number of the issue."""
    names = asked["indicator"].unique().to_list()
    # The one place in which a replay meets the engine.
    issue = say_again(warehouse, catalog, today=day, adjust=adjust, of=names)
    keep_benchmarks(warehouse)
    return issue


class _Shelf:
    """What was said of each day, kept in a folder by all that it rests on."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self._place = home / "work" / "replay"
        self._used: set[Path] = set()
        self._rests_on = hashlib.blake2b(engine().encode(), digest_size=12)
        self._rests_on.update(catalog.model_dump_json().encode())
        for file in CODE:
            self._rests_on.update(Path(__file__).with_name(file).read_bytes())

    def take(self, warehouse: Warehouse, day: date, issue: int) -> bool:
        """Write what is kept of `day`, said of the series that are there; whether it is."""
        name = self._rests_on.copy()
        name.update(f"{day}".encode())
        name.update(warehouse.select("from comparable order by all").write_csv().encode())
        self._folder = self._place / name.hexdigest()
        self._used.add(self._folder)
        if not self._folder.exists():
            return False
        for table in SAID:
            rows = pl.read_parquet(self._folder / f"{table}.parquet")
            warehouse.write(table, rows.with_columns(issue=pl.lit(issue)))
        return True

    def keep(self, warehouse: Warehouse, issue: int) -> None:
        """Keep what was said of the day asked for last, in one step: a folder there is whole."""
        self._place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._place, prefix="writing-") as name:
            begun = Path(name) / self._folder.name
            begun.mkdir()
            for table in SAID:
                rows = warehouse.select(f"from {table} where issue = $issue", issue=issue)
                rows.drop("issue").write_parquet(begun / f"{table}.parquet")
            begun.rename(self._folder)

    def tidy(self) -> None:
        """Remove what no day asked for."""
        for folder in set(self._place.glob("*")) - self._used:
            shutil.rmtree(folder, ignore_errors=True)


def _result(past: Earlier, days: int) -> Replay:
    kept = pl.DataFrame(
        sorted(past.kept), schema={"indicator": pl.String, "frequency": pl.String}, orient="row"
    ).with_columns(known=pl.lit("then"))

    def told(query: str) -> pl.DataFrame:
        rows = past.warehouse.query("forecasts", query)
        joined = rows.join(kept, on=["indicator", "frequency"], how="left", maintain_order="left")
        return joined.with_columns(pl.col("known").fill_null("now"))

    return Replay(days, told("said"), told("scores_all"))
