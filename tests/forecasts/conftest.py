"""Small panels and warehouses, written out where they are used."""

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import polars as pl
import pytest

from etl.periods import Frequency
from forecasts.lanes import Lanes, lanes_of
from forecasts.panel import Panel, steps

START = {
    Frequency.MONTH: date(2021, 1, 1),
    Frequency.QUARTER: date(2012, 1, 1),
    Frequency.YEAR: date(2004, 1, 1),
    Frequency.WEEK: date(2020, 1, 6),
    Frequency.DAY: date(2025, 1, 1),
}
MakePanel = Callable[..., Panel]


@pytest.fixture(scope="session")
def make_panel() -> MakePanel:
    """Panels from rows of numbers: `make_panel([[1, 2], [3, None]], "year", lowest=0)`.

    Rows are siblings where they agree in `fields`, which by default all do.
    """

    def make(
        rows: list[list[float | None]] | np.ndarray,
        frequency: str = "month",
        lowest: float = -np.inf,
        fields: Sequence[str] | None = None,
    ) -> Panel:
        values = np.array(rows, dtype=float)
        step = Frequency(frequency)
        keys = pl.DataFrame(
            {
                "indicator": ["received"] * len(values),
                "area": [f"{row:05d}" for row in range(len(values))],
                "category": fields or ["total"] * len(values),
            }
        )
        return Panel(
            keys,
            steps(START[step], step, values.shape[1]),
            values,
            step,
            np.full(len(values), lowest),
            np.full(len(values), np.inf),
            tet=frequency == "month",
        )

    return make


def seasonal(points: int, *, season: int = 12, seed: int = 0, level: float = 200.0) -> np.ndarray:
    """Counts around a level with a season and chance, the same for the same seed."""
    chance = np.random.default_rng(seed)
    round_ = 1 + 0.3 * np.sin(2 * np.pi * np.arange(points) / season)
    return chance.poisson(level * round_).astype(float)


def side_by_side(
    rows: np.ndarray | Sequence[Sequence[float | None]],
    season: int = 12,
    lowest: float = 0.0,
    groups: Sequence[int] | None = None,
) -> Lanes:
    """Lanes of these histories, which end together; siblings agree in `groups`."""
    values = np.array(rows, dtype=float)
    floors = np.full(len(values), lowest)
    return lanes_of(values, season, floors, np.array(groups or [0] * len(values)))
