"""Two hundred volunteers: pensioners free by day, people at work free in the evening, students at weekends."""

from collections.abc import Callable, Iterable
from datetime import datetime
from random import Random
from typing import NamedTuple

from shapely import Point, Polygon

from backend.demo.ids import mint, phone_numbers, stream
from backend.demo.names import full
from backend.demo.records import Cell, FreeSlot, LonLat, Volunteer
from shared.residents import Sex
from shared.volunteers import CERTIFICATES, Language, Skill

_TOTAL = 200
_SKILLS = tuple(skill for skill in Skill if skill not in CERTIFICATES)
_WEEK = range(1, 8)


class Life(NamedTuple):
    """A way of living: years of birth and the free stretches of a week."""

    born: range
    slots: Callable[[Random], tuple[FreeSlot, ...]]


def recruit(seed: int, cells: tuple[Cell, ...], founded: datetime) -> list[Volunteer]:
    """Return the volunteers, the same number for each community; the first of each has time and skill for all."""
    office = _Office(stream(seed, "volunteers"), founded)
    communities = list(dict.fromkeys(cell.community_code for cell in cells))
    each = _TOTAL // len(communities)
    return [
        office.enrol(index, office.rng.choice([cell for cell in cells if cell.community_code == code]))
        for code in communities
        for index in range(each)
    ]


class _Office:
    def __init__(self, rng: Random, founded: datetime) -> None:
        self.rng, self._founded, self._phones = rng, founded, phone_numbers(rng, 2)

    def enrol(self, index: int, cell: Cell) -> Volunteer:
        rng, ready, signs = self.rng, index == 0, index in (1, 2)
        life = _AT_HOME if ready or signs else rng.choices(_LIVES, _LIFE_SHARES)[0]
        lon, lat = _home(rng, cell)
        return Volunteer(
            id=mint(rng, self._founded),
            community_code=cell.community_code,
            name=full(rng, rng.choice((Sex.male, Sex.female)), rng.choice(life.born)),
            phone=next(self._phones),
            lon=lon,
            lat=lat,
            skills=_SKILLS if ready else _skills(rng, signs),
            languages=_languages(rng, ready, signs),
            slots=life.slots(rng),
            radius_m=3000 if ready or signs else rng.choice((800, 1000, 1500, 2000, 3000)),
            capacity=2 if ready else rng.choice((1, 1, 2)),
        )


def _skills(rng: Random, signs: bool) -> tuple[Skill, ...]:
    """Who signs is asked to come along to the hospital, so escort is among the skills."""
    drawn = {*rng.sample(_SKILLS, rng.randint(2, 5)), *((Skill.escort,) if signs else ())}
    return tuple(skill for skill in _SKILLS if skill in drawn)


def _languages(rng: Random, ready: bool, signs: bool) -> tuple[Language, ...]:
    known = {Language.shaanxi: ready or rng.random() < 0.7, Language.sign: signs}
    return (Language.zh, *(language for language, knows in known.items() if knows))


def _home(rng: Random, cell: Cell) -> LonLat:
    """Return a place somewhere in the cell, by drawing in its bounding box until one is inside."""
    ground = Polygon(cell.ring)
    west, south, east, north = ground.bounds
    while True:
        lon, lat = round(rng.uniform(west, east), 6), round(rng.uniform(south, north), 6)
        if ground.contains(Point(lon, lat)):
            return lon, lat


def _on(days: Iterable[int], *hours: tuple[float, float]) -> tuple[FreeSlot, ...]:
    return tuple(FreeSlot(day, int(start * 60), int(end * 60)) for day in sorted(days) for start, end in hours)


def _pensioner(rng: Random) -> tuple[FreeSlot, ...]:
    days = rng.sample(_WEEK, rng.randint(3, 6))
    return _on(days, *rng.choice((((8, 12),), ((8.5, 11.5), (14, 17.5)), ((8, 18),), ((14, 18),))))


def _employee(rng: Random) -> tuple[FreeSlot, ...]:
    evenings = rng.sample(range(1, 6), rng.randint(1, 3))
    return (*_on(evenings, (18, 20.5)), *_on(rng.choice(((6,), (7,), (6, 7))), (8.5, 18)))


def _student(rng: Random) -> tuple[FreeSlot, ...]:
    return _on((6, 7), *rng.choice((((9, 12), (14, 18)), ((13, 18),))))


def _any_time(_rng: Random) -> tuple[FreeSlot, ...]:
    return _on(_WEEK, (8, 20))


_AT_HOME = Life(range(1962, 1980), _any_time)
_LIVES = (Life(range(1952, 1968), _pensioner), Life(range(1970, 2001), _employee), Life(range(2003, 2008), _student))
_LIFE_SHARES = (60, 28, 12)
