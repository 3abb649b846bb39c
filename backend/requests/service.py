"""Taking requests down, moving them on, reading them back."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from backend.core import operations, preconditions
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import locate
from backend.grid.geo import to_wgs84
from backend.requests import numbers, photos, queries, rules
from backend.requests.queries import Fresh, Stepped
from shared.attachments import PhotoOut
from shared.auth import STAFF
from shared.errors import Code
from shared.requests import CATEGORIES, MoveIn, RequestEventOut, RequestIn, RequestKind, RequestOut, RequestState
from shared.sync import EntityKind
from shared.texts import _
from shared.types import is_within, uuid7
from shared.visits import RequestFollowUp

KIND = "request.make"
PATH = "/requests"
COMMUNITY = _("社区")
"""The first-asked when another system asked: the community itself."""

StepHandler = Callable[[Transaction, Sequence[Stepped]], Awaitable[None]]
_followers: list[StepHandler] = []


def when_stepped(handler: StepHandler) -> None:
    """Register what must happen in the same transaction when staff open or move requests. Called by main.py."""
    _followers.append(handler)


async def put(tx: Transaction, keys: Keys, caller: Caller, request_id: UUID, body: RequestIn) -> RequestOut:
    """Take a request down under the caller's own id; sending the same again answers with what is stored."""
    op_id = operations.of_put(KIND, request_id)
    content = _fingerprint(keys, request_id, body)
    if await operations.repeated(tx, op_id, content, Code.id_taken):
        return await read(tx, caller, request_id)
    tx.settled(operations.applied(op_id, KIND, request_id, content))
    return await _take_down(tx, caller, request_id, body)


async def report(tx: Transaction, keys: Keys, caller: Caller, request_id: UUID, body: RequestIn) -> RequestOut:
    """Take down what anybody saw in the street. It goes to whoever works there; sending it again changes nothing."""
    if body.kind is not RequestKind.incident or body.household_id is not None:
        raise Refusal(Code.role_not_allowed)
    op_id, content = operations.of_put(KIND, request_id), _fingerprint(keys, request_id, body)
    async with beyond_scope(tx, "request.reported", "request", request_id, tx.county):
        if await operations.repeated(tx, op_id, content, Code.id_taken):
            return await get(tx, request_id)
        tx.settled(operations.applied(op_id, KIND, request_id, content))
        return await _take_down(tx, caller, request_id, body, in_the_street=True)


async def post(tx: Transaction, keys: Keys, caller: Caller, key: str | None, body: RequestIn) -> RequestOut:
    """Take a request down under a new id. With a key, the same request is stored once however often it is sent."""
    request_id = uuid7()
    if key:
        op_id = operations.of_key(caller.account_id, PATH, key)
        content = _fingerprint(keys, op_id, body)
        if known := await operations.repeated(tx, op_id, content, Code.key_reused):
            return await read(tx, caller, known.entity_id)
        tx.settled(operations.applied(op_id, KIND, request_id, content))
    return await _take_down(tx, caller, request_id, body)


def _fingerprint(keys: Keys, entity_id: UUID, body: RequestIn) -> bytes:
    return operations.fingerprint(keys.ledger, KIND, entity_id, body)


async def from_visit(
    tx: Transaction, worker: Caller, visit_id: UUID, household_id: UUID, asked: RequestFollowUp
) -> tuple[UUID, bool]:
    """Open what a visit found to be needed, unless the household has that open already; say which, and whether so."""
    known = await queries.open_of_household(tx.conn, tx.county, household_id, asked.category)
    if known:
        return known, True
    body = RequestIn(
        kind=CATEGORIES[asked.category].kind, category=asked.category, detail=asked.detail, household_id=household_id,
        resident_id=asked.resident_id, urgency=asked.urgency,
    )  # fmt: skip
    return (await _take_down(tx, worker, asked.id, body, visit_id)).id, False


async def _take_down(
    tx: Transaction, caller: Caller, request_id: UUID, body: RequestIn, visit_id: UUID | None = None,
    *, in_the_street: bool = False,
) -> RequestOut:  # fmt: skip
    area_code, lon, lat = await _where(tx, body)
    worker = caller.holds(*STAFF)
    at_home = rules.may_ask_in(caller.grants, area_code)
    # Whoever works in the county may report what they saw across the street; it is handed over to where it belongs.
    seen_elsewhere = worker and body.kind is RequestKind.incident and body.household_id is None
    if not (at_home or seen_elsewhere or in_the_street):
        raise Refusal(Code.area_not_allowed, pointer="/household_id" if body.household_id else "/place")
    fields: dict[str, Any] = body.model_dump(exclude={"place", "minutes", "photos"})
    fresh = Fresh(
        **fields, id=request_id, visit_id=visit_id, area_code=area_code, lon=lon, lat=lat, received_at=tx.now,
        minutes=body.minutes or CATEGORIES[body.category].minutes,
        photo_count=len(body.photos),
        owner_id=caller.account_id if worker else None, owner_name=caller.name if worker else COMMUNITY,
    )  # fmt: skip
    tx.audit("request.made", "request", request_id, area_code)
    if at_home:
        return await _store_with_photos(tx, fresh, body)
    async with beyond_scope(tx, "request.handed_over", "request", request_id, area_code):
        return await _store_with_photos(tx, fresh, body)


