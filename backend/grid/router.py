"""Divisions, cells, and which cell a place lies in."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from backend.auth.deps import Anyone, CurrentCoordinator, CurrentReader, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, IfNoneMatch, etag
from backend.core.route import TxRoute
from backend.grid import queries
from backend.grid import service as grid
from shared.grid import CellIn, CellNamesOut, CellOut, DivisionOut, Level, LocateManyIn, LocateManyOut, LocateOut
from shared.types import AreaCode, CellCode, Crs, Lat, Lon

router = APIRouter(prefix="/api/v1", tags=["网格"], route_class=TxRoute)

GEOJSON = "application/geo+json"
Accept = Annotated[str, Header(include_in_schema=False)]
_ALSO_GEOJSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {GEOJSON: {}}, "description": "Accept: application/geo+json 时给 GeoJSON"}
}


MapCrs = Annotated[Crs, Query(description="边界用哪个坐标系给出：wgs84、gcj02 或 bd09；结果里标明 crs_name")]


def _geojson(text: str, **headers: str) -> Response:
    return Response(text, headers={"Vary": "Accept", **headers}, media_type=GEOJSON)


@router.get("/divisions")
async def list_divisions(
    _caller: Anyone,
    tx: Tx,
    parent_code: Annotated[AreaCode | None, Query(description="上级编码")] = None,
    level: Annotated[Level | None, Query(description="级别")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="每页条数")] = 50,
    cursor: Annotated[AreaCode | None, Query(description="上一页给的 next_cursor")] = None,
) -> Page[DivisionOut]:
    """列出行政区划，按编码排。"""
    return await grid.divisions(tx, parent_code, level, cursor or "", limit)


@router.get("/divisions/{code}")
async def get_division(code: AreaCode, _caller: Anyone, tx: Tx) -> DivisionOut:
    """看一个行政区划。"""
    return await grid.division(tx, code)


@router.get("/cells", response_model=Page[CellOut], responses=_ALSO_GEOJSON)
async def list_cells(
    request: Request,
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
    crs: MapCrs = Crs.wgs84,
    accept: Accept = "",
) -> Page[CellOut] | Response:
    """列出网格和边界。要地图就用 Accept: application/geo+json，下一页的地址在 Link 里。"""
    if GEOJSON not in accept:
        listed = await grid.listed(tx, reader, area_code, page)
        return Page(items=[grid.cell_in(one, crs) for one in listed.items], next_cursor=listed.next_cursor)
    collection, more = await grid.features(tx, reader, area_code, page)
    link = {"Link": f'<{request.url.include_query_params(cursor=more)}>; rel="next"'} if more else {}
    return _geojson(grid.collection_in(collection, crs), **link)


@router.get("/cells/locate")
async def locate(
    lon: Annotated[Lon, Query(description="经度（度）")],
    lat: Annotated[Lat, Query(description="纬度（度）")],
    crs: Annotated[Crs, Query(description="坐标系：wgs84（含 CGCS2000）、gcj02 或 bd09")],
    reader: CurrentReader,
    tx: Tx,
) -> LocateOut:
    """一个位置在哪个网格。必须说明坐标系；边线上的点归编码小的网格。"""
    return await grid.find(tx, reader, lon, lat, crs)


@router.post("/cells/locate")
async def locate_many(body: LocateManyIn, reader: CurrentReader, tx: Tx) -> LocateManyOut:
    """一次查许多位置在哪个网格，最多 1,000 个。逐个答复，一个不对不影响别的。"""
    return LocateManyOut(answers=await grid.find_many(tx, reader, body.points))


@router.get("/cells/names")
async def list_cell_names(_worker: CurrentWorker, tx: Tx) -> CellNamesOut:
    """全县各网格的编码和名称，登记迁出时选去哪里；不管您管哪里，都列全。"""
    return await grid.names(tx)


@router.get("/cells/{code}", response_model=CellOut, responses=_ALSO_GEOJSON)
async def get_cell(
    code: CellCode,
    _reader: CurrentReader,
    tx: Tx,
    reply: Response,
    known: IfNoneMatch,
    crs: MapCrs = Crs.wgs84,
    accept: Accept = "",
) -> CellOut | Response:
    """看一个网格和它现在的边界。"""
    if known and (rev := await queries.cell_rev(tx.conn, tx.county, code)) and etag(rev) in known:
        return Response(status_code=304, headers={"ETag": etag(rev), "Vary": "Accept"})
    if GEOJSON in accept:
        rev, feature = await grid.feature(tx, code)
        return _geojson(grid.collection_in(feature, crs), ETag=etag(rev))
    cell = grid.cell_in(await grid.get(tx, code), crs)
    reply.headers["ETag"], reply.headers["Vary"] = etag(cell.rev), "Accept"
    return cell


@router.put("/cells/{code}", responses={201: {"model": CellOut, "description": "新建了网格"}})
async def put_cell(
    code: CellCode, body: CellIn, coordinator: CurrentCoordinator, tx: Tx, reply: Response, if_match: IfMatch
) -> CellOut:
    """新建网格，或换名称、换边界（要带 If-Match）。旧边界保留到新边界生效的前一天。"""
    cell, is_new = await grid.draw(tx, coordinator, code, body, if_match)
    reply.status_code = 201 if is_new else 200
    reply.headers["ETag"] = etag(cell.rev)
    return cell
