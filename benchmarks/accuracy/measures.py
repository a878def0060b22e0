"""What a method's forecasts of a collection are worth, and how sure a difference is.

Everything is kept a series until the end, so that methods are compared on the same series, and a
bootstrap over series tells how far chance goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.accuracy.kept import Told
from benchmarks.accuracy.naive2 import naive2
from benchmarks.accuracy.peers import LEVELS
from benchmarks.accuracy.sets import Collection
from forecasts import scores
from forecasts.panel import Floats

BANDS = {50: (2, 4), 80: (1, 5), 95: (0, 6)}
"""Places in `LEVELS` of the bounds of each coverage, in percent."""
ROUNDS = 2000


@dataclass(frozen=True, eq=False)
class Judged:
    """One value a series of each figure; NaN where the series has no scale, being all zero."""

    smape: Floats
    mase: Floats
    pinball: Floats
    covered: dict[int, Floats]
    msis: dict[int, Floats]
    below_zero: Floats
    smape_of_naive2: Floats
    mase_of_naive2: Floats

    def summary(self) -> dict[str, Any]:
        """Means over series, as plain numbers; OWA is relative to Naive2 on the same series."""
        told = {
            "owa": float(_owa(self, np.full(len(self.mase), 1.0))),
            "smape": _mean(self.smape),
            "mase": _mean(self.mase),
            "pinball": _mean(self.pinball),
            "below_zero": _mean(self.below_zero),
        }
        told |= {f"covered_{band}": _mean(values) for band, values in self.covered.items()}
        told |= {f"msis_{band}": _mean(values) for band, values in self.msis.items()}
        return {"series": len(self.mase), **{name: round(v, 4) for name, v in told.items()}}

    def take(self, rows: Sequence[int]) -> "Judged":
        """Only these series."""
        part = list(rows)
        return Judged(
            *(values[part] for values in (self.smape, self.mase, self.pinball)),
            covered={band: values[part] for band, values in self.covered.items()},
            msis={band: values[part] for band, values in self.msis.items()},
            below_zero=self.below_zero[part],
            smape_of_naive2=self.smape_of_naive2[part],
            mase_of_naive2=self.mase_of_naive2[part],
        )


class Judge:
    """Scores forecasts of one collection; what does not depend on them is worked out once."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    @cached_property
    def _scales(self) -> Floats:
        season = self._collection.season
        histories = self._collection.trains
        return np.concatenate([scores.scale(train[None], season) for train in histories])[:, None]

    @cached_property
    def _naive2(self) -> tuple[Floats, Floats]:
        known = self._collection
        paths = [naive2(train, known.season, known.horizon) for train in known.trains]
        return self._errors(np.array(paths))

    def judge(self, told: Told) -> Judged:
        """The figures of these forecasts, `told` being of the same series in the same order."""
        observed, scales = self._collection.outcomes, self._scales
        smape, mase = self._errors(told.mean)
        losses = [
            scores.pinball(observed, *pair) for pair in zip(told.quantiles, LEVELS, strict=True)
        ]
        bounds = _bounds(told)
        return Judged(
            smape=smape,
            mase=mase,
            pinball=(np.mean(losses, axis=0) / scales).mean(axis=1),
            covered=covered(told, observed),
            msis={
                band: (
                    scores.interval_score(observed, low, high, coverage=band / 100) / scales
                ).mean(axis=1)
                for band, (low, high) in bounds.items()
            },
            below_zero=(told.quantiles[0] < 0).mean(axis=1),
            smape_of_naive2=self._naive2[0],
            mase_of_naive2=self._naive2[1],
        )

    def _errors(self, mean: Floats) -> tuple[Floats, Floats]:
        observed = self._collection.outcomes
        return smape(observed, mean), scores.mase(observed, mean, self._scales).mean(axis=1)


def covered(told: Told, observed: Floats) -> dict[int, Floats]:
    """By band, in percent, the share of outcomes of each series that lie within it."""
    return {
        band: ((low <= observed) & (observed <= high)).mean(axis=1)
        for band, (low, high) in _bounds(told).items()
    }


def _bounds(told: Told) -> dict[int, Floats]:
    return {band: told.quantiles[list(places)] for band, places in BANDS.items()}


def smape(observed: Floats, mean: Floats) -> Floats:
    """Symmetric mean absolute percentage error a series, 0 to 200; both zero is no error."""
    size = np.abs(observed) + np.abs(mean)
    share = np.divide(np.abs(observed - mean), size, out=np.zeros_like(size), where=size > 0)
    return 200 * share.mean(axis=1)


def difference(one: Judged, other: Judged, seed: int = 1) -> dict[str, float]:
    """OWA of `one` less that of `other` on the same series, with its 95 % bootstrap interval."""
    count = len(one.mase)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), ROUNDS)
    apart = _owa(one, drawn) - _owa(other, drawn)
    low, high = np.quantile(apart, (0.025, 0.975))
    whole = np.ones(count)
    middle = _owa(one, whole) - _owa(other, whole)
    names = ("difference", "low", "high")
    return {n: round(float(v), 4) for n, v in zip(names, (middle, low, high), strict=True)}


def _owa(judged: Judged, times: Floats) -> Floats:
    """Overall weighted average, each series counted so many `times`, `(..., series)`."""
    known = np.isfinite(judged.mase) & np.isfinite(judged.mase_of_naive2)
    counted = times[..., known]
    smape, mase = (
        (counted @ ours[known]) / (counted @ theirs[known])
        for ours, theirs in (
            (judged.smape, judged.smape_of_naive2),
            (judged.mase, judged.mase_of_naive2),
        )
    )
    return (smape + mase) / 2


def _mean(values: Floats) -> float:
    return float(scores.mean(values))
