"""How a door and the people behind it are named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from mobile.core import texts
from mobile.grid.rules import LonLat, metres, walking_minutes
from shared.residents import CARE_WORDS, Care, HouseholdOut, Relation, Residency, ResidentOut
from shared.texts import _

CARE_ICONS = {
    Care.alone: "house-line",
    Care.left_behind: "baby",
    Care.empty_nest: "house-line",
    Care.bereaved: "hand-heart",
    Care.frail: "wheelchair",
    Care.medication: "pill",
    Care.discharged: "first-aid",
    Care.veteran: "star",
    Care.minor_alone: "baby",
    Care.needs_care: "hand-heart",
}
RESIDENCY_KINDS = {Residency.floating: "due", Residency.away: "sent"}
DUE_ICONS = {"over": "warning", "due": "clock", "later": "calendar-blank"}


@dataclass(frozen=True, slots=True)
class CareTag:
    """A care flag: about the person, never about the task."""

    code: str
    word: str
    icon: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a visit is for: one person, or a family named after its head."""

    resident_id: UUID | None
    name: str
    age_text: str
    phone: str


def care_tags(care: Iterable[Care]) -> list[CareTag]:
    return [CareTag(item.value, CARE_WORDS[item], CARE_ICONS[item]) for item in care]


def door_short(household: HouseholdOut) -> str:
    stairs = household.building + household.unit
    return f"{stairs} {household.room}".strip() or household.compound


def door(household: HouseholdOut) -> str:
    """杨家坪小区 3号楼2单元 302"""
    short = door_short(household)
    return short if short == household.compound else f"{household.compound} {short}".strip()


def family_name(household: HouseholdOut) -> str:
    return _("{head_name}一家").format(head_name=household.head_name) if household.head_name else _("这一户")


def person_to_see(household: HouseholdOut, members: Sequence[ResidentOut], today: date) -> Person:
    """The oldest one at home who needs care; else who lives alone; else the family."""
    at_home = [member for member in members if member.residency is not Residency.away]
    cared = [member for member in at_home if member.care]
    phone = first_phone(members)
    one = min(cared, key=_birth_order) if cared else at_home[0] if household.size == 1 and at_home else None
    if one is None:
        head = next((member.id for member in members if member.relation is Relation.head), None)
        return Person(head, family_name(household), _("{size} 口人").format(size=household.size), phone)
    age = texts.age(one.birth_date, today) if one.birth_date else ""
    return Person(one.id, one.name, age, one.phone or phone)


def walk_text(household: HouseholdOut, here: LonLat | None) -> str:
    """走路 3 分钟; empty when either end is unknown."""
    if here is None or household.lon is None or household.lat is None:
        return ""
    return texts.walk(walking_minutes(metres(here, (household.lon, household.lat))))


def first_phone(members: Iterable[ResidentOut]) -> str:
    """The head's number first."""
    ordered = sorted(members, key=lambda member: member.relation is not Relation.head)
    return next((member.phone for member in ordered if member.phone), "")


def in_family_order(members: Iterable[ResidentOut]) -> list[ResidentOut]:
    """Head, spouse, children and so on: the relation codes are numbered that way."""
    return sorted(members, key=lambda member: (member.relation.value, _birth_order(member)))


def _birth_order(member: ResidentOut) -> date:
    return member.birth_date or date.max
