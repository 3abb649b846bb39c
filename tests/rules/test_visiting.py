"""When to come back, and what a fix is worth."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from pydantic import ValidationError

from shared.residents import Care
from shared.visiting import CARE_DAYS, Call, Intervals, Standing, after, evidence, next_due
from shared.visits import Evidence, Finding, Fix, VisitOutcome

DAY = date(2026, 11, 20)
SEEN, ABSENT, DECLINED, MOVED = (VisitOutcome(w) for w in ("seen", "absent", "declined", "moved"))


def in_days(days: int) -> date:
    return DAY + timedelta(days=days)


def test_nobody_home_never_resets_the_day_the_person_was_last_seen():
    seen = after(Standing(), Call(DAY, SEEN), [])

    twice_in_vain = after(after(seen, Call(in_days(7), ABSENT), []), Call(in_days(14), ABSENT), [])

    assert twice_in_vain.last_seen_on == DAY
    assert twice_in_vain.last_visited_on == in_days(14)
    assert twice_in_vain.tries_since_seen == 2


def test_seeing_the_person_ends_the_count_of_tries():
    standing = Standing(last_visited_on=DAY, last_seen_on=None, tries_since_seen=3)

    assert after(standing, Call(in_days(1), VisitOutcome.family), []).tries_since_seen == 0


def test_a_visit_that_arrives_late_does_not_move_the_next_day():
    now = after(Standing(), Call(in_days(10), SEEN, return_on=in_days(12)), [])

    late = after(now, Call(DAY, SEEN), [])

    assert late == now


def test_three_visits_end_alike_in_whatever_order_their_phones_deliver_them():
    calls = [Call(DAY, SEEN), Call(in_days(3), ABSENT), Call(in_days(9), SEEN, [Finding.unwell])]

    ends = set()
    for order in permutations(calls):
        standing = Standing()
        for call in order:
            standing = after(standing, call, [Care.alone])
        ends.add((standing.last_visited_on, standing.last_seen_on, standing.due_on, standing.due_reason))

    assert ends == {(in_days(9), in_days(9), in_days(16), "上次身体不适，去看看好些没有")}


@pytest.mark.parametrize(
    ("call", "care", "due"),
    [
        (Call(DAY, SEEN), [], 60),
        (Call(DAY, SEEN), [Care.alone], 14),
        (Call(DAY, ABSENT), [Care.alone], 7),
        (Call(DAY, DECLINED), [Care.alone], 90),
        (Call(DAY, SEEN, [Finding.heating]), [], 7),
        (Call(DAY, SEEN, [Finding.fine]), [], 60),
        (Call(DAY, SEEN, [Finding.unwell], in_days(1)), [Care.alone], 1),
        (Call(DAY, SEEN, [], in_days(-5)), [], 60),
    ],
    ids=["usual", "care", "absent", "declined", "worry", "all well", "promise outranks", "promise in the past"],
)
def test_the_next_day_follows_from_the_outcome(call, care, due):
    assert next_due(call, care)[0] == in_days(due)


def test_a_household_that_moved_away_is_not_due_but_says_why():
    assert next_due(Call(DAY, MOVED), [Care.alone]) == (None, "说已搬走，等核实")


def fix(**given):
    return Fix(**{"lon": 106.5, "lat": 33.9, "accuracy_m": 8, **given})


@pytest.mark.parametrize(
    ("given", "distance", "grade"),
    [
        (fix(), 12, Evidence.at_door),
        (fix(), 51, Evidence.near),
        (fix(accuracy_m=60), 85, Evidence.at_door),
        (fix(), 301, Evidence.far),
        (fix(accuracy_m=500), 12, Evidence.vague),
        (fix(age_s=3600), 12, Evidence.vague),
        (fix(), None, Evidence.vague),
        (fix(mock=True), 12, Evidence.mock),
        (None, None, Evidence.none),
    ],
)
def test_a_fix_is_graded_by_distance_accuracy_age_and_mock(given, distance, grade):
    assert evidence(given, distance) is grade


@pytest.mark.parametrize(
    ("care", "born", "due", "why"),
    [
        ([Care.empty_nest], None, 30, "空巢，每 30 天看一次"),
        ([Care.veteran], None, 60, "退役军人，每 60 天看一次"),
        ([Care.empty_nest, Care.discharged], None, 7, "刚出院、空巢，每 7 天看一次"),
        ([Care.alone], date(1946, 11, 21), 14, "独居，每 14 天看一次"),
        ([Care.alone], date(1946, 11, 20), 7, "80 岁以上，独居，每 7 天看一次"),
        ([Care.frail], date(1930, 1, 1), 14, "腿脚不便，每 14 天看一次"),
        ([], date(1930, 1, 1), 60, "每 60 天走一遍"),
    ],
    ids=["empty nest", "veteran", "the shortest counts", "79 alone", "80 today", "old but not alone", "no label"],
)
def test_each_need_has_its_own_rhythm_and_old_age_alone_a_shorter_one(care, born, due, why):
    assert next_due(Call(DAY, SEEN), care, born) == (in_days(due), why)


def test_every_care_label_has_a_rhythm():
    assert set(CARE_DAYS) == set(Care)


def test_a_refusal_and_a_promise_outrank_old_age_alone():
    old = date(1930, 1, 1)

    assert next_due(Call(DAY, DECLINED), [Care.alone], old)[0] == in_days(90)
    assert next_due(Call(DAY, SEEN, [], in_days(20)), [Care.alone], old)[0] == in_days(20)


def test_a_county_may_keep_another_rhythm_and_what_it_leaves_out_is_as_usual():
    own = Intervals(usual=90, declined=200, old_and_alone=3, care={Care.alone: 10})
    old = date(1930, 1, 1)

    assert next_due(Call(DAY, SEEN), [], days=own) == (in_days(90), "每 90 天走一遍")
    assert next_due(Call(DAY, SEEN), [Care.alone], days=own)[0] == in_days(10)
    assert next_due(Call(DAY, SEEN), [Care.alone], old, own)[0] == in_days(3)
    assert next_due(Call(DAY, DECLINED), [], days=own)[0] == in_days(200)
    assert next_due(Call(DAY, ABSENT), [], days=own)[0] == in_days(7)
    assert own.care[Care.empty_nest] == CARE_DAYS[Care.empty_nest]


def test_old_age_alone_never_makes_a_need_wait_longer():
    own = Intervals(care={Care.discharged: 3})

    due, why = next_due(Call(DAY, SEEN), [Care.alone, Care.discharged], date(1930, 1, 1), own)

    assert (due, why) == (in_days(3), "80 岁以上，独居、刚出院，每 3 天看一次")


@pytest.mark.parametrize("days", [0, 367, -7])
def test_no_interval_is_shorter_than_a_day_or_longer_than_a_year(days):
    with pytest.raises(ValidationError):
        Intervals(care={Care.alone: days})
