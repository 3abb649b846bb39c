"""The matching engine against oracles: conditions and worth in plain Python, brute force, an LP; and controls."""

from dataclasses import replace
from itertools import product
from math import asin, cos, log2, radians, sin, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from backend.matching.engine import (
    FACTORS,
    MatchResult,
    RequestArrays,
    Unserved,
    VolunteerArrays,
    Weights,
    candidates,
    match,
    pack_week,
    solve,
)
from backend.matching.engine.arrays import Pairs
from backend.matching.engine.score import priority, rate

TOWN = (106.52, 33.91)
METRE = 1 / 111_195  # degrees of latitude
SEEDS = range(8)

Case = tuple[VolunteerArrays, RequestArrays]


def make_volunteers(n: int = 1, **columns: Any) -> VolunteerArrays:
    """People at the town centre who can do everything at any hour, unless said otherwise."""
    sane: dict[str, Any] = {
        "id": [f"v{i:05}" for i in range(n)],
        "lon": np.full(n, TOWN[0]),
        "lat": np.full(n, TOWN[1]),
        "skills": np.full(n, 0b1111, dtype=np.uint64),
        "availability": pack_week(np.ones((n, 336), dtype=bool)),
        "langs": np.full(n, 0b1111, dtype=np.uint64),
        "gender": np.ones(n),
        "trust": np.ones(n),
        "free_slots": np.ones(n),
        "tasks_30d": np.zeros(n),
        "offers_24h": np.zeros(n),
        "radius_m": np.full(n, 5000.0),
    }
    return VolunteerArrays(**(sane | columns))


def make_requests(n: int = 1, **columns: Any) -> RequestArrays:
    """Requests from the town centre for skill 0 at any time, of anyone."""
    sane: dict[str, Any] = {
        "id": [f"r{i:05}" for i in range(n)],
        "lon": np.full(n, TOWN[0]),
        "lat": np.full(n, TOWN[1]),
        "skill": np.zeros(n),
        "first_slot": np.full(n, -1),
        "slot_count": np.zeros(n),
        "lang": np.full(n, -1),
        "gender_pref": np.zeros(n),
        "min_trust": np.zeros(n),
        "urgency": np.zeros(n),
        "age_h": np.zeros(n),
        "prior_volunteer": np.full(n, -1),
    }
    return RequestArrays(**(sane | columns))


def random_case(seed: int, volunteers: int, requests: int, spread_m: float = 3000) -> Case:
    """A county hour with every condition in play."""
    rng = np.random.default_rng(seed)

    def place(n: int) -> dict[str, Any]:
        east, north = rng.uniform(-spread_m, spread_m, (2, n)) * METRE
        return {"lon": TOWN[0] + east, "lat": TOWN[1] + north}

    free = rng.random((volunteers, 42)) < 0.7
    people = make_volunteers(
        volunteers,
        **place(volunteers),
        skills=rng.integers(1, 16, volunteers).astype(np.uint64),
        langs=(rng.integers(0, 8, volunteers) | 1).astype(np.uint64),
        availability=pack_week(np.repeat(free, 8, axis=1)),
        gender=rng.integers(0, 3, volunteers),
        trust=rng.integers(0, 4, volunteers),
        free_slots=rng.integers(0, 4, volunteers),
        tasks_30d=rng.integers(0, 6, volunteers),
        offers_24h=rng.integers(0, 4, volunteers),
        radius_m=rng.uniform(500, 5000, volunteers),
    )
    refusing, refused = rng.integers(0, volunteers, requests), rng.integers(0, requests, requests)
    asked = make_requests(
        requests,
        **place(requests),
        skill=rng.integers(0, 4, requests),
        first_slot=np.where(rng.random(requests) < 0.3, -1, rng.integers(0, 336, requests)),
        slot_count=rng.integers(1, 9, requests),
        lang=rng.choice([-1, -1, 0, 1, 2], requests),
        gender_pref=rng.choice([0, 0, 0, 1, 2], requests),
        min_trust=rng.choice([0, 0, 1, 2], requests),
        urgency=rng.integers(0, 4, requests),
        age_h=rng.exponential(2, requests),
        prior_volunteer=rng.integers(-1, volunteers, requests),
        excluded=tuple(zip(refused.tolist(), refusing.tolist(), strict=True)),
    )
    return people, asked


