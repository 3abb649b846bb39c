"""Decisions about roles in a cell and about leaving a post. No database, no clock."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from shared.auth import Role
from shared.duties import DutyIn, StandIn
from shared.errors import Code
from shared.texts import _
from shared.types import is_within

Grants = Collection[tuple[Role, str]]

ENDING: Final = frozenset({Role.county_admin, Role.community_worker, Role.grid_worker, Role.auditor})
"""Roles of a post. Whoever leaves one stays the volunteer they may be."""

_WORKING: Final = ENDING - {Role.auditor}
_LATEST: Final = timedelta(days=366)


class Days(NamedTuple):
    """From a day to before another."""

    start: date
    end: date


def covers(grants: Grants, area: str) -> bool:
    """Say whether these grants let somebody work in an area. A role in a cell never gives that by itself."""
    return any(role in _WORKING and is_within(area, granted) for role, granted in grants)


def overlapping(wanted: Days, others: Iterable[Days]) -> bool:
    return any(wanted.start < other.end and other.start < wanted.end for other in others)


def refuse_stand_in(duty: DutyIn, one: StandIn) -> str | None:
    """Return why somebody cannot stand in: for themselves, or on days on which nobody holds the role."""
    if one.account_id == duty.account_id:
        return _("代班的要是另一个人。")
    if one.from_day < duty.from_day or (duty.until_day and one.until_day > duty.until_day):
        return _("代班的日期要在任期里面。")
    return None


def may_end(grants: Grants, leaving: Grants) -> bool:
    """Say whether somebody may end these grants: an administrator any, a community worker those of grid workers."""
    if any(role is Role.county_admin for role, _ in grants):
        return True
    return bool(leaving) and all(_may_end_one(grants, role, area) for role, area in leaving)


def _may_end_one(grants: Grants, role: Role, area: str) -> bool:
    return role is Role.grid_worker and any(
        mine is Role.community_worker and is_within(area, granted) for mine, granted in grants
    )


def refuse_leaving_day(on: date, today: date) -> Code | None:
    if on > today:
        return Code.in_the_future
    return Code.too_old if on < today - _LATEST else None
