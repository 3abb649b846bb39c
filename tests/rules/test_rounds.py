"""Rules and warnings as pure decisions: whom to see on a day, and why."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.residents import Care, Residency
from shared.rounds import (
    AlertIn,
    AlertKind,
    AlertOut,
    Conditions,
    Home,
    Person,
    RoundRuleIn,
    RoundRuleOut,
    RoundTryIn,
    RuleState,
    holds,
    round_of,
    why,
)
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
OLD = Person(date(1940, 5, 1), [Care.alone], Residency.living)
YOUNG = Person(date(1990, 5, 1), [], Residency.floating)


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def home(*members: Person, number: int = 1, **facts: Any) -> Home:
    usual = {
        "id": UUID(int=number), "area_code": CELL, "size": len(members), "last_visited_on": ago(10),
        "last_seen_on": ago(10), "due_on": None, "due_reason": "",
    }  # fmt: skip
    return Home(**usual | facts, members=members)


def rule(number: int = 1, **given: Any) -> RoundRuleOut:
    usual = {
        "id": UUID(int=number), "area_code": COUNTY, "name": "看独居高龄老人", "every_days": None, "alert": "cold",
        "conditions": {"age_from": 80, "care_all": ["alone"]}, "priority": 1, "state": "live", "rev": 1,
        "received_at": NOON,
    }  # fmt: skip
    return RoundRuleOut.model_validate(usual | given)


def alert(number: int = 1, **given: Any) -> AlertOut:
    usual = {
        "id": UUID(int=number), "area_code": COMMUNITY, "kind": "cold", "from_day": DAY, "last_day": DAY, "words": "",
        "issued_by": "张敏", "rev": 1, "received_at": NOON,
    }  # fmt: skip
    return AlertOut.model_validate(usual | given)


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ({"age_from": 86}, True),
        ({"age_from": 87}, False),
        ({"age_below": 40}, True),
        ({"age_below": 36}, False),
        ({"care_all": ["alone"]}, True),
        ({"care_all": ["alone", "frail"]}, False),
        ({"care_any": ["alone", "frail"]}, True),
        ({"care_any": ["frail"]}, False),
        ({"residency": ["floating"]}, True),
        ({"residency": ["away"]}, False),
        ({"days_unseen": 10}, True),
        ({"days_unseen": 11}, False),
        ({"size_from": 2}, True),
        ({"size_from": 3}, False),
        ({"size_to": 2}, True),
        ({"size_to": 1}, False),
        ({"age_below": 40, "care_all": ["alone"]}, False),
        ({"age_from": 80, "care_all": ["alone"], "size_to": 2}, True),
    ],
    ids=str,
)
def test_each_condition_holds_and_fails_at_its_edge_and_one_member_must_meet_all(asked, held):
    assert holds(Conditions.model_validate(asked), home(OLD, YOUNG), DAY) is held


def test_who_was_never_seen_counts_as_unseen_and_without_a_birth_date_nobody_is_old_or_young():
    unknown = Person(None, [], Residency.living)

    assert holds(Conditions(days_unseen=700), home(unknown, last_seen_on=None), DAY)
    assert not holds(Conditions(age_from=0), home(unknown), DAY)
    assert not holds(Conditions(age_below=130), home(unknown), DAY)


def test_a_warning_sends_to_those_the_rule_names_with_a_sentence():
    [entry] = round_of([home(OLD), home(YOUNG, number=2)], [rule()], [alert(words="今夜降温 12 度")], DAY)

    assert entry.household_id == UUID(int=1)
    assert entry.reasons == ["寒潮预警（今夜降温 12 度）：80 岁以上、独居"]
    assert (entry.due_on, entry.priority) == (DAY, 1)


@pytest.mark.parametrize(
    ("rules", "alerts"),
    [
        ([rule()], []),
        ([rule(state="draft")], [alert()]),
        ([rule()], [alert(kind="heat")]),
        ([rule()], [alert(area_code=NEIGHBOUR)]),
        ([rule(area_code=NEIGHBOUR)], [alert()]),
        ([rule()], [alert(from_day=DAY + timedelta(1), last_day=DAY + timedelta(1))]),
        ([rule()], [alert(from_day=ago(3), last_day=ago(1))]),
    ],
    ids=["no warning", "draft", "another kind", "warned elsewhere", "a rule elsewhere", "tomorrow", "over"],
)
def test_nobody_is_sent_without_a_live_rule_and_a_warning_of_its_kind_here_today(rules, alerts):
    assert round_of([home(OLD)], rules, alerts, DAY) == []


def test_a_warning_is_met_by_seeing_somebody_and_not_by_a_closed_door():
    seen = home(OLD, last_visited_on=DAY, last_seen_on=DAY)
    absent = home(OLD, last_visited_on=DAY, last_seen_on=ago(10), number=2)

    found = round_of([seen, absent], [rule()], [alert()], DAY)

    assert [entry.household_id for entry in found] == [UUID(int=2)]


@pytest.mark.parametrize(("last", "due"), [(None, DAY), (ago(10), None), (ago(30), DAY), (ago(33), ago(3))])
def test_an_interval_counts_from_the_last_visit(last, due):
    every_month = rule(alert=None, every_days=30)

    found = round_of([home(OLD, last_visited_on=last)], [every_month], [], DAY)

    assert [entry.due_on for entry in found] == ([due] if due else [])


def test_a_promise_and_a_rule_are_one_entry_and_the_most_pressing_come_first():
    both = home(OLD, number=3, due_on=ago(2), due_reason="约好这天再来")
    late, later = (home(YOUNG, number=n, due_on=ago(n), due_reason="每 60 天走一遍") for n in (1, 2))
    gone_to = home(YOUNG, number=4, due_on=DAY, last_visited_on=DAY)
    not_yet = home(YOUNG, number=5, due_on=DAY + timedelta(1))

    found = round_of([late, later, both, gone_to, not_yet], [rule()], [alert()], DAY)

    assert [entry.household_id.int for entry in found] == [3, 2, 1]
    assert found[0].reasons == ["寒潮预警：80 岁以上、独居", "约好这天再来"]
    assert found[0].due_on == ago(2)


def test_the_order_of_what_is_known_does_not_matter():
    homes = [home(OLD, number=n, due_on=ago(n % 3), due_reason="约好") for n in range(1, 6)]
    rules = [rule(1), rule(2, conditions={"age_from": 70}, priority=2)]
    alerts = [alert(1, words="一"), alert(2, words="二"), alert(3, from_day=ago(1), words="三")]

    assert round_of(homes, rules, alerts, DAY) == round_of(homes[::-1], rules[::-1], alerts[::-1], DAY)


def test_the_reason_says_every_condition():
    asked = Conditions(
        age_from=60, age_below=90, care_all=[Care.alone], care_any=[Care.frail, Care.medication],
        residency=[Residency.living], days_unseen=7, size_from=1, size_to=2,
    )  # fmt: skip

    assert why(asked) == "60 岁以上、不满 90 岁、独居、腿脚不便或常服药、常住、1 人以上的户、2 人以下的户、7 天没见到"


@pytest.mark.parametrize(
    "broken",
    [
        {"conditions": {}},
        {"conditions": {"age_from": -1}},
        {"conditions": {"care_all": ["rich"]}},
        {"conditions": {"size_from": 2, "sql": "true"}},
        {"every_days": 30},
        {"alert": None},
    ],
    ids=str,
)
def test_a_rule_that_says_nothing_or_something_unknown_is_malformed(broken):
    good = {"conditions": {"age_from": 80}, "alert": "cold", "area_code": COUNTY}
    RoundTryIn.model_validate(good)

    with pytest.raises(ValidationError):
        RoundTryIn.model_validate(good | broken)


def test_a_warning_ends_after_it_begins_and_not_in_another_season():
    good = {"kind": "cold", "area_code": COUNTY, "from_day": "2026-11-20", "last_day": "2026-11-20"}
    AlertIn.model_validate(good)

    for last_day in ("2026-11-19", "2027-02-20"):
        with pytest.raises(ValidationError):
            AlertIn.model_validate(good | {"last_day": last_day})


def test_a_name_does_not_change_what_was_tried_and_a_condition_does():
    tried = RoundTryIn(conditions=Conditions(age_from=80), area_code=COUNTY, alert=AlertKind.cold)
    named = RoundRuleIn(
        name="看高龄老人", conditions=Conditions(age_from=80), area_code=COUNTY, alert=AlertKind.cold, priority=1,
        state=RuleState.live,
    )  # fmt: skip
    stricter = named.model_copy(update={"conditions": Conditions(age_from=85)})

    assert named.content() == tried.content() != stricter.content()
