"""Lasting steps in a panel: by what the past is multiplied to stand on the level of today.

Whether a declared event moved the figures, the figures tell: what came after it is compared with
what was known before, carried on, and the same is done at every earlier period, where nothing
happened. What shows there is chance, and a step is believed as far as it exceeds it
(`forecasts.comparisons`). So an event without effect leaves the past as it is.

Steps that nobody declared, and outliers, are looked for too (`forecasts.outliers`). An outlier or a
month of transition is masked where models learn, and stays on record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from forecasts.calm import Calm, Flags, Numbers, calm
from forecasts.comparisons import believe, compare
from forecasts.declared import Break, Declared, declared, moved_by_tet
from forecasts.outliers import Findings, find
from forecasts.panel import Floats, Panel
from forecasts.treatments import (
    FORGOTTEN,
    IGNORED,
    SHIFTED,
    TREATMENTS,
    Choice,
    Reason,
    choose,
    flattened,
)

__all__ = ["Break", "LevelShifts", "declared", "level_shifts"]

FALSE_RATE = 0.01
"""Share of series of normal chance in which a step or outlier would be found that is none."""
MOST_AFTER = 12
"""Periods after a step that are compared with what was before it."""
BLOCK = 4096
"""Series taken at a time, in whole groups of siblings, to bound memory; changes no result."""
DETECTED = {
    "series": pl.UInt32,
    "period": pl.Date,
    "kind": pl.String,
    "size": pl.Float64,
    "evidence": pl.Float64,
    "treated_as": pl.String,
}
TREATED = {
    "event": pl.String,
    "group": pl.Int64,
    "treatment": pl.String,
    "reason": pl.String,
    **{f"loss_{name}": pl.Float64 for name in TREATMENTS},
}


@dataclass(frozen=True, eq=False)
class LevelShifts:
    """What stands between the past of a panel and the level of today."""

    factor: Floats
    """`(series, periods)`: what past values are multiplied by; 1 where nothing is."""
    additive: Floats
    """`(series, periods)`: what is then added, in units of the series: 0 but for series that go
    below 0, whose factor is 1."""
    mask: Flags
    """`(series, periods)`: values from which nothing is learned: outliers, pulses, transition."""
    events: tuple[str, ...]
    """Names of the declared steps within the panel, oldest first."""
    log_shift: Floats
    """`(series, events)`: log of the step at each; of series that go below 0, it over `unit`."""
    variance: Floats
    """`(series,)`: of the sum of all such steps, to widen bands by."""
    unit: Floats
    """`(series,)`: 1, or the usual seasonal change of a series that goes below 0."""
    detected: pl.DataFrame
    """What was found: series (row), period, kind (outlier, step, shared_step), size (as
    `log_shift`), evidence (how many times what is usual), treated_as (masked, shifted)."""
    treatments: pl.DataFrame
    """What was done about declared steps: event, group (of siblings), treatment (ignored, shifted,
    forgotten), reason (few_values_after, not_clearly_better, smaller_errors), and the mean errors
    of each after the step, over the level: loss_ignored, loss_shifted, loss_forgotten."""

    def applied(self, values: Floats) -> Floats:
        """`values`, `(series, periods)`, on the level of today; NaN where masked."""
        return np.where(self.mask, np.nan, values * self.factor + self.additive)


def level_shifts(
    panel: Panel,
    events: Sequence[Break] = (),
    *,
    calendar: Floats | None = None,
    false_rate: float = FALSE_RATE,
) -> LevelShifts:
    """Steps and outliers of `panel`, told by its own values alone.

    `calendar`, `(series, periods)`, is what known effects of the calendar multiply values by; it is
    taken out before anything is looked for. Without it, periods that Tết moves are never outliers.
    `false_rate` 0 looks for nothing that is not declared.
    """
    told = Declared.within(panel, events)
    values = np.where(told.mask, np.nan, panel.values / (1.0 if calendar is None else calendar))
    size = _power_of_two(values)
    protected = moved_by_tet(panel) & (calendar is None)
    blocks = list(_blocks(panel.siblings))
    parts = [
        _of_block(
            values[rows] / size,
            panel.season,
            panel.siblings[rows],
            told.of(rows),
            protected,
            false_rate,
        )
        for rows in blocks
    ]
    return _together(panel, told, blocks, parts, size)


def _power_of_two(values: Floats) -> float:
    """One of about the size of the largest value: to divide by it rounds nothing."""
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    return float(2.0 ** np.floor(np.log2(largest))) if largest > 0 else 1.0


def _blocks(groups: Numbers) -> Iterator[Numbers]:
    """Rows of whole groups, in order of their groups, about `BLOCK` at a time."""
    order = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.unique(groups, return_counts=True)[1])
    start = 0
    for number, end in enumerate(ends):
        if end == len(groups) or ends[number + 1] - start > BLOCK:
            yield order[start:end]
            start = end


@dataclass(frozen=True, eq=False)
class _Part:
    """What a block of series is found to be; sizes on the scale of `Calm.x`."""

    base: Calm
    past: Floats
    """`(series, periods)`: what is added to the past."""
    shift: Floats
    variance: Floats
    found: Findings | None
    treatments: list[dict[str, object]]


def _of_block(
    values: Floats,
    season: int,
    siblings: Numbers,
    told: Declared,
    protected: Flags,
    false_rate: float,
) -> _Part:
    names, groups = np.unique(siblings, return_inverse=True)
    base = calm(values, season, groups, tuple(int(column) for column in told.columns))
    found = None
    if false_rate > 0:
        restarts = np.zeros(values.shape, dtype=bool)
        for k, column in enumerate(told.columns):
            restarts[told.concerned[:, k], column] = True
        found = find(
            replace(base, x=np.where(told.mixed, np.nan, base.x)),
            season,
            groups,
            restarts=restarts,
            protected=protected,
            false_rate=false_rate,
        )
    return _measured(values, season, groups, names, told, base, found)


@dataclass(frozen=True, eq=False)
class _Turn:
    """The next step of each series, from the oldest on."""

    which: Numbers
    """`(series,)`: number of the declared step; their count, of one that siblings took."""
    column: Numbers
    """`(series,)`: its first period; beyond the last where there is none."""
    most: Numbers
    """`(series,)`: periods until the next step, or the end."""
    kin: Numbers
    """`(series,)`: siblings whose step it is as well."""
    concerned: Flags


def _turns(groups: Numbers, told: Declared, found: Findings | None, width: int) -> Iterator[_Turn]:
    """The steps of all series, the oldest of each first."""
    declared_at = np.where(told.concerned, told.columns, width)
    shared = np.full((len(groups), 1), width)
    if found is not None:
        shared[:, 0] = np.where(found.shared.any(axis=1), found.shared.argmax(axis=1), width)
    columns = np.hstack([declared_at, shared]).astype(np.int64)
    order = columns.argsort(axis=1, kind="stable")
    columns = np.take_along_axis(columns, order, axis=1)
    ends = np.hstack([columns[:, 1:], np.full((len(groups), 1), width)])
    for turn in range(columns.shape[1]):
        concerned = columns[:, turn] < width
        if concerned.any():
            which = np.where(concerned, order[:, turn], columns.shape[1])
            kin = np.unique(groups * (columns.shape[1] + 1) + which, return_inverse=True)[1]
            most = np.minimum(ends[:, turn] - columns[:, turn], MOST_AFTER)
            yield _Turn(which, columns[:, turn], most, kin, concerned)


def _measured(
    values: Floats,
    season: int,
    groups: Numbers,
    names: Numbers,
    told: Declared,
    base: Calm,
    found: Findings | None,
) -> _Part:
    """The sizes of all steps, from the oldest on: each past stands on the level of the next."""
    down = base.additive[:, None]
    plain = _plain(values, base, told, found)
    past = np.zeros(values.shape) if found is None else _own_steps(found)
    shift, variance = np.zeros((len(values), len(told.names))), np.zeros(len(values))
    treatments: list[dict[str, object]] = []
    for turn in _turns(groups, told, found, values.shape[1]):
        z = np.where(down, plain + past, plain * np.exp(past))
        seen = compare(z, base, turn.column, turn.kin, int(turn.most.max()))
        size = believe(seen, turn.kin, turn.concerned, turn.most)
        choice = choose(z, base.additive, seen, turn.column, turn.kin, turn.concerned, turn.most)
        treated = np.where(turn.which < len(told.names), choice.treatment[turn.kin], SHIFTED)
        step = np.where(treated == IGNORED, 0.0, _expected(size.step, turn, told))
        rows = np.flatnonzero((treated == FORGOTTEN) & turn.concerned)
        carried = np.where(treated == FORGOTTEN, 0.0, step)[:, None] * _before(turn, told)
        past = past + carried
        past[rows] += flattened(z[rows], base.additive[rows], turn.column[rows], season)
        variance += np.where(treated == SHIFTED, size.variance, 0.0) * (step != 0)
        rows = np.flatnonzero(turn.which < len(told.names))
        shift[rows, turn.which[rows]] = step[rows]
        treatments += _treated(turn, choice, told.names, names[groups])
    return _Part(base, past, shift, variance, found, treatments)


def _plain(values: Floats, base: Calm, told: Declared, found: Findings | None) -> Floats:
    """Values without season, outliers, and periods within which a step lies."""
    with np.errstate(invalid="ignore", divide="ignore"):
        plain = np.where(base.additive[:, None], base.x, values / base.season)
    hidden = told.mixed | ~np.isfinite(base.x)
    return np.where(hidden if found is None else hidden | found.outliers, np.nan, plain)


def _own_steps(found: Findings) -> Floats:
    """What the steps of single series add to all that is before them."""
    sizes = np.where(found.steps, found.size, 0.0)
    return np.asarray(sizes[:, ::-1].cumsum(axis=1)[:, ::-1] - sizes)


def _expected(step: Floats, turn: _Turn, told: Declared) -> Floats:
    """The step, or none where it goes the other way than the event is known to lead."""
    way = np.append(told.way, [0.0, 0.0])[turn.which]
    return np.where(step * way < 0, 0.0, step)


def _before(turn: _Turn, told: Declared) -> Floats:
    """Share of each period that lies before the step, `(series, periods)`."""
    places = np.arange(told.mask.shape[1])
    whole = (places < turn.column[:, None]).astype(float)
    shares = np.vstack([told.before, np.zeros((2, len(places)))])[turn.which]
    return np.where((turn.which < len(told.names))[:, None], shares, whole)


def _treated(
    turn: _Turn, choice: Choice, names: tuple[str, ...], siblings: Numbers
) -> Iterator[dict[str, object]]:
    """One row for each declared step and group."""
    _, first = np.unique(turn.kin, return_index=True)
    for kin, row in enumerate(first):
        if turn.which[row] < len(names):
            losses = choice.losses[:, kin]
            told = np.isfinite(losses).all()
            reason: Reason = "not_clearly_better" if told else "few_values_after"
            yield {
                "event": names[turn.which[row]],
                "group": int(siblings[row]),
                "treatment": TREATMENTS[choice.treatment[kin]],
                "reason": "smaller_errors" if choice.clear[kin] else reason,
                **{
                    f"loss_{name}": float(loss) if told else None
                    for name, loss in zip(TREATMENTS, losses, strict=True)
                },
            }


def _together(
    panel: Panel, told: Declared, blocks: list[Numbers], parts: list[_Part], size: float
) -> LevelShifts:
    shape = panel.values.shape
    factor, added, mask = np.ones(shape), np.zeros(shape), told.mask.copy()
    shift, variance = np.zeros((shape[0], len(told.names))), np.zeros(shape[0])
    unit = np.ones(shape[0])
    detected, treatments = [], []
    for rows, part in zip(blocks, parts, strict=True):
        down = part.base.additive[:, None]
        factor[rows] = np.where(down, 1.0, np.exp(np.where(down, 0.0, part.past)))
        added[rows] = np.where(down, part.past * part.base.unit[:, None] * size, 0.0)
        shift[rows], variance[rows] = part.shift, part.variance
        unit[rows] = np.where(part.base.additive, part.base.unit * size, 1.0)
        treatments += part.treatments
        if part.found is not None:
            mask[rows] |= part.found.outliers
            detected.append(_listed(panel, rows, part, part.found))
    return LevelShifts(
        factor,
        added,
        mask,
        told.names,
        shift,
        variance,
        unit,
        pl.concat([pl.DataFrame(schema=DETECTED), *detected]).sort("series", "period"),
        pl.DataFrame(treatments, schema=TREATED),
    )


def _listed(panel: Panel, rows: Numbers, part: _Part, found: Findings) -> pl.DataFrame:
    """Everything found in a block; a shared step with the size that each series is given."""
    periods = np.array(panel.periods, dtype="datetime64[D]")
    kinds = (found.outliers, found.steps, found.shared)
    kind, row, at = (
        np.concatenate(part) for part in zip(*map(_placed, enumerate(kinds)), strict=True)
    )
    jump = part.past[row, np.fmax(at - 1, 0)] - part.past[row, at]
    names = np.array(["outlier", "step", "shared_step"])
    columns = {
        "series": rows[row],
        "period": periods[at],
        "kind": names[kind],
        "size": np.where(kind == len(kinds) - 1, jump, found.size[row, at]),
        "evidence": found.evidence[row, at],
        "treated_as": np.where(kind == 0, "masked", "shifted"),
    }
    return pl.DataFrame(columns, schema_overrides=DETECTED)


def _placed(numbered: tuple[int, Flags]) -> tuple[Numbers, Numbers, Numbers]:
    """Kind, row and column of everything flagged."""
    kind, flags = numbered
    row, at = np.nonzero(flags)
    return np.full(len(row), kind), row, at
