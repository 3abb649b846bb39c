"""Everybody on this phone and how they may be found, kept in memory between two searches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mobile.residents import spelling
from mobile.store.entities import Entities
from shared.residents import HouseholdOut, ResidentOut

SHORTEST_PHONE = 4
PERSON = ("household_id", "name", "phone")
DOOR = ("compound", "building", "unit", "room")


@dataclass(frozen=True, slots=True)
class Hit:
    """Somebody who was found; without a resident the household behind a door."""

    household: str
    resident: str | None


@dataclass(frozen=True, slots=True)
class Indexed:
    """A row's id, the keys it is found by, and the few values that the search needs. The rows themselves would take
    four times the memory; whoever shows a hit reads its row."""

    id: str
    values: tuple[Any, ...]
    keys: str


class Directory:
    """The index of one account's phone. It reads anew only what has changed since."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._homes: dict[str, Indexed] = {}
        self._people: dict[str, Indexed] = {}

    def refresh(self) -> None:
        doors, people = self._entities.fields(HouseholdOut, *DOOR), self._entities.fields(ResidentOut, *PERSON)
        self._homes = {
            key: _same(self._homes.get(key), values) or Indexed(key, values, spelling.door_keys(*values))
            for key, values in doors.items()
        }
        self._people = {
            key: _same(self._people.get(key), values) or Indexed(key, values, spelling.name_keys(values[1]))
            for key, values in people.items()
        }

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
            household, name, _phone = person.values
            home = self._homes.get(household)
            if home is not None and (at := _where(wanted, person, home.keys)) is not None:
                found.append(((at, name), Hit(home.id, person.id)))
        return found

    def _likely(self, wanted: Sequence[str]) -> Iterator[Indexed]:
        """Whom one of the words is about. The plain loops matter: thousands are looked through at every keystroke."""
        found: dict[str, Indexed] = {}
        for word in wanted:
            key = spelling.BREAK + word
            found |= {person.id: person for person in self._people.values() if key in person.keys}
            if _is_dialled(word):
                found |= {person.id: person for person in self._people.values() if word in (person.values[2] or "")}
        return iter(found.values())

    def _doors_like(self, wanted: Sequence[str]) -> list[Hit]:
        fit = list(self._homes.values())
        for word in wanted:
            key = spelling.BREAK + word
            fit = [home for home in fit if key in home.keys]
        fit.sort(key=_along_the_street)
        return [Hit(home.id, None) for home in fit]


def _same(known: Indexed | None, values: tuple[Any, ...]) -> Indexed | None:
    return known if known is not None and known.values == values else None


def _along_the_street(home: Indexed) -> tuple[str, int, str, str]:
    compound, building, _unit, room = home.values
    return compound, len(building), building, room


def _where(wanted: Sequence[str], person: Indexed, door_keys: str) -> int | None:
    """How far ahead the words stand in somebody's keys. Of several words one must be about the person, not the door."""
    best: int | None = None
    for word in wanted:
        at = _in_person(word, person)
        if at is None and spelling.BREAK + word not in door_keys:
            return None
        if at is not None:
            best = at if best is None else min(best, at)
    return best


def _in_person(word: str, person: Indexed) -> int | None:
    at = person.keys.find(spelling.BREAK + word)
    if at >= 0:
        return at
    return len(person.keys) if _is_dialled(word) and word in (person.values[2] or "") else None


def _is_dialled(word: str) -> bool:
    return len(word) >= SHORTEST_PHONE and word.isdigit()


def _rank(found: tuple[tuple[int, str], Hit]) -> tuple[int, str]:
    return found[0]
