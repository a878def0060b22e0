"""What to do about a step: carry the past over, leave it, or forget its level; by what came after.

Where enough is known after a step, each treatment forecasts the periods after it from origins
within it, level times season, with what was known at the origin. A group of siblings takes
another treatment than carrying over only where that has clearly smaller errors.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasts.calm import Flags, Numbers, pooled, shared_mean, trend
from forecasts.comparisons import MEMORIES, Comparisons, believe
from forecasts.panel import Floats
from forecasts.scores import mean

Treatment = Literal["ignored", "shifted", "forgotten"]
Reason = Literal["few_values_after", "not_clearly_better", "smaller_errors"]

TREATMENTS: tuple[Treatment, ...] = ("ignored", "shifted", "forgotten")
IGNORED, SHIFTED, FORGOTTEN = range(3)
ORIGINS = (3, 5, 7, 9)
"""Values after the step that are known at each origin."""
AHEAD = 3
"""Periods forecast from each."""
CLEARLY = 0.97
"""What another treatment's errors must be below, as a share of those of carrying over."""
ALONE = 0.85
"""The same, where there are too few siblings to tell chance from their differences."""
SIBLINGS = 5


@dataclass(frozen=True, eq=False)
class Choice:
    """By group of siblings: a number of `TREATMENTS`, and the errors on which it rests."""

    treatment: Numbers
    losses: Floats
    """`(treatments, groups)`: mean absolute error over the level; NaN where none was forecast."""
    clear: Flags
    """Whether another treatment than carrying over had clearly smaller errors."""


def choose(
    z: Floats,
    additive: Flags,
    seen: Comparisons,
    column: Numbers,
    groups: Numbers,
    concerned: Flags,
    most: Numbers,
) -> Choice:
    """The treatment of each group for the step at `column`, in values without season `z`."""
    width = int(np.where(concerned, most, 0).max())
    row = np.arange(len(z))[:, None]
    at = np.minimum(column[:, None] + np.arange(width), z.shape[1] - 1)
    after = np.where(concerned[:, None] & (np.arange(width) < most[:, None]), z[row, at], np.nan)
    shape = (len(TREATMENTS), len(MEMORIES), len(z))
    total, count = np.zeros(shape), np.zeros(len(z))
    unit = np.where(additive, 1.0, mean(np.abs(after)))
    for known in (origin for origin in ORIGINS if origin < width):
        limit = np.minimum(most, known)
        step = believe(seen, groups, concerned, limit).step
        outcome = mean(after[:, known : known + AHEAD])
        with np.errstate(divide="ignore", invalid="ignore"):
            missed = np.abs(_levels(after[:, :known], seen.level, step, additive) - outcome) / unit
        told = np.isfinite(missed).all(axis=(0, 1))
        total += np.where(told, missed, 0.0)
        count += told
    return _best(np.where(count > 0, total / np.fmax(count, 1), np.nan), groups)


def _levels(after: Floats, past: Floats, step: Floats, additive: Flags) -> Floats:
    """Level at the end of `after`, `(treatments, memories, series)`, from that of the `past`."""
    moved = np.where(additive, past + step, past * np.exp(step))
    level = np.stack([past, moved, np.zeros_like(past)])
    memory = np.array(MEMORIES)[None, :, None]
    fresh = (np.arange(len(TREATMENTS)) == FORGOTTEN)[:, None, None]
    count = np.zeros(after.shape[0])
    for now in after.T:
        count += np.isfinite(now)
        gain = np.where(fresh, np.fmax(memory, 1 / np.fmax(count, 1)), memory)
        level = level + gain * np.where(np.isfinite(now), now - level, 0.0)
    return np.asarray(np.where(count > 0, level, np.nan))


def _best(losses: Floats, groups: Numbers) -> Choice:
    of_group = np.stack(
        [[shared_mean(loss, groups) for loss in of_memories] for of_memories in losses]
    )
    memory = np.nan_to_num(of_group, nan=np.inf).argmin(axis=1)
    number = np.arange(of_group.shape[2])
    least = np.stack([of_group[k, memory[k], number] for k in range(len(TREATMENTS))])
    row = np.arange(len(groups))
    own = np.stack([losses[k, memory[k][groups], row] for k in range(len(TREATMENTS))])
    better = np.stack([_clearly_better(own, least, k, groups) for k in range(len(TREATMENTS))])
    ranked = np.where(better, least, np.inf)
    clear = np.asarray(better.any(axis=0))
    return Choice(np.where(clear, ranked.argmin(axis=0), SHIFTED), least, clear)


def _clearly_better(own: Floats, least: Floats, k: int, groups: Numbers) -> Flags:
    """Whether treatment `k` has errors below those of carrying over by more than chance."""
    gain = own[SHIFTED] - own[k]
    many = pooled(np.isfinite(gain).astype(float), groups)
    typical = shared_mean(gain, groups)
    spread = pooled((gain - typical[groups]) ** 2, groups) / np.fmax(many - 1, 1)
    bar = np.where(many < SIBLINGS, ALONE, CLEARLY)
    sure = (many < SIBLINGS) | (typical > 2 * np.sqrt(spread / np.fmax(many, 1)))
    return np.asarray((least[k] < bar * least[SHIFTED]) & sure & (k != SHIFTED))


def flattened(z: Floats, additive: Flags, column: Numbers, season: int) -> Floats:
    """What takes the past to the mean level after `column`, without its ups and downs.

    `(series, periods)`, on logs or, for additive series, in units; 0 from the column on. Season and
    chance of the past stay, its level and trend are forgotten.
    """
    past = np.arange(z.shape[1]) < column[:, None]
    smooth = _held(
        trend(np.where(past, z, np.nan), max(season, 4)), mean(np.where(past, z, np.nan))
    )
    level = mean(np.where(past, np.nan, z))[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = np.where(additive[:, None], level - smooth, np.log(level / smooth))
    return np.where(past & np.isfinite(moved), moved, 0.0)


def _held(smooth: Floats, otherwise: Floats) -> Floats:
    """With the nearest known value held towards either end; the latest known within gaps."""
    known: Flags = np.isfinite(smooth)
    places = np.arange(smooth.shape[1])
    latest = np.maximum.accumulate(np.where(known, places, -1), axis=1)
    place = np.where(latest < 0, np.asarray(known.argmax(axis=1))[:, None], latest)
    held = np.take_along_axis(smooth, place, axis=1)
    return np.where(np.asarray(known.any(axis=1))[:, None], held, otherwise[:, None])
