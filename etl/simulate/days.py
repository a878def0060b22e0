"""The days of the simulation as numbers, how busy each is, and the trend."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from etl.calendars import calendar
from etl.simulate.assumed import (
    EPOCH,
    HORIZON,
    MONTHS,
    ORIGIN,
    REFERENCE,
    UNTIL,
    WEEKDAYS,
    Flags,
    Floats,
    Ints,
    floats,
    parameters,
)


@dataclass(frozen=True)
class Span:
    """Days as numbers from ORIGIN on, working days as numbers among themselves."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not EPOCH <= self.first <= self.last <= UNTIL:
            raise ValueError(f"dossiers are simulated from {EPOCH} to {UNTIL}")

    @property
    def months(self) -> list[date]:
        """First days of the months, in order."""
        start = self.first.replace(day=1)
        return pl.date_range(start, self.last, "1mo", eager=True).to_list()

    def days_of(self, month: date) -> Ints:
        following = (month + timedelta(days=31)).replace(day=1)
        return np.arange(self.number(month), self.number(following))

    @staticmethod
    def number(day: date) -> int:
        return (day - ORIGIN).days

    @cached_property
    def calendar(self) -> pl.DataFrame:
        return calendar(ORIGIN, HORIZON)

    @cached_property
    def working(self) -> Flags:
        return self.calendar["working"].to_numpy()

    @cached_property
    def worked(self) -> Ints:
        """Day of each working day."""
        return np.flatnonzero(self.working)

    @cached_property
    def opened(self) -> Ints:
        """The first working day on or after each day."""
        return np.searchsorted(self.worked, np.arange(len(self.working)), side="left")

    @cached_property
    def closed(self) -> Ints:
        """The last working day on or before each day."""
        return np.searchsorted(self.worked, np.arange(len(self.working)), side="right") - 1

    @cached_property
    def years(self) -> Floats:
        """Years from the reference day, negative before it."""
        return (np.arange(len(self.working)) - self.number(REFERENCE)) / 365.25

    @cached_property
    def texts(self) -> pl.Series:
        """'dd/mm/yyyy' of each day; the last is null, for number -1 after `_or_null`."""
        days = self.calendar["date"].dt.strftime("%d/%m/%Y")
        return pl.concat([days, pl.Series("date", [None], dtype=pl.String)])

    @cached_property
    def codes(self) -> pl.Series:
        return self.calendar["date"].dt.strftime("%y%m%d")

    @cached_property
    def days_from_tet(self) -> Ints:
        return self.calendar["days_from_tet"].to_numpy().astype(np.int64)

    def trend(self, column: str) -> Floats:
        """`level` (1 at the reference) or `online` (share) of each day, straight between knots."""
        table = parameters("trend")
        known = (table["day"] - ORIGIN).dt.total_days().to_numpy()
        return floats(np.interp(np.arange(len(self.working)), known, table[column].to_numpy()))

    def season(self) -> Floats:
        """How busy each day is for each profile; `(profiles, days)`, about 1 on a working day."""
        return np.stack([self._season(row) for row in parameters("profiles").iter_rows(named=True)])

    def _season(self, profile: dict[str, Any]) -> Floats:
        dates = self.calendar["date"]
        middles = [(date(2025, month, 15) - date(2025, 1, 1)).days + 1 for month in range(1, 13)]
        months = [profile[name] for name in MONTHS]
        year = np.interp(dates.dt.ordinal_day().to_numpy(), middles, months, period=365.25)
        day_of_year = dates.dt.month().cast(pl.Int32) * 100 + dates.dt.day()
        review = np.where(day_of_year.is_between(901, 1214), profile["review"], 1.0)
        tet = self._tet(profile["before_tet"], profile["after_tet"])
        return floats(year * review * tet * self._week(profile))

    def _week(self, profile: dict[str, Any]) -> Floats:
        weekday = self.calendar["date"].dt.weekday().to_numpy() - 1
        # A weekend day worked in exchange is like a Wednesday.
        open_ = np.array([profile[name] for name in [*WEEKDAYS, "wed", "wed"]])[weekday]
        shut = np.where(weekday >= 5, profile["weekend"], profile["holiday"])
        feast = self.calendar["holiday"].is_not_null().to_numpy()
        return floats(np.where(self.working, open_, np.where(feast, profile["holiday"], shut)))

    def _tet(self, before: float, after: float) -> Floats:
        """Falls over the 12 days before Tết; a surge from the 5th day on, gone after two weeks."""
        days = self.days_from_tet
        trough = 1 - (1 - before) * np.clip(1 - (-days - 1) / 12, 0, 1)
        surge = 1 + (after - 1) * np.clip(1 - (days - 5) / 14, 0, 1)
        return np.where(days < 0, trough, np.where(days >= 5, surge, 1.0))
