"""Visits: what a grid worker records and reads back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from backend.auth.deps import AppKeys, CurrentReader, CurrentWorker, Tx
from backend.core.db import TxRoute
from backend.core.paging import Page, Paging
from backend.visits import service as visits
from shared.types import AreaCode
from shared.visits import VisitIn, VisitOut

router = APIRouter(prefix="/visits", tags=["走访"], route_class=TxRoute)


@router.put("/{visit_id}")
async def put_visit(visit_id: UUID, body: VisitIn, worker: CurrentWorker, tx: Tx, keys: AppKeys) -> VisitOut:
    """记一次走访。编号由手机生成，原样再送一次不会重复。"""
    return await visits.record(tx, keys, worker, visit_id, body)


@router.get("")
async def list_visits(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
    household_id: Annotated[UUID | None, Query(description="只看这一户")] = None,
) -> Page[VisitOut]:
    """列出走访，服务器后收到的在前。"""
    return await visits.listed(tx, reader, area_code, household_id, page)


@router.get("/{visit_id}")
async def get_visit(visit_id: UUID, _reader: CurrentReader, tx: Tx) -> VisitOut:
    """看一次走访。"""
    return await visits.get(tx, visit_id)
