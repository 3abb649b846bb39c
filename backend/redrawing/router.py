"""All cells of a community at once, and plans of new boundaries."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentCoordinator, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.redrawing import applying
from backend.redrawing import service as plans
from shared.grid import DecisionsIn, GridIn, GridLoadedOut, GridReport, PlanIn, PlanOut, PreviewOut
from shared.types import AreaCode, CommunityCode

router = APIRouter(prefix="/api/v1", tags=["网格调整"], route_class=TxRoute)


@router.post("/communities/{community}/grid/check")
async def check_grid(community: CommunityCode, body: GridIn, coordinator: CurrentCoordinator, tx: Tx) -> GridReport:
    """核对一个社区的全部网格：自交叉、重叠、空白、越界，一次说完，各带面积。不改任何东西。"""
    return await applying.check(tx, coordinator, community, body)


@router.put("/communities/{community}/grid")
async def put_grid(community: CommunityCode, body: GridIn, coordinator: CurrentCoordinator, tx: Tx) -> GridLoadedOut:
    """一次换上一个社区的全部网格；没列出的网格撤销。生效日期是今天就马上换，以后的先排好。"""
    return await applying.load(tx, coordinator, community, body)


@router.get("/grid/plans")
async def list_plans(
    page: Paging,
    reader: CurrentWorker,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
) -> Page[PlanOut]:
    """列出网格调整方案，新的在前。"""
    return await plans.listed(tx, reader, area_code, page)


@router.get("/grid/plans/{plan_id}")
async def get_plan(plan_id: UUID, _reader: CurrentWorker, tx: Tx, reply: Response) -> PlanOut:
    """看一个网格调整方案。"""
    return _tagged(reply, await plans.get(tx, plan_id))


@router.put("/grid/plans/{plan_id}")
async def put_plan(
    plan_id: UUID, body: PlanIn, coordinator: CurrentCoordinator, tx: Tx, keys: AppKeys, reply: Response,
    if_match: IfMatch,
) -> PlanOut:  # fmt: skip
    """拟一个网格调整方案；改草稿要带 If-Match。"""
    return _tagged(reply, await plans.put(tx, keys, coordinator, plan_id, body, if_match))


@router.post("/grid/plans/{plan_id}/preview")
async def preview_plan(plan_id: UUID, coordinator: CurrentCoordinator, tx: Tx) -> PreviewOut:
    """按现在的情况，方案会移动谁和什么；坐标定不了的户另列，等人决定。不改任何东西。"""
    return await plans.preview(tx, coordinator, plan_id)


@router.put("/grid/plans/{plan_id}/decisions")
async def put_decisions(
    plan_id: UUID, body: DecisionsIn, coordinator: CurrentCoordinator, tx: Tx, reply: Response, if_match: IfMatch
) -> PlanOut:
    """逐户决定归哪个网格，要带 If-Match。"""
    return _tagged(reply, await plans.decide(tx, coordinator, plan_id, body, if_match))


@router.post("/grid/plans/{plan_id}/schedule")
async def schedule_plan(plan_id: UUID, coordinator: CurrentCoordinator, tx: Tx, reply: Response) -> PlanOut:
    """排好方案，到生效日期自动换。"""
    return _tagged(reply, await plans.schedule(tx, coordinator, plan_id))


@router.post("/grid/plans/{plan_id}/apply")
async def apply_plan(plan_id: UUID, coordinator: CurrentCoordinator, tx: Tx, reply: Response) -> PlanOut:
    """到了日期马上换，居民、事项、走访一起移过去。再送一次不会重复。"""
    return _tagged(reply, await applying.apply(tx, coordinator, plan_id))


@router.post("/grid/plans/{plan_id}/cancel")
async def cancel_plan(plan_id: UUID, coordinator: CurrentCoordinator, tx: Tx, reply: Response) -> PlanOut:
    """取消方案。"""
    return _tagged(reply, await plans.cancel(tx, coordinator, plan_id))


def _tagged(reply: Response, plan: PlanOut) -> PlanOut:
    reply.headers["ETag"] = etag(plan.rev)
    return plan
