"""Every pair that could be made: exactly those of the full cross product, found through k-d trees."""

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from backend.matching.engine.arrays import Floats, Ints, Pairs, RequestArrays, VolunteerArrays
from backend.matching.engine.conditions import has_bit, suitable
from backend.matching.engine.sphere import chord, unit_vectors

# Most requests have fewer neighbours than this in reach, and one vectorised query finds them all.
GROWTH = (64, 256)


def feasible_pairs(volunteers: VolunteerArrays, requests: RequestArrays, among: Ints) -> Pairs:
    """All suitable pairs of the requests in rows `among` with volunteers who have a free slot, in no order."""
    near = [_with_that_need(volunteers, requests, rows) for rows in _by_need(requests, among)]
    return suitable(volunteers, requests, Pairs.joined(near))


def _by_need(requests: RequestArrays, among: Ints) -> Iterator[Ints]:
    """Rows that ask for one skill and language. A tree per skill alone would hide those who speak a rare language."""
    needs = np.column_stack((requests.skill[among], requests.lang[among]))
    kinds, kind = np.unique(needs, axis=0, return_inverse=True)
    for i in range(len(kinds)):
        yield among[kind.reshape(-1) == i]


def _with_that_need(volunteers: VolunteerArrays, requests: RequestArrays, rows: Ints) -> Pairs:
    """Volunteers with a slot, the skill and the language, no farther than the widest radius among them."""
    able = has_bit(volunteers.skills, requests.skill[rows[:1]]) & has_bit(volunteers.langs, requests.lang[rows[:1]])
    pool = np.flatnonzero(able & (volunteers.free_slots > 0))
    if not len(pool):
        return Pairs.of([])
    tree = cKDTree(unit_vectors(volunteers.lon[pool], volunteers.lat[pool]))
    points = unit_vectors(requests.lon[rows], requests.lat[rows])
    found = neighbours(tree, points, chord(float(volunteers.radius_m[pool].max())))
    return Pairs(rows[found.request], pool[found.volunteer])


def neighbours(tree: cKDTree, points: Floats, reach: float) -> Pairs:
    """Everyone within reach of each point: the nearest few, then more, then the whole ball where the list was full."""
    waiting = np.arange(len(points), dtype=np.int64)
    found: list[Pairs] = []
    for k in GROWTH:
        _, hits = tree.query(points[waiting], k=k, distance_upper_bound=reach)
        full = hits[:, -1] < tree.n
        row, column = np.nonzero((hits < tree.n) & ~full[:, None])
        found.append(Pairs(waiting[row], hits[row, column]))
        waiting = waiting[full]
    found.append(everyone_in_reach(tree, points, waiting, reach))
    return Pairs.joined(found)


def everyone_in_reach(tree: cKDTree, points: Floats, rows: Ints, reach: float) -> Pairs:
    """The fallback that makes the list complete: the nearest hundreds may all be busy or not wanted."""
    balls = [np.asarray(ball, dtype=np.int64) for ball in tree.query_ball_point(points[rows], reach)]
    return Pairs.joined([Pairs(np.full(len(ball), row), ball) for row, ball in zip(rows, balls, strict=True)])
