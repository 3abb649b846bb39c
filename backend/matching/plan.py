"""Whom to ask now: from what the database holds to arrays, through the engine, to pairs. No database, no clock."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from backend.core.clock import COUNTY_ZONE
from backend.matching.engine import (
    FACTORS,
    PACES,
    SLOTS_PER_WEEK,
    MatchResult,
    RequestArrays,
    VolunteerArrays,
    acceptance_odds,
    match,
    offers_needed,
    pack_week,
    rounds_left,
    within_daily_budget,
)
from shared.requests import CATEGORIES, Urgency
from shared.volunteers import Language, Skill

_SKILL = {skill: bit for bit, skill in enumerate(Skill)}
_LANGUAGE = {language: bit for bit, language in enumerate(Language)}
_HALF_HOUR = 30


@dataclass(frozen=True, slots=True)
class Person:
    """A volunteer. `skills`: those that count; `week`: (weekday from 1, minute, minute); `waiting`: offers still open;
    `quiet`: asked now only when a life is at risk."""

    id: UUID
    lon: float
    lat: float
    skills: Sequence[str]
    languages: Sequence[str]
    week: Sequence[Sequence[int]]
    radius_m: int
    capacity: int
    trust: int
    active: int
    month: int
    day: int
    answered: int
    accepted: int
    waiting: int
    quiet: bool = False

    @property
    def odds(self) -> float:
        return acceptance_odds(self.answered, self.accepted)

    @property
    def room(self) -> int:
        """One open offer at a time, and none beyond what they said they can do at once."""
        return int(self.waiting == 0 and self.active < self.capacity)


@dataclass(frozen=True, slots=True)
class Need:
    """An open help request. `asked`: volunteers not to be asked again; `open_odds`: of the offers still open."""

    id: UUID
    area_code: str
    category: str
    household_id: UUID | None
    lon: float
    lat: float
    starts_at: datetime | None
    ends_at: datetime | None
    minutes: int
    urgency: Urgency
    language: Language | None
    received_at: datetime
    prior: UUID | None = None
    asked: set[UUID] = field(default_factory=set)
    open_odds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Somebody to be asked."""

    need: Need
    person: Person
    score: float
    contributions: dict[str, float]


def pair(needs: Sequence[Need], people: Sequence[Person], now: datetime, budget_ms: float) -> list[Pairing]:
    """Return whom to ask for what. Each pass asks at most one person for a request; passes add width where one yes
    is not likely enough."""
    made: list[Pairing] = []
    people = [person for person in people if person.room]
    wanting = [need for need in needs if _needs_more(need, now)]
    until = time.monotonic() + budget_ms / 1000
    while wanting and people:
        result = match(
            _volunteers(people), _requests(wanting, people, now), runners_up=0,
            budget_ms=max(0.0, (until - time.monotonic()) * 1000), monotonic=time.monotonic,
        )  # fmt: skip
        fresh = [_pairing(result, row, need, people) for row, need in enumerate(wanting) if result.volunteer[row] >= 0]
        for one in fresh:
            one.need.open_odds.append(one.person.odds)
        made += fresh
        busy = {one.person.id for one in fresh}
        people = [person for person in people if person.id not in busy]
        wanting = [one.need for one in fresh if _needs_more(one.need, now)]
    return made


def _needs_more(need: Need, now: datetime) -> bool:
    urgency = int(need.urgency)
    waited_min = (now - need.received_at).total_seconds() / 60
    rounds = rounds_left(urgency, waited_min)
    # The odds of the next person do not matter for whether one more is needed.
    return offers_needed([0.0], urgency, rounds=rounds, open_odds=need.open_odds) > 0


def _pairing(result: MatchResult, row: int, need: Need, people: Sequence[Person]) -> Pairing:
    parts = dict(zip(FACTORS, result.contributions[row].tolist(), strict=True))
    parts["multiplier"] = float(result.multiplier[row])
    return Pairing(need, people[int(result.volunteer[row])], float(result.score[row]), parts)


