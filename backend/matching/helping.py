"""What follows a yes: arriving, leaving, being late, giving the task back. Each may be sent twice and happens once.

Who has no phone app tells a worker, who writes it down: the same steps, with the worker's account beside them.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams, encode_cursor
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.matching import queries, rules, service, wake
from backend.matching.queries import Touched
from backend.requests import queries as requests
from backend.volunteers import queries as volunteers
from backend.volunteers.queries import Served
from backend.volunteers.service import record_changed
from shared.errors import Code
from shared.matching import (
    CheckIn,
    DeclineIn,
    ForgottenOut,
    HandBackIn,
    SpokenStep,
    SpokenStepIn,
    TaskOut,
    TaskState,
)
from shared.requests import RequestState
from shared.sync import EntityKind, OperationKind
from shared.types import WireIn, is_within
from shared.volunteers import ServiceState


class _Found(NamedTuple):
    """A task and the area that its request belongs to."""

    task: TaskOut
    area: str


_REQUEST_STATE = {TaskState.accepted: RequestState.taken, TaskState.serving: RequestState.serving}


async def check_in(tx: Transaction, volunteer_id: UUID, task_id: UUID, body: CheckIn) -> TaskOut:
    """Arrive at the door, by the phone's time."""
    return await _arrive(tx, await _own(tx, volunteer_id, task_id), body.at)


async def check_out(
    tx: Transaction, volunteer_id: UUID, task_id: UUID, body: CheckIn, told_at: datetime | None = None
) -> TaskOut:
    """Leave: the minutes go on record for the other side to confirm, and the door and the phone go away.

    `told_at` is when the volunteer said so, which is now unless a phone brings it later.
    """
    return await _leave(tx, await _own(tx, volunteer_id, task_id), body.at, told_at=told_at or tx.now)


async def spoken(tx: Transaction, worker: Caller, task_id: UUID, body: SpokenStepIn) -> TaskOut:
    """Write down when a volunteer says they arrived or left; the worker's account stands beside it."""
    found = await _found(tx, task_id)
    if not worker.may_write_in(found.area):
        raise Refusal(Code.area_not_allowed)
    step = _arrive if body.step is SpokenStep.check_in else _leave
    return await step(tx, found, body.at, spoken=True)


async def _arrive(tx: Transaction, found: _Found, at: datetime, *, spoken: bool = False) -> TaskOut:
    task, area = found
    if task.checked_in_at is not None:
        return task
    _check_state(task, TaskState.accepted)
    _check_time(tx, at, task.accepted_at if spoken else task.accepted_at - rules.CLOCK_TOLERANCE, spoken=spoken)
    async with beyond_scope(tx, "task.checked_in", "task", task.id, area, spoken=spoken):
        moved = await _move_request(tx, task, area, RequestState.serving)
        if moved:
            await queries.arrive(tx.conn, tx.county, task.id, at)
            service.tell_tasks(tx, [Touched(task.id, task.volunteer_id, area)])
    return await _result(tx, task.id, moved, TaskState.serving)


async def _leave(
    tx: Transaction, found: _Found, at: datetime, *, told_at: datetime | None = None, spoken: bool = False
) -> TaskOut:
    task, area = found
    if task.checked_out_at is not None:
        return task
    if task.state is TaskState.accepted or task.checked_in_at is None:
        raise Refusal(Code.check_in_first if task.state is TaskState.accepted else Code.task_over)
    _check_state(task, TaskState.serving)
    _check_time(tx, at, task.checked_in_at, spoken=spoken)
    async with beyond_scope(tx, "task.checked_out", "task", task.id, area, spoken=spoken):
        moved = await _move_request(tx, task, area, RequestState.done)
        if moved:
            await queries.leave(tx.conn, tx.county, task.id, at)
            await service.end_tasks(tx, task.request_id, TaskState.finished)
            await _record(tx, found, rules.served(task.checked_in_at, at, told_at, spoken=spoken))
    return await _result(tx, task.id, moved, TaskState.finished)


async def _record(tx: Transaction, found: _Found, served: tuple[int, ServiceState]) -> None:
    task, area = found
    assert task.checked_in_at is not None
    minutes, state = served
    row = Served(
        id=task.id, area_code=area, volunteer_id=task.volunteer_id, request_id=task.request_id,
        category=task.category, served_on=county_day(task.checked_in_at), minutes=minutes, state=state,
    )  # fmt: skip
    await volunteers.add_record(tx.conn, tx.county, tx.now, row)
    record_changed(tx, task.id, task.volunteer_id, area)


async def hand_back(tx: Transaction, volunteer_id: UUID, task_id: UUID, body: HandBackIn) -> TaskOut:
    """Give a task back: the request is open again and others are asked at once."""
    task, area = await _own(tx, volunteer_id, task_id)
    if task.state is TaskState.handed_back:
        return task
    _check_state(task, TaskState.accepted, TaskState.serving)
    async with beyond_scope(tx, "task.handed_back", "task", task_id, area):
        moved = await _move_request(tx, task, area, RequestState.open, body.reason)
        if moved:
            await service.end_tasks(tx, task.request_id, TaskState.handed_back)
            await service.release_winner(tx, task.request_id)
    if moved:
        await wake.ask_for_tick(tx, task.request_id)
    return await _result(tx, task_id, moved, TaskState.handed_back)


