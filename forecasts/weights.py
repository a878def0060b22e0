"""How much each model counts in the combination: the less it erred, the more.

Backtests of single series are short, so a model's error is the mean of two, each relative to the
mean over the models: the series' own and that of its class of series.
"""

import numpy as np

from forecasts.panel import Floats


def softmax(own: Floats, pooled: Floats, *, sharpness: float, trust: float) -> Floats:
    """Weights `(models, ...)` that sum to 1, from mean errors of the same shape; NaN counts 0.

    `trust` is the share that a series' own errors have, `pooled` those of its class.
    """
    relative = trust * _relative(own) + (1 - trust) * _relative(pooled)
    worth = np.where(np.isfinite(relative), np.exp(-sharpness * relative), 0.0)
    total = worth.sum(axis=0)
    return np.asarray(worth / np.where(total > 0, total, 1.0))


def _relative(errors: Floats) -> Floats:
    known = np.isfinite(errors)
    mean = np.where(known, errors, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, errors / np.where(mean > 0, mean, 1.0), np.nan)
