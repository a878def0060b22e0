"""The past freed of what does not repeat by itself, and given back to what is foreseen.

What the calendar does (`forecasts.calendar_effects`) and what happened once (`forecasts.breaks`)
are estimated from the panel given, which in a backtest ends at the origin. The level of today is
that of the future, so steps need no giving back; how unsure they are widens the bands.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from forecasts.breaks import Break, level_shifts
from forecasts.calendar_effects import calendar_effects
from forecasts.engine import Adjust, History
from forecasts.panel import Panel


def freed_of(events: Sequence[Break]) -> Callable[[Panel, int], History]:
    """What `forecasts.engine.forecast` takes as `adjust`, told of these events."""

    def freed(panel: Panel, horizon: int) -> History:
        effects = calendar_effects(panel, horizon)
        known = effects.past if any(effects.used.values()) else None
        shifts = level_shifts(panel, events, calendar=known)
        values = effects.without(shifts.applied(panel.values))
        # Where offices were shut, a value says next to nothing about its series.
        values[effects.silent] = np.nan
        nothing = np.zeros((len(values), horizon))
        return History(values, effects.future, effects.restored(nothing), shifts.variance)

    return freed


def remembered(adjust: Adjust) -> Adjust:
    """`adjust`, that works out the past of a panel once however often it is asked.

    Backtests from neighbouring origins ask for nearly the same pasts.
    """
    known: dict[bytes, History] = {}

    def looked_up(panel: Panel, horizon: int) -> History:
        key = _name_of(panel, horizon)
        if key not in known:
            known[key] = adjust(panel, horizon)
        return known[key]

    return looked_up


def _name_of(panel: Panel, horizon: int) -> bytes:
    """Equal where the panels are."""
    about = (
        panel.keys.columns,
        panel.keys.rows(),
        panel.periods,
        panel.frequency,
        panel.tet,
        panel.alike,
        horizon,
    )
    name = hashlib.blake2b(repr(about).encode())
    for numbers in (panel.values, panel.lowest, panel.highest, panel.whole):
        name.update(np.ascontiguousarray(numbers).tobytes())
    return name.digest()
