"""The past freed of what does not repeat by itself, and given back to what is foreseen.

In this order: what happened once (`forecasts.breaks`), then what the calendar does
(`forecasts.calendar_effects`). Both are estimated from the panel given, which in a backtest ends at
the origin.
"""

import numpy as np

from forecasts.calendar_effects import calendar_effects
from forecasts.engine import History
from forecasts.panel import Panel


def freed(panel: Panel, horizon: int) -> History:
    """The values of a calm calendar, and what brings the real one back.

    Values that say next to nothing about their series, as offices were shut, are missing.
    """
    effects = calendar_effects(panel, horizon)
    values = np.where(effects.silent, np.nan, effects.without(panel.values))
    nothing = np.zeros((len(values), horizon))
    return History(values, effects.future, effects.restored(nothing), np.zeros(len(values)))
