"""Changes of trend without a step: the slope of the last months against that of the years before.

Two lines that meet are laid through the last values, without season, declared steps and outliers,
on the scale of `forecasts.calm`; they must fit better than one line with a step. Whether the bend
is more than chance depends on how long chance lasts: a series that wanders bends by itself. So
errors follow a first-order autoregression, whose estimate
is moved up, for it is too low in short series, and taken for a random walk from `WANDERS` on; and
the chance is told `CAUTION` times as large as Student's t says.

Source of the idea: Perron and Yabu (2009), JBES 27(3), tests valid whether errors wander or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasts.breaks import Break, LevelShifts, level_shifts
from forecasts.calm import Calm, calm
from forecasts.panel import Floats, Panel

MOST, FEWEST = 48, 36
"""Periods looked at, and those without which nothing is said."""
BENDS = (6, 9, 12)
"""Periods from a bend to now that are tried."""
WANDERS = 0.75
CAUTION = 10.0
"""How many times too often small chances came, at worst, in simulated series of `MOST` periods."""
LEAST_FREEDOM = 3.0


@dataclass(frozen=True)
class Turn:
    """A bend found in one series; slopes are in its unit a year, at the level of today."""

    row: int
    column: int
    """Of the first period on the new slope."""
    before: float
    after: float
    evidence: float
    """The t of the bend."""
    p_value: float
    """Of as much by chance in one series, over all bends tried."""


def turns_of(panel: Panel, events: Sequence[Break], shifts: LevelShifts, rate: float) -> list[Turn]:
    """The bends of which the chance is at most `rate`, one a series.

    `shifts` are the steps found in the panel, of which only the outliers are taken over: a bend
    looks like steps that follow each other.
    """
    base = _without_steps(panel, events, shifts)
    rows, x = _filled(base.x[:, -MOST:])
    if not len(rows):
        return []
    stepped = _off_with_step(x)
    tried = [bend(x, back) for back in BENDS]
    p_values = np.minimum(CAUTION * len(BENDS) * np.stack([one.p_value for one in tried]), 1.0)
    best = p_values.argmin(axis=0)
    found = []
    for place in np.flatnonzero(p_values.min(axis=0) <= rate):
        row, one = int(rows[place]), tried[best[place]]
        if one.off[place] >= stepped[place]:
            continue
        scale = _unit(panel, base, row) * panel.season
        column = len(panel.periods) - BENDS[best[place]]
        slopes = one.before[place], one.before[place] + one.change[place]
        found.append(
            Turn(
                row, column, slopes[0] * scale, slopes[1] * scale,
                float(one.t[place]), float(p_values[best[place], place]),
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True, eq=False)
class Bend:
    """Two lines that meet `back` periods before the end; arrays are `(series,)`."""

    before: Floats
    change: Floats
    """Slopes a period."""
    t: Floats
    p_value: Floats
    """Two-sided, of one bend known beforehand."""
    off: Floats
    """Sum of squares around the lines that fit best."""


def bend(x: Floats, back: int) -> Bend:
    """The change of slope `back` periods before the end of `x`, `(series, periods)`, no gaps."""
    from scipy.special import stdtr

    count = x.shape[1]
    lines = _lines(count, back)
    rho = _persistence(x, lines)
    now, lag = lines[1:], lines[:-1]
    r = rho[:, None, None]
    crossed = now.T @ lag
    squares = now.T @ now + np.outer(lines[0], lines[0]) - r * (crossed + crossed.T)
    squares = squares + r**2 * (lag.T @ lag)
    r = rho[:, None]
    right = x[:, 1:] @ now + x[:, :1] * lines[0] + r**2 * (x[:, :-1] @ lag)
    right = right - r * (x[:, 1:] @ lag + x[:, :-1] @ now)
    inverse = np.linalg.inv(squares)
    fitted = np.einsum("sij,sj->si", inverse, right)
    off = x - fitted @ lines.T
    noise = ((off[:, 1:] - r * off[:, :-1]) ** 2).sum(axis=1) / (count - 4)
    spread = np.sqrt(np.maximum(noise * inverse[:, 2, 2], np.finfo(float).tiny))
    freedom = np.where(rho < 1, (count - 4) * (1 - rho) / (1 + rho), count - 4)
    t = fitted[:, 2] / spread
    p_value = 2 * stdtr(np.maximum(freedom, LEAST_FREEDOM), -np.abs(t))
    return Bend(fitted[:, 1], fitted[:, 2], t, np.asarray(p_value), _off(x, lines))


def _off(x: Floats, lines: Floats) -> Floats:
    """Sum of squares around the best sum of these lines, `(series,)`."""
    base, _ = np.linalg.qr(lines)
    return np.asarray(((x - (x @ base) @ base.T) ** 2).sum(axis=1))


def _off_with_step(x: Floats) -> Floats:
    """The same around one line with a step at the best of the last periods."""
    at = np.arange(x.shape[1], dtype=np.float64)
    line = np.stack([np.ones(len(at)), at - at.mean()], axis=1)
    steps = range(1, BENDS[-1] + BENDS[0])
    found = [_off(x, np.column_stack([line, at >= len(at) - back])) for back in steps]
    return np.asarray(np.min(found, axis=0))


def _without_steps(panel: Panel, events: Sequence[Break], shifts: LevelShifts) -> Calm:
    with np.errstate(all="ignore"):
        told = level_shifts(panel, events, false_rate=0)
        values = np.where(shifts.mask, np.nan, told.applied(panel.values))
        return calm(values, panel.season, panel.siblings)


def _lines(count: int, back: int) -> Floats:
    """Level, slope, and the slope that is added after the bend, `(periods, 3)`."""
    at = np.arange(count, dtype=np.float64)
    bent = np.maximum(at - (count - back - 1), 0.0)
    return np.stack([np.ones(count), at - at.mean(), bent], axis=1)


def _persistence(x: Floats, lines: Floats) -> Floats:
    """How much of an error is left a period later, `(series,)`: 0 to 1, with its bias made good."""
    base, _ = np.linalg.qr(lines)
    off = x - (x @ base) @ base.T
    before = np.maximum((off[:, :-1] ** 2).sum(axis=1), np.finfo(float).tiny)
    seen = np.clip((off[:, 1:] * off[:, :-1]).sum(axis=1) / before, 0.0, 1.0)
    known = seen + (12 + 20 * seen) / x.shape[1]
    return np.where(known > WANDERS, 1.0, known)


def _filled(x: Floats) -> tuple[np.ndarray, Floats]:
    """Rows with enough values that differ, and these with their gaps bridged by straight lines."""
    known = np.isfinite(x)
    rows = np.flatnonzero(known.sum(axis=1) >= FEWEST)
    filled = [_bridged(x[row], known[row]) for row in rows]
    return rows, np.array(filled)


def _bridged(values: Floats, known: np.ndarray) -> Floats:
    at = np.arange(len(values))
    return np.asarray(np.interp(at, at[known], values[known]))


def _unit(panel: Panel, base: Calm, row: int) -> float:
    """What a step of 1 on the scale of `Calm` is in the unit of the series, at today's level."""
    if base.additive[row]:
        return float(base.unit[row])
    return float(np.nanmean(panel.values[row, -panel.season :]))


def lasting(
    turn: Turn, before: Panel, now: Panel, events: Sequence[Break], shifts: LevelShifts
) -> bool | None:
    """Whether a bend found `before` is still half as large with all that is known `now`.

    `shifts` are the steps of `now`. None where too little is known.
    """
    later = len(now.periods) - len(before.periods)
    back = len(now.periods) - turn.column
    base = _without_steps(now, events, shifts)
    rows, x = _filled(base.x[turn.row : turn.row + 1, -MOST - later :])
    if not len(rows):
        return None
    again = float(bend(x, back).change[0]) * _unit(now, base, turn.row) * now.season
    asked = turn.after - turn.before
    return bool(again * np.sign(asked) >= abs(asked) / 2)
