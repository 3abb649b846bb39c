"""Who may import where. Pure."""

from dataclasses import replace

from backend.core.scope import Caller
from shared.auth import Role
from shared.types import is_within

COORDINATORS = frozenset({Role.county_admin, Role.community_worker})


def coordinator(caller: Caller) -> Caller | None:
    """Return the caller with the grants of a coordinator alone; None when there is none."""
    grants = tuple((role, area) for role, area in caller.grants if role in COORDINATORS)
    return replace(caller, grants=grants) if grants else None


def may_import_into(caller: Caller, area: str) -> bool:
    return any(role in COORDINATORS and is_within(area, own) for role, own in caller.grants)
