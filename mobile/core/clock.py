"""The phone's clock, passed in wherever time matters, and the county's day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

Clock = Callable[[], datetime]

COUNTY_TIME = timezone(timedelta(hours=8))
"""China keeps one time; a phone set to another zone must not move a visit to another day."""


def system_now() -> datetime:
    return datetime.now(UTC)


def local(moment: datetime) -> datetime:
    return moment.astimezone(COUNTY_TIME)


def local_day(moment: datetime) -> date:
    return local(moment).date()
