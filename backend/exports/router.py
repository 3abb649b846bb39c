"""Lists as files."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from backend.auth.deps import CurrentReader
from backend.core.db import Db
from backend.core.route import TxRoute
from backend.exports.service import Asked, Export
from backend.exports.sources import What
from backend.exports.writers import WRITERS, Form
from shared.types import AreaCode, Crs

router = APIRouter(prefix="/api/v1/exports", tags=["导出"], route_class=TxRoute)

_FILES = {writer.media_type.split(";")[0]: {"schema": {"type": "string"}} for writer in WRITERS.values()}


@router.get(
    "/{what}.{form}",
    response_class=StreamingResponse,
    responses={200: {"description": "文件", "content": _FILES}},
)
async def export(
    request: Request,
    what: What,
    form: Form,
    reader: CurrentReader,
    database: Db,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
    crs: Annotated[Crs, Query(description="坐标系，只用于 GeoJSON：wgs84（默认）、gcj02 或 bd09")] = Crs.wgs84,
) -> StreamingResponse:
    """把看得见的居民、户、走访、求助、志愿者或网格导出成文件，边读边送。志愿者只有社区和县里可以导出。

    电话按接口同样的规则遮挡，身份号码不会导出。每个文件的末尾都写着条数，没有末尾就是没送完。每次导出都留有记录。
    """
    leaving = Export(database, request.app.state.directory, reader, Asked(what, form, area_code, crs))
    pieces = await leaving.begin()
    named = {"Content-Disposition": f'attachment; filename="{leaving.file_name}"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type=leaving.media_type, headers=named)
