"""Who answers for a cell and its households, leaving a post, and what nobody answers for."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentCoordinator, CurrentReader, CurrentWorker, Tx
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.duties import gaps, leaving
from backend.duties import service as duties
from shared.duties import (
    CellDutiesOut,
    DutyIn,
    DutyOut,
    GapsOut,
    HandOverIn,
    HandOverOut,
    HouseholdListIn,
    HouseholdListOut,
)
from shared.types import AreaCode, CellCode, Day

router = APIRouter(prefix="/api/v1", tags=["网格责任"], route_class=TxRoute)


@router.get("/cells/{code}/duties")
async def get_duties(
    code: CellCode,
    reader: CurrentReader,
    tx: Tx,
    on: Annotated[Day | None, Query(description="哪一天，默认今天")] = None,
) -> CellDutiesOut:
    """一个网格谁管事、谁知情、谁服务，各户由谁包。对接系统只看到姓名。"""
    return await duties.of_cell(tx, reader, code, on)


@router.put("/cells/{code}/duties/{duty_id}")
async def put_duty(
    code: CellCode, duty_id: UUID, body: DutyIn, coordinator: CurrentCoordinator, tx: Tx, keys: AppKeys,
    reply: Response, if_match: IfMatch,
) -> DutyOut:  # fmt: skip
    """定下谁在这个网格管事、知情或服务，可以写代班人；改动要带 If-Match。这里不给权限：先要有授权。"""
    duty = await duties.put(tx, keys, coordinator, code, duty_id, body, if_match)
    reply.headers["ETag"] = etag(duty.rev)
    return duty


@router.put("/cells/{code}/household-duties/{account_id}")
async def put_households(
    code: CellCode, account_id: UUID, body: HouseholdListIn, coordinator: CurrentCoordinator, tx: Tx
) -> HouseholdListOut:
    """分片包户：这个人在这个网格包哪些户，从今天起就是这些。一户只由一个人包。"""
    return await duties.set_households(tx, coordinator, code, account_id, body)


@router.post("/accounts/{account_id}/hand-over")
async def hand_over(account_id: UUID, body: HandOverIn, coordinator: CurrentCoordinator, tx: Tx) -> HandOverOut:
    """离岗交接：没办完的事、角色和包户转给接手人，收回授权，停用手机和登录。接手人管不到的另列。"""
    return await leaving.hand_over(tx, coordinator, account_id, body)


@router.get("/grid/gaps")
async def get_gaps(
    reader: CurrentWorker,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
) -> GapsOut:
    """没有网格或没有经办人的事项、没有人管事的网格、过期的角色、到期没生效的方案、没有网格去核实的迁入。"""
    return await gaps.in_area(tx, reader, area_code)
