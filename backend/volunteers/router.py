"""Volunteers: who they are, when they are free, what they have served."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentCoordinator, CurrentVolunteer, CurrentWorker, Tx, volunteer_of
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.volunteers import service as volunteers
from shared.types import AreaCode
from shared.volunteers import (
    QuietIn,
    ServiceConfirmIn,
    ServiceRecordOut,
    Skill,
    SkillCheckIn,
    SkillsIn,
    SlotsIn,
    VolunteerIn,
    VolunteerOut,
    VolunteerPatch,
)

router = APIRouter(prefix="/api/v1", tags=["志愿者"], route_class=TxRoute)


def _with_etag(response: Response, found: VolunteerOut) -> VolunteerOut:
    response.headers["ETag"] = etag(found.rev)
    return found


@router.get("/volunteers/me")
async def me(caller: CurrentVolunteer, tx: Tx, response: Response) -> VolunteerOut:
    """看我自己的登记。"""
    return _with_etag(response, await volunteers.get(tx, volunteer_of(caller)))


@router.patch("/volunteers/me")
async def patch_me(
    patch: VolunteerPatch, caller: CurrentVolunteer, tx: Tx, response: Response, if_match: IfMatch
) -> VolunteerOut:
    """我先歇一歇，或者重新参加，要带 If-Match。歇着的时候不会收到邀请，已经答应的事照旧。"""
    return _with_etag(response, await volunteers.edit_own(tx, volunteer_of(caller), patch, if_match))


@router.put("/volunteers/me/slots")
async def put_own_slots(body: SlotsIn, caller: CurrentVolunteer, tx: Tx, response: Response) -> VolunteerOut:
    """改我每周的空闲时间，整周一起换掉。"""
    return _with_etag(response, await volunteers.set_own_slots(tx, volunteer_of(caller), body.slots))


@router.put("/volunteers/me/quiet")
async def put_own_quiet(body: QuietIn, caller: CurrentVolunteer, tx: Tx, response: Response) -> VolunteerOut:
    """改我的免打扰时间。这段时间里不会收到邀请，除非有人有生命危险。"""
    return _with_etag(response, await volunteers.set_own_quiet(tx, volunteer_of(caller), body))


@router.put("/volunteers/me/skills")
async def put_own_skills(body: SkillsIn, caller: CurrentVolunteer, tx: Tx, response: Response) -> VolunteerOut:
    """改我会做的事，整个换掉，可以写上证件名称和编号后几位。要证件的事，社区看过证件才会来问我。"""
    return _with_etag(response, await volunteers.set_own_skills(tx, volunteer_of(caller), body))


@router.get("/volunteers/me/service-records")
async def list_own_records(page: Paging, caller: CurrentVolunteer, tx: Tx) -> Page[ServiceRecordOut]:
    """列出我的服务时长，新的在前。"""
    return await volunteers.own_records(tx, volunteer_of(caller), page)


@router.put("/volunteers/{volunteer_id}")
async def put_volunteer(
    volunteer_id: UUID, body: VolunteerIn, worker: CurrentCoordinator, tx: Tx, keys: AppKeys, response: Response,
    if_match: IfMatch,
) -> VolunteerOut:  # fmt: skip
    """登记一位志愿者，编号由调用方生成；修改已登记的，请带上 If-Match。"""
    return _with_etag(response, await volunteers.put(tx, keys, worker, volunteer_id, body, if_match))


@router.get("/volunteers")
async def list_volunteers(
    page: Paging,
    worker: CurrentCoordinator,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
) -> Page[VolunteerOut]:
    """列出志愿者，后登记的在前。"""
    return await volunteers.listed(tx, worker, area_code, page)


@router.get("/volunteers/{volunteer_id}")
async def get_volunteer(volunteer_id: UUID, _worker: CurrentCoordinator, tx: Tx, response: Response) -> VolunteerOut:
    """看一位志愿者。"""
    return _with_etag(response, await volunteers.get(tx, volunteer_id))


@router.patch("/volunteers/{volunteer_id}")
async def patch_volunteer(
    volunteer_id: UUID, patch: VolunteerPatch, worker: CurrentCoordinator, tx: Tx, response: Response, if_match: IfMatch
) -> VolunteerOut:
    """替一位志愿者记下先歇一歇，或者重新参加，要带 If-Match。"""
    return _with_etag(response, await volunteers.edit(tx, worker, volunteer_id, patch, if_match))


@router.post("/volunteers/{volunteer_id}/skills/{skill}/check")
async def check_skill(
    volunteer_id: UUID, skill: Skill, body: SkillCheckIn, worker: CurrentCoordinator, tx: Tx, response: Response
) -> VolunteerOut:
    """记下社区看过志愿者的证件和有效期，或者收回。不留证件的照片和全号。"""
    return _with_etag(response, await volunteers.check_skill(tx, worker, volunteer_id, skill, body))


# The same for clients that have no PATCH.
router.post("/volunteers/me", name="patch_me_by_post")(patch_me)
router.post("/volunteers/{volunteer_id}", name="patch_volunteer_by_post")(patch_volunteer)


@router.post("/service-records/{record_id}/confirm")
async def confirm_record(record_id: UUID, body: ServiceConfirmIn, worker: CurrentWorker, tx: Tx) -> ServiceRecordOut:
    """记下对方怎么说：确认了才算时长，说不是这样就记为待核实。"""
    return await volunteers.confirm(tx, worker, record_id, body)
