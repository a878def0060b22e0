"""The past freed of what does not repeat by itself, and given back to what is foreseen.

What the calendar does (`forecasts.calendar_effects`) and what happened once (`forecasts.breaks`)
are estimated from the panel given, which in a backtest ends at the origin. The level of today is
that of the future, so steps need no giving back; how unsure they are widens the bands.
"""

from collections.abc import Callable, Sequence

import numpy as np

from forecasts.breaks import Break, level_shifts
from forecasts.calendar_effects import calendar_effects
from forecasts.engine import History
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
