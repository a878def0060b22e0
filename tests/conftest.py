"""What every test may use: a folder that is an installation, and Hypothesis without a clock."""

import datetime as dt
import gc
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

from etl import pipeline
from etl.builds import NoWarehouse
from etl.catalog import load_catalog
from etl.settings import Settings
from etl.warehouse import Warehouse

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("search", deadline=None, derandomize=False, max_examples=1_000)
settings.load_profile("steady")

# Hypothesis tries numbers that stand in our modules, of those loaded so far: what a test tried
# would depend on the tests before it. The nightly search is where new examples are looked for.
HypothesisProvider._local_constants = Constants()  # type: ignore[assignment]

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
TODAY = dt.date(2026, 11, 22)

HEAD = """
profile: cantho-foresight/1
name: test
title: Thử nghiệm
title_en: Test
licenses: [{name: CC-BY-4.0}]
contributors: [{title: Sở Thử nghiệm}]
resources:
"""


LONGEST = (
    "journeys/test_journey",
    "etl/test_returned",
    "etl/test_draft",
    "forecasts/test_file",
    "journeys/test_handing_in",
    "faults/test_killed",
    "faults/test_lines",
)
"""Files that take longest; `python -m pytest --durations=0` shows them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: workers take one after the other, and end together."""
    place = {f"{name}.py": number for number, name in enumerate(LONGEST)}
    tests = ROOT / "tests"
    items.sort(key=lambda item: place.get(str(item.path.relative_to(tests)), len(place)))


def pytest_unconfigure() -> None:
    """Take from the collector what Hypothesis leaves with it.

    It keeps modules alive to the very end, where DuckDB prints a page about what it calls leaked.
    """
    gc.callbacks[:] = [one for one in gc.callbacks if "hypothesis" not in one.__module__]


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are told in English, whoever runs the tests."""
    monkeypatch.setenv("FORESIGHT_LANG", "en")


@pytest.fixture(autouse=True)
def _main(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page drawn by a test takes the place of the program that runs, and leaves it taken.

    Processes that are started later would then look for a page that is no longer there.
    """
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def installation(tmp_path: Path) -> Settings:
    """An empty installation: a state folder and the path of a catalog yet to be written."""
    (tmp_path / "state").mkdir()
    return Settings(home=tmp_path / "state", catalog=tmp_path / "data_catalog.yaml")


@pytest.fixture
def refresh(installation: Settings) -> Callable[..., Warehouse]:
    """Write `resources` (YAML) and files, refresh without forecasts, and open the new build.

    `geography` is the folder of another city's map, beside the catalog.
    """

    def refreshed(
        resources: str, *, geography: str = "", today: dt.date = TODAY, **files: str | bytes
    ) -> Warehouse:
        folder = installation.catalog.parent
        own_map = f"geography: {geography}\n" if geography else ""
        head = HEAD.replace("resources:", f"{own_map}resources:")
        installation.catalog.write_text(head + resources, encoding="utf-8")
        for name, content in files.items():
            stem, _, ending = name.rpartition("_")
            path = folder / f"{stem}.{ending}"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        catalog = load_catalog(installation.catalog)
        try:
            current = Warehouse.open(installation.home)
        except NoWarehouse:  # the first refresh has no build to compare with
            current = None
        plan = pipeline.plan(catalog, installation, current)
        with Warehouse.build(installation.home) as warehouse:
            pipeline.refresh(
                warehouse, catalog, installation, plan, today=today, progress=lambda _: None
            )
        return Warehouse.open(installation.home)

    return refreshed


def observed(warehouse: Warehouse, where: str = "true") -> pl.DataFrame:
    """Observations as a small table: indicator, area, category, period, value, status."""
    return warehouse.select(
        "select indicator, area, category, frequency, period, value, status from observation "
        f"where {where} order by indicator, area, category, period, value"
    )


def zipped(parts: dict[str, str]) -> bytes:
    """A zip of these parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(name, text)
    return made.getvalue()
