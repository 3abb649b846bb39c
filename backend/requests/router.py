"""Requests: help for a person, incidents at a place, matters at the window."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from backend.auth.deps import AppKeys, CurrentReader, CurrentStaffOrPartner, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.requests import service as requests
from shared.attachments import PhotoOut
from shared.requests import MoveIn, RequestEventOut, RequestIn, RequestKind, RequestOut, RequestState
from shared.types import AreaCode

router = APIRouter(prefix="/api/v1/requests", tags=["求助与事件"], route_class=TxRoute)

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, description="同一个键、同样的内容，只会记下一件")
]


def _with_etag(response: Response, found: RequestOut) -> RequestOut:
    response.headers["ETag"] = etag(found.rev)
    return found


@router.post("", status_code=201)
async def post_request(
    body: RequestIn, caller: CurrentStaffOrPartner, tx: Tx, keys: AppKeys, response: Response,
    idempotency_key: IdempotencyKey = None,
) -> RequestOut:  # fmt: skip
    """提出求助、事件或办件。带上 Idempotency-Key，重复发送不会多出一件。生命危险请同时拨打 120、119 或 110。

    工作人员看到别处的事件也能报，会交给管那里的人。
    """
    return _with_etag(response, await requests.post(tx, keys, caller, idempotency_key, body))


@router.put("/{request_id}")
async def put_request(
    request_id: UUID, body: RequestIn, caller: CurrentStaffOrPartner, tx: Tx, keys: AppKeys, response: Response
) -> RequestOut:
    """提出求助、事件或办件，编号由调用方生成，原样再送一次不会重复。"""
    return _with_etag(response, await requests.put(tx, keys, caller, request_id, body))


@router.get("")
async def list_requests(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
    state: Annotated[RequestState | None, Query(description="只看这个状态")] = None,
    kind: Annotated[RequestKind | None, Query(description="只看这个种类")] = None,
    number: Annotated[str | None, Query(max_length=30, description="按能念出来的编号找")] = None,
    household_id: Annotated[UUID | None, Query(description="只看这一户的，并进这一户的也在内")] = None,
) -> Page[RequestOut]:
    """列出求助、事件和办件，后收到的在前。"""
    asked = {"state": state, "kind": kind, "number": number, "household_id": household_id}
    return await requests.listed(tx, reader, area_code, page, asked)


@router.get("/{request_id}")
async def get_request(request_id: UUID, reader: CurrentReader, tx: Tx, response: Response) -> RequestOut:
    """看一件，ETag 是修订号。自己报到别处去的也能看。"""
    return _with_etag(response, await requests.read(tx, reader, request_id))


@router.get("/{request_id}/events")
async def list_events(request_id: UUID, _reader: CurrentReader, tx: Tx) -> list[RequestEventOut]:
    """看一件走过的每一步：谁、什么时候、为什么。"""
    return await requests.events(tx, request_id)


@router.get("/{request_id}/photos")
async def list_photos(request_id: UUID, reader: CurrentReader, tx: Tx) -> list[PhotoOut]:
    """看一件的照片清单，以及每张传完没有。"""
    return await requests.photos_of(tx, reader, request_id)


@router.post("/{request_id}/move")
async def move_request(
    request_id: UUID, body: MoveIn, worker: CurrentWorker, tx: Tx, response: Response, if_match: IfMatch
) -> RequestOut:
    """往下走一步。“有人答应了”和“正在服务”只能由志愿者自己走到。"""
    return _with_etag(response, await requests.move(tx, worker, request_id, if_match, body))
