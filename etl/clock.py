"""The day in Cần Thơ, whatever zone the machine is set to: of now, and of a moment kept in UTC."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

CAN_THO = ZoneInfo("Asia/Ho_Chi_Minh")
Clock = Callable[[], dt.datetime]
"""What moment it is, in UTC."""


def now() -> dt.datetime:
    """The moment, in UTC."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """The day it is now."""
    return local_day(now())


def local_day(at: dt.datetime) -> dt.date:
    """The day of a moment; one without a zone is in UTC, as everything that is kept."""
    return _local(at).date()


def local_hour(at: dt.datetime) -> str:
    """Hour and minute of a moment, `08:05`."""
    return f"{_local(at):%H:%M}"


def _local(at: dt.datetime) -> dt.datetime:
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(CAN_THO)
