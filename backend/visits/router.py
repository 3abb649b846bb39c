"""Visits: what a grid worker records and reads back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentReader, CurrentWorker, Tx
from backend.core.paging import Page, Paging, json_of, page_of
from backend.core.route import TxRoute
from backend.visits import service as visits
from shared.types import AreaCode
from shared.visits import VisitIn, VisitOut

router = APIRouter(prefix="/api/v1/visits", tags=["走访"], route_class=TxRoute)


@router.put("/{visit_id}", response_model=VisitOut)
async def put_visit(visit_id: UUID, body: VisitIn, worker: CurrentWorker, tx: Tx, keys: AppKeys) -> Response:
    """记一次走访。编号由手机生成，原样再送一次不会重复。"""
    return json_of(dict(await visits.record(tx, keys, worker, visit_id, body)))


@router.get("", response_model=Page[VisitOut])
async def list_visits(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
    household_id: Annotated[UUID | None, Query(description="只看这一户")] = None,
) -> Response:
    """列出走访，服务器后收到的在前。"""
    return page_of(await visits.listed(tx, reader, area_code, household_id, page), page.limit)


@router.get("/{visit_id}", response_model=VisitOut)
async def get_visit(visit_id: UUID, _reader: CurrentReader, tx: Tx) -> Response:
    """看一次走访。"""
    return json_of(dict(await visits.get(tx, visit_id)))
