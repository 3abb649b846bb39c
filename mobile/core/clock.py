"""The phone's clock, passed in wherever time matters, and the county's day."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from mobile.core.texts import local

Clock = Callable[[], datetime]


def system_now() -> datetime:
    return datetime.now(UTC)


def local_day(moment: datetime) -> date:
    """The day people here would name: a phone set to another zone must not move a visit to another day."""
    return local(moment).date()
