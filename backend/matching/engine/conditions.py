"""Hard conditions between a request and a volunteer, and which of them left a request without help."""

import numpy as np

from backend.matching.engine.arrays import Bools, Ints, Pairs, RequestArrays, Unserved, VolunteerArrays
from backend.matching.engine.sphere import distance_m
from backend.matching.engine.week import Words, window


def has_bit(masks: Words, bit: Ints) -> Bools:
    """Whether the bit is set; bit -1 asks for nothing."""
    wanted = np.maximum(bit, 0).astype(np.uint64)
    return (bit < 0) | ((masks >> wanted) & np.uint64(1)).astype(np.bool_)


def skilled(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Bools:
    return has_bit(volunteers.skills[pairs.volunteer], requests.skill[pairs.request])


def free_then(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Bools:
    """Free for the whole window; for any time, free at some time of the week."""
    asked = window(requests.first_slot, requests.slot_count)[pairs.request]
    free = volunteers.availability[pairs.volunteer]
    covered: Bools = ((free & asked) == asked).all(axis=1)
    return covered & free.any(axis=1)


def in_reach(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Bools:
    return distance_m(volunteers, requests, pairs) <= volunteers.radius_m[pairs.volunteer]


def preferred(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Bools:
    """Language, gender and trust as asked, and not a pair that was already refused or offered."""
    request, volunteer = pairs.request, pairs.volunteer
    gender = requests.gender_pref[request]
    welcome: Bools = (
        has_bit(volunteers.langs[volunteer], requests.lang[request])
        & ((gender == 0) | (gender == volunteers.gender[volunteer]))
        & (volunteers.trust[volunteer] >= requests.min_trust[request])
        & ~_listed(Pairs.of(requests.excluded), pairs, len(volunteers))
    )
    return welcome


def _listed(listed: Pairs, pairs: Pairs, width: int) -> Bools:
    found: Bools = np.isin(pairs.request * width + pairs.volunteer, listed.request * width + listed.volunteer)
    return found


STEPS = (
    (skilled, Unserved.NO_SKILL),
    (free_then, Unserved.NO_TIME),
    (in_reach, Unserved.TOO_FAR),
    (preferred, Unserved.PREFERENCE),
)


def suitable(volunteers: VolunteerArrays, requests: RequestArrays, pairs: Pairs) -> Pairs:
    """The pairs that meet every condition."""
    for condition, _ in STEPS:
        pairs = pairs.take(condition(volunteers, requests, pairs))
    return pairs


def why_unserved(volunteers: VolunteerArrays, requests: RequestArrays, rows: Ints) -> list[Unserved]:
    """The reason of each row. Outcompeted also when those who could come have no slot: others were given them."""
    everyone = np.arange(len(volunteers), dtype=np.int64)
    left = Pairs(np.repeat(rows, len(everyone)), np.tile(everyone, len(rows)))
    reasons: dict[int, Unserved] = {}
    for condition, reason in STEPS:
        left = left.take(condition(volunteers, requests, left))
        reasons |= {int(row): reason for row in np.setdiff1d(rows, left.request) if int(row) not in reasons}
    return [reasons.get(int(row), Unserved.OUTCOMPETED) for row in rows]
