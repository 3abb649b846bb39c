"""Decisions about cells: who may draw one, and from when a boundary counts. No database, no clock."""

from collections.abc import Collection
from datetime import date

from shared.auth import Role
from shared.errors import Code
from shared.grid import CellIn, CellOut
from shared.types import is_within

Grants = Collection[tuple[Role, str]]

_DRAWING = frozenset({Role.county_admin, Role.community_worker})
WORDS = ("name", "kind", "purpose", "unit_name", "unit_code")
"""What a cell is called and what it is for: all of it but its boundary."""

_WITHIN_SCOPE_ONLY = frozenset({Role.partner})


def may_draw(grants: Grants, code: str) -> bool:
    """Say whether these grants let somebody draw this cell: a grid worker's own cell is not his to redraw."""
    return any(role in _DRAWING and is_within(code, area) for role, area in grants)


def may_locate(grants: Grants, code: str) -> bool:
    """Say whether somebody may learn that a place lies in this cell.

    A place is not a person, so staff learn it for the whole county; another system only for the areas it was given.
    """
    return any(role not in _WITHIN_SCOPE_ONLY or is_within(code, area) for role, area in grants)


def may_ask_for(scopes: Collection[str], area: str) -> bool:
    """Say whether a list of this area can hold anything for these scopes; what lies outside them is left out anyway."""
    return any(is_within(area, scope) or is_within(scope, area) for scope in scopes)


def same_content(present: CellOut, wanted: CellIn, geometry: dict[str, object]) -> bool:
    """Say whether the cell already is as wanted, so that a repeat changes nothing."""
    same_words = all(getattr(present, name) == getattr(wanted, name) for name in WORDS)
    return same_words and present.geometry == geometry and wanted.from_day in (None, present.from_day)


def refuse_day(day: date, today: date, present_from: date | None) -> Code | None:
    """Refuse a boundary that begins in the future or before the present one; the same day replaces it."""
    if day > today:
        return Code.in_the_future
    if present_from and day < present_from:
        return Code.too_old
    return None
