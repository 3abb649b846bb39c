"""The best assignment: each request to at most one volunteer, each volunteer within their slots, greatest total worth.

Reduce without loss, split into parts that share nobody, solve each part with the library.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from backend.matching.engine.arrays import Bools, Floats, Ints, Pairs

# Equal totals are told apart by a bonus of at most this share of the greatest worth.
TIE_SHARE = 2.0**-30


@dataclass(frozen=True, eq=False)
class Problem:
    """Pairs ordered by request, worth descending, volunteer. `slots`: free slots per volunteer row."""

    pairs: Pairs
    worth: Floats
    slots: Ints

    @classmethod
    def of(cls, pairs: Pairs, worth: Floats, slots: Ints) -> "Problem":
        order = np.lexsort((pairs.volunteer, -worth, pairs.request))
        return cls(pairs.take(order), worth[order], slots)

    def __len__(self) -> int:
        return len(self.pairs)

    def only(self, which: Ints | Bools) -> "Problem":
        return Problem(self.pairs.take(which), self.worth[which], self.slots)

    def always_free(self) -> Bools:
        """Pairs whose volunteer has a slot for every request that could use them."""
        wanted = np.bincount(self.pairs.volunteer, minlength=len(self.slots))
        free: Bools = (wanted <= self.slots)[self.pairs.volunteer]
        return free


def assign(problem: Problem, out_of_time: Callable[[], bool]) -> tuple[Pairs, bool]:
    """The pairs made, and whether they are the optimum. The clock is asked once before each contested part."""
    reduced = reduce(problem)
    alone = settled(reduced)
    made = [reduced.pairs.take(alone)]
    exact = True
    # Slots stay as they are: whoever settled a request has room for all the others that want them too.
    for part in components(reduced.only(~alone)):
        in_time = not out_of_time()
        exact &= in_time
        made.append(optimum(part) if in_time else greedy(part))
    return Pairs.joined(made), exact


def reduce(problem: Problem) -> Problem:
    """Drop pairs no optimum needs: a request never wants anyone worse than its best volunteer who is always free.

    Any solution that uses a dropped pair can move the request to that volunteer without loss. Each round lowers how
    often the others are wanted, which makes more of them always free.
    """
    while True:
        position = np.arange(len(problem))
        free = problem.always_free()
        last = np.full(problem.pairs.request.max(initial=-1) + 1, len(problem))
        np.minimum.at(last, problem.pairs.request[free], position[free])
        keep = position <= last[problem.pairs.request]
        if keep.all():
            return problem
        problem = problem.only(keep)


def settled(problem: Problem) -> Bools:
    """Requests whose only remaining volunteer is always free: nothing is left to decide."""
    choices = np.bincount(problem.pairs.request)
    single: Bools = choices[problem.pairs.request] == 1
    return single & problem.always_free()


def components(problem: Problem) -> list[Problem]:
    """Parts that share no request and no volunteer, the smallest first: a budget then leaves the fewest undone."""
    if not len(problem):
        return []
    requests = int(problem.pairs.request.max()) + 1
    nodes = requests + len(problem.slots)
    links = (np.ones(len(problem)), (problem.pairs.request, requests + problem.pairs.volunteer))
    _, labels = connected_components(coo_array(links, shape=(nodes, nodes)), directed=False)
    label = labels[problem.pairs.request]
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    return [problem.only(part) for part in sorted(parts, key=lambda part: (len(part), part[0]))]


def optimum(part: Problem) -> Pairs:
    """Sparse Jonker-Volgenant: a column per slot, and a private column per request that stands for "nobody"."""
    requests, row = np.unique(part.pairs.request, return_inverse=True)
    volunteers, who, wanted = np.unique(part.pairs.volunteer, return_inverse=True, return_counts=True)
    copies = np.minimum(part.slots[volunteers], wanted)
    first = np.cumsum(copies) - copies
    edge = np.repeat(np.arange(len(part)), copies[who])
    column = first[who][edge] + _count_up(copies[who])
    worth = part.worth + _tie_bonus(row, who, float(part.worth.max()))
    ceiling = 2 * float(worth.max())  # the library drops zeros, so that every cost stays above 0
    nobody = int(copies.sum()) + np.arange(len(requests))
    cost = csr_array(
        (
            np.concatenate((ceiling - worth[edge], np.full(len(requests), ceiling))),
            (np.concatenate((row[edge], np.arange(len(requests)))), np.concatenate((column, nobody))),
        ),
        shape=(len(requests), int(copies.sum()) + len(requests)),
    )
    given = np.empty(len(requests), dtype=np.int64)
    rows, columns = min_weight_full_bipartite_matching(cost)
    given[rows] = columns
    return part.pairs.take(edge[given[row[edge]] == column])


def greedy(part: Problem) -> Pairs:
    """Best pair first: at least half of the optimum, in the time of a sort."""
    left = part.slots.copy()
    served: set[int] = set()
    made: list[tuple[int, int]] = []
    for i in np.lexsort((part.pairs.volunteer, part.pairs.request, -part.worth)):
        request, volunteer = int(part.pairs.request[i]), int(part.pairs.volunteer[i])
        if request not in served and left[volunteer] > 0:
            left[volunteer] -= 1
            served.add(request)
            made.append((request, volunteer))
    return Pairs.of(made)


def _count_up(lengths: Ints) -> Ints:
    """0, 1, 2 … anew for each length."""
    ends = np.cumsum(lengths)
    counted: Ints = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
    return counted


def _tie_bonus(row: Ints, who: Ints, greatest: float) -> Floats:
    """Between equal totals the lower request id is served, and gets the lower volunteer id."""
    rows, columns = row.max() + 1, who.max() + 1
    bonus: Floats = TIE_SHARE * greatest * ((rows - row) / rows) * ((columns - who) / columns)
    return bonus