async def late(tx: Transaction, volunteer_id: UUID, task_id: UUID) -> TaskOut:
    """Say that it will take a little longer."""
    task, area = await _own(tx, volunteer_id, task_id)
    if task.late:
        return task
    _check_state(task, TaskState.accepted, TaskState.serving)
    async with beyond_scope(tx, "task.late", "task", task_id, area):
        await queries.say_late(tx.conn, tx.county, task_id)
        service.tell_tasks(tx, [Touched(task_id, volunteer_id, area)])
    return (await queries.tasks_by_ids(tx.conn, tx.county, [task_id]))[task_id]


async def own_tasks(tx: Transaction, volunteer_id: UUID, page: PageParams) -> Page[TaskOut]:
    """List a volunteer's tasks, newest first; what has ended is there without name, door and phone."""
    rows = await queries.page_of_tasks(tx.conn, tx.county, volunteer_id, page)
    shown = rows[: page.limit]
    more = encode_cursor(shown[-1]["received_at"], shown[-1]["id"]) if len(rows) > page.limit else None
    return Page(items=[queries.task_out(row) for row in shown], next_cursor=more)


async def forgotten(tx: Transaction, worker: Caller, area_code: str | None, page: PageParams) -> Page[ForgottenOut]:
    """List tasks begun days ago that nobody has ended, for a worker to ring up about. The look is audited."""
    if area_code and not any(is_within(area_code, s) or is_within(s, area_code) for s in worker.scopes):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    area, before = area_code or tx.county, tx.now - rules.FORGOTTEN_AFTER
    rows = await queries.forgotten(tx.conn, tx.county, area, before, page.limit)
    if not rows:
        return Page(items=[], next_cursor=None)
    async with beyond_scope(tx, "forgotten_tasks.read", "account", worker.account_id, area):
        people = await queries.names(tx.conn, tx.county, [row["volunteer_id"] for row in rows])
    return Page(items=[queries.forgotten_out(row, people[row["volunteer_id"]]) for row in rows], next_cursor=None)


async def _own(tx: Transaction, volunteer_id: UUID, task_id: UUID) -> _Found:
    found = await _found(tx, task_id)
    if found.task.volunteer_id != volunteer_id:
        raise Refusal(Code.not_found)
    return found


async def _found(tx: Transaction, task_id: UUID) -> _Found:
    rows = await queries.task_rows(tx.conn, tx.county, [task_id])
    if not rows:
        raise Refusal(Code.not_found)
    return _Found(queries.task_out(rows[0]), rows[0]["area_code"])


def _check_state(task: TaskOut, *wanted: TaskState) -> None:
    if task.state not in wanted:
        raise Refusal(Code.task_over)


def _check_time(tx: Transaction, at: datetime, not_before: datetime, *, spoken: bool) -> None:
    judge = rules.no_to_spoken_time if spoken else rules.no_to_time
    if code := judge(at, not_before, tx.now):
        raise Refusal(code, pointer="/at")


async def _move_request(tx: Transaction, task: TaskOut, area: str, to: RequestState, reason: str = "") -> bool:
    """Move the request on from where this task had it; False when somebody was faster."""
    step = await requests.step(
        tx.conn, tx.county, task.request_id, by=tx.caller.account_id, at=tx.now,
        from_state=_REQUEST_STATE[task.state], to_state=to, reason=reason,
    )  # fmt: skip
    tx.changed(EntityKind.request, task.request_id, area)
    return step is not None


async def _result(tx: Transaction, task_id: UUID, moved: bool, aim: TaskState) -> TaskOut:
    """Return the task as it is now. Of a double tap the second moves nothing, and finds done what it came for."""
    task = (await queries.tasks_by_ids(tx.conn, tx.county, [task_id]))[task_id]
    if not moved:
        _check_state(task, aim)
    return task


Answer = Callable[[Transaction, UUID, UUID, Any], Awaitable[Any]]


async def _late(tx: Transaction, volunteer_id: UUID, task_id: UUID, _body: WireIn) -> TaskOut:
    return await late(tx, volunteer_id, task_id)


async def _accept(tx: Transaction, volunteer_id: UUID, offer_id: UUID, _body: WireIn) -> TaskOut:
    return await service.accept(tx, volunteer_id, offer_id)


OPERATIONS: dict[OperationKind, tuple[type[WireIn], Answer]] = {
    OperationKind.offer_accept: (WireIn, _accept),
    OperationKind.offer_decline: (DeclineIn, service.decline),
    OperationKind.task_hand_back: (HandBackIn, hand_back),
    OperationKind.task_check_in: (CheckIn, check_in),
    OperationKind.task_late: (WireIn, _late),
}
"""What a volunteer's phone may send: the shape of its fields, and what does it as (tx, volunteer, entity, fields).
签退 is not among them: it matters when the phone was told."""
