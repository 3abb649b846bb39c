"""Decisions about requests, with no database and no clock."""

from collections.abc import Iterable

from shared.auth import Role
from shared.errors import Code
from shared.requests import BY_OFFER, TRANSITIONS, RequestKind, RequestState, owes_reason
from shared.types import is_within

MAY_ASK = frozenset({Role.county_admin, Role.community_worker, Role.grid_worker, Role.partner})


def refusal(kind: RequestKind, state: RequestState, to: RequestState, reason: str) -> Code | None:
    """Return why a worker may not take this step; None when they may."""
    if to in BY_OFFER or to not in TRANSITIONS[kind].get(state, frozenset()):
        return Code.step_not_allowed
    if owes_reason(state, to) and not reason:
        return Code.reason_missing
    return None


def may_ask_in(grants: Iterable[tuple[Role, str]], area_code: str) -> bool:
    """Say whether somebody with these grants may put a request on record here; an auditor only looks."""
    return any(role in MAY_ASK and is_within(area_code, area) for role, area in grants)
