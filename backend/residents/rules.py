"""Decisions about the register: identity numbers, what a household adds up to, what an edit changes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from shared.auth import Role
from shared.codes import ListName, lookup, name_of
from shared.identifiers import birth_in, full_id_number, sex_in
from shared.residents import Care, HouseholdIn, HouseholdOut, Relation, ResidentOut, ResidentPatch, Sex
from shared.sealed import POVERTY_WORDS, FindingKind, SealedKind
from shared.types import is_within

GROWN_UP: Final = 18

CODED: Final = tuple(
    ListName(field) for field in ("ethnicity", "marital", "education", "employment", "occupation", "political")
)
"""Fields of a person that hold a code; each is called as its list."""

MAY_BE_EMPTY: Final = frozenset({"birth_date", "phone", *CODED, "registered_place"})
DOOR: Final = ("compound", "building", "unit", "room")


def unknown_code(fields: Mapping[str, Any], on_day: date) -> str | None:
    """Return a coded field whose code its list does not have on that day."""
    given = ((name, fields.get(name)) for name in CODED)
    return next((name.value for name, code in given if code is not None and lookup(name, code, on_day) is None), None)


def disagreements(given: str, sex: Sex, birth_date: date | None) -> list[FindingKind]:
    """Return what an identity number, as it was given, contradicts. Nothing of it is a reason to refuse."""
    number = full_id_number(given)
    if number is None:
        return []
    born = birth_in(number)
    checks = {
        FindingKind.sex_differs: sex in (Sex.male, Sex.female) and sex != sex_in(number),
        FindingKind.birth_differs: born is None or (birth_date is not None and birth_date != born),
        FindingKind.old_number: len(given.strip()) == 15,
    }
    return [kind for kind, found in checks.items() if found]


def is_minor(born: date | None, today: date) -> bool:
    """Say whether somebody is known to be under eighteen."""
    if born is None:
        return False
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < GROWN_UP


def coordinates(grants: Iterable[tuple[Role, str]], area: str) -> bool:
    """Say whether these grants make somebody a coordinator of this place, which a grid worker is not."""
    return any(role in (Role.county_admin, Role.community_worker) and is_within(area, own) for role, own in grants)


def is_sealed_code(kind: SealedKind, code: str, on_day: date) -> bool:
    """Say whether a sealed fact of this kind may have this code. Disabilities are the part of the health codes."""
    if kind is SealedKind.poverty:
        return code in POVERTY_WORDS
    fits = kind is SealedKind.health or ("61" <= code <= "69" and len(code) == 2)
    return fits and lookup(ListName.health, code, on_day) is not None


def sealed_name(kind: SealedKind, code: str) -> str:
    return POVERTY_WORDS.get(code, code) if kind is SealedKind.poverty else name_of(ListName.health, code)


def mask_phone(phone: str | None) -> str | None:
    """Leave enough of a number to recognise it by, not enough to call it."""
    if phone is None:
        return None
    shown = (3, 4) if len(phone) >= 11 else (0, 2)
    return phone[: shown[0]] + "****" + phone[-shown[1] :]


def hidden(person: ResidentOut) -> dict[str, str | None]:
    """Return what those who are no staff read in place of the real values."""
    return {"phone": mask_phone(person.phone), "political": None}


class Member(NamedTuple):
    """A person as far as the household's sums need it."""

    name: str
    relation: Relation
    care: Sequence[Care]


class Sums(NamedTuple):
    """What a household adds up to."""

    head_name: str
    size: int
    care: list[Care]


def add_up(members: Sequence[Member]) -> Sums:
    """Add members up in the order they were registered; without a head the first one stands for the household."""
    heads = [member.name for member in members if member.relation is Relation.head] or [m.name for m in members]
    care = {care for member in members for care in member.care}
    return Sums(heads[0] if heads else "", len(members), [c for c in Care if c in care])


def in_order(care: Iterable[Care]) -> list[Care]:
    """Return each label once, in the order of the catalogue."""
    return [label for label in Care if label in set(care)]


def changes(present: ResidentOut, patch: ResidentPatch) -> dict[str, Any]:
    """Return the fields that an edit really changes."""
    wanted = {name: getattr(patch, name) for name in patch.model_fields_set}
    if wanted.get("care") is not None:
        wanted["care"] = in_order(wanted["care"])
    return {name: value for name, value in wanted.items() if value != getattr(present, name)}


def emptied(fields: dict[str, Any]) -> str | None:
    """Return a field that the edit empties and that may not be empty."""
    return next((name for name, value in fields.items() if value is None and name not in MAY_BE_EMPTY), None)


def door_changes(present: HouseholdOut, wanted: HouseholdIn, place: tuple[float, float] | None) -> list[str]:
    """Return which parts of a door differ."""
    fields = [name for name in DOOR if getattr(present, name) != getattr(wanted, name)]
    there = None if present.lon is None or present.lat is None else (present.lon, present.lat)
    return fields + ["position"] * (there != place)
