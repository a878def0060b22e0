"""The day in Cần Thơ, on a machine of any zone."""

import datetime as dt
import time

import pytest

from etl.clock import CAN_THO, local_day, today


@pytest.mark.parametrize("zone", [dt.UTC, None, dt.timezone(dt.timedelta(hours=-5))])
def test_half_past_one_at_night_is_the_day_that_has_begun_there(zone):
    at = dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC)
    kept = at.replace(tzinfo=None) if zone is None else at.astimezone(zone)
    assert local_day(kept) == dt.date(2026, 11, 23)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_today_does_not_depend_on_the_zone_of_the_machine(monkeypatch, zone):
    """One of the two far zones has another day than Cần Thơ at any hour."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        before, seen, after = dt.datetime.now(CAN_THO), today(), dt.datetime.now(CAN_THO)
        assert before.date() <= seen <= after.date()
    finally:
        monkeypatch.undo()
        time.tzset()
