"""Registering volunteers, their week, and the minutes they served."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from backend.core import feed, operations, preconditions
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.grid.geo import to_wgs84
from backend.volunteers import queries, rules
from backend.volunteers.queries import Fresh
from shared.errors import Code
from shared.sync import EntityKind
from shared.types import is_within
from shared.volunteers import (
    QuietIn,
    ServiceConfirmIn,
    ServiceRecordOut,
    ServiceState,
    Skill,
    SkillCheckIn,
    SkillsIn,
    Slot,
    VolunteerIn,
    VolunteerOut,
    VolunteerPatch,
    merged,
)

KIND = "volunteer.register"

PauseHandler = Callable[[Transaction, UUID, str], Awaitable[None]]
_followers: list[PauseHandler] = []


def when_paused(handler: PauseHandler) -> None:
    """Register what must happen in the same transaction when a volunteer (id, community) pauses. Called by main.py."""
    _followers.append(handler)


async def put(
    tx: Transaction, keys: Keys, worker: Caller, volunteer_id: UUID, body: VolunteerIn, seen: frozenset[str] | None
) -> VolunteerOut:
    """Register a volunteer, or replace the whole of a registered one for who says which revision they saw."""
    await _check_community(tx, worker, body.community_code)
    known = (await queries.by_ids(tx.conn, tx.county, [volunteer_id])).get(volunteer_id)
    if known and seen is not None:
        return await _replace(tx, worker, known, body, seen)
    op_id = operations.of_put(KIND, volunteer_id)
    content = operations.fingerprint(keys.ledger, KIND, volunteer_id, body)
    if await operations.repeated(tx, op_id, content, Code.id_taken):
        return await get(tx, volunteer_id)
    if known:
        raise Refusal(Code.id_taken)
    await register(tx, [(_fresh(volunteer_id, body), body.slots)])
    tx.settled(operations.applied(op_id, KIND, volunteer_id, content))
    return await get(tx, volunteer_id)


async def _check_community(tx: Transaction, worker: Caller, code: str) -> None:
    if not await queries.community_exists(tx.conn, code):
        raise Refusal(Code.unknown_area, pointer="/community_code")
    if not worker.may_write_in(code):
        raise Refusal(Code.area_not_allowed, pointer="/community_code")


def _fresh(volunteer_id: UUID, body: VolunteerIn) -> Fresh:
    lon, lat = to_wgs84(body.home.lon, body.home.lat, body.home.crs)
    return Fresh(
        id=volunteer_id, community_code=body.community_code, name=body.name, phone=body.phone, lon=lon, lat=lat,
        skills=",".join(dict.fromkeys(body.skills)), languages=",".join(dict.fromkeys(body.languages)),
        radius_m=body.radius_m, capacity=body.capacity,
    )  # fmt: skip


async def register(tx: Transaction, volunteers: Sequence[tuple[Fresh, Sequence[Slot]]]) -> None:
    """Store volunteers with their weeks, however many, and open the streams that their phones will read."""
    rows = [fresh for fresh, _ in volunteers]
    await queries.add(tx.conn, tx.county, tx.now, rows)
    weeks = [(fresh.id, fresh.community_code, slot) for fresh, slots in volunteers for slot in merged(slots)]
    await queries.add_slots(tx.conn, tx.county, weeks)
    await feed.open_streams(tx.conn, tx.county, [feed.volunteer_stream(row.id) for row in rows])
    await _tell(tx, "volunteer.registered", *((row.id, row.community_code) for row in rows))


async def _replace(
    tx: Transaction, worker: Caller, known: VolunteerOut, body: VolunteerIn, seen: frozenset[str]
) -> VolunteerOut:
    if not worker.may_write_in(known.community_code):
        raise Refusal(Code.area_not_allowed)
    preconditions.require(seen, known.rev)
    if not await queries.replace(tx.conn, tx.county, known.rev, _fresh(known.id, body)):
        raise Refusal(Code.stale)
    await _set_week(tx, known.id, body.community_code, body.slots)
    await queries.keep_evidence(tx.conn, tx.county, known.id, body.community_code, body.skills)
    if known.community_code != body.community_code:
        tx.changed(EntityKind.volunteer, known.id, known.community_code, gone=True)
    await _tell(tx, "volunteer.changed", (known.id, body.community_code))
    return await get(tx, known.id)


async def set_own_slots(tx: Transaction, volunteer_id: UUID, slots: Sequence[Slot]) -> VolunteerOut:
    """Let a volunteer say when they are free."""
    community = await _own_row(tx, volunteer_id)
    await _set_week(tx, volunteer_id, community, slots)
    await _tell(tx, "volunteer.week_set", (volunteer_id, community))
    return await get(tx, volunteer_id)


async def set_own_quiet(tx: Transaction, volunteer_id: UUID, quiet: QuietIn) -> VolunteerOut:
    """Let a volunteer say when they are left in peace."""
    community = await _own_row(tx, volunteer_id)
    await queries.set_quiet(tx.conn, tx.county, volunteer_id, quiet)
    await _tell(tx, "volunteer.quiet_set", (volunteer_id, community))
    return await get(tx, volunteer_id)


async def set_own_skills(tx: Transaction, volunteer_id: UUID, body: SkillsIn) -> VolunteerOut:
    """Let a volunteer say what they can do. A skill that the community has checked stays so until its words change."""
    community = await _own_row(tx, volunteer_id)
    known, skills = await get(tx, volunteer_id), [one.skill.value for one in body.skills]
    await queries.set_skills(tx.conn, tx.county, volunteer_id, skills)
    await queries.keep_evidence(tx.conn, tx.county, volunteer_id, community, skills)
    fresh = rules.said_anew(known.evidence, body.skills)
    await queries.put_evidence(tx.conn, tx.county, volunteer_id, community, fresh)
    await _tell(tx, "volunteer.skills_set", (volunteer_id, community))
    return await get(tx, volunteer_id)


async def _own_row(tx: Transaction, volunteer_id: UUID) -> str:
    community = await queries.touch(tx.conn, tx.county, volunteer_id)
    if community is None:
        raise Refusal(Code.not_found)
    return community


async def check_skill(
    tx: Transaction, worker: Caller, volunteer_id: UUID, skill: Skill, body: SkillCheckIn
) -> VolunteerOut:
    """Let a coordinator note that they have seen a volunteer's certificate, or take that back."""
    known = await get(tx, volunteer_id)
    if not worker.may_write_in(known.community_code):
        raise Refusal(Code.area_not_allowed)
    if skill not in known.skills:
        raise Refusal(Code.not_found)
    today = county_day(tx.now)
    if body.seen and body.valid_until and body.valid_until < today:
        raise Refusal(Code.certificate_expired, pointer="/valid_until")
    community, by = await _own_row(tx, volunteer_id), (worker.account_id, worker.name)
    await queries.check_skill(tx.conn, tx.county, volunteer_id, community, skill, body, today, by)
    action = "volunteer.skill_checked" if body.seen else "volunteer.skill_unchecked"
    await _tell(tx, action, (volunteer_id, community), skill=skill)
    return await get(tx, volunteer_id)


