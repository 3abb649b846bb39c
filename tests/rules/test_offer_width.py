"""How many volunteers are asked at once."""

from itertools import pairwise
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.matching.engine import PACES, acceptance_odds, offers_needed, rounds_left, within_daily_budget

ODDS = st.lists(st.floats(0.01, 0.99), max_size=20)
URGENCY = st.integers(0, len(PACES) - 1)


def chance(odds: list[float]) -> float:
    return 1 - prod(1 - p for p in odds)


def wanted(urgency: int, rounds: int) -> float:
    return 1.0 - float((1 - PACES[urgency].target) ** (1 / rounds))


@given(ODDS, URGENCY, st.integers(1, 4))
def test_the_width_is_the_least_that_reaches_the_target_or_all_that_may_be_asked(
    odds: list[float], urgency: int, rounds: int
) -> None:
    n = offers_needed(odds, urgency, rounds=rounds)

    most = min(len(odds), PACES[urgency].width_cap)
    assert n == most or chance(odds[:n]) >= wanted(urgency, rounds) - 1e-9
    assert n == 0 or chance(odds[: n - 1]) < wanted(urgency, rounds) + 1e-9


@pytest.mark.parametrize(("urgency", "expected"), [(0, 2), (1, 3), (2, 5), (3, 8)])
def test_more_urgent_requests_ask_more_volunteers(urgency: int, expected: int) -> None:
    assert offers_needed([0.38] * 20, urgency, rounds=1) == expected


def test_more_rounds_left_need_fewer_offers_now() -> None:
    assert [offers_needed([0.25] * 10, 2, rounds=n) for n in (1, 2, 4)] == [6, 5, 3]


def test_reluctant_volunteers_stop_at_the_cap() -> None:
    assert [offers_needed([0.01] * 50, u, rounds=1) for u in range(4)] == [3, 4, 6, 10]


@given(st.lists(st.floats(0.05, 0.95), min_size=10, max_size=10), URGENCY, st.integers(1, 4))
def test_nobody_else_is_asked_while_the_offers_made_are_open(odds: list[float], urgency: int, rounds: int) -> None:
    made = odds[: offers_needed(odds, urgency, rounds=rounds)]

    assert offers_needed(odds, urgency, rounds=rounds, open_odds=made) == 0


def test_a_decliner_is_replaced_by_one_other() -> None:
    assert offers_needed([0.38] * 9, 1, rounds=1) == 3
    assert offers_needed([0.38] * 6, 1, rounds=1, open_odds=[0.38, 0.38]) == 1


@pytest.mark.parametrize(
    ("urgency", "waited_min", "rounds"), [(0, 0, 2), (0, 31, 1), (0, 500, 1), (1, 0, 2), (2, 0, 1), (3, 0, 1)]
)
def test_only_rounds_that_end_before_the_promised_time_count(urgency: int, waited_min: float, rounds: int) -> None:
    assert rounds_left(urgency, waited_min) == rounds


def test_odds_start_at_one_in_four_and_follow_the_answers() -> None:
    assert acceptance_odds(0, 0) == 0.25
    assert acceptance_odds(10, 0) < 0.25 < acceptance_odds(10, 8)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_odds_are_never_certain_and_one_more_yes_raises_them(answered: int, accepted: int) -> None:
    accepted = min(accepted, answered)

    odds = acceptance_odds(answered, accepted)

    assert 0 < odds < acceptance_odds(answered + 1, accepted + 1) < 1
    assert acceptance_odds(answered + 1, accepted) < odds


@pytest.mark.parametrize(("urgency", "most"), [(0, 5), (1, 5), (2, 6)])
def test_the_daily_budget_ends_offers_unless_life_is_at_stake(urgency: int, most: int) -> None:
    assert within_daily_budget(urgency, most - 1)
    assert not within_daily_budget(urgency, most)
    assert within_daily_budget(3, most + 100)


def test_the_table_gets_stricter_with_urgency() -> None:
    for calmer, more_urgent in pairwise(PACES):
        assert more_urgent.target > calmer.target
        assert more_urgent.sla_min < calmer.sla_min
        assert more_urgent.expiry_min < calmer.expiry_min
        assert more_urgent.width_cap > calmer.width_cap
        assert more_urgent.weight > calmer.weight
