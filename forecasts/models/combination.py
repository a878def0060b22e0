"""The median of all other models: hardly ever the best one, and hardly ever far off."""

from collections.abc import Mapping

import numpy as np

from forecasts.model import Model
from forecasts.panel import Floats

FEWEST = 3


def combine(members: Mapping[str, Floats]) -> Floats:
    """Median of the members' paths, step by step; NaN where fewer than three have an answer."""
    paths = np.stack(list(members.values()))
    enough = np.isfinite(paths).sum(axis=0) >= FEWEST
    return np.where(enough, np.nanmedian(np.where(enough, paths, 0.0), axis=0), np.nan)


MODEL = Model(title="Trung vị các mô hình", title_en="Median of the models", combine=combine)
