"""Which model is shown for each series: the best on the backtest, if it beats the benchmark there.

Backtests of single series are short, so models are ranked by the mean of two scores relative to the
benchmark: the series' own and that of all its siblings. To be shown, a model must also be better
than the benchmark on the series' own backtest; where none is, the benchmark is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecasts.panel import Floats
from forecasts.scores import mean


@dataclass(frozen=True)
class Choice:
    """The model shown for one series, and why."""

    model: str | None
    """None where not even the benchmark has an answer."""
    benchmark: str
    beats: bool
    skill: float | None
    """1 - score of the model / score of the benchmark; None where the benchmark made no error."""
    candidates: tuple[str, ...]


def choose(errors: Mapping[str, Floats], benchmark: str) -> list[Choice]:
    """One choice a series from scaled errors by model, `(origins, series, horizon)` each."""
    own = {name: mean(np.abs(e), axis=(0, 2)) for name, e in errors.items()}
    base = own[benchmark]
    pooled = {name: _pooled(score, base) for name, score in own.items()}
    return [
        _choice({name: float(score[row]) for name, score in own.items()}, pooled, benchmark)
        for row in range(len(base))
    ]


def _pooled(score: Floats, base: Floats) -> float:
    both = np.isfinite(score) & np.isfinite(base)
    total = float(base[both].sum())
    return float(score[both].sum()) / total if total > 0 else 1.0


def _choice(own: dict[str, float], pooled: dict[str, float], benchmark: str) -> Choice:
    answered = {name: score for name, score in own.items() if np.isfinite(score)}
    if benchmark not in answered:
        return Choice(None, benchmark, False, None, tuple(answered))
    base = answered[benchmark]
    better = [name for name, score in answered.items() if score < base]
    if not better:
        return Choice(benchmark, benchmark, False, 0.0 if base else None, tuple(answered))
    best = min(better, key=lambda name: (answered[name] / base + pooled[name], name))
    return Choice(best, benchmark, True, 1 - answered[best] / base, tuple(answered))
