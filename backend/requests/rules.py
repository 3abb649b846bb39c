"""Decisions about requests, with no database and no clock."""

from collections.abc import Iterable

from shared.auth import Role
from shared.errors import Code
from shared.requests import TRANSITIONS, RequestKind, RequestState
from shared.types import is_within

BY_OFFER = frozenset({RequestState.taken, RequestState.serving})
"""States that only a volunteer's own yes and arrival lead to."""

_TURNED_DOWN = frozenset({RequestState.rejected, RequestState.cancelled})
MAY_ASK = frozenset({Role.county_admin, Role.community_worker, Role.grid_worker, Role.partner})


def refusal(kind: RequestKind, state: RequestState, to: RequestState, reason: str) -> Code | None:
    """Return why a worker may not take this step; None when they may."""
    if to in BY_OFFER or to not in TRANSITIONS[kind].get(state, frozenset()):
        return Code.step_not_allowed
    if owes_reason(state, to) and not reason:
        return Code.reason_missing
    return None


def owes_reason(state: RequestState, to: RequestState) -> bool:
    """Who turns a request down or sends it back says why."""
    sent_back = to is RequestState.open or (state is RequestState.done and to is RequestState.handling)
    return to in _TURNED_DOWN or sent_back


def may_ask_in(grants: Iterable[tuple[Role, str]], area_code: str) -> bool:
    """Say whether somebody with these grants may put a request on record here; an auditor only looks."""
    return any(role in MAY_ASK and is_within(area_code, area) for role, area in grants)
