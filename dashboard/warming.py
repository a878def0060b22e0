"""What the pages will ask for, worked out before anybody asks: at the start, and when it changes.

A new day or a new build makes everything new. A thread looks for that and reads what takes longest;
drawing stays with the sessions, which find the answers there. What it fails to read is left to
the page, which says so.
"""

import gc
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from dashboard import queries
from dashboard.five_things import five_things
from dashboard.handing_in import stand_ready
from dashboard.published import CITY, headlines
from dashboard.ranking import ranked
from dashboard.reader import Reader, today
from dashboard.text import LANGUAGES
from dashboard.views.cache import drawn
from dashboard.workload import TOTAL, fields, year_of
from dashboard.workload_charts import city_fan, ranks
from etl.errors import ForesightError
from etl.settings import Settings

PATIENCE = 60.0
"""Seconds between two looks."""


class Warming:
    """A thread that keeps the answers of the newest build and day ready, until it is stopped."""

    def __init__(self, home: Path) -> None:
        self._home, self._stopped = home, Event()
        self._thread = Thread(target=self._keep, name="warming", daemon=True)

    def __enter__(self) -> "Warming":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Does not wait for it: what it reads by then is of no use."""
        self._stopped.set()

    def _keep(self) -> None:
        done: object = None
        while not self._stopped.is_set():
            with suppress(ForesightError):  # no build yet, or a damaged one: the pages say so
                wanted = queries.current(self._home), today()
                if wanted != done:
                    warm(self._home)
                    settle()
                    done = wanted
            self._stopped.wait(PATIENCE)
            gc.collect()


def settle() -> None:
    """Take what is loaded by now out of every later search for garbage.

    Modules, checked specifications and kept answers stay: looking through them took longer than a
    run of a page, and held up all others. What an earlier build left behind is let go first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def first_screen(home: Path, lang: str = LANGUAGES[0]) -> None:
    """Read and draw what the first visitor will ask for; nothing where there is no build."""
    with suppress(ForesightError):
        reader = Reader(queries.current(home), lang, today())
        headlines(reader)
        five_things(reader)
        drawn(reader, city_fan, TOTAL)
        drawn(reader, ranks, TOTAL)


def warm(home: Path) -> None:
    """Everything that takes long, of the current build and today."""
    build = queries.current(home)
    asked: list[Callable[[], object]] = [
        *(lambda lang=lang: first_screen(home, lang) for lang in LANGUAGES),
        lambda: queries.work_ahead(build, today()),
        lambda: build.started(),
        lambda: (build.alerts, build.replays),
        lambda: queries.register(build),
        lambda: _each_field(Reader(build, LANGUAGES[0], today())),
        lambda: stand_ready(Settings.read(), today()),
    ]
    for work in asked:
        try:
            work()
        except ForesightError as error:
            # A catalog without levers or without workload: the page says so.
            logging.getLogger(__name__).info("not warmed: %s", error.problem)


def _each_field(reader: Reader) -> None:
    """The ranking and the drawings of every field that may be chosen."""
    for field in (TOTAL, *fields(reader)):
        if year_of(reader, "city", CITY, field) is None:
            continue
        ranked(reader, field)
        drawn(reader, city_fan, field)
        drawn(reader, ranks, field)
        reader.rows("workload", area=CITY, category=field)
