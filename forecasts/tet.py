"""Where the calendar moves figures: Tết, holidays and working days, as regressors of models.

Tết moves between January and February, so a month of the year does not stand for it.
"""

from datetime import date
from functools import lru_cache

import numpy as np

from etl.calendars import national_holidays, tet_share, working_days
from etl.periods import Frequency, Period
from forecasts.panel import Floats

TYPICAL_WORKING_DAYS = 21.0


def regressors(periods: tuple[date, ...], frequency: Frequency) -> Floats:
    """What the calendar says of each period, `(periods, k)`, known for years ahead.

    Months: shares of the 7 days before Tết and of the 8 from Tết on, and working days over the
    typical number, less 1. Days: whether the day is a holiday. Other frequencies: nothing, `k` is
    0.
    """
    rows = [_of(period, frequency) for period in periods]
    return np.array(rows, dtype=float).reshape(len(periods), -1 if rows else 0)


@lru_cache(maxsize=4096)
def _of(period: date, frequency: Frequency) -> tuple[float, ...]:
    if frequency is Frequency.MONTH:
        last = Period.containing(frequency, period).end
        return (*tet_share(period), working_days(period, last) / TYPICAL_WORKING_DAYS - 1)
    if frequency is Frequency.DAY:
        return (float(period in national_holidays(period.year)),)
    return ()


def told_apart(known: Floats) -> list[int]:
    """The columns that vary over the periods known: only of these can an effect be learned."""
    return [column for column in range(known.shape[1]) if np.ptp(known[:, column]) > 0]
