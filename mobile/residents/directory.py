"""Everybody on this phone and how they may be found, kept in memory between two searches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from mobile.residents import spelling
from mobile.store.entities import Entities
from shared.residents import HouseholdOut, ResidentOut

Row = TypeVar("Row", bound=BaseModel)
SHORTEST_PHONE = 4
FEW = 200
"""Up to so many changed rows are read one by one; more of them all together."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Somebody who was found; without a resident the household behind a door."""

    household: HouseholdOut
    resident: ResidentOut | None


@dataclass(frozen=True, slots=True)
class Indexed(Generic[Row]):
    """A row, what it was sealed with when it was read, and the keys it is found by."""

    row: Row
    stamp: bytes
    keys: str


class Directory:
    """The index of one account's phone. It reads anew only what has changed since."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._homes: dict[str, Indexed[HouseholdOut]] = {}
        self._people: dict[str, Indexed[ResidentOut]] = {}

    def refresh(self) -> None:
        self._homes = self._read(HouseholdOut, self._homes)
        self._people = self._read(ResidentOut, self._people)

    def find(self, words: str) -> list[Hit]:
        """People first, then doors. Every word must fit; those in which it stands further ahead come first."""
        wanted = [spelling.plain(word) for word in words.split()]
        wanted = [word for word in wanted if word]
        if not wanted:
            return []
        return [hit for _rank, hit in sorted(self._people_like(wanted), key=_rank)] + self._doors_like(wanted)

    def _people_like(self, wanted: Sequence[str]) -> list[tuple[tuple[int, str], Hit]]:
        found = []
        for person in self._likely(wanted):
            home = self._homes.get(str(person.row.household_id))
            if home is not None and (at := _where(wanted, person, home.keys)) is not None:
                found.append(((at, person.row.name), Hit(home.row, person.row)))
        return found

    def _likely(self, wanted: Sequence[str]) -> Iterator[Indexed[ResidentOut]]:
        """Whom one of the words is about. The plain loops matter: thousands are looked through at every keystroke."""
        found: dict[int, Indexed[ResidentOut]] = {}
        for word in wanted:
            key = spelling.BREAK + word
            found |= {id(person): person for person in self._people.values() if key in person.keys}
            if _is_dialled(word):
                found |= {id(person): person for person in self._people.values() if word in (person.row.phone or "")}
        return iter(found.values())

    def _doors_like(self, wanted: Sequence[str]) -> list[Hit]:
        fit = list(self._homes.values())
        for word in wanted:
            key = spelling.BREAK + word
            fit = [home for home in fit if key in home.keys]
        fit.sort(key=lambda home: (home.row.compound, len(home.row.building), home.row.building, home.row.room))
        return [Hit(home.row, None) for home in fit]

    def _read(self, model: type[Row], known: dict[str, Indexed[Row]]) -> dict[str, Indexed[Row]]:
        stamps = self._entities.stamps(model)
        changed = [key for key, stamp in stamps.items() if key not in known or known[key].stamp != stamp]
        fresh = {str(_id(row)): row for row in self._rows(model, changed)}
        kept = {key: known[key] for key in stamps.keys() - set(changed)}
        return kept | {key: Indexed(fresh[key], stamps[key], _keys(fresh[key])) for key in changed if key in fresh}

    def _rows(self, model: type[Row], changed: Sequence[str]) -> list[Row]:
        if len(changed) > FEW:
            return self._entities.all(model)
        found = (self._entities.get(model, key) for key in changed)
        return [row for row in found if row is not None]


def _keys(row: BaseModel) -> str:
    if isinstance(row, HouseholdOut):
        return spelling.door_keys(row)
    assert isinstance(row, ResidentOut)
    return spelling.name_keys(row.name)


def _id(row: BaseModel) -> UUID:
    assert isinstance(row, HouseholdOut | ResidentOut)
    return row.id


def _where(wanted: Sequence[str], person: Indexed[ResidentOut], door_keys: str) -> int | None:
    """How far ahead the words stand in somebody's keys. Of several words one must be about the person, not the door."""
    best: int | None = None
    for word in wanted:
        at = _in_person(word, person)
        if at is None and spelling.BREAK + word not in door_keys:
            return None
        if at is not None:
            best = at if best is None else min(best, at)
    return best


def _in_person(word: str, person: Indexed[ResidentOut]) -> int | None:
    at = person.keys.find(spelling.BREAK + word)
    if at >= 0:
        return at
    return len(person.keys) if _is_dialled(word) and word in (person.row.phone or "") else None


def _is_dialled(word: str) -> bool:
    return len(word) >= SHORTEST_PHONE and word.isdigit()


def _rank(found: tuple[tuple[int, str], Hit]) -> tuple[int, str]:
    return found[0]
