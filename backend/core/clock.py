"""The server's clock, and the county's calendar day. Rules never read either: they get the moment passed in."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

FOREVER = date(9999, 12, 31)
"""Open end of a period: a comparison with a plain value stays leakproof where a null test would not be indexable."""

COUNTY_ZONE = ZoneInfo("Asia/Shanghai")


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def day_begins(day: date) -> datetime:
    """Return the moment at which a day begins in the county."""
    return datetime.combine(day, time.min, COUNTY_ZONE).astimezone(UTC)


def county_day(moment: datetime) -> date:
    """Return the calendar day in the county at this moment."""
    return moment.astimezone(COUNTY_ZONE).date()