async def edit(
    tx: Transaction, worker: Caller, volunteer_id: UUID, patch: VolunteerPatch, seen: frozenset[str] | None
) -> VolunteerOut:
    """Let a coordinator note that a volunteer pauses or takes part again."""
    known = await get(tx, volunteer_id)
    if not worker.may_write_in(known.community_code):
        raise Refusal(Code.area_not_allowed)
    return await _edit(tx, known, patch, seen)


async def edit_own(
    tx: Transaction, volunteer_id: UUID, patch: VolunteerPatch, seen: frozenset[str] | None
) -> VolunteerOut:
    """Let a volunteer pause or take part again."""
    return await _edit(tx, await get(tx, volunteer_id), patch, seen)


async def _edit(
    tx: Transaction, known: VolunteerOut, patch: VolunteerPatch, seen: frozenset[str] | None
) -> VolunteerOut:
    preconditions.require(seen, known.rev)
    if patch.active == known.active:
        return known
    rev = await queries.set_active(tx.conn, tx.county, known.id, known.rev, active=patch.active)
    if rev is None:
        raise Refusal(Code.stale)
    tx.edited(Edited(known.id, rev, known.community_code, ["active"]))
    await _tell(tx, "volunteer.resumed" if patch.active else "volunteer.paused", (known.id, known.community_code))
    if not patch.active:
        for follow in _followers:
            await follow(tx, known.id, known.community_code)
    return await get(tx, known.id)


