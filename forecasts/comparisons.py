"""What came after a break, compared with what was known before, carried on; and what to believe.

The same comparison at every earlier period, where nothing happened, tells its chance: of a series,
and of the mean of its siblings, whom one and the same month may move together. Memory of the level
carried on and span compared are those of the least chance in the group.
"""

from dataclasses import dataclass

import numpy as np

from forecasts.calm import Calm, Flags, Numbers, pooled, shared_mean
from forecasts.panel import Floats

MEMORIES = (0.1, 0.3, 1.0)
"""Weights of the newest value in the level carried on."""
SPANS = (1, 3, 12)
"""Periods after a break that may be compared with what was before it, as far as there are."""
PRIOR = 4.0
"""How many comparisons the chance of the siblings counts for, beside a series' own."""
FEWEST_PAST = 6
"""Values before a break without which nothing can be carried on."""
DOUBT = 3.0
"""How far the step of a group must exceed its chance, in variance, to be believed at all."""
LEAST = 1e-12
"""Variance below which there is none: rounding."""
MOST = 3.0
"""Bound of a step: on logs twenty times, up or down."""


@dataclass(frozen=True, eq=False)
class Comparisons:
    """By memory, span and series, or group: logs of after over before, less what is usual."""

    step: Floats
    """`(memories, spans, series)`."""
    chance: Floats
    """`(memories, spans, series)`: variance of it where nothing happened."""
    common: Floats
    """`(memories, spans, groups)`: the same, of the mean of the group."""
    level: Floats
    """`(memories, series)`: what was carried on."""


@dataclass(frozen=True, eq=False)
class Believed:
    """Step of each series and its variance."""

    step: Floats
    variance: Floats


def levels(z: Floats) -> Floats:
    """The level before each period, `(memories, series, periods)`; NaN before the first value."""
    found = np.full((z.shape[1], len(MEMORIES), z.shape[0]), np.nan)
    memories = np.array(MEMORIES)[:, None]
    level = np.full((len(MEMORIES), len(z)), np.nan)
    count = np.zeros(len(z))
    for at, now in enumerate(np.ascontiguousarray(z.T)):
        found[at] = level
        known = np.isfinite(now)
        gain = np.fmax(memories, 1 / (count + 1))
        level = np.where(count == 0, now, level + gain * np.where(known, now - level, 0.0))
        count += known
    return np.ascontiguousarray(found.transpose(1, 2, 0))


def means(z: Floats, spans: list[int]) -> list[Floats]:
    """Mean of the known among the next values, from each period on; NaN where half are unknown."""
    known = np.isfinite(z)
    beyond = ((0, 0), (1, max(spans)))
    total = np.cumsum(np.pad(np.where(known, z, 0.0), beyond), axis=1)
    count = np.cumsum(np.pad(known, beyond), axis=1, dtype=float)
    width, found = z.shape[1], []
    for span in spans:
        amount = total[:, span : span + width] - total[:, :width]
        many = count[:, span : span + width] - count[:, :width]
        found.append(np.where(2 * many > span, amount / np.fmax(many, 1), np.nan))
    return found


def compare(z: Floats, base: Calm, column: Numbers, groups: Numbers, most: int) -> Comparisons:
    """Compare before and after `column`, `(series,)`, in values without season `z`.

    Values that are never negative are compared by the log of their ratio, `base.least` standing in
    for 0; the others by their difference, so give those in units. No more than `most` periods
    after the break are looked at. Series with few values above 0 before it are not told.
    """
    spans = [span for span in SPANS if span <= max(most, 1)]
    down, least = base.additive[:, None], np.where(np.isfinite(base.least), base.least, 1.0)
    floor = least[:, None]
    known = np.cumsum(np.where(down, np.isfinite(z), z > 0), axis=1)
    z = z[:, : int(column.max()) + max(spans)]
    row, at = np.arange(len(z)), np.clip(column, 0, z.shape[1] - 1)
    carried = levels(z)
    shape = (len(MEMORIES), len(spans), len(z))
    step, chance = np.full(shape, np.nan), np.full(shape, np.nan)
    common = np.full((*shape[:2], groups.max() + 1), np.nan)
    places = np.arange(z.shape[1])
    past = known[:, : z.shape[1]] > FEWEST_PAST
    before = [_shown(level, down, floor) for level in carried]
    for j, (span, found) in enumerate(zip(spans, means(z, spans), strict=True)):
        after = _shown(found, down, floor / span)
        grain = np.where(base.additive, 0.0, base.grain**2 / span)
        width = int(np.fmax(column - span + 1, 0).max())
        earlier = (past & (places + span <= column[:, None]))[:, :width]
        seen = earlier & np.isfinite(after[:, :width]) & np.isfinite(before[0][:, :width])
        for i, level in enumerate(before):
            usual = np.where(seen, after[:, :width] - level[:, :width], 0.0)
            bias, chance[i, j], common[i, j] = _chance(usual, seen, span, groups, grain)
            step[i, j] = after[row, at] - level[row, at] - bias
    told = (known[row, np.clip(column - 1, 0, None)] >= FEWEST_PAST) & (column == at) & (column > 0)
    return Comparisons(np.where(told, step, np.nan), chance, common, carried[:, row, at])


