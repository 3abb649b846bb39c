"""Decisions about visits, with no database and no clock."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from shared.types import is_within


def may_ask_for(scopes: Iterable[str], area: str) -> bool:
    """Say whether a reader has part in an area: it lies in a granted one, or a granted one lies in it."""
    return any(is_within(area, scope) or is_within(scope, area) for scope in scopes)


IN_THE_FIELD: Final = timedelta(days=7)
"""How long a phone may be without a network and not know that a household has gone to another cell."""


def was_mine(visited_at: datetime, gone_at: datetime | None) -> bool:
    """Say whether a household that left a worker's area was still theirs, as far as their phone knew at the visit."""
    return gone_at is not None and visited_at <= gone_at + IN_THE_FIELD


def cell_on(day: date, earlier: Sequence[Mapping[str, str]], present: str) -> str:
    """Return the cell of a household on a day, by the cells that it lay in earlier, oldest first."""
    return next((one["area"] for one in earlier if day < date.fromisoformat(one["until"])), present)
