"""上报: what anybody has seen in the street, with an account or without one, with photos or without."""

from dataclasses import asdict, dataclass, field
from functools import partial
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from backend.attachments import service as attachments
from backend.attachments.service import Kept
from backend.auth.deps import AppKeys, Tx
from backend.core.db import Database, Db
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import queries as grid
from backend.grid.geo import LonLat
from backend.grid.locate import grid_of
from backend.requests import numbers
from backend.requests import service as requests
from backend.web import visitor, words
from backend.web.page import go_to, page
from backend.web.route import PageRoute
from backend.web.visitor import CountedReporter, Reporter, named
from shared.attachments import LARGEST, PhotoState
from shared.errors import CATALOGUE, Code
from shared.requests import RequestIn, RequestKind, RequestOut
from shared.texts import _
from shared.types import Crs, Position, community_of, uuid7

MOST_PHOTOS = 3

_WRONG = {
    "place_note": _("太长了，请说短一点。"),
    "detail": _("太长了，请说短一点。"),
    "contact_phone": _("电话号码不对，也可以不填。"),
}
_TOO_MANY = _("照片最多 {most_photos} 张，请去掉几张。").format(most_photos=MOST_PHOTOS)
_TOO_LARGE = _("有照片太大了，一张最多 {largest} MB。请换一张小一点的，不带照片也能上报。").format(
    largest=LARGEST >> 20
)
_TOO_OFTEN = _("从您这里传来的照片太多了。请先不带照片上报，或者过一会儿再试。")
_REPORTED = _("刚才那一份已经报上去了。这一份和它不一样，要另报一件，请再按一次“上报”。")


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


@dataclass(slots=True)
class Reply:
    """What a page says about the form that it brings back."""

    wrong: dict[str, str] = field(default_factory=dict)
    sentence: str = ""
    status: int = 422
    photos: bool = False
    """Whether it came with photos: a browser keeps them for nobody, they have to be chosen again."""


@dataclass(frozen=True, slots=True)
class Places:
    """The cells of the county: where each lies, and what they are called, by the name of their community."""

    points: dict[str, LonLat] = field(default_factory=dict)
    communities: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


class ReportRoute(PageRoute):
    """Whatever the answer is, the form comes back as it was filled in."""

    async def say_no(self, request: Request, code: Code) -> Response:
        if request.method != "POST":
            return await PageRoute.say_no(self, request, code)
        form = await request.form()
        filled, (status, sentence) = _typed(form), CATALOGUE[code]
        if code is Code.id_taken:
            filled.id, sentence = uuid7(), _REPORTED
        reporter: Caller | None = getattr(request.state, "caller", None)
        places = await _places_if_any(request.app.state.database, reporter) if reporter else Places()
        reporter = reporter or visitor.stranger(request.query_params.get("county", ""))
        return _form(reporter, filled, places, Reply({}, sentence, status, bool(_photos(form))))


router = APIRouter(prefix="/m/report", route_class=ReportRoute, include_in_schema=False)


@router.get("")
async def ask(caller: Reporter, tx: Tx) -> Response:
    return _form(caller, Filled(uuid7()), await _places(tx))


@router.post("")
async def report(request: Request, caller: CountedReporter, database: Db, keys: AppKeys) -> Response:
    """No transaction is open while photos are decoded."""
    form = await request.form()
    filled, photos = _typed(form), _photos(form)
    places = await database.run(caller, _places)
    body, wrong = _read(filled, places.points)
    wrong |= _wrong_photos(photos)
    if photos and not wrong and not await _may_send_photos(request, caller):
        wrong["photo"] = _TOO_OFTEN
    if body is None or wrong:
        return _form(caller, filled, places, Reply(wrong, photos=bool(photos)))
    kept = await _keep(request, caller.county_code, photos)
    body.photos = [one.photo for one in kept]
    try:
        stored = await database.run(caller, partial(_take_down, keys=keys, id=filled.id, body=body, kept=kept))
    except Refusal as no:
        if no.code is not Code.outside_county:
            raise
        wrong = {"cell": CATALOGUE[no.code].sentence}
        return _form(caller, filled, places, Reply(wrong, photos=bool(photos)))
    unopened = sum(one.state is not PhotoState.stored for one in kept)
    return go_to(f"/m/report/sent?number={stored.number}&county={caller.county_code}&unopened={unopened}")


