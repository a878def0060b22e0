"""How much each model counts in the combination: the less it erred, the more.

Backtests of single series are short, so a model's error is a mean of two, each relative to the mean
over the models: the series' own and that of its class of series.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasts.panel import Floats


@dataclass(frozen=True)
class Rule:
    """How sharply errors tell, and how far a series' own are trusted beside those of its class."""

    sharpness: float
    trust: float


USUAL = Rule(sharpness=4.0, trust=0.6)
"""Chosen on M1, M3, tourism and attendances."""


def softmax(
    loss: Floats, classes: NDArray[np.int64], usable: NDArray[np.bool_], rule: Rule
) -> Floats:
    """Weights `(models, series)` that sum to 1 over the `usable` models.

    `loss` are mean errors of the same shape; a usable model without one takes that of its class.
    """
    pooled = _pooled(loss, classes)
    own = np.where(np.isfinite(loss), loss, pooled)
    relative = rule.trust * _relative(own, usable) + (1 - rule.trust) * _relative(pooled, usable)
    worth = np.where(usable, np.exp(-rule.sharpness * relative), 0.0)
    total = worth.sum(axis=0)
    return np.asarray(worth / np.where(total > 0, total, 1.0))


def _pooled(loss: Floats, classes: NDArray[np.int64]) -> Floats:
    """Mean of each class over the series for which all have a loss, else over those each has."""
    pooled = np.ones(loss.shape)
    for number in np.unique(classes):
        rows = classes == number
        mine = loss[:, rows]
        known = np.isfinite(mine)
        answers = known.any(axis=1)
        both = known[answers].all(axis=0) if answers.any() else np.zeros(0, dtype=bool)
        use = known & both if both.any() else known
        total = np.where(use, mine, 0).sum(axis=1)
        means = total / np.maximum(use.sum(axis=1), 1)
        pooled[:, rows] = np.where(use.any(axis=1), means, 1.0)[:, None]
    return pooled


def _relative(loss: Floats, usable: NDArray[np.bool_]) -> Floats:
    mean = np.where(usable, loss, 0).sum(axis=0) / np.maximum(usable.sum(axis=0), 1)
    return np.asarray(loss / np.where(mean > 0, mean, 1.0))
