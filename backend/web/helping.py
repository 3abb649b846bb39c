"""A volunteer's pages: 求助邀请 and 我的任务, with every step that the phone has."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from backend.auth.deps import Tx, volunteer_of
from backend.core.clock import COUNTY_ZONE, county_day
from backend.core.errors import Refusal
from backend.core.paging import PageParams
from backend.matching import helping
from backend.matching import service as offers
from backend.web import words
from backend.web.page import go_to, page
from backend.web.route import PageRoute
from backend.web.visitor import VisitingVolunteer
from shared.errors import Code
from shared.matching import CheckIn, DeclineIn, DeclineReason, HandBackIn, TaskState
from shared.types import ShortText

router = APIRouter(prefix="/m", route_class=PageRoute, include_in_schema=False)

_NOT_THEN = (Code.too_old, Code.in_the_future)

RUNNING = (TaskState.accepted, TaskState.serving)
LATEST = 20


@router.get("/offers")
async def show_offers(caller: VisitingVolunteer, tx: Tx, told: str = "") -> Response:
    """What waits for an answer. Seeing it counts as delivery, as on the phone."""
    waiting = await offers.waiting(tx, volunteer_of(caller))
    return page("offers.html", caller=caller, offers=waiting, today=county_day(tx.now), told=words.TOLD.get(told, ""))


@router.post("/offers/{offer_id}/accept")
async def accept(offer_id: UUID, caller: VisitingVolunteer, tx: Tx) -> Response:
    await offers.accept(tx, volunteer_of(caller), offer_id)
    return go_to("/m/tasks?told=accepted")


@router.post("/offers/{offer_id}/decline")
async def decline(
    offer_id: UUID, caller: VisitingVolunteer, tx: Tx, reason: Annotated[DeclineReason | None, Form()] = None
) -> Response:
    await offers.decline(tx, volunteer_of(caller), offer_id, DeclineIn(reason=reason))
    return go_to("/m/offers?told=declined")


@router.get("/tasks")
async def show_tasks(caller: VisitingVolunteer, tx: Tx, told: str = "") -> Response:
    """What was promised and is not over, whole; the latest of the rest in a line each."""
    tasks = (await helping.own_tasks(tx, volunteer_of(caller), PageParams(limit=LATEST, after=None))).items
    return page(
        "tasks.html", caller=caller, today=county_day(tx.now), told=words.TOLD.get(told, ""),
        running=[task for task in tasks if task.state in RUNNING],
        past=[task for task in tasks if task.state not in RUNNING],
    )  # fmt: skip


@router.post("/tasks/{task_id}/check-in")
async def check_in(task_id: UUID, caller: VisitingVolunteer, tx: Tx) -> Response:
    await helping.check_in(tx, volunteer_of(caller), task_id, CheckIn(at=tx.now))
    return go_to("/m/tasks?told=checked-in")


@router.post("/tasks/{task_id}/check-out")
async def check_out(
    task_id: UUID, caller: VisitingVolunteer, tx: Tx, left: Annotated[datetime | None, Form()] = None
) -> Response:
    """Now, or when they say they left: a forgotten 签退 is asked about on a later day, in the county's own time."""
    at = left.replace(tzinfo=COUNTY_ZONE) if left else tx.now
    try:
        await helping.check_out(tx, volunteer_of(caller), task_id, CheckIn(at=at))
    except Refusal as no:
        if left is None or no.code not in _NOT_THEN:
            raise
        return go_to("/m/tasks?told=not-then")
    return go_to("/m/tasks?told=checked-out")


@router.post("/tasks/{task_id}/late")
async def late(task_id: UUID, caller: VisitingVolunteer, tx: Tx) -> Response:
    await helping.late(tx, volunteer_of(caller), task_id)
    return go_to("/m/tasks?told=late")


@router.post("/tasks/{task_id}/hand-back")
async def hand_back(
    task_id: UUID, caller: VisitingVolunteer, tx: Tx, reason: Annotated[ShortText, Form()] = ""
) -> Response:
    await helping.hand_back(tx, volunteer_of(caller), task_id, HandBackIn(reason=reason))
    return go_to("/m/offers?told=handed-back")