@router.get("/sent")
async def sent(caller: Reporter, number: str = "", unopened: int = 0) -> Response:
    if not numbers.is_sound(number):
        raise Refusal(Code.not_found)
    return page("sent.html", caller=named(caller), number=number, county=caller.county_code, unopened=unopened)


async def _take_down(tx: Transaction, *, keys: Keys, id: UUID, body: RequestIn, kept: list[Kept]) -> RequestOut:
    stored = await requests.report(tx, keys, tx.caller, id, body)
    await attachments.note_whole(tx, tx.caller, kept)
    return stored


def _typed(form: FormData) -> Filled:
    typed = {name: value for name in asdict(Filled(uuid7())) if isinstance(value := form.get(name), str)}
    try:
        return Filled(UUID(typed.pop("id", "")), **typed)
    except ValueError:
        return Filled(uuid7(), **typed)


def _photos(form: FormData) -> list[UploadFile]:
    """Return what was chosen; a field in which nothing was chosen comes as a file without a name."""
    return [one for one in form.getlist("photo") if isinstance(one, UploadFile) and one.filename]


def _wrong_photos(photos: list[UploadFile]) -> dict[str, str]:
    if len(photos) > MOST_PHOTOS:
        return {"photo": _TOO_MANY}
    return {"photo": _TOO_LARGE} if any((one.size or 0) > LARGEST for one in photos) else {}


async def _may_send_photos(request: Request, caller: Caller) -> bool:
    try:
        await visitor.count_photos(request, caller)
    except Refusal:
        return False
    return True


async def _keep(request: Request, county: str, photos: list[UploadFile]) -> list[Kept]:
    """Keep each photo once, however often it was chosen; an empty file is none."""
    kept: dict[str, Kept] = {}
    for one in photos:
        await one.seek(0)
        if content := await one.read():
            taken = await attachments.take_whole(request.app.state.files, county, content)
            kept[taken.photo.sha256] = taken
    return list(kept.values())


def _read(filled: Filled, cells: dict[str, LonLat]) -> tuple[RequestIn | None, dict[str, str]]:
    """Return what was reported, or what is wrong by the field it is wrong in."""
    wrong = {}
    if filled.category not in words.INCIDENTS:
        wrong["category"] = _("请选一种。")
    place = _own_place(filled) or _place_of(cells.get(filled.cell))
    if place is None:
        wrong["cell"] = _("请选大概在哪里，或者用现在的位置。")
    if wrong:
        return None, wrong
    try:
        return _body(filled, place), {}
    except ValidationError as error:
        return None, {str(one["loc"][0]): _WRONG.get(str(one["loc"][0]), _("填得不对。")) for one in error.errors()}


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


def _form(caller: Caller, filled: Filled, places: Places, reply: Reply | None = None) -> Response:
    return page(
        "report.html", reply.status if reply else 200, caller=named(caller), filled=filled, reply=reply or Reply(),
        communities=places.communities, county=caller.county_code, most_photos=MOST_PHOTOS,
    )  # fmt: skip


async def _places(tx: Transaction) -> Places:
    places = (await grid_of(tx)).inner_points()
    named = await grid.names(tx.conn, {community_of(cell.code) for cell, _point in places})
    grouped: dict[str, list[tuple[str, str]]] = {}
    for cell, _point in places:
        grouped.setdefault(named.get(community_of(cell.code), ""), []).append((cell.code, cell.name))
    return Places({cell.code: point for cell, point in places}, grouped)


async def _places_if_any(database: Database, caller: Caller) -> Places:
    """Without its list of cells the form still holds what was written, and the cell that was chosen."""
    try:
        return await database.run(caller, _places)
    except (Refusal, TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return Places()
