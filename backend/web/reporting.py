"""上报: what anybody has seen in the street, with an account or without one."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response
from pydantic import ValidationError

from backend.auth.deps import AppKeys, Tx
from backend.core.errors import Refusal
from backend.core.transaction import Transaction
from backend.grid import queries as grid
from backend.grid.geo import LonLat
from backend.grid.locate import grid_of
from backend.requests import numbers
from backend.requests import service as requests
from backend.web import words
from backend.web.page import go_to, page
from backend.web.route import PageRoute
from backend.web.visitor import CountedReporter, Reporter, named
from shared.errors import CATALOGUE, Code
from shared.requests import RequestIn, RequestKind
from shared.types import Crs, Position, community_of, uuid7

router = APIRouter(prefix="/m/report", route_class=PageRoute, include_in_schema=False)

_WRONG = {
    "place_note": "太长了，请说短一点。",
    "detail": "太长了，请说短一点。",
    "contact_phone": "电话号码不对，也可以不填。",
}


@dataclass(slots=True)
class Filled:
    """A form as it stands, right or wrong: what somebody has written is never lost."""

    id: UUID
    category: str = ""
    cell: str = ""
    lon: str = ""
    lat: str = ""
    place_note: str = ""
    detail: str = ""
    contact_phone: str = ""


@router.get("")
async def ask(caller: Reporter, tx: Tx) -> Response:
    return await _form(tx, Filled(uuid7()), {})


@router.post("")
async def report(
    caller: CountedReporter,
    tx: Tx,
    keys: AppKeys,
    id: Annotated[UUID, Form()],
    category: Annotated[str, Form()] = "",
    cell: Annotated[str, Form()] = "",
    lon: Annotated[str, Form()] = "",
    lat: Annotated[str, Form()] = "",
    place_note: Annotated[str, Form()] = "",
    detail: Annotated[str, Form()] = "",
    contact_phone: Annotated[str, Form()] = "",
) -> Response:
    filled = Filled(id, category, cell, lon, lat, place_note, detail, contact_phone)
    body, wrong = _read(filled, await _cells(tx))
    if body is None:
        return await _form(tx, filled, wrong)
    try:
        stored = await requests.report(tx, keys, caller, filled.id, body)
    except Refusal as no:
        if no.code is not Code.outside_county:
            raise
        return await _form(tx, filled, {"cell": CATALOGUE[no.code].sentence})
    return go_to(f"/m/report/sent?number={stored.number}&county={tx.county}")


@router.get("/sent")
async def sent(caller: Reporter, number: str = "") -> Response:
    if not numbers.is_sound(number):
        raise Refusal(Code.not_found)
    return page("sent.html", caller=named(caller), number=number, county=caller.county_code)


def _read(filled: Filled, cells: dict[str, LonLat]) -> tuple[RequestIn | None, dict[str, str]]:
    """Return what was reported, or what is wrong by the field it is wrong in."""
    wrong = {}
    if filled.category not in words.INCIDENTS:
        wrong["category"] = "请选一种。"
    place = _own_place(filled) or _place_of(cells.get(filled.cell))
    if place is None:
        wrong["cell"] = "请选大概在哪里，或者用现在的位置。"
    if wrong:
        return None, wrong
    try:
        return _body(filled, place), {}
    except ValidationError as error:
        return None, {str(one["loc"][0]): _WRONG.get(str(one["loc"][0]), "填得不对。") for one in error.errors()}


def _body(filled: Filled, place: Position | None) -> RequestIn:
    return RequestIn(
        kind=RequestKind.incident, category=filled.category, place=place, place_note=filled.place_note,
        detail=filled.detail, contact_phone=filled.contact_phone.strip() or None,
    )  # fmt: skip


def _own_place(filled: Filled) -> Position | None:
    """Where the browser says it is; anything else than a place counts as none."""
    try:
        return Position(lon=float(filled.lon), lat=float(filled.lat), crs=Crs.wgs84)
    except ValueError:
        return None


def _place_of(point: LonLat | None) -> Position | None:
    return Position(lon=point[0], lat=point[1], crs=Crs.wgs84) if point else None


async def _cells(tx: Transaction) -> dict[str, LonLat]:
    return {place.code: point for place, point in (await grid_of(tx)).inner_points()}


async def _form(tx: Transaction, filled: Filled, wrong: dict[str, str]) -> Response:
    status = 422 if wrong else 200
    return page(
        "report.html", status, caller=named(tx.caller), filled=filled, wrong=wrong,
        communities=await _communities(tx), county=tx.county,
    )  # fmt: skip


async def _communities(tx: Transaction) -> dict[str, list[tuple[str, str]]]:
    """Return the cells to choose from, by the name of their community."""
    cells = [place for place, _point in (await grid_of(tx)).inner_points()]
    named = await grid.names(tx.conn, {community_of(cell.code) for cell in cells})
    grouped: dict[str, list[tuple[str, str]]] = {}
    for cell in cells:
        grouped.setdefault(named.get(community_of(cell.code), ""), []).append((cell.code, cell.name))
    return grouped
