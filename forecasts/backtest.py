"""Rolling-origin backtests: what would we have said, had we stood at each earlier period?

Nothing after the origin reaches a model: `Panel.until` is the only way data enter. Origins step by
one period; the last is the last with a full horizon behind it. Where a series is short the horizon
that is scored is cut, so that each has at least `FEWEST_ORIGINS`; all models are scored on the same
outcomes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from etl.periods import Frequency
from forecasts.model import Model, all_models, bounded
from forecasts.panel import Floats, Panel
from forecasts.scores import scale

FEWEST_ORIGINS = 3
FEWEST_YEARS = 4
"""Values of an annual series up to its first origin; others need one round + 1."""


def first_history(frequency: Frequency) -> int:
    """Fewest values up to the first origin: for the benchmark, and for one change to scale by."""
    return FEWEST_YEARS if frequency.season == 1 else frequency.season + 1


def scored_horizon(span: int, frequency: Frequency, horizon: int) -> int:
    """Steps ahead that `FEWEST_ORIGINS` origins in a series of `span` periods can be scored on."""
    return max(0, min(horizon, span - first_history(frequency) - FEWEST_ORIGINS + 1))


def origins(panel: Panel, scored: int, most: int) -> list[int]:
    """Positions of the last `most` origins that `scored` steps of data follow, earliest first."""
    last = len(panel.periods) - 1 - scored
    first = max(first_history(panel.frequency) - 1, last - most + 1)
    return list(range(first, last + 1))


@dataclass(frozen=True, eq=False)
class Backtest:
    """What each model said at each origin, and what came of it.

    `observed` is `(origins, series, horizon)`, NaN where a step is not scored; `paths` are the same
    shape by model; `scales` is `(origins, series)`, known at the origin; `final` are the forecasts
    from the end of the data, `(series, horizon)`, and `final_scale` their unit of errors. A model
    that has not answered everywhere it was asked about a series is NaN throughout that series.
    """

    keys: pl.DataFrame
    lowest: Floats
    highest: Floats
    observed: Floats
    scales: Floats
    final_scale: Floats
    paths: Mapping[str, Floats]
    final: Mapping[str, Floats]

    def errors(self, model: str) -> Floats:
        """Outcome minus path, in units of the scale, `(origins, series, horizon)`."""
        return (self.observed - self.paths[model]) / self.scales[:, :, None]

    def bounded(self, quantiles: Floats) -> Floats:
        """Quantiles with `(series, horizon)` as last axes, within the bounds of each series."""
        return np.clip(quantiles, self.lowest[:, None], self.highest[:, None])


def stack(parts: list[Backtest]) -> Backtest:
    """Backtests of one job as one; origins are matched from the last one back."""
    most = max(len(part.scales) for part in parts)
    names = parts[0].final
    return Backtest(
        keys=pl.concat([part.keys for part in parts]),
        lowest=np.concatenate([part.lowest for part in parts]),
        highest=np.concatenate([part.highest for part in parts]),
        observed=np.concatenate([_padded(part.observed, most) for part in parts], axis=1),
        scales=np.concatenate([_padded(part.scales, most) for part in parts], axis=1),
        final_scale=np.concatenate([part.final_scale for part in parts]),
        paths={
            name: np.concatenate([_padded(part.paths[name], most) for part in parts], axis=1)
            for name in names
        },
        final={name: np.concatenate([part.final[name] for part in parts]) for name in names},
    )


def _padded(values: Floats, origins: int) -> Floats:
    lacking = ((origins - len(values), 0), *[(0, 0)] * (values.ndim - 1))
    return np.pad(values, lacking, constant_values=np.nan)


def replay(model: Model, panel: Panel, at: list[int], horizon: int) -> Floats:
    """Paths from each origin and, last, from the end: `(origins + 1, series, horizon)`."""
    histories = [*map(panel.until, at), panel]
    return np.stack([model.paths(history, horizon) for history in histories])


def backtest(panel: Panel, at: list[int], scored: int, said: Mapping[str, Floats]) -> Backtest:
    """What came of what the models `said`, which is what `replay` gives for each of them.

    Models that are combined of others are added here. One that has no answer somewhere it is asked
    for one has none for that series, so that all that are compared are compared on the same
    outcomes.
    """
    horizon = next(iter(said.values())).shape[-1]
    observed = _outcomes(panel, at, scored, horizon)
    scales = np.stack([scale(panel.until(o).values, panel.season) for o in at])
    known = np.stack([panel.until(o).points for o in at])
    young = (known < first_history(panel.frequency)) | ~np.isfinite(scales)
    observed[young] = np.nan
    complete = {name: _complete(paths, observed) for name, paths in said.items()}
    for name, model in all_models().items():
        if model.combine is not None:
            complete[name] = bounded(model.combine(complete), panel)
    return Backtest(
        panel.keys,
        panel.lowest,
        panel.highest,
        observed,
        scales,
        scale(panel.values, panel.season),
        paths={name: paths[:-1] for name, paths in complete.items()},
        final={name: paths[-1] for name, paths in complete.items()},
    )


def _outcomes(panel: Panel, at: list[int], scored: int, horizon: int) -> Floats:
    outcomes = np.full((len(at), len(panel.keys), horizon), np.nan)
    for row, origin in enumerate(at):
        outcomes[row, :, :scored] = panel.values[:, origin + 1 : origin + 1 + scored]
    return outcomes


def _complete(paths: Floats, observed: Floats) -> Floats:
    missing = np.isfinite(observed) & ~np.isfinite(paths[:-1])
    silent = missing.any(axis=(0, 2)) | ~np.isfinite(paths[-1]).all(axis=1)
    return np.where(silent[None, :, None], np.nan, paths)
