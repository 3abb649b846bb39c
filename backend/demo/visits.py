"""Visits of the last 120 days: the planned calls with worker, hour, place and what was seen."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from random import Random
from typing import NamedTuple
from uuid import UUID

from backend.demo.ground import frame_of
from backend.demo.ids import at, mint, stream
from backend.demo.records import Dwelling, Household, LonLat, Resident, Visit, Worker
from backend.demo.rounds import Call, Door, plan_cell
from backend.demo.sayings import say
from backend.demo.staff import FULL_TIME
from shared.residents import Residency
from shared.visits import VisitMode, VisitOutcome

# Every ten minutes of 8:30-12:00 and 14:00-18:00, county time.
_STARTS = (*range(510, 711, 10), *range(840, 1071, 10))
_MODES = (VisitMode.home, VisitMode.phone, VisitMode.encounter, VisitMode.workplace)
_MODE_SHARES = {True: (84, 11, 5, 0), False: (74, 15, 8, 3)}
_MET = (VisitOutcome.seen, VisitOutcome.family)


class Home(NamedTuple):
    """A household with its door and the person whom visits are for: whoever needs care most, else the head."""

    household: Household
    dwelling: Dwelling
    person: Resident


class _Turn(NamedTuple):
    call: Call
    home: Home
    worker: Worker


def homes_of(households: list[Household], dwellings: list[Dwelling], residents: list[Resident]) -> list[Home]:
    """Join households with their door and the person to look in on."""
    doors = {dwelling.id: dwelling for dwelling in dwellings}
    people: dict[UUID, list[Resident]] = defaultdict(list)
    for resident in residents:
        people[resident.household_id].append(resident)
    return [Home(home, doors[home.dwelling_id], _whom(people[home.id])) for home in households]


def _whom(people: list[Resident]) -> Resident:
    return max(people, key=lambda person: (len(person.care), person.residency is not Residency.away))


def record_visits(seed: int, today: date, homes: list[Home], workers: list[Worker]) -> list[Visit]:
    """Return all visits, oldest first."""
    rng = stream(seed, "visits")
    turns = list(_turns(rng, today, homes, workers))
    made = [_visit(rng, turn, moment) for turn, moment in _with_hours(rng, turns)]
    return sorted(made, key=lambda visit: (visit.visited_at, visit.id))


def _turns(rng: Random, today: date, homes: list[Home], workers: list[Worker]) -> Iterator[_Turn]:
    for code, group in groupby(homes, key=lambda home: home.household.area_code):
        by_id = {home.household.id: home for home in group}
        doors = [_door(home) for home in by_id.values()]
        team = [worker for worker in workers if any(code.startswith(grant.area_code) for grant in worker.grants)]
        chances = [_share(worker, code) for worker in team]
        for call in plan_cell(rng, today, doors):
            yield _Turn(call, by_id[call.household_id], rng.choices(team, chances)[0])


def _door(home: Home) -> Door:
    place = home.dwelling.lon, home.dwelling.lat
    return Door(home.household.id, place, bool(home.person.care))


def _share(worker: Worker, code: str) -> int:
    """The cell's full-time worker does most rounds, a stand-in and the community's heads few."""
    grant = next(grant for grant in worker.grants if code.startswith(grant.area_code))
    if grant.area_code != code or grant.stand_in:
        return 3
    return 60 if worker.post == FULL_TIME else 18


def _with_hours(rng: Random, turns: list[_Turn]) -> Iterator[tuple[_Turn, datetime]]:
    """Give every worker's calls of a day different hours: nobody is at two doors at once."""
    days: dict[tuple[UUID, date], list[_Turn]] = defaultdict(list)
    for turn in turns:
        days[turn.worker.id, turn.call.day].append(turn)
    for (_, day), calls in days.items():
        yield from zip(calls, _hours(rng, day, len(calls)), strict=True)


def _hours(rng: Random, day: date, count: int) -> Iterable[datetime]:
    return [at(day, minute + rng.randint(0, 4)) for minute in sorted(rng.sample(_STARTS, count))]


def _visit(rng: Random, turn: _Turn, moment: datetime) -> Visit:
    call, home = turn.call, turn.home
    mode = _mode(rng, call, bool(home.person.care))
    said = say(rng, call, home.person)
    lon, lat, accuracy = _fix(rng, mode, home.dwelling)
    return Visit(
        id=mint(rng, moment),
        area_code=home.household.area_code,
        household_id=home.household.id,
        resident_id=home.person.id if call.outcome in _MET else None,
        worker_id=turn.worker.id,
        mode=mode,
        outcome=call.outcome,
        findings=said.findings,
        note=said.note,
        visited_at=moment,
        return_on=call.return_on,
        lon=lon,
        lat=lat,
        accuracy_m=accuracy,
    )


def _mode(rng: Random, call: Call, cared_for: bool) -> VisitMode:
    """A shut door, a promise and a removal are found out at the door."""
    if call.outcome not in _MET or call.return_on:
        return VisitMode.home
    return rng.choices(_MODES, _MODE_SHARES[cared_for])[0]


def _fix(rng: Random, mode: VisitMode, dwelling: Dwelling) -> tuple[float | None, float | None, float | None]:
    """Return lon, lat, accuracy: mostly good at the door, poor now and then, somewhere in the street when met there."""
    if mode is VisitMode.phone:
        return None, None, None
    if mode is not VisitMode.home:
        return *_around(rng, dwelling, 110), round(rng.uniform(5, 30), 1)
    if rng.random() < 0.07:
        return *_around(rng, dwelling, 55), round(rng.uniform(60, 130), 1)
    return *_around(rng, dwelling, 6), round(rng.uniform(4, 22), 1)


def _around(rng: Random, dwelling: Dwelling, spread: float) -> LonLat:
    frame = frame_of(dwelling.area_code)
    x, y = frame.to_metres((dwelling.lon, dwelling.lat))
    return frame.to_lonlat(x + rng.gauss(0, spread), y + rng.gauss(0, spread))
