"""Whether a row that a pull brought is news to somebody, judged by what this phone showed of it until now.

What this phone's own operations did is shown by it already, so it is no news when the server's row says the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mobile.core.clock import local_day
from mobile.inbox.notice import What
from mobile.requests.rules import waits
from mobile.store.entities import Entities
from shared.auth import MeOut
from shared.conflicts import ConflictOut, ConflictState, mark_of
from shared.grid import CellOut
from shared.links import DuplicateOut, DuplicateState
from shared.matching import OfferOut, OfferState, TaskOut, TaskState
from shared.register import MoveOut, MoveState
from shared.requests import RequestOut, Urgency
from shared.rounds import AlertOut
from shared.sync import EntityKind
from shared.visits import CorrectionOut, CorrectionState
from shared.volunteers import ServiceRecordOut, ServiceState


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who reads it, when, and what else their phone knows."""

    me: MeOut
    device_id: UUID
    entities: Entities
    now: datetime


def _alert(eyes: Eyes, before: AlertOut | None, after: AlertOut) -> What | None:
    return What.alert if before is None and after.last_day >= local_day(eyes.now) else None


def _request(eyes: Eyes, before: RequestOut | None, after: RequestOut) -> What | None:
    if not waits(after):
        return None
    if before is None:
        return What.danger if after.urgency is Urgency.danger else What.came
    if before.handler_name == after.handler_name:
        return None
    return What.mine if after.handler_name == eyes.me.display_name else What.handed


def _move(eyes: Eyes, before: MoveOut | None, after: MoveOut) -> What | None:
    here = after.area_code in {cell.code for cell in eyes.entities.all(CellOut)}
    if after.state is not MoveState.expected or not here:
        return None
    if before is None or before.state is not MoveState.expected:
        return What.move
    return What.move_late if after.overdue and not before.overdue else None


def _correction(eyes: Eyes, before: CorrectionOut | None, after: CorrectionOut) -> What | None:
    name = eyes.me.display_name
    was_open = before is not None and before.state is CorrectionState.open
    if after.state is CorrectionState.open:
        return What.doubt if not was_open and after.noted_by != name else None
    return What.decided if was_open and after.noted_by == name != after.settled_by else None


def _duplicate(_eyes: Eyes, before: DuplicateOut | None, after: DuplicateOut) -> What | None:
    was_open = before is not None and before.state is DuplicateState.open
    mine = after.first.in_scope and after.second.in_scope
    return What.twin if after.state is DuplicateState.open and mine and not was_open else None


def _conflict(eyes: Eyes, before: ConflictOut | None, after: ConflictOut) -> What | None:
    """Of what I wrote myself I read already that it came back."""
    mine = after.device_id == mark_of(eyes.device_id)
    was_settled = before is not None and before.state is ConflictState.settled
    if after.state is ConflictState.settled:
        return What.decided if mine and not was_settled and after.settled_by != eyes.me.display_name else None
    return What.conflict if before is None and not mine else None


def _offer(eyes: Eyes, before: OfferOut | None, after: OfferOut) -> What | None:
    if before is None:
        return What.offer if after.state is OfferState.offered and after.expires_at > eyes.now else None
    was_open = before.state is OfferState.offered
    return What.recalled if was_open and after.state is OfferState.recalled else None


def _task(_eyes: Eyes, before: TaskOut | None, after: TaskOut) -> What | None:
    if before is None or before.state is not TaskState.accepted:
        return None
    if after.state is TaskState.cancelled:
        return What.cancelled
    changed = _when_and_where(before) != _when_and_where(after)
    return What.changed if changed and after.state is TaskState.accepted else None


def _when_and_where(task: TaskOut) -> tuple[object, ...]:
    return task.starts_at, task.ends_at, task.door, task.phone


def _service(_eyes: Eyes, before: ServiceRecordOut | None, after: ServiceRecordOut) -> What | None:
    words = {ServiceState.confirmed: What.confirmed, ServiceState.unverified: What.unverified}
    return words.get(after.state) if before is None or before.state is not after.state else None


# Each rule is given its own kind of row; what a table of them cannot say is that both are of one kind.
_RULES: dict[EntityKind, tuple[Any, Callable[[Eyes, Any, Any], What | None]]] = {
    EntityKind.alert: (AlertOut, _alert),
    EntityKind.request: (RequestOut, _request),
    EntityKind.move: (MoveOut, _move),
    EntityKind.correction: (CorrectionOut, _correction),
    EntityKind.duplicate: (DuplicateOut, _duplicate),
    EntityKind.conflict: (ConflictOut, _conflict),
}
_VOLUNTEER_RULES: dict[EntityKind, tuple[Any, Callable[[Eyes, Any, Any], What | None]]] = {
    EntityKind.offer: (OfferOut, _offer),
    EntityKind.task: (TaskOut, _task),
    EntityKind.service_record: (ServiceRecordOut, _service),
}
ALL = _RULES | _VOLUNTEER_RULES
WATCHED = frozenset(ALL)


@dataclass(frozen=True, slots=True)
class News:
    """A row that is news, with what it was."""

    what: What
    before: Any
    after: Any


def news(eyes: Eyes, kind: EntityKind, before: dict[str, Any] | None, after: dict[str, Any]) -> News | None:
    model, rule = ALL[kind]
    was, now = None if before is None else model.model_validate(before), model.model_validate(after)
    if kind in _VOLUNTEER_RULES and now.volunteer_id != eyes.me.volunteer_id:
        return None  # staff read what their volunteers are asked for
    what = rule(eyes, was, now)
    return News(what, was, now) if what else None
