"""Which steps a worker may take, and what a week of volunteers looks like."""

import pytest

from backend.requests.rules import may_ask_in, refusal
from backend.volunteers.rules import after_asking
from shared.auth import Role
from shared.errors import Code
from shared.requests import TRANSITIONS, RequestKind, RequestState, owes_reason
from shared.volunteers import ServiceState, Slot, merged

S = RequestState


@pytest.mark.parametrize("to", [S.taken, S.serving])
def test_only_a_volunteer_leads_to_taken_and_serving(to):
    allowed_by_table = any(to in following for following in TRANSITIONS[RequestKind.help].values())

    assert allowed_by_table
    assert all(refusal(RequestKind.help, state, to, "理由") is Code.step_not_allowed for state in S)


@pytest.mark.parametrize("to", [S.rejected, S.cancelled])
def test_who_turns_a_request_down_says_why(to):
    assert refusal(RequestKind.incident, S.open, to, "") is Code.reason_missing
    assert refusal(RequestKind.incident, S.open, to, "重复上报") is None


def test_sending_back_owes_a_reason_and_going_on_does_not():
    assert owes_reason(S.handling, S.open)
    assert owes_reason(S.done, S.handling)
    assert not owes_reason(S.open, S.handling)


@pytest.mark.parametrize("kind", list(RequestKind))
def test_what_has_ended_stays_ended(kind):
    assert all(refusal(kind, S.closed, to, "理由") is Code.step_not_allowed for to in S)


def test_an_auditor_may_look_and_not_ask():
    assert may_ask_in([(Role.partner, "610330")], "610330100008003")
    assert not may_ask_in([(Role.auditor, "610330")], "610330100008003")
    assert not may_ask_in([(Role.grid_worker, "610330100008004")], "610330100008003")


def test_overlapping_free_time_becomes_one_stretch():
    def slot(day, start, end):
        return Slot(weekday=day, from_minute=start, until_minute=end)

    week = [slot(2, 600, 720), slot(1, 540, 600), slot(1, 480, 560), slot(1, 600, 660), slot(1, 700, 760)]

    assert merged(week) == [slot(1, 480, 660), slot(1, 700, 760), slot(2, 600, 720)]


def test_minutes_in_doubt_may_be_confirmed_later_and_confirmed_ones_stand():
    assert after_asking(ServiceState.unverified, confirmed=True) is ServiceState.confirmed
    assert after_asking(ServiceState.waiting, confirmed=False) is ServiceState.unverified
    assert after_asking(ServiceState.confirmed, confirmed=False) is None
