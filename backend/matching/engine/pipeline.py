"""From arrays to a match: put in order of id, find pairs, rate them, solve, explain, put back in the caller's order."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from backend.matching.engine.arrays import (
    Floats,
    IndexPairs,
    Ints,
    MatchResult,
    Pairs,
    RequestArrays,
    Unserved,
    VolunteerArrays,
)
from backend.matching.engine.candidates import feasible_pairs
from backend.matching.engine.conditions import why_unserved
from backend.matching.engine.score import Weights, rate
from backend.matching.engine.solve import Problem, assign


def match(
    volunteers: VolunteerArrays,
    requests: RequestArrays,
    *,
    weights: Weights | None = None,
    frozen: IndexPairs = (),
    runners_up: int = 8,
    budget_ms: float | None = None,
    monotonic: Callable[[], float] | None = None,
) -> MatchResult:
    """The assignment of greatest total worth; it depends on the ids and not on the order of the rows.

    `frozen` pairs (request row, volunteer row) stay as they are, even where a condition no longer holds, and use a
    slot. With `budget_ms`, `monotonic` (seconds) is asked between parts, and parts not reached are settled greedily.
    """
    out_of_time = _deadline(budget_ms, monotonic)
    case = _Case.of(volunteers, requests, Pairs.of(frozen), weights or Weights())
    problem, bound = case.problem()
    made, exact = assign(problem, out_of_time)
    return case.result(made, problem, bound, exact, runners_up)


def _deadline(budget_ms: float | None, monotonic: Callable[[], float] | None) -> Callable[[], bool]:
    if budget_ms is None:
        return lambda: False
    if monotonic is None:
        raise ValueError("a budget needs a clock")
    end = monotonic() + budget_ms / 1000
    return lambda: monotonic() >= end


@dataclass(frozen=True, eq=False)
class _Case:
    """Everything in order of id; `request_rows` and `volunteer_rows` lead back to the caller's rows."""

    volunteers: VolunteerArrays
    requests: RequestArrays
    frozen: Pairs
    weights: Weights
    request_rows: Ints
    volunteer_rows: Ints

    @classmethod
    def of(cls, volunteers: VolunteerArrays, requests: RequestArrays, frozen: Pairs, weights: Weights) -> "_Case":
        request_rows, volunteer_rows = requests.order(), volunteers.order()
        # The extra last entry turns -1, nobody, into -1.
        request_at, volunteer_at = np.argsort(request_rows), np.append(np.argsort(volunteer_rows), -1)
        excluded = Pairs.of(requests.excluded)
        moved = zip(request_at[excluded.request].tolist(), volunteer_at[excluded.volunteer].tolist(), strict=True)
        ordered = requests.rows(request_rows)
        ordered = replace(ordered, prior_volunteer=volunteer_at[ordered.prior_volunteer], excluded=tuple(moved))
        kept = Pairs(request_at[frozen.request], volunteer_at[frozen.volunteer])
        if len(np.unique(kept.request)) != len(kept):
            raise ValueError("a request is frozen to two volunteers")
        return cls(volunteers.rows(volunteer_rows), ordered, kept, weights, request_rows, volunteer_rows)

    def problem(self) -> tuple[Problem, float]:
        """What is left to decide beside the frozen pairs, and the bound on the whole objective."""
        used = np.bincount(self.frozen.volunteer, minlength=len(self.volunteers))
        remaining = replace(self.volunteers, free_slots=np.maximum(self.volunteers.free_slots - used, 0))
        waiting = np.setdiff1d(np.arange(len(self.requests)), self.frozen.request)
        pairs = feasible_pairs(remaining, self.requests, waiting)
        worth = rate(self.volunteers, self.requests, pairs, self.weights).worth
        best = np.zeros(len(self.requests))
        np.maximum.at(best, pairs.request, worth)
        best[self.frozen.request] = rate(self.volunteers, self.requests, self.frozen, self.weights).worth
        return Problem.of(pairs, worth, remaining.free_slots), float(best.sum())

    def result(self, made: Pairs, problem: Problem, bound: float, exact: bool, runners_up: int) -> MatchResult:
        pairs = Pairs.joined([self.frozen, made])
        pairs = pairs.take(np.argsort(pairs.request))
        rating = rate(self.volunteers, self.requests, pairs, self.weights)
        given = np.full(len(self.requests), -1, dtype=np.int64)
        given[pairs.request] = pairs.volunteer
        to_caller = np.append(self.volunteer_rows, -1)
        back = np.argsort(self.request_rows)
        reasons = self._reasons(given)
        return MatchResult(
            volunteer=to_caller[given][back],
            score=self._spread(pairs, rating.score)[back],
            contributions=self._spread(pairs, rating.contributions)[back],
            multiplier=self._spread(pairs, rating.multiplier)[back],
            runners_up=to_caller[_runners_up(problem, given, runners_up)][back],
            reason_unserved=[reasons[i] for i in back],
            objective=float(rating.worth.sum()),
            upper_bound=bound,
            exact=exact,
        )

    def _spread(self, pairs: Pairs, values: Floats) -> Floats:
        """Values of the pairs made, with 0 for requests that got nobody."""
        spread = np.zeros((len(self.requests), *values.shape[1:]))
        spread[pairs.request] = values
        return spread

    def _reasons(self, given: Ints) -> list[Unserved | None]:
        reasons: list[Unserved | None] = [None] * len(given)
        unserved = np.flatnonzero(given < 0)
        for row, reason in zip(unserved, why_unserved(self.volunteers, self.requests, unserved), strict=True):
            reasons[row] = reason
        return reasons


def _runners_up(problem: Problem, given: Ints, width: int) -> Ints:
    """The next best volunteers of each request; the problem's pairs are already ordered best first."""
    others = problem.pairs.take(given[problem.pairs.request] != problem.pairs.volunteer)
    place = np.arange(len(others)) - np.searchsorted(others.request, others.request)
    shown = place < width
    table = np.full((len(given), width), -1, dtype=np.int64)
    table[others.request[shown], place[shown]] = others.volunteer[shown]
    return table
