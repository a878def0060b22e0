"""Is a share forecast better by itself, or as the quotient of two counts? On the data at hand:
`python -m benchmarks.shares [HOME]`.

Every share of the catalog whose two counts are known by month, of the city and its communes, is
forecast at the origins of the backtest: by itself, as the quotient of the forecasts of its counts,
and as that of the same once they add up (`forecasts.reconcile`, with the errors of other origins).
Told are mean absolute errors in points, and of which share of the series the first is nearest.
"""

import sys
from dataclasses import dataclass
from datetime import date

import numpy as np

from etl.catalog import Catalog, Indicator, parse_catalog
from etl.periods import Frequency
from etl.pipeline import facts_of
from etl.settings import Settings
from etl.warehouse import Warehouse
from forecasts.adjust import freed_of
from forecasts.breaks import declared
from forecasts.engine import forecast
from forecasts.hierarchy import families
from forecasts.panel import Floats
from forecasts.reconcile import reconcile
from forecasts.request import Job, find, panels
from forecasts.scores import mean

LEVELS = ("city", "commune")
H = 12
HEAD = [
    "| share | of | series | by itself | quotient | quotient of what adds up | nearest |",
    "|---|---|---:|---:|---:|---:|---:|",
]


def main() -> None:
    """Measure and print a table."""
    settings = Settings.read(*sys.argv[1:2])
    with Warehouse.open(settings.home) as warehouse:
        facts = facts_of(warehouse)
        catalog, today = parse_catalog(facts["catalog"]), date.fromisoformat(facts["today"])
        lines = [
            line
            for share in catalog.indicators.values()
            if share.unit == "%" and share.numerator and share.denominator
            for line in measured(warehouse, catalog, share, today)
        ]
    sys.stdout.write("\n".join([*HEAD, *lines]) + "\n")


@dataclass(frozen=True, eq=False)
class Said:
    """What would have been said at each origin and what came, `(origins, series, h)`.

    The city stands first; `added` is what was said once it adds up, NaN of a share.
    """

    said: Floats
    came: Floats
    added: Floats


def measured(warehouse: Warehouse, catalog: Catalog, share: Indicator, today: date) -> list[str]:
    """A line for the city and one for its communes; none where not all three are known by month."""
    names = [str(name) for name in (share.name, share.numerator, share.denominator)]
    every = [_said(warehouse, catalog, catalog.indicators[name], today) for name in names]
    own, above, below = every
    if own is None or above is None or below is None:
        return []
    quotients = (above.said / below.said, above.added / below.added)
    told = [own.said, *(np.minimum(share.scale * one, share.scale) for one in quotients)]
    errors = np.abs(np.stack(told) - own.came)
    errors[:, ~np.isfinite(errors).all(axis=0)] = np.nan
    lines = []
    for level, rows in zip(LEVELS, (slice(0, 1), slice(1, None)), strict=True):
        each = mean(errors[:, :, rows], axis=(1, 3))
        figures = [f"{figure:.2f}" for figure in mean(each)]
        nearest = float(np.mean(each[0] <= each.min(axis=0)))
        words = (share.name, level, f"{each.shape[1]}", *figures, f"{nearest:.0%}")
        lines.append(f"| {' | '.join(words)} |")
    return lines


def _said(warehouse: Warehouse, catalog: Catalog, indicator: Indicator, today: date) -> Said | None:
    jobs = [
        Job((indicator,), level, by_category=False, frequency=Frequency.MONTH, horizon=H, tet=True)
        for level in LEVELS
    ]
    found = [find(warehouse, job, today) for job in jobs]
    adjust = freed_of(declared(catalog))
    made = [forecast(panel, H, adjust=adjust) for one in found for panel in panels(one)]
    if len(made) != len(LEVELS) or made[0].backtest.dropped != made[1].backtest.dropped:
        return None
    errors = np.concatenate([one.errors for one in made], axis=1)
    came = np.concatenate([one.backtest.observed for one in made], axis=1)
    said, related = came - errors, families(found, catalog.map)[0]
    added = np.full(said.shape, np.nan)
    for origin in range(len(said)) if related else ():
        others, whole = np.delete(errors, origin, axis=0), np.nan_to_num(said[origin])
        added[origin] = reconcile(related[0].hierarchy, whole, others)
    return Said(said, came, np.where(np.isfinite(said), added, np.nan))


if __name__ == "__main__":
    main()
