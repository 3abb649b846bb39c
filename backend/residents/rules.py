"""Decisions about the register: identity numbers, what a household adds up to, what an edit changes."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from shared.residents import Care, HouseholdIn, HouseholdOut, Relation, ResidentOut, ResidentPatch

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"

MAY_BE_EMPTY: Final = frozenset({"birth_date", "phone"})
DOOR: Final = ("compound", "building", "unit", "room")


def is_id_number(number: str) -> bool:
    """Say whether the last character fits the others (GB 11643, ISO 7064 MOD 11-2); it is an upper-case X or a digit.

    The region in it is the one at issue and may be gone by now, so it is no reason to refuse.
    """
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return number[17] == _CHECKS[total % 11]


def mask_phone(phone: str | None) -> str | None:
    """Leave enough of a number to recognise it by, not enough to call it."""
    if phone is None:
        return None
    shown = (3, 4) if len(phone) >= 11 else (0, 2)
    return phone[: shown[0]] + "****" + phone[-shown[1] :]


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