async def _store_with_photos(tx: Transaction, fresh: Fresh, body: RequestIn) -> RequestOut:
    [stored] = await store(tx, [fresh])
    await photos.announce(tx, fresh.id, fresh.area_code, body.photos)
    return stored


async def _where(tx: Transaction, body: RequestIn) -> tuple[str, float | None, float | None]:
    """Return the area and the point. A place in the county that no cell covers yet belongs to the county."""
    if body.household_id:
        door = await queries.door(tx.conn, tx.county, body.household_id, body.resident_id)
        if door is None:
            raise Refusal(Code.household_not_here, pointer="/household_id")
        if body.resident_id and door["of_resident"] != body.household_id:
            raise Refusal(Code.resident_not_here, pointer="/resident_id")
        return door["area_code"], door["lon"], door["lat"]
    assert body.place is not None
    lon, lat = to_wgs84(body.place.lon, body.place.lat, body.place.crs)
    if not locate.in_county(tx.county, lon, lat):
        raise Refusal(Code.outside_county, pointer="/place")
    return await locate.cell_at(tx, lon, lat) or tx.county, lon, lat


async def store(tx: Transaction, rows: Sequence[Fresh]) -> list[RequestOut]:
    """Give requests their numbers and store them as open, however many, in three statements."""
    days = [county_day(row.received_at) for row in rows]
    shorts = [numbers.short_code(row.area_code) for row in rows]
    sequences = await queries.take_sequences(tx.conn, tx.county, shorts, days)
    spoken = [numbers.number_of(r.area_code, d, s) for r, d, s in zip(rows, days, sequences, strict=True)]
    stored = await queries.add(tx.conn, tx.county, tx.caller.account_id, rows, spoken)
    await announce(tx, [Stepped(r.id, r.area_code, r.kind, "new", r.state, None) for r in stored])
    return stored


async def move(
    tx: Transaction, worker: Caller, request_id: UUID, seen: frozenset[str] | None, body: MoveIn
) -> RequestOut:
    """Take one allowed step. A step is taken from what the worker saw: another revision is refused as stale."""
    found = await get(tx, request_id)
    if not worker.may_write_in(found.area_code):
        raise Refusal(Code.area_not_allowed)
    preconditions.require(seen, found.rev)
    if code := rules.refusal(found.kind, found.state, body.to, body.reason):
        raise Refusal(code, pointer="/reason" if code is Code.reason_missing else "/to")
    handler = worker.name if body.to is RequestState.handling else None
    step = await queries.step(
        tx.conn, tx.county, request_id, by=worker.account_id, at=tx.now, from_state=found.state, to_state=body.to,
        reason=body.reason, rev=found.rev, handler=handler,
    )  # fmt: skip
    if step is None:
        raise Refusal(Code.stale)
    tx.audit("request.moved", "request", request_id, found.area_code, to=body.to, reason=body.reason)
    await announce(tx, [step])
    return await get(tx, request_id)


async def announce(tx: Transaction, steps: Sequence[Stepped]) -> None:
    """Tell phones, and the rooms above, what this room has opened or moved."""
    for step in steps:
        tx.changed(EntityKind.request, step.id, step.area_code)
    for follow in _followers:
        await follow(tx, steps)


async def get(tx: Transaction, request_id: UUID) -> RequestOut:
    found = (await queries.by_ids(tx.conn, tx.county, [request_id])).get(request_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def read(tx: Transaction, reader: Caller, request_id: UUID) -> RequestOut:
    """Return a request of the reader's area, or one that they reported elsewhere themselves."""
    found = (await queries.by_ids(tx.conn, tx.county, [request_id])).get(request_id)
    if found is None and reader.holds(*STAFF):
        async with beyond_scope(tx, "request.read", "request", request_id, tx.county):
            found = await queries.own_report(tx.conn, tx.county, request_id, reader.account_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def listed(
    tx: Transaction, caller: Caller, area_code: str | None, page: PageParams, filters: dict[str, Any]
) -> Page[RequestOut]:
    """List requests of an area, or of one household, newest first, inside the caller's scope."""
    if area_code and not any(is_within(area_code, s) or is_within(s, area_code) for s in caller.scopes):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    if (number := filters.get("number")) and not numbers.is_sound(number):
        raise Refusal(Code.malformed, pointer="/number")
    given = {column: value for column, value in filters.items() if value is not None}
    rows = await queries.page_of_area(tx.conn, tx.county, area_code or tx.county, page, given)
    return cut(rows, page.limit)


async def photos_of(tx: Transaction, reader: Caller, request_id: UUID) -> list[PhotoOut]:
    """List what a request announced, also one that the reader reported elsewhere."""
    await read(tx, reader, request_id)
    if seen := await photos.of_request(tx, request_id):
        return seen
    if not reader.holds(*STAFF):
        return []
    async with beyond_scope(tx, "request.read", "request", request_id, tx.county):
        return await photos.of_request(tx, request_id)


async def events(tx: Transaction, request_id: UUID) -> list[RequestEventOut]:
    await get(tx, request_id)
    return await queries.events(tx.conn, tx.county, request_id)
