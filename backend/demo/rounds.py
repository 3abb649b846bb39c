"""Which household was visited on which day: the shape of the last 120 days, before workers and words.

Per cell a few doors are overdue, a few were never opened and a few expect somebody today; everything else lies safely
inside its cycle. The cycles must not be shorter in the visits room than here, or the whole county falls due at once.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from random import Random
from typing import NamedTuple
from uuid import UUID

from shared.visits import VisitOutcome

CARE_DAYS = 14
USUAL_DAYS = 60
_FIRST = 117
_MARGIN = 3
"""Days that moving a visit off a weekend can add."""


class Standing(Enum):
    """How a household stands today."""

    fresh = "fresh"
    overdue = "overdue"
    never = "never"
    promised = "promised"
    promised_later = "promised_later"
    declined = "declined"
    moved = "moved"


class Door(NamedTuple):
    """A household as the planner sees it; doors of one stairwell share `stairwell` and are done in one round."""

    household_id: UUID
    stairwell: tuple[float, float]
    cared_for: bool


class Call(NamedTuple):
    """A visit to come into being."""

    household_id: UUID
    day: date
    outcome: VisitOutcome
    return_on: date | None = None


def plan_cell(rng: Random, today: date, doors: list[Door]) -> Iterator[Call]:
    """Yield all calls on the doors of one cell."""
    rounds = {stairwell: rng.randint(4, USUAL_DAYS - 7) for stairwell in _stairwells(doors)}
    for door, standing in _standings(rng, doors):
        for ago, outcome, back in _history(rng, door, standing, rounds[door.stairwell]):
            day = _working_day(rng, today - timedelta(days=ago))
            yield Call(door.household_id, day, outcome, None if back is None else today + timedelta(days=back))


def _stairwells(doors: list[Door]) -> list[tuple[float, float]]:
    return list(dict.fromkeys(door.stairwell for door in doors))


def _standings(rng: Random, doors: list[Door]) -> Iterator[tuple[Door, Standing]]:
    """Overdue and never-seen doors gather in few stairwells, as they do when a worker has not come round yet."""
    late = rng.sample(_stairwells(doors), 3)
    usual = sorted((d for d in doors if not d.cared_for), key=lambda d: d.stairwell in late, reverse=True)
    care = [door for door in doors if door.cared_for]
    rng.shuffle(care)
    counts = {
        Standing.never: rng.randint(1, 3),
        Standing.overdue: rng.randint(2, 3),
        Standing.declined: rng.randint(0, 1),
        Standing.moved: int(rng.random() < 0.25),
    }
    few = [standing for standing, count in counts.items() for _ in range(count)]
    many = [Standing.promised] * rng.randint(1, 2) + [Standing.overdue] * rng.randint(2, 3)
    many += [Standing.promised_later] * rng.randint(1, 2)
    yield from _pair(usual, few)
    yield from _pair(care, many)


def _pair(doors: list[Door], standings: list[Standing]) -> Iterator[tuple[Door, Standing]]:
    rest = [Standing.fresh] * (len(doors) - len(standings))
    yield from zip(doors, standings + rest, strict=False)


_Entry = tuple[int, VisitOutcome, int | None]


def _history(rng: Random, door: Door, standing: Standing, stairwell_ago: int) -> Iterator[_Entry]:
    """Yield (days ago, outcome, promised day from today) of the calls on one door, newest first."""
    match standing:
        case Standing.never:
            yield from _knocked_in_vain(rng)
        case Standing.declined | Standing.moved:
            ago = rng.randint(9, 50)
            yield ago, VisitOutcome(standing.value), None
            yield from _earlier(rng, door, ago)
        case _:
            ago = _last_seen(rng, door, standing, stairwell_ago)
            yield ago, VisitOutcome.seen, _promise(rng, standing)
            yield from _earlier(rng, door, ago)


def _knocked_in_vain(rng: Random) -> Iterator[_Entry]:
    for ago in rng.choice(((), (12,), (33, 15), (20,))):
        yield ago + rng.randint(0, 5), VisitOutcome.absent, None


def _last_seen(rng: Random, door: Door, standing: Standing, stairwell_ago: int) -> int:
    cycle = CARE_DAYS if door.cared_for else USUAL_DAYS
    match standing:
        case Standing.overdue:
            return cycle + (rng.randint(0, 6) if door.cared_for else rng.randint(1, 40))
        case Standing.promised | Standing.promised_later:
            return rng.randint(4, 8)
    if door.cared_for:
        return rng.randint(1, cycle - _MARGIN)
    return max(1, min(cycle - _MARGIN - 1, stairwell_ago + rng.randint(-3, 3)))


def _promise(rng: Random, standing: Standing) -> int | None:
    if standing is Standing.promised:
        return -rng.choice((0, 0, 0, 1))
    return rng.randint(1, 5) if standing is Standing.promised_later else None


def _earlier(rng: Random, door: Door, ago: int) -> Iterator[_Entry]:
    """Go back to the start of the record, now and then with a knock in vain before somebody was met."""
    while True:
        if rng.random() < 0.06 and ago + 4 <= _FIRST:
            yield ago + rng.randint(3, 4), VisitOutcome.absent, None
        ago += rng.randint(12, 20) if door.cared_for else rng.randint(52, 80)
        if ago > _FIRST:
            return
        yield ago, rng.choices((VisitOutcome.seen, VisitOutcome.family), (88, 12))[0], None


def _working_day(rng: Random, day: date) -> date:
    """Move most weekend calls back to the Friday before."""
    after_friday = max(0, day.isoweekday() - 5)
    return day - timedelta(days=after_friday) if rng.random() < 0.9 else day
