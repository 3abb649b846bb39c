"""Photos of visits and requests: sent in chunks, read by whoever sees what announced them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from backend.attachments import service as photos
from backend.attachments.store import Store
from backend.auth.deps import CurrentReader, CurrentWorker
from backend.core.db import Db
from backend.core.errors import Refusal
from backend.core.route import TxRoute
from shared.attachments import LARGEST, Sha256, UploadOut
from shared.errors import Code

router = APIRouter(prefix="/api/v1/attachments", tags=["照片"], route_class=TxRoute)

_CHUNK = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {
                    "type": "string", "format": "binary", "description": "照片的一段，最多 1 MiB", "examples": ["…"]
                }
            }
        },
    }
}  # fmt: skip
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "照片（JPEG）"}}


def _store(request: Request) -> Store | None:
    found: Store | None = request.app.state.files
    return found


@router.put("/{sha256}/chunks", openapi_extra=_CHUNK)
async def put_chunk(
    request: Request,
    sha256: Sha256,
    worker: CurrentWorker,
    database: Db,
    offset: Annotated[int, Query(ge=0, le=LARGEST, description="这一段从第几个字节起")],
) -> UploadOut:
    """传照片的一段。照片要先写在走访或事件的清单里；断了就看 received，从那里接着传。重复传同一段没有关系。"""
    try:
        chunk = await request.body()
    except ClientDisconnect as error:
        raise Refusal(Code.malformed) from error  # which nobody reads any more
    return await photos.add_chunk(database, _store(request), worker, sha256, offset, chunk)


@router.get("/{sha256}/status")
async def get_status(request: Request, sha256: Sha256, reader: CurrentReader, database: Db) -> UploadOut:
    """看一张照片传到哪里了。"""
    return await photos.status(database, _store(request), reader, sha256)


@router.get("/{sha256}", response_class=Response, responses=_PICTURE)
async def get_photo(request: Request, sha256: Sha256, reader: CurrentReader, database: Db) -> Response:
    """取一张照片。看得到那次走访或那件事的人才能取；位置等附带信息都已去掉。"""
    return _jpeg(await photos.read(database, _store(request), reader, sha256, thumbnail=False))


@router.get("/{sha256}/thumbnail", response_class=Response, responses=_PICTURE)
async def get_thumbnail(request: Request, sha256: Sha256, reader: CurrentReader, database: Db) -> Response:
    """取一张照片的小图。"""
    return _jpeg(await photos.read(database, _store(request), reader, sha256, thumbnail=True))


def _jpeg(content: bytes) -> Response:
    """Never stored by a proxy: who may see a photo can change."""
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="image/jpeg", headers=headers)
