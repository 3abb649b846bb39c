"""Sixty open requests: help for people, incidents at places, matters at the window."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import NamedTuple

from backend.demo.ground import frame_of
from backend.demo.ids import at, mint, stream
from backend.demo.records import LonLat, Request, Worker
from backend.demo.visits import Home
from backend.demo.words.places import COMMUNITIES
from backend.demo.words.requests import HELP, HELP_MINUTES, INCIDENTS, MATTERS, SIGN_DETAIL
from shared.requests import CATEGORIES, Urgency
from shared.volunteers import Language

_HELP = 42
_COMING_DAYS = 5
# Help begins in daylight, at minutes of the county day.
_MORNINGS, _NOON, _AFTERNOONS = (480, 510, 540, 570), (660, 690), (840, 870, 900)
_LANGUAGES = (None, Language.zh, Language.shaanxi)
_URGENCIES = (Urgency.whenever, Urgency.soon, Urgency.today)
_CATEGORIES = tuple(HELP)


class _Time(NamedTuple):
    """When help is wanted; the same names as the fields of a request."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    minutes: int | None = None


def ask(seed: int, today: date, homes: list[Home], workers: list[Worker]) -> list[Request]:
    """Return the open requests, oldest first."""
    desk = _Desk(seed, today, homes, workers)
    asked = [*desk.helps(), *desk.matters(), *desk.incidents()]
    return sorted(asked, key=lambda request: (request.made_at, request.id))


class _Desk:
    """Takes requests down for the communities in turn, never two for one household."""

    def __init__(self, seed: int, today: date, homes: list[Home], workers: list[Worker]) -> None:
        self._rng, self._today, self._workers = stream(seed, "requests"), today, workers
        self._waiting = {ground.code: [h for h in homes if _lives_in(h, ground.code)] for ground in COMMUNITIES}
        for waiting in self._waiting.values():
            self._rng.shuffle(waiting)

    def helps(self) -> Iterator[Request]:
        for index in range(_HELP):
            turn, community = divmod(index, len(COMMUNITIES))
            # Every community goes through all categories, each beginning with another one.
            category = _CATEGORIES[(turn + 2 * community) % len(_CATEGORIES)]
            home = self._next_home(COMMUNITIES[community].code, partial(_cared_for, self._born_by(18)))
            yield self._help(category, home, signed=index == 0)

    def matters(self) -> Iterator[Request]:
        for ground, (category, detail) in zip(COMMUNITIES, MATTERS.items(), strict=True):
            born_by = self._born_by(80 if category == "elder_allowance" else 18)
            home = self._next_home(ground.code, partial(_born_before, born_by))
            yield self._from_home(category, detail, home, Urgency.soon)

    def incidents(self) -> Iterator[Request]:
        cases = [(category, *case) for category, all_cases in INCIDENTS.items() for case in all_cases]
        for index, (category, spot, detail, urgency) in enumerate(cases):
            home = self._rng.choice(self._waiting[COMMUNITIES[index % len(COMMUNITIES)].code])
            yield self._incident(category, f"{home.dwelling.compound}{spot}", detail, home, urgency)

    def _born_by(self, age: int) -> date:
        return self._today.replace(year=self._today.year - age, day=1)

    def _next_home(self, community: str, suits: Callable[[Home], bool]) -> Home:
        waiting = self._waiting[community]
        return waiting.pop(next(index for index, home in enumerate(waiting) if suits(home)))

    def _help(self, category: str, home: Home, *, signed: bool) -> Request:
        rng = self._rng
        detail = SIGN_DETAIL if signed else rng.choice(HELP[category])
        language = Language.sign if signed else rng.choices(_LANGUAGES, (60, 20, 20))[0]
        urgency = rng.choices(_URGENCIES, (35, 45, 20))[0]
        return self._from_home(category, detail, home, urgency, language, self._time(category, urgency))

    def _time(self, category: str, urgency: Urgency) -> _Time:
        rng, minutes = self._rng, self._rng.choice(HELP_MINUTES[category])
        day = self._today + timedelta(days=1 if urgency is Urgency.today else rng.randint(1, _COMING_DAYS))
        begin = rng.choice(_NOON if category == "meal" else rng.choice((_MORNINGS, _MORNINGS, _AFTERNOONS)))
        return _Time(at(day, begin), at(day, begin + minutes), minutes)

    def _from_home(
        self, category: str, detail: str, home: Home, urgency: Urgency,
        language: Language | None = None, time: _Time = _Time(),
    ) -> Request:  # fmt: skip
        made_at, owner = self._taken_down(home)
        return Request(
            id=mint(self._rng, made_at), area_code=home.household.area_code, kind=CATEGORIES[category].kind,
            category=category, title=CATEGORIES[category].title, detail=detail, household_id=home.household.id,
            resident_id=home.person.id, lon=home.dwelling.lon, lat=home.dwelling.lat, place_note="",
            starts_at=time.starts_at, ends_at=time.ends_at, minutes=time.minutes, urgency=urgency, language=language,
            owner_id=owner.id, made_at=made_at,
        )  # fmt: skip

    def _incident(self, category: str, place_note: str, detail: str, near: Home, urgency: Urgency) -> Request:
        lon, lat = _beside(self._rng, near)
        request = self._from_home(category, detail, near, urgency)
        return replace(request, household_id=None, resident_id=None, lon=lon, lat=lat, place_note=place_note)

    def _taken_down(self, home: Home) -> tuple[datetime, Worker]:
        """Return when and by whom: any worker of the area is asked first and stays responsible."""
        code = home.household.area_code
        team = [worker for worker in self._workers if any(code.startswith(grant.area_code) for grant in worker.grants)]
        made_at = at(self._today - timedelta(days=self._rng.randint(1, 4)), self._rng.randint(510, 1050))
        return made_at, self._rng.choice(team)


def _born_before(day: date, home: Home) -> bool:
    return home.person.birth_date < day


def _lives_in(home: Home, community: str) -> bool:
    return home.household.area_code.startswith(community)


def _cared_for(born_by: date, home: Home) -> bool:
    return bool(home.person.care) and home.person.phone is not None and _born_before(born_by, home)


def _beside(rng: Random, home: Home) -> LonLat:
    """Return a place a few steps from a door; doors keep more distance than that from the cell's border."""
    frame = frame_of(home.household.area_code)
    x, y = frame.to_metres((home.dwelling.lon, home.dwelling.lat))
    return frame.to_lonlat(x + rng.choice((-12, 12)), y + rng.choice((-12, 12)))
