"""Use cases of the grid: look divisions and cells up, draw a cell, find the cell of a place."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from uuid import UUID, uuid4

import orjson

from backend.core import preconditions
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut, encode_cursor
from backend.core.scope import Caller
from backend.core.transaction import Edited, Transaction
from backend.grid import boundaries, locate, queries, rules
from backend.grid.boundaries import Boundary
from backend.grid.geo import to_wgs84
from shared.errors import CATALOGUE, Code
from shared.grid import (
    CellIn,
    CellKind,
    CellName,
    CellNamesOut,
    CellOut,
    CellShape,
    DivisionOut,
    Level,
    LocateAnswer,
    LocateOut,
    Purpose,
    SpecialHere,
)
from shared.sync import EntityKind
from shared.types import Crs, Position, community_of, uuid7


async def divisions(
    tx: Transaction, parent: str | None, level: Level | None, after: str, limit: int
) -> Page[DivisionOut]:
    found = await queries.divisions(tx.conn, parent, level, after, limit + 1)
    if not found and parent and await queries.division(tx.conn, parent) is None:
        raise Refusal(Code.unknown_area, pointer="/parent_code")
    items = found[:limit]
    return Page(items=items, next_cursor=items[-1].code if len(found) > limit else None)


async def division(tx: Transaction, code: str) -> DivisionOut:
    found = await queries.division(tx.conn, code)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def area_to_list(tx: Transaction, reader: Caller, area: str | None) -> str:
    """Return the area to list; refuse one that the reader has no part in, or that does not exist."""
    if area is None:
        return tx.county
    if not rules.may_ask_for(reader.scopes, area):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    if area not in (*reader.scopes, tx.county) and not await queries.is_known_area(tx.conn, tx.county, area):
        raise Refusal(Code.unknown_area, pointer="/area_code")
    return area


async def listed(tx: Transaction, reader: Caller, area: str | None, page: PageParams) -> Page[CellOut]:
    found = await queries.cells_of_area(tx.conn, tx.county, await area_to_list(tx, reader, area), page)
    return cut(found, page.limit)


async def features(tx: Transaction, reader: Caller, area: str | None, page: PageParams) -> tuple[str, str | None]:
    """Return a page of cells as GeoJSON text, with the cursor of the next."""
    row = await queries.features_of_area(tx.conn, tx.county, await area_to_list(tx, reader, area), page)
    more = encode_cursor(row["last_at"], row["last_id"]) if row["found"] > page.limit else None
    return row["collection"], more


async def get(tx: Transaction, code: str) -> CellOut:
    found = await queries.cell(tx.conn, tx.county, code)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def feature(tx: Transaction, code: str) -> tuple[int, str]:
    """Return revision and GeoJSON text of a cell."""
    row = await queries.cell_feature(tx.conn, tx.county, code)
    if row is None:
        raise Refusal(Code.not_found)
    return row["rev"], row["feature"]


def collection_in(text: str, crs: Crs) -> str:
    """Return GeoJSON text for a map of another system, labelled: RFC 7946 knows WGS-84 only."""
    if crs is Crs.wgs84:
        return text
    found = orjson.loads(text)
    for one in found.get("features", [found]):
        one["geometry"] = boundaries.drawn_in(one["geometry"], crs)
        one["properties"]["crs_name"] = crs
    return orjson.dumps({**found, "crs_name": crs}).decode()


def cell_in(cell: CellOut, crs: Crs) -> CellOut:
    return cell.model_copy(update={"geometry": boundaries.drawn_in(cell.geometry, crs), "crs_name": crs})


async def find(tx: Transaction, reader: Caller, lon: float, lat: float, crs: Crs) -> LocateOut:
    """Say which cell a place lies in."""
    return _find(tx, await locate.grid_of(tx), reader, Position(lon=lon, lat=lat, crs=crs))


async def names(tx: Transaction) -> CellNamesOut:
    """Name every basic cell of the county: who moves away from a worker's cell goes to one that is not theirs."""
    places = (await locate.grid_of(tx)).places
    return CellNamesOut(cells=[CellName(code=place.code, name=place.name) for place in places])


async def find_many(tx: Transaction, reader: Caller, points: Sequence[Position]) -> list[LocateAnswer]:
    """Say for each place which cell it lies in, or why not; none stops the others."""
    grid, answers = await locate.grid_of(tx), []
    for index, point in enumerate(points):
        try:
            answers.append(LocateAnswer(index=index, found=_find(tx, grid, reader, point)))
        except Refusal as no:
            sentence = CATALOGUE[no.code].sentence
            answers.append(LocateAnswer(index=index, found=None, code=no.code, sentence=sentence))
    return answers


def _find(tx: Transaction, grid: locate.CountyGrid, reader: Caller, point: Position) -> LocateOut:
    lon, lat = to_wgs84(point.lon, point.lat, point.crs)
    if not locate.in_county(tx.county, lon, lat):
        raise Refusal(Code.outside_county)
    place = grid.find(lon, lat)
    if place is None:
        raise Refusal(Code.outside_cells)
    if not rules.may_locate(reader.grants, place.code):
        raise Refusal(Code.area_not_allowed)
    return LocateOut(
        cell_code=place.code, cell_name=place.name, lon=lon, lat=lat, special=_special(grid, reader, lon, lat)
    )


def _special(grid: locate.CountyGrid, reader: Caller, lon: float, lat: float) -> list[SpecialHere]:
    return [
        SpecialHere(
            cell_code=one.code, cell_name=one.name, unit_name=one.unit_name,
            purpose=Purpose(one.purpose) if one.purpose else None,
        )
        for one in grid.special_at(lon, lat)
        if rules.may_locate(reader.grants, one.code)
    ]  # fmt: skip


