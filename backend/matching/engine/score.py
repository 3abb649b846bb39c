"""How good a pair is, in parts a person can be told, and how much it counts against other pairs."""

from dataclasses import astuple, dataclass, fields

import numpy as np

from backend.matching.engine.arrays import Floats, Pairs, RequestArrays, VolunteerArrays
from backend.matching.engine.sphere import distance_m
from backend.matching.engine.urgency import PACES
from backend.matching.engine.week import half_hours, margin

HALF_AS_NEAR_M = 1000.0
SPARE_SLOTS = 2
AMPLE_SLOTS = 28


@dataclass(frozen=True)
class Weights:
    """How much each factor, 0 to 1, counts. Fairness is never nil, so that any help is worth more than none."""

    nearness: float = 0.35
    time: float = 0.15
    continuity: float = 0.25
    skill: float = 0.10
    fairness: float = 0.15

    def __post_init__(self) -> None:
        if min(astuple(self)) < 0 or self.fairness <= 0:
            raise ValueError("weights are not negative, and fairness is above 0")


FACTORS = tuple(field.name for field in fields(Weights))


@dataclass(frozen=True, eq=False)
class Rating:
    """`score` is the sum of a row of `contributions`; `worth` is score times multiplier."""

    contributions: Floats
    score: Floats
    multiplier: Floats
    worth: Floats


def rate(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs, weights: Weights) -> Rating:
    factors = {
        "nearness": _nearness(volunteers, requests, pairs),
        "time": _time(volunteers, requests, pairs),
        "continuity": (requests.prior_volunteer[pairs.request] == pairs.volunteer).astype(np.float64),
        "skill": _skill(volunteers)[pairs.volunteer],
        "fairness": 1 / (1 + 0.5 * volunteers.tasks_30d[pairs.volunteer]),
    }
    contributions = np.column_stack([getattr(weights, name) * factors[name] for name in FACTORS])
    score: Floats = contributions.sum(axis=1)
    multiplier = priority(requests)[pairs.request] * rest(volunteers)[pairs.volunteer]
    return Rating(contributions, score, multiplier, score * multiplier)


def priority(requests: RequestArrays) -> Floats:
    """Urgency and waiting. Grows with age without end, so that nobody starves, but slowly: a day-old errand must not
    outrank a fresh emergency."""
    weight = np.array([pace.weight for pace in PACES])[requests.urgency]
    sla_h = np.array([pace.sla_min / 60 for pace in PACES])[requests.urgency]
    waited: Floats = weight * (1 + np.log2(1 + np.maximum(requests.age_h, 0) / sla_h))
    return waited


def rest(volunteers: VolunteerArrays) -> Floats:
    """Spares those who did much this month or were asked much today."""
    return 1 / (1 + 0.25 * volunteers.tasks_30d + 0.30 * volunteers.offers_24h)


def _nearness(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Floats:
    return 1 / (1 + distance_m(volunteers, requests, pairs) / HALF_AS_NEAR_M)


def _time(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Floats:
    """Share of the hour before and after that is free as well; for any time, free half hours of two full days' work."""
    around = margin(requests.first_slot, requests.slot_count, SPARE_SLOTS)
    spare = half_hours(volunteers.availability[pairs.volunteer] & around[pairs.request])
    timed = spare / np.maximum(half_hours(around)[pairs.request], 1)
    any_time = half_hours(volunteers.availability)[pairs.volunteer] / AMPLE_SLOTS
    share: Floats = np.where(requests.first_slot[pairs.request] < 0, np.minimum(any_time, 1.0), timed)
    return share


def _skill(volunteers: VolunteerArrays) -> Floats:
    """Specialists first: an all-rounder stays free for what only an all-rounder can do."""
    share: Floats = 1 / np.maximum(np.bitwise_count(volunteers.skills), 1).astype(np.float64)
    return share
