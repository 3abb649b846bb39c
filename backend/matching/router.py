"""Offers and tasks: what a volunteer answers and does, and the list of whom to ring."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from backend.auth.deps import CurrentVolunteer, CurrentWorker, Tx, volunteer_of
from backend.core.paging import Page, Paging
from backend.core.route import TxRoute
from backend.matching import helping
from backend.matching import service as offers
from shared.matching import (
    CallOut,
    CheckIn,
    DeclineIn,
    ForgottenOut,
    HandBackIn,
    OfferOut,
    SpokenIn,
    SpokenStepIn,
    TaskOut,
)
from shared.types import AreaCode

router = APIRouter(prefix="/api/v1", tags=["求助邀请"], route_class=TxRoute)


@router.get("/offers")
async def list_offers(caller: CurrentVolunteer, tx: Tx) -> Page[OfferOut]:
    """列出等我答复的邀请。看到就算送达，答复时间从这时算起。"""
    return Page(items=await offers.waiting(tx, volunteer_of(caller)), next_cursor=None)


@router.get("/offers/calls")
async def list_calls(
    page: Paging,
    worker: CurrentWorker,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
) -> Page[CallOut]:
    """列出要打电话去问的志愿者，最急的在前：邀请还没送到手机，或者没有账号。"""
    return await offers.calls(tx, worker, area_code, page)


@router.post("/offers/{offer_id}/accept")
async def accept(offer_id: UUID, caller: CurrentVolunteer, tx: Tx) -> TaskOut:
    """我来帮。先答应的人得到门牌和电话；再点一次，结果一样。"""
    return await offers.accept(tx, volunteer_of(caller), offer_id)


@router.post("/offers/{offer_id}/decline")
async def decline(offer_id: UUID, body: DeclineIn, caller: CurrentVolunteer, tx: Tx) -> OfferOut:
    """这次不行。不影响以后。"""
    return await offers.decline(tx, volunteer_of(caller), offer_id, body)


@router.post("/offers/{offer_id}/spoken")
async def spoken(offer_id: UUID, body: SpokenIn, worker: CurrentWorker, tx: Tx) -> OfferOut:
    """打电话并记下志愿者的答复。"""
    return await offers.spoken(tx, worker, offer_id, body)


@router.get("/tasks")
async def list_tasks(page: Paging, caller: CurrentVolunteer, tx: Tx) -> Page[TaskOut]:
    """列出我的任务，新的在前。结束以后，姓名、门牌和电话不再显示。"""
    return await helping.own_tasks(tx, volunteer_of(caller), page)


@router.get("/tasks/forgotten")
async def list_forgotten(
    page: Paging,
    worker: CurrentWorker,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
) -> Page[ForgottenOut]:
    """列出两天前就签到、到现在还没签退的任务，最早的在前。打电话问了，用“替志愿者记下”补上。"""
    return await helping.forgotten(tx, worker, area_code, page)


@router.post("/tasks/{task_id}/check-in")
async def check_in(task_id: UUID, body: CheckIn, caller: CurrentVolunteer, tx: Tx) -> TaskOut:
    """签到。"""
    return await helping.check_in(tx, volunteer_of(caller), task_id, body)


@router.post("/tasks/{task_id}/check-out")
async def check_out(task_id: UUID, body: CheckIn, caller: CurrentVolunteer, tx: Tx) -> TaskOut:
    """签退：记下整分钟数，等对方确认。"""
    return await helping.check_out(tx, volunteer_of(caller), task_id, body)


@router.post("/tasks/{task_id}/spoken")
async def spoken_step(task_id: UUID, body: SpokenStepIn, worker: CurrentWorker, tx: Tx) -> TaskOut:
    """志愿者打电话说到了或走了，由工作人员替他记下。这样记的时长先是待核实，回访以后才算。"""
    return await helping.spoken(tx, worker, task_id, body)


@router.post("/tasks/{task_id}/late")
async def late(task_id: UUID, caller: CurrentVolunteer, tx: Tx) -> TaskOut:
    """会晚一点。"""
    return await helping.late(tx, volunteer_of(caller), task_id)


@router.post("/tasks/{task_id}/hand-back")
async def hand_back(task_id: UUID, body: HandBackIn, caller: CurrentVolunteer, tx: Tx) -> TaskOut:
    """去不了了：这件事马上再去问别人。"""
    return await helping.hand_back(tx, volunteer_of(caller), task_id, body)