def may_help(v: VolunteerArrays, r: RequestArrays, i: int, j: int) -> bool:
    """The conditions told again in plain Python: request i, volunteer j."""
    slots = [(int(r.first_slot[i]) + k) % 336 for k in range(int(r.slot_count[i]))] if r.first_slot[i] >= 0 else []
    return (
        v.free_slots[j] > 0
        and int(v.skills[j]) >> int(r.skill[i]) & 1 == 1
        and any(is_free(v, j, s) for s in range(336))
        and all(is_free(v, j, s) for s in slots)
        and haversine_m(v, r, i, j) <= v.radius_m[j]
        and (r.lang[i] < 0 or int(v.langs[j]) >> int(r.lang[i]) & 1 == 1)
        and (r.gender_pref[i] == 0 or r.gender_pref[i] == v.gender[j])
        and bool(v.trust[j] >= r.min_trust[i])
        and (i, j) not in r.excluded
    )


def is_free(v: VolunteerArrays, j: int, slot: int) -> bool:
    return int(v.availability[j][slot // 64]) >> (slot % 64) & 1 == 1


def worth_of(v: VolunteerArrays, r: RequestArrays, i: int, j: int) -> float:
    """The worth told again in plain Python, with the standard weights."""
    first, end = int(r.first_slot[i]), int(r.first_slot[i] + r.slot_count[i])
    if first < 0:
        time = min(1.0, sum(is_free(v, j, s) for s in range(336)) / 28)
    else:
        time = sum(is_free(v, j, s % 336) for s in (first - 2, first - 1, end, end + 1)) / 4
    score = (
        0.35 / (1 + haversine_m(v, r, i, j) / 1000)
        + 0.15 * time
        + 0.25 * (r.prior_volunteer[i] == j)
        + 0.10 / int(v.skills[j]).bit_count()
        + 0.15 / (1 + 0.5 * v.tasks_30d[j])
    )
    promised_h = (60, 40, 15, 5)[r.urgency[i]] / 60
    urgency = 2 ** int(r.urgency[i]) * (1 + log2(1 + r.age_h[i] / promised_h))
    return float(score * urgency / (1 + 0.25 * v.tasks_30d[j] + 0.30 * v.offers_24h[j]))


def haversine_m(v: VolunteerArrays, r: RequestArrays, i: int, j: int) -> float:
    lon_a, lat_a, lon_b, lat_b = map(radians, (r.lon[i], r.lat[i], v.lon[j], v.lat[j]))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6_371_008.8 * asin(sqrt(h))


def cross_product(v: VolunteerArrays, r: RequestArrays) -> set[tuple[int, int]]:
    return {(i, j) for i, j in product(range(len(r)), range(len(v))) if may_help(v, r, i, j)}


def found(v: VolunteerArrays, r: RequestArrays) -> set[tuple[int, int]]:
    pairs = candidates.feasible_pairs(v, r, np.arange(len(r)))
    return set(zip(pairs.request.tolist(), pairs.volunteer.tolist(), strict=True))


def worths(v: VolunteerArrays, r: RequestArrays) -> tuple[Any, Any]:
    """All feasible pairs and what each is worth, by the rating the engine promises to maximise."""
    pairs = candidates.feasible_pairs(v, r, np.arange(len(r)))
    return pairs, rate(v, r, pairs, Weights()).worth


def brute_force(v: VolunteerArrays, r: RequestArrays) -> float:
    value = {(i, j): worth_of(v, r, i, j) for i, j in cross_product(v, r)}
    best = 0.0
    for choice in product(range(-1, len(v)), repeat=len(r)):
        fits = all(choice.count(j) <= v.free_slots[j] for j in set(choice) - {-1})
        legal = all(j < 0 or (i, j) in value for i, j in enumerate(choice))
        if fits and legal:
            best = max(best, sum(value[i, j] for i, j in enumerate(choice) if j >= 0))
    return best


def lp_optimum(v: VolunteerArrays, r: RequestArrays) -> float:
    """HiGHS on the same problem; the constraint matrix is totally unimodular, so the bound is reached."""
    pairs, worth = worths(v, r)
    edge, one = np.arange(len(pairs)), np.ones(len(pairs))
    per_request = csr_array((one, (pairs.request, edge)), shape=(len(r), len(pairs)))
    per_volunteer = csr_array((one, (pairs.volunteer, edge)), shape=(len(v), len(pairs)))
    limits = np.concatenate((np.ones(len(r)), v.free_slots))
    solved = linprog(-worth, A_ub=vstack((per_request, per_volunteer)), b_ub=limits, bounds=(0, 1), method="highs")
    return -float(solved.fun)


def greedily(v: VolunteerArrays, r: RequestArrays) -> MatchResult:
    return match(v, r, budget_ms=0, monotonic=lambda: 0.0)


def by_id(v: VolunteerArrays, r: RequestArrays, result: MatchResult) -> dict[str, str | None]:
    return {r.id[i]: v.id[j] if j >= 0 else None for i, j in enumerate(result.volunteer)}


def shuffled(v: VolunteerArrays, r: RequestArrays, seed: int) -> Case:
    """The same people and requests in other rows, with every row number that points at them moved along."""
    rng = np.random.default_rng(seed)
    people, asked = rng.permutation(len(v)), rng.permutation(len(r))
    person_at, request_at = np.append(np.argsort(people), -1), np.argsort(asked)
    excluded = tuple((int(request_at[i]), int(person_at[j])) for i, j in r.excluded)
    moved = r.rows(asked)
    return v.rows(people), replace(moved, prior_volunteer=person_at[moved.prior_volunteer], excluded=excluded)


# Candidates


@pytest.mark.parametrize("seed", SEEDS)
def test_candidates_are_exactly_the_feasible_pairs_of_the_cross_product(seed: int) -> None:
    people, asked = random_case(seed, volunteers=80, requests=25)

    assert found(people, asked) == cross_product(people, asked)


def test_candidates_are_complete_where_hundreds_live_in_reach_of_one_request() -> None:
    people, asked = random_case(1, volunteers=900, requests=4, spread_m=400)

    pairs = found(people, asked)

    assert pairs == cross_product(people, asked)
    assert len(pairs) > 300


def one_suitable_speaker_behind_three_hundred() -> Case:
    """300 neighbours speak the rare language but are women; the one man who speaks it lives 4 km away."""
    n = 301
    lat = TOWN[1] + np.append(np.linspace(0, 500, n - 1), 4000) * METRE
    speaks_it, gender = np.full(n, 0b1000, dtype=np.uint64), np.append(np.full(n - 1, 2), 1)
    return make_volunteers(n, lat=lat, langs=speaks_it, gender=gender), make_requests(lang=[3], gender_pref=[1])


def test_a_request_in_a_rare_language_finds_its_only_volunteer_behind_hundreds_of_unsuitable_ones() -> None:
    people, asked = one_suitable_speaker_behind_three_hundred()

    result = match(people, asked)

    assert result.volunteer.tolist() == [300]


def test_control_without_the_full_radius_fallback_that_volunteer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    people, asked = one_suitable_speaker_behind_three_hundred()
    monkeypatch.setattr(candidates, "everyone_in_reach", lambda *_: Pairs.of([]))

    result = match(people, asked)

    assert result.volunteer.tolist() == [-1]


def test_reach_is_measured_across_the_date_line() -> None:
    people = make_volunteers(lon=[179.999], lat=[0.0], radius_m=[300.0])

    result = match(people, make_requests(lon=[-179.999], lat=[0.0]))

    assert result.volunteer.tolist() == [0]


def test_a_window_runs_over_sunday_midnight_into_monday() -> None:
    free = np.zeros((3, 336), dtype=bool)
    free[0, [334, 335]] = True
    free[1, [0, 1]] = True
    free[2, [335, 0]] = True
    people = make_volunteers(3, availability=pack_week(free))

    result = match(people, make_requests(first_slot=[335], slot_count=[2]))

    assert result.volunteer.tolist() == [2]


# The optimum


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), volunteers=st.integers(1, 5), requests=st.integers(1, 5))
def test_no_assignment_of_a_small_case_is_better(seed: int, volunteers: int, requests: int) -> None:
    people, asked = random_case(seed, volunteers, requests, spread_m=500)
    people = replace(people, skills=people.skills | np.uint64(0b0111))

    result = match(people, asked)

    assert result.exact
    assert result.objective == pytest.approx(brute_force(people, asked), abs=1e-6)