async def _set_week(tx: Transaction, volunteer_id: UUID, community: str, slots: Sequence[Slot]) -> None:
    await queries.clear_slots(tx.conn, tx.county, volunteer_id)
    await queries.add_slots(tx.conn, tx.county, [(volunteer_id, community, slot) for slot in merged(slots)])


async def _tell(tx: Transaction, action: str, *volunteers: tuple[UUID, str], **detail: Any) -> None:
    """Tell the communities' phones and the volunteers' own; neither side may write in the other's stream itself."""
    for volunteer_id, community in volunteers[1:]:
        tx.audit(action, "volunteer", volunteer_id, community)
    async with beyond_scope(tx, action, "volunteer", *volunteers[0], **detail):
        for volunteer_id, community in volunteers:
            tx.changed(EntityKind.volunteer, volunteer_id, community)
            tx.changed_for_volunteer(EntityKind.volunteer, volunteer_id, volunteer_id)


async def get(tx: Transaction, volunteer_id: UUID) -> VolunteerOut:
    found = (await queries.by_ids(tx.conn, tx.county, [volunteer_id])).get(volunteer_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def listed(tx: Transaction, caller: Caller, area_code: str | None, page: PageParams) -> Page[VolunteerOut]:
    """List the volunteers of an area, newest first, inside the caller's scope."""
    if area_code and not any(is_within(area_code, s) or is_within(s, area_code) for s in caller.scopes):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    rows = await queries.page_of_area(tx.conn, tx.county, area_code or tx.county, page)
    return cut(rows, page.limit)


async def own_records(tx: Transaction, volunteer_id: UUID, page: PageParams) -> Page[ServiceRecordOut]:
    rows = await queries.page_of_records(tx.conn, tx.county, volunteer_id, page)
    return cut(rows, page.limit)


async def confirm(tx: Transaction, worker: Caller, record_id: UUID, body: ServiceConfirmIn) -> ServiceRecordOut:
    """Write down what the other side says of the minutes: they count only then."""
    row = await queries.lock_record(tx.conn, tx.county, record_id)
    if row is None:
        raise Refusal(Code.not_found)
    if not worker.may_write_in(row["area_code"]):
        raise Refusal(Code.area_not_allowed)
    state = rules.after_asking(ServiceState(row["state"]), confirmed=body.confirmed)
    if state is None:
        raise Refusal(Code.step_not_allowed, pointer="/confirmed")
    if state != row["state"]:
        await _settle(tx, worker, record_id, row["volunteer_id"], row["area_code"], state, body)
    return (await queries.records_by_ids(tx.conn, tx.county, [record_id]))[record_id]


async def _settle(
    tx: Transaction, worker: Caller, record_id: UUID, volunteer_id: UUID, area_code: str, state: ServiceState,
    body: ServiceConfirmIn,
) -> None:  # fmt: skip
    await queries.settle_record(tx.conn, tx.county, record_id, state, tx.now, worker.account_id)
    action, entity = "service_record.settled", EntityKind.service_record
    async with beyond_scope(tx, action, entity, record_id, area_code, state=state, way=body.way):
        record_changed(tx, record_id, volunteer_id, area_code)


def record_changed(tx: Transaction, record_id: UUID, volunteer_id: UUID, area_code: str) -> None:
    """Tell both sides; the caller has stepped beyond its scope."""
    tx.changed(EntityKind.service_record, record_id, area_code)
    tx.changed_for_volunteer(EntityKind.service_record, record_id, volunteer_id)