def time_to_answer(urgency: Urgency) -> timedelta:
    return timedelta(minutes=PACES[int(urgency)].expiry_min)


def _volunteers(people: Sequence[Person]) -> VolunteerArrays:
    return VolunteerArrays(
        id=[p.id for p in people],
        lon=_column(people, lambda p: p.lon),
        lat=_column(people, lambda p: p.lat),
        skills=_column(people, lambda p: _bits(p.skills, _SKILL), np.uint64),
        langs=_column(people, lambda p: _bits(p.languages, _LANGUAGE), np.uint64),
        availability=pack_week(np.array([_free(p.week) for p in people])),
        gender=np.zeros(len(people), dtype=np.int64),
        trust=_column(people, lambda p: p.trust),
        free_slots=_column(people, lambda p: p.room),
        tasks_30d=_column(people, lambda p: p.month),
        offers_24h=_column(people, lambda p: p.day),
        radius_m=_column(people, lambda p: p.radius_m),
    )


def _requests(needs: Sequence[Need], people: Sequence[Person], now: datetime) -> RequestArrays:
    row_of = {person.id: row for row, person in enumerate(people)}
    windows = [half_hours(need) for need in needs]
    return RequestArrays(
        id=[n.id for n in needs],
        lon=_column(needs, lambda n: n.lon),
        lat=_column(needs, lambda n: n.lat),
        skill=_column(needs, lambda n: _skill_of(n.category)),
        first_slot=np.array([first for first, _ in windows]),
        slot_count=np.array([count for _, count in windows]),
        lang=_column(needs, lambda n: _LANGUAGE[n.language] if n.language else -1),
        gender_pref=np.zeros(len(needs), dtype=np.int64),
        min_trust=np.zeros(len(needs)),
        urgency=_column(needs, lambda n: int(n.urgency)),
        age_h=_column(needs, lambda n: (now - n.received_at).total_seconds() / 3600),
        prior_volunteer=_column(needs, lambda n: row_of.get(n.prior, -1)),
        excluded=[
            (row, row_of[person.id]) for row, need in enumerate(needs) for person in people
            if person.id in need.asked or not within_daily_budget(int(need.urgency), person.day)
            or (person.quiet and need.urgency is not Urgency.danger)
        ],
    )  # fmt: skip


def _column(rows: Sequence[Any], value: Callable[[Any], Any], dtype: Any = np.float64) -> NDArray[Any]:
    return np.array([value(row) for row in rows], dtype=dtype)


def _skill_of(category: str) -> int:
    skill = CATEGORIES[category].skill
    assert skill is not None, "every kind of help names a skill"
    return _SKILL[skill]


def _bits(words: Sequence[str], bit: dict[Any, int]) -> int:
    """Words as a mask; one that this release does not know is nobody's skill."""
    return sum(1 << bit[word] for word in set(words) if word in bit)


def _free(week: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """The half hours of a week that lie wholly in somebody's free time."""
    free = np.zeros(SLOTS_PER_WEEK, dtype=np.bool_)
    for weekday, start, end in week:
        day = (weekday - 1) * 48
        free[day + ceil(start / _HALF_HOUR) : day + end // _HALF_HOUR] = True
    return free


def half_hours(need: Need) -> tuple[int, int]:
    """The first half hour of the week and how many: -1 when any time will do, as it will when life is at risk."""
    if need.starts_at is None or need.urgency is Urgency.danger:
        return -1, 0
    local = need.starts_at.astimezone(COUNTY_ZONE)
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    length = (need.ends_at - need.starts_at).total_seconds() / 60 if need.ends_at else need.minutes
    first = minute // _HALF_HOUR
    return first, min(SLOTS_PER_WEEK, max(1, ceil((minute % _HALF_HOUR + length) / _HALF_HOUR)))


def with_history(need: Need, asked: set[UUID], open_odds: list[float], prior: UUID | None) -> Need:
    return replace(need, asked=asked, open_odds=open_odds, prior=prior)