@pytest.mark.parametrize(("volunteers", "requests"), [(300, 100), (90, 120), (20, 150)])
@pytest.mark.parametrize("seed", range(4))
def test_the_objective_equals_the_lp_optimum(seed: int, volunteers: int, requests: int) -> None:
    people, asked = random_case(seed, volunteers, requests)

    result = match(people, asked)

    assert result.exact
    assert result.objective == pytest.approx(lp_optimum(people, asked), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_pair_is_feasible_and_nobody_exceeds_their_slots(seed: int) -> None:
    people, asked = random_case(seed, volunteers=30, requests=60)

    given_to = match(people, asked).volunteer

    served = np.flatnonzero(given_to >= 0)
    assert len(served) > 0
    assert all(may_help(people, asked, int(i), int(given_to[i])) for i in served)
    assert (np.bincount(given_to[served], minlength=len(people)) <= people.free_slots).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_one_more_slot_never_lowers_the_objective(seed: int) -> None:
    people, asked = random_case(seed, volunteers=15, requests=40)
    before = match(people, asked).objective

    gains = []
    for j in range(len(people)):
        more = people.free_slots + (np.arange(len(people)) == j)
        gains.append(match(replace(people, free_slots=more), asked).objective - before)

    assert min(gains) >= -1e-6
    assert max(gains) > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_reaches_half_of_the_optimum_and_says_it_is_not_exact(seed: int) -> None:
    people, asked = random_case(seed, volunteers=12, requests=60)
    best = match(people, asked)

    quick = greedily(people, asked)

    assert not quick.exact
    assert best.objective / 2 <= quick.objective <= best.objective + 1e-6
    assert best.objective <= best.upper_bound + 1e-9


def test_greedy_is_worse_where_one_volunteer_is_the_only_choice_of_another() -> None:
    """The control of the exact solver: without it, the near volunteer goes to the request that has a choice."""
    lat = TOWN[1] + np.array([0, 2000]) * METRE
    people = make_volunteers(2, lat=lat, radius_m=[5000, 2500])
    asked = make_requests(2, lat=TOWN[1] + np.array([50, -1000]) * METRE)

    assert greedily(people, asked).volunteer.tolist() == [0, -1]
    assert match(people, asked).volunteer.tolist() == [1, 0]


def test_the_clock_is_asked_between_parts_and_the_rest_is_settled_greedily() -> None:
    """Two contested towns far apart, and time for one of them."""
    apart = np.repeat([0.0, 1.0], 2)
    people, asked = make_volunteers(2, lon=TOWN[0] + apart[1:3]), make_requests(4, lon=TOWN[0] + apart)
    ticks = iter([0.0, 0.0, 9.0])

    result = match(people, asked, budget_ms=1000, monotonic=lambda: next(ticks))

    assert not result.exact
    assert result.volunteer.tolist() == [0, -1, 1, -1]
    assert next(ticks, None) is None


def test_reduction_keeps_the_optimum_and_drops_most_pairs() -> None:
    people, asked = random_case(3, volunteers=300, requests=100)
    pairs, worth = worths(people, asked)
    whole = solve.Problem.of(pairs, worth, people.free_slots)

    reduced = solve.reduce(whole)

    assert len(reduced) < len(whole) / 3
    assert total(solve.optimum(whole), whole) == pytest.approx(total(solve.optimum(reduced), whole), abs=1e-6)


def total(made: Any, problem: solve.Problem) -> float:
    table = np.zeros((problem.pairs.request.max() + 1, len(problem.slots)))
    table[problem.pairs.request, problem.pairs.volunteer] = problem.worth
    return float(table[made.request, made.volunteer].sum())


# The score


@pytest.mark.parametrize("seed", SEEDS)
def test_contributions_sum_to_the_score_and_scores_to_the_objective(seed: int) -> None:
    people, asked = random_case(seed, volunteers=60, requests=60)

    result = match(people, asked)

    assert result.contributions.shape == (60, len(FACTORS))
    assert np.abs(result.contributions.sum(axis=1) - result.score).max() < 1e-9
    assert (result.score * result.multiplier).sum() == pytest.approx(result.objective, abs=1e-9)
    assert (result.score[result.volunteer < 0] == 0).all()


def test_each_factor_prefers_the_volunteer_it_names() -> None:
    two = {"lat": [TOWN[1], TOWN[1]]}
    half_day = np.zeros((2, 336), dtype=bool)
    half_day[0, 20:22], half_day[1, 18:24] = True, True
    at_ten = make_requests(first_slot=[20], slot_count=[2])

    better: dict[str, tuple[dict[str, Any], RequestArrays]] = {
        "nearness": ({"lat": [TOWN[1] + 900 * METRE, TOWN[1]]}, make_requests()),
        "time": ({"availability": pack_week(half_day)}, at_ten),
        "continuity": (two, make_requests(prior_volunteer=[1])),
        "skill": ({"skills": np.array([0b11, 0b01], dtype=np.uint64)}, make_requests()),
        "fairness": ({"tasks_30d": [3, 0]}, make_requests()),
    }

    assert set(better) == set(FACTORS)
    for columns, asked in better.values():
        assert match(make_volunteers(2, **columns), asked).volunteer.tolist() == [1]


def test_the_load_multiplier_spares_who_was_asked_today() -> None:
    people = make_volunteers(2, tasks_30d=[2, 0], offers_24h=[1, 3])

    alone = [match(people.rows(np.array([j])), make_requests()).multiplier[0] for j in range(2)]

    assert alone == pytest.approx([1 / 1.8, 1 / 1.9])


@given(st.integers(0, 3), st.floats(0, 1e4), st.floats(0, 1e4))
def test_age_never_lowers_priority(urgency: int, age_h: float, longer_h: float) -> None:
    young, old = priority(make_requests(2, urgency=[urgency] * 2, age_h=[age_h, age_h + longer_h]))

    assert old >= young


def test_an_age_below_zero_from_a_clock_ahead_counts_as_fresh() -> None:
    ahead, fresh = priority(make_requests(2, age_h=[-3, 0]))

    assert ahead == fresh


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_served_is_still_served_after_waiting_longer(seed: int) -> None:
    people, asked = random_case(seed, volunteers=8, requests=30)
    served = np.flatnonzero(match(people, asked).volunteer >= 0)

    for i in served[:6]:
        older = replace(asked, age_h=asked.age_h + 5 * (np.arange(len(asked)) == i))
        assert match(people, older).volunteer[i] >= 0


def test_waiting_long_enough_wins_against_the_highest_urgency_but_a_day_does_not() -> None:
    people, fresh = make_volunteers(), make_requests(2, urgency=[3, 0], age_h=[0, 24])

    assert match(people, fresh).volunteer.tolist() == [0, -1]
    assert match(people, replace(fresh, age_h=np.array([0, 24.0 * 30]))).volunteer.tolist() == [-1, 0]
    assert priority(fresh).tolist() == pytest.approx([8, 1 + log2(25)])


# Ids, order and ties


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pairs_do_not_depend_on_the_order_of_the_rows(seed: int) -> None:
    people, asked = random_case(seed, volunteers=30, requests=60)
    first = match(people, asked)

    other_people, other_asked = shuffled(people, asked, seed)
    second = match(other_people, other_asked)

    assert by_id(people, asked, first) == by_id(other_people, other_asked, second)
    assert second.objective == first.objective
    reason_of = dict(zip(asked.id, first.reason_unserved, strict=True))
    assert [reason_of[i] for i in other_asked.id] == second.reason_unserved


@pytest.mark.parametrize("solver", [match, greedily])
def test_equal_pairs_go_by_request_id_and_then_by_volunteer_id(solver: Any) -> None:
    ids = {"id": ["v3", "v1", "v2"]}

    few = solver(make_volunteers(3, **ids, free_slots=[0, 1, 1]), make_requests(3, id=["r2", "r3", "r1"]))
    many = solver(make_volunteers(3, **ids), make_requests(2, id=["r2", "r1"]))

    assert few.volunteer.tolist() == [2, -1, 1]
    assert many.volunteer.tolist() == [2, 1]


def test_ids_may_be_the_bytes_of_uuids_that_end_in_zeros() -> None:
    people = make_volunteers(2, id=[b"\x01" + b"\x00" * 15, b"\x00" * 16])

    result = match(people, make_requests(id=[b"\x00" * 16]))

    assert result.volunteer.tolist() == [1]


# Frozen pairs, exclusions, runners-up, reasons


@pytest.mark.parametrize("seed", SEEDS)
def test_frozen_pairs_never_move_and_use_their_slots(seed: int) -> None:
    people, asked = random_case(seed, volunteers=15, requests=40)
    people = replace(people, free_slots=np.full(15, 2))
    frozen = [(i, (i + seed) % 15) for i in range(0, 20, 2)]

    result = match(people, asked, frozen=frozen)

    assert [(i, int(result.volunteer[i])) for i, _ in frozen] == frozen
    assert np.bincount(result.volunteer[result.volunteer >= 0]).max() <= 2
    free = match(people, asked)
    assert [(i, int(free.volunteer[i])) for i, _ in frozen] != frozen


def test_a_frozen_pair_stays_even_where_the_volunteer_has_no_slot_left_and_was_excluded() -> None:
    people, asked = make_volunteers(2, free_slots=[0, 1]), make_requests(2, excluded=((0, 0),))

    result = match(people, asked, frozen=[(0, 0)])

    assert result.volunteer.tolist() == [0, 1]
    assert result.score[0] > 0
    assert result.objective <= result.upper_bound + 1e-9


def test_a_request_frozen_to_two_volunteers_is_refused() -> None:
    with pytest.raises(ValueError, match="two volunteers"):
        match(make_volunteers(2), make_requests(), frozen=[(0, 0), (0, 1)])


def test_who_declined_is_not_asked_again() -> None:
    people = make_volunteers(2, lat=TOWN[1] + np.array([0, 900]) * METRE)

    assert match(people, make_requests()).volunteer.tolist() == [0]
    assert match(people, make_requests(excluded=((0, 0),))).volunteer.tolist() == [1]


def test_runners_up_are_the_next_best_who_could_help() -> None:
    people = make_volunteers(5, lat=TOWN[1] + np.array([400, 100, 300, 200, 9000]) * METRE)

    result = match(people, make_requests(), runners_up=4)

    assert result.volunteer.tolist() == [1]
    assert result.runners_up.tolist() == [[3, 2, 0, -1]]


@pytest.mark.parametrize(
    ("volunteer", "request_columns", "reason"),
    [
        ({"skills": np.array([0b10], dtype=np.uint64)}, {}, Unserved.NO_SKILL),
        ({"availability": pack_week(np.zeros((1, 336), dtype=bool))}, {}, Unserved.NO_TIME),
        ({"radius_m": [100.0]}, {"lat": [TOWN[1] + 200 * METRE]}, Unserved.TOO_FAR),
        ({"langs": np.array([0b01], dtype=np.uint64)}, {"lang": [1]}, Unserved.PREFERENCE),
        ({"gender": [0]}, {"gender_pref": [2]}, Unserved.PREFERENCE),
        ({"trust": [1]}, {"min_trust": [2]}, Unserved.PREFERENCE),
        ({}, {"excluded": ((0, 0),)}, Unserved.PREFERENCE),
        ({"free_slots": [0]}, {}, Unserved.OUTCOMPETED),
        ({}, {}, None),
    ],
)
def test_an_unserved_request_says_why(volunteer: dict[str, Any], request_columns: dict[str, Any], reason: Any) -> None:
    assert match(make_volunteers(**volunteer), make_requests(**request_columns)).reason_unserved == [reason]


def test_the_loser_of_a_contest_was_outcompeted() -> None:
    result = match(make_volunteers(), make_requests(2))

    assert result.reason_unserved == [None, Unserved.OUTCOMPETED]


@pytest.mark.parametrize(("volunteers", "requests"), [(0, 0), (0, 3), (3, 0)])
def test_nobody_or_nothing_to_match_is_an_answer_too(volunteers: int, requests: int) -> None:
    result = match(make_volunteers(volunteers), make_requests(requests))

    assert result.volunteer.tolist() == [-1] * requests
    assert result.reason_unserved == [Unserved.NO_SKILL] * requests
    assert (result.objective, result.exact) == (0.0, True)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"lon": [1.0, 2.0]}, "lon has 2 rows"),
        ({"lat": [float("nan")]}, "lat is not a number"),
        ({"first_slot": [336]}, "first_slot"),
        ({"first_slot": [3], "slot_count": [0]}, "slot_count"),
        ({"urgency": [4]}, "urgency"),
    ],
)
def test_arrays_that_cannot_be_meant_are_refused(columns: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_requests(**columns)


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        make_volunteers(2, id=["v", "v"])


@pytest.mark.parametrize("wrong", [{"fairness": 0.0}, {"nearness": -0.1}])
def test_weights_that_would_make_help_worthless_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Weights(**wrong)


def test_a_budget_without_a_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="clock"):
        match(make_volunteers(), make_requests(), budget_ms=5)
