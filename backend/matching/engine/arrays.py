"""What goes into a match and what comes out. One row of every array is one volunteer or one request."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from backend.matching.engine.urgency import PACES
from backend.matching.engine.week import SLOTS_PER_WEEK, WEEK_WORDS, Words

Ids = Sequence[Any] | NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
IndexPairs = Sequence[tuple[int, int]]


class _Table:
    """Columns of one length with unique ids, coerced to the types named in `DTYPES`."""

    DTYPES: ClassVar[dict[str, type]]
    id: Ids

    def __post_init__(self) -> None:
        for name, dtype in self.DTYPES.items():
            column: NDArray[Any] = np.asarray(getattr(self, name), dtype=dtype)
            if len(column) != len(self):
                raise ValueError(f"{name} has {len(column)} rows, id has {len(self)}")
            if dtype is np.float64 and np.isnan(column).any():
                raise ValueError(f"{name} is not a number somewhere")
            object.__setattr__(self, name, column)
        if len(set(self.id)) != len(self):
            raise ValueError("an id occurs twice")

    def __len__(self) -> int:
        return len(self.id)

    def order(self) -> Ints:
        """Row numbers in the order of their ids."""
        return np.array(sorted(range(len(self)), key=self.id.__getitem__), dtype=np.int64)

    def rows(self, index: Ints) -> Self:
        columns: dict[str, Any] = {name: getattr(self, name)[index] for name in self.DTYPES}
        return replace(self, id=[self.id[i] for i in index], **columns)  # type: ignore[type-var]


@dataclass(frozen=True, eq=False)
class VolunteerArrays(_Table):
    """`id`: str, bytes or UUID, all of one kind. `skills`, `langs`: bit i set for skill or language i.

    `availability`: uint64[n, 6] from `week.pack_week`. `gender`: 0 unknown. `free_slots` counts what frozen pairs use
    too. Two slots may be given requests of the same hours; who wants one task at a time passes at most 1.
    """

    id: Ids
    lon: Floats
    lat: Floats
    skills: Words
    availability: Words
    langs: Words
    gender: Ints
    trust: Floats
    free_slots: Ints
    tasks_30d: Ints
    offers_24h: Ints
    radius_m: Floats

    DTYPES: ClassVar[dict[str, type]] = {
        "lon": np.float64, "lat": np.float64, "skills": np.uint64, "availability": np.uint64, "langs": np.uint64,
        "gender": np.int64, "trust": np.float64, "free_slots": np.int64, "tasks_30d": np.int64,
        "offers_24h": np.int64, "radius_m": np.float64,
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self) and self.availability.shape != (len(self), WEEK_WORDS):
            raise ValueError(f"availability is {self.availability.shape}, wanted n x {WEEK_WORDS} words")
        object.__setattr__(self, "availability", self.availability.reshape(-1, WEEK_WORDS))


@dataclass(frozen=True, eq=False)
class RequestArrays(_Table):
    """`skill`, `lang`: index of the bit; `lang` -1 and `gender_pref` 0: any. `first_slot` -1: any time of the week.

    `prior_volunteer`: row of the volunteer who helped this person before, or -1. `excluded`: (request row, volunteer
    row) of pairs not to be made again, because the volunteer declined or already holds an offer.
    """

    id: Ids
    lon: Floats
    lat: Floats
    skill: Ints
    first_slot: Ints
    slot_count: Ints
    lang: Ints
    gender_pref: Ints
    min_trust: Floats
    urgency: Ints
    age_h: Floats
    prior_volunteer: Ints
    excluded: IndexPairs = ()

    DTYPES: ClassVar[dict[str, type]] = {
        "lon": np.float64, "lat": np.float64, "skill": np.int64, "first_slot": np.int64, "slot_count": np.int64,
        "lang": np.int64, "gender_pref": np.int64, "min_trust": np.float64, "urgency": np.int64,
        "age_h": np.float64, "prior_volunteer": np.int64,
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        timed = self.first_slot >= 0
        _demand_range("first_slot", self.first_slot, -1, SLOTS_PER_WEEK - 1)
        _demand_range("slot_count", self.slot_count[timed], 1, SLOTS_PER_WEEK)
        _demand_range("urgency", self.urgency, 0, len(PACES) - 1)
        _demand_range("skill", self.skill, 0, 63)
        _demand_range("lang", self.lang, -1, 63)


def _demand_range(name: str, column: Ints, low: int, high: int) -> None:
    if ((column < low) | (column > high)).any():
        raise ValueError(f"{name} must lie in {low}..{high}")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of a request and of a volunteer, side by side."""

    request: Ints
    volunteer: Ints

    @classmethod
    def of(cls, pairs: IndexPairs) -> "Pairs":
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1])

    @classmethod
    def joined(cls, parts: "Sequence[Pairs]") -> "Pairs":
        none = np.empty(0, dtype=np.int64)
        return cls(
            np.concatenate([none, *(part.request for part in parts)]),
            np.concatenate([none, *(part.volunteer for part in parts)]),
        )

    def __len__(self) -> int:
        return len(self.request)

    def take(self, which: Ints | Bools) -> "Pairs":
        return Pairs(self.request[which], self.volunteer[which])


class Unserved(StrEnum):
    """The first condition at which nobody was left."""

    NO_SKILL = "no_skill"
    NO_TIME = "no_time"
    TOO_FAR = "too_far"
    PREFERENCE = "preference"
    OUTCOMPETED = "outcompeted"


@dataclass(frozen=True, eq=False)
class MatchResult:
    """One row per request, in the caller's order. Where `volunteer` is -1, score, contributions and multiplier are 0.

    `score` is the sum of its row of `contributions` (columns `score.FACTORS`); score times multiplier is what the
    pair adds to `objective`. `runners_up`: rows of the next best who could help, best first, -1 where there are
    fewer. `upper_bound`: every request with its best volunteer, as if each had room for all. `exact` False: the
    budget ended, and some contested parts were settled best pair first (at least half of the optimum).
    """

    volunteer: Ints
    score: Floats
    contributions: Floats
    multiplier: Floats
    runners_up: Ints
    reason_unserved: list[Unserved | None]
    objective: float
    upper_bound: float
    exact: bool
