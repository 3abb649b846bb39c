"""Whether two rows may be one person. Pure: the same rule judges a new person at once and a whole county at night.

A number is on file once in a county, so two rows that both have one are two people until somebody corrects a number.
A phone alone says little, since families share one: it counts with the same reading of a name, or the same day of birth
in another household. (Twins are born on one day and called on one phone, behind one door.)
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from backend.residents import search
from shared.links import Likeness
from shared.types import AREA_LEVELS

_DOOR, _PHONE, _NAME, _BIRTH_AND_PHONE, _MORE = 85, 70, 60, 50, 10


class Traits(NamedTuple):
    """A row as far as its likeness to another goes."""

    id: UUID
    area_code: str
    household_id: UUID
    name: str
    spelling: str  # so that 王晓华 and 王小华 are one
    birth_date: date | None
    phone: str | None
    door: str
    id_on_file: bool


class Likely(NamedTuple):
    """Why two rows are alike, and how much."""

    reasons: list[Likeness]
    score: int


def door(dwelling_id: UUID, area_code: str, parts: Sequence[str]) -> str:
    """Return what equal doors have in common: their words within a community, or the door's own id without a room."""
    words = search.normalise("".join(parts))
    return f"{area_code[:12]}:{words}" if words and parts[-1] else str(dwelling_id)


def likely(one: Traits, other: Traits) -> Likely | None:
    if one.id_on_file and other.id_on_file:
        return None
    sounds = one.spelling == other.spelling
    born = one.birth_date is not None and one.birth_date == other.birth_date
    called = one.phone is not None and one.phone == other.phone
    found: dict[Likeness, int] = {}
    if sounds and born and one.door == other.door:
        found[Likeness.name_birth_door] = _DOOR
    elif one.name == other.name and born:
        found[Likeness.name_birth] = _NAME
    if called and sounds:
        found[Likeness.phone] = _PHONE
    elif called and born and one.household_id != other.household_id:
        found[Likeness.phone] = _BIRTH_AND_PHONE
    if not found:
        return None
    return Likely(list(found), min(100, max(found.values()) + _MORE * (len(found) - 1)))


def area_of_both(one: str, other: str) -> str:
    """Return the smallest place that holds both: who covers it may decide about them."""
    shared = next((level for level in reversed(AREA_LEVELS) if one[:level] == other[:level]), 0)
    return one[:shared]


class Pair(NamedTuple):
    """Two rows in the order of their ids, so that a pair has one id however it was found."""

    first: UUID
    second: UUID

    @property
    def id(self) -> UUID:
        return uuid5(NAMESPACE_URL, f"urn:gridhood:pair:{self.first}:{self.second}")


def pair(one: UUID, other: UUID) -> Pair:
    return Pair(*sorted((one, other)))
