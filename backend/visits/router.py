"""Visits: what a grid worker records and reads back."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentReader, CurrentWorker, Tx
from backend.core.clock import day_begins
from backend.core.paging import Page, Paging, json_of, page_of
from backend.core.route import TxRoute
from backend.visits import follow_ups
from backend.visits import service as visits
from backend.visits.queries import Filter
from shared.attachments import PhotoOut
from shared.types import AreaCode, Day
from shared.visits import Finding, FollowUpOut, VisitIn, VisitOut, VisitOutcome

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
    outcome: Annotated[VisitOutcome | None, Query(description="只看这个结果")] = None,
    finding: Annotated[Finding | None, Query(description="只看有这种情况的")] = None,
    worker_id: Annotated[UUID | None, Query(description="只看这个人走访的")] = None,
    from_day: Annotated[Day | None, Query(description="走访日期从哪天起")] = None,
    last_day: Annotated[Day | None, Query(description="走访日期到哪天为止（含）")] = None,
) -> Response:
    """列出走访，服务器后收到的在前。"""
    since = day_begins(from_day) if from_day else None
    before = day_begins(last_day + timedelta(days=1)) if last_day else None
    only = Filter(outcome, finding, worker_id, since, before)
    return page_of(await visits.listed(tx, reader, area_code, household_id, page, only), page.limit)


@router.get("/{visit_id}", response_model=VisitOut)
async def get_visit(visit_id: UUID, _reader: CurrentReader, tx: Tx) -> Response:
    """看一次走访。"""
    return json_of(dict(await visits.get(tx, visit_id)))


@router.get("/{visit_id}/follow-ups")
async def list_follow_ups(visit_id: UUID, _reader: CurrentReader, tx: Tx) -> list[FollowUpOut]:
    """看一次走访转出了哪些求助、哪些登记更正。"""
    return await follow_ups.of_visit(tx, visit_id)


@router.get("/{visit_id}/photos")
async def list_photos(visit_id: UUID, _reader: CurrentReader, tx: Tx) -> list[PhotoOut]:
    """看一次走访的照片清单，以及每张传完没有。"""
    return await follow_ups.photos_of(tx, visit_id)
