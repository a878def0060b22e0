"""How old a figure is, and from when on it is too old: the rule in one place.

A figure ages from the last day it speaks of, not from the day it was published. Each frequency has
a patience of about two releases and a late one: after it, a newer figure should have arrived.
"""

import datetime as dt

PATIENCE = {"day": 14, "week": 35, "month": 120, "quarter": 270, "year": 730, "span": 400}
"""Days after the end of the period; `span` is one that stays within a year, such as nine months."""
LONG_SPAN = PATIENCE["year"]
"""Days for a span of several years, such as 2021-2025."""
YEAR = 366


def age(period_end: dt.date, today: dt.date) -> int:
    """Days from the last day of the period to `today`; 0 where the period has not ended."""
    return max((today - period_end).days, 0)


def patience(frequency: str, period: dt.date, period_end: dt.date) -> int:
    """Days after which a figure of this period is stale."""
    if frequency == "span" and (period_end - period).days > YEAR:
        return LONG_SPAN
    return PATIENCE[frequency]


def stale(frequency: str, period: dt.date, period_end: dt.date, today: dt.date) -> bool:
    """Whether a newer figure should have arrived by `today`."""
    return age(period_end, today) > patience(frequency, period, period_end)