def _shown(values: Floats, additive: Flags, floor: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(additive, values, np.log(values + floor))


def _chance(
    usual: Floats, seen: Flags, span: int, groups: Numbers, grain: Floats
) -> tuple[Floats, Floats, Floats]:
    """What comparisons show where nothing happened: mean and variance by series, and by group.

    `usual` is 0 where nothing is `seen`. The variance of a count is not less than `grain`.
    """
    many = seen.sum(axis=1)
    apart = many / span
    own = np.where(many > 0, usual.sum(axis=1) / np.fmax(many, 1), np.nan)
    lent = np.nan_to_num(shared_mean(own, groups))[groups]
    bias = lent + apart / (apart + 2 * PRIOR) * np.nan_to_num(own - lent)
    missed = (usual - bias[:, None]) * seen
    squares = np.einsum("ij,ij->i", missed, missed)
    of_group = pooled(squares, groups) / np.fmax(pooled(many, groups), 1)
    chance = np.fmax((PRIOR * of_group[groups] + squares / span) / (PRIOR + apart), grain)
    count = pooled(seen.astype(float), groups)
    together = pooled(missed, groups) / np.fmax(count, 1)
    periods = (count > 0).sum(axis=1)
    common = np.einsum("ij,ij->i", together, together) / np.fmax(periods, 1)
    alone = shared_mean(chance, groups) / np.fmax(pooled((many > 0).astype(float), groups), 1)
    nothing = np.where(periods > 0, 0.0, np.nan)
    return bias, chance + nothing[groups], np.fmax(common, alone) + nothing


def believe(found: Comparisons, groups: Numbers, concerned: Flags, most: Numbers) -> Believed:
    """The step of each series: what its group shows, and its own deviation, less chance.

    `most`, `(series,)`, is how many periods after the break may be looked at. Series not
    `concerned` have none; those that do not tell take that of the group.
    """
    own, chance, common = _least_chance(found, groups, concerned, most)
    told = np.isfinite(own) & np.isfinite(chance)
    own, chance = np.where(told, own, np.nan), np.where(told, chance, np.nan)
    centre = shared_mean(own, groups)
    many = pooled(told.astype(float), groups)
    spread = pooled((own - centre[groups]) ** 2, groups) / np.fmax(many - 1, 1)
    typical = shared_mean(chance, groups)
    likely = np.where(many > 1, np.fmax(spread - typical, 0.0), 0.0)
    apart = np.fmax(likely - 2 * typical * np.sqrt(2 / np.fmax(many - 1, 1)), 0.0)
    weight = np.where(told, 1 / np.fmax(chance + apart[groups], LEAST), 0.0)
    centre = pooled(weight * own, groups) / np.fmax(pooled(weight, groups), LEAST)
    sure = np.fmax(1 - DOUBT * common / np.fmax(centre**2, LEAST), 0.0)
    sure = np.where(np.isfinite(sure), sure, 0.0)
    keeps = apart[groups] / np.fmax(chance + apart[groups], LEAST)
    lent = (sure * centre)[groups]
    step = np.where(told, lent + keeps * (own - centre[groups]), lent)
    doubt = sure**2 * common + (1 - sure) ** 2 * np.fmax(centre**2 - common, 0.0)
    left = np.where(told, keeps**2 * chance + (1 - keeps) ** 2 * likely[groups], likely[groups])
    variance = np.nan_to_num(doubt[groups] + left)
    return Believed(
        np.where(concerned, np.clip(step, -MOST, MOST), 0.0), np.where(concerned, variance, 0.0)
    )


def _least_chance(
    found: Comparisons, groups: Numbers, concerned: Flags, most: Numbers
) -> tuple[Floats, Floats, Floats]:
    """Step and chance by series, and chance of the mean by group, where a group has least of it."""
    use = concerned & np.isfinite(found.step).any(axis=(0, 1)) & (most > 0)
    reach = np.full(groups.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(reach, groups[use], most[use])
    shape = found.chance.shape
    chance = np.where(use, found.chance, np.nan).reshape(-1, shape[2])
    of_group = shared_mean(chance.T, groups).reshape(-1, *shape[:2])
    allowed = np.array(SPANS[: shape[1]])[None, None, :] <= reach[:, None, None]
    ranked = np.where(allowed & np.isfinite(of_group), of_group, np.inf).reshape(len(reach), -1)
    best = ranked.argmin(axis=1)
    i, j = np.unravel_index(best, shape[:2])
    row = np.arange(shape[2])
    step = np.where(use, found.step[i[groups], j[groups], row], np.nan)
    return step, found.chance[i[groups], j[groups], row], found.common[i, j, np.arange(len(reach))]