RedrawHandler = Callable[[Transaction, Mapping[str, CellOut], CellShape], Awaitable[None]]
_followers: list[RedrawHandler] = []


def when_redrawn(handler: RedrawHandler) -> None:
    """Register what must happen in the same transaction when a basic cell is drawn: the handler gets the community's
    cells as they were, and the cell as it is now. Called by main.py."""
    _followers.append(handler)


FoundedHandler = Callable[[Transaction, str], Awaitable[None]]
_godparents: list[FoundedHandler] = []


def when_founded(handler: FoundedHandler) -> None:
    """Register what a new cell must hear of, in the same transaction, because it was said to wider areas before there
    was this cell. Called by main.py."""
    _godparents.append(handler)


async def draw(
    tx: Transaction, coordinator: Caller, code: str, body: CellIn, if_match: frozenset[str] | None
) -> tuple[CellOut, bool]:
    """Make a cell, or replace it with another name or boundary. Return it, and whether it is new.

    The same content changes nothing. Another boundary ends the present one the day it begins.
    """
    boundary = boundaries.read(body.geometry)
    await _refuse_place(tx, coordinator, code)
    await queries.lock_boundaries(tx.conn, tx.county)
    if await queries.closed_cells(tx.conn, tx.county, [code]):
        raise Refusal(Code.cell_closed, pointer="/code")
    present = await queries.cell(tx.conn, tx.county, code)
    if present and rules.same_content(present, body, boundary.geojson):
        return present, False
    if present or if_match:
        preconditions.require(if_match, present.rev if present else 0)
    await _refuse_boundary(tx, code, body, boundary, present)
    before = await queries.present_cells(tx.conn, tx.county, community_of(code))
    await (_change(tx, present, body, boundary) if present else _add(tx, code, body, boundary))
    await _follow(tx, before, code, body, boundary)
    await queries.set_grid_version(tx.conn, tx.county, uuid4())
    return await get(tx, code), present is None


async def _follow(tx: Transaction, before: Mapping[str, CellOut], code: str, body: CellIn, boundary: Boundary) -> None:
    if body.kind is CellKind.basic:
        words = {name: getattr(body, name) for name in rules.WORDS}
        for follow in _followers:
            await follow(tx, before, CellShape(code=code, geometry=boundary.geojson, **words))


async def _refuse_place(tx: Transaction, coordinator: Caller, code: str) -> None:
    community = community_of(code)
    known = community.startswith(tx.county) and await queries.is_known_area(tx.conn, tx.county, community)
    if not known:
        raise Refusal(Code.unknown_area, pointer="/code")
    if not rules.may_draw(coordinator.grants, code):
        raise Refusal(Code.area_not_allowed, pointer="/code")


async def _refuse_boundary(
    tx: Transaction, code: str, body: CellIn, boundary: Boundary, present: CellOut | None
) -> None:
    today = county_day(tx.now)
    if refused := rules.refuse_day(body.from_day or today, today, present.from_day if present else None):
        raise Refusal(refused, pointer="/from_day")
    boundaries.refuse_outside(tx.county, boundary)
    if body.kind is CellKind.basic:
        cells = await queries.basic_cells(tx.conn, tx.county, community_of(code))
        boundaries.refuse_overlap(boundary, [(other, shape) for other, _, shape in cells if other != code])


async def _add(tx: Transaction, code: str, body: CellIn, boundary: Boundary) -> None:
    await add(tx, code, body, boundary, body.from_day or county_day(tx.now))


async def _change(tx: Transaction, present: CellOut, body: CellIn, boundary: Boundary) -> None:
    await change(tx, present, body, boundary, body.from_day or county_day(tx.now))


async def add(tx: Transaction, code: str, body: CellIn, boundary: Boundary, day: date) -> None:
    """Make a cell with a boundary from a day on. The caller has checked it, and gives the grid its new version."""
    cell_id = uuid7()
    await queries.add_cell(tx.conn, tx.county, cell_id, code, body, tx.now)
    await _open(tx, code, cell_id, boundary, day)
    tx.changed(EntityKind.cell, cell_id, code)
    tx.audit("cell.added", "cell", cell_id, code)
    for tell in _godparents:
        await tell(tx, code)


async def change(tx: Transaction, present: CellOut, body: CellIn, boundary: Boundary, day: date) -> None:
    """Give a cell other words, or another boundary from a day on. The caller has checked it."""
    rev = await queries.change_cell(tx.conn, tx.county, present.id, body)
    moved = present.geometry != boundary.geojson
    if moved:
        await queries.close_boundary(tx.conn, tx.county, present.id, day)
        await _open(tx, present.code, present.id, boundary, day)
    fields = [name for name in rules.WORDS if getattr(present, name) != getattr(body, name)]
    tx.edited(Edited(present.id, rev, present.code, fields + ["geometry"] * moved))
    tx.changed(EntityKind.cell, present.id, present.code)
    tx.audit("cell.changed", "cell", present.id, present.code)


async def close(tx: Transaction, present: CellOut, day: date) -> None:
    """End a cell the day before. Its code and its past stay; nothing is found in it any more."""
    await queries.close_boundary(tx.conn, tx.county, present.id, day)
    tx.changed(EntityKind.cell, present.id, present.code, gone=True)
    tx.audit("cell.closed", "cell", present.id, present.code)


async def _open(tx: Transaction, code: str, cell_id: UUID, boundary: Boundary, day: date) -> None:
    await queries.open_boundary(
        tx.conn, tx.county, uuid7(), code, cell_id, boundary.geojson, round(boundaries.area_m2(boundary.shape)), day
    )
