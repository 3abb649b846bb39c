"""Leaving a post: one action moves open work, ends grants and revokes phones (离岗交接)."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from backend.auth import directory
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.scope import Caller
from backend.core.transaction import Edited, Transaction
from backend.duties import leaving_queries as leaving
from backend.duties import queries, rules, service
from backend.duties.leaving_queries import Successor
from backend.duties.rules import Grants
from shared.auth import Role
from shared.duties import DUTY_WORDS, DutyRole, HandOverIn, HandOverOut, LeftOpen
from shared.errors import Code
from shared.sync import EntityKind
from shared.texts import _


async def hand_over(tx: Transaction, coordinator: Caller, account: UUID, body: HandOverIn) -> HandOverOut:
    """End a post today and give what is open to a successor, as far as their grants reach; the rest is listed.

    A phone that is revoked keeps what it has not sent: a push is answered `device_revoked`, which is no receipt.
    """
    who, grants, theirs = await _people(tx, coordinator, account, body)
    note = _("离岗交接：{leaver_name}交给{to_name}。{reason}").format(
        leaver_name=who.leaver_name, to_name=who.to_name, reason=body.reason
    )
    out = HandOverOut(requests=[], owned=[], duties=[], households=0, grants_ended=0, devices_revoked=[], still_open=[])
    why = {"to": str(who.to), "reason": body.reason, "on": str(body.on)}
    async with beyond_scope(tx, "account.handed_over", "account", account, tx.county, **why):
        await _requests(tx, who, grants, theirs, note, out)
        await _duties(tx, who, theirs, out)
        await _households(tx, who, theirs, out)
    out.grants_ended = await leaving.end_grants(tx.conn, tx.county, account, who.day)
    out.devices_revoked = await leaving.revoke_devices(tx.conn, tx.county, account, tx.now)
    await leaving.end_tokens(tx.conn, tx.county, account, tx.now)
    tx.notify(directory.CHANNEL)
    return out


async def _people(
    tx: Transaction, coordinator: Caller, account: UUID, body: HandOverIn
) -> tuple[Successor, Grants, Grants]:
    today = county_day(tx.now)
    if no := rules.refuse_leaving_day(body.on, today):
        raise Refusal(no, pointer="/on")
    grants = await _grants(tx, account, None)
    theirs = await _grants(tx, body.to_account_id, "/to_account_id")
    if account == body.to_account_id:
        raise Refusal(Code.malformed, _("不能交给自己。"), pointer="/to_account_id")
    post = [(role, area) for role, area in grants if role in rules.ENDING]
    if not rules.may_end(coordinator.grants, post):
        raise Refusal(Code.area_not_allowed, None if post else _("这个人现在没有岗位，可能已经交接过了。"))
    if Role.county_admin in {role for role, _unused in post} and not await leaving.other_admins(
        tx.conn, tx.county, account, today
    ):
        raise Refusal(Code.last_admin)
    names = [await queries.name_of(tx.conn, tx.county, one) or "" for one in (account, body.to_account_id)]
    return Successor(account, names[0], body.to_account_id, names[1], today, tx.now), post, theirs


async def _grants(tx: Transaction, account: UUID, pointer: str | None) -> Grants:
    grants = await queries.grants_on(tx.conn, tx.county, account, county_day(tx.now))
    if grants is None:
        raise Refusal(Code.not_found, _("没有这个账号。"), pointer=pointer)
    return grants


async def _requests(
    tx: Transaction, who: Successor, grants: Grants, theirs: Grants, note: str, out: HandOverOut
) -> None:
    """What is handled goes over; the first-asked too, which is fixed to the end only while its holder is there.

    An incident that was reported across the street needs no grant there: the leaver had none either.
    """
    taken = []
    for row in await leaving.open_requests(tx.conn, tx.county, who.leaver):
        if rules.covers(theirs, row["area_code"]) or not rules.covers(grants, row["area_code"]):
            taken.append(row)
        else:
            out.still_open.append(_left("request", row, _("求助或事件 {number}").format(number=row["number"])))
    out.requests = [row["id"] for row in taken if row["handles"]]
    out.owned = [row["id"] for row in taken if row["owns"]]
    ids = [row["id"] for row in taken]
    for row in await leaving.take_requests(tx.conn, tx.county, who, ids, tx.caller.account_id, note):
        tx.edited(Edited(row["id"], row["rev"], row["area_code"], ["handler", "owner"]))
        tx.changed(EntityKind.request, row["id"], row["area_code"])


async def _duties(tx: Transaction, who: Successor, theirs: Grants, out: HandOverOut) -> None:
    taken, areas = [], []
    for row in await leaving.open_duties(tx.conn, tx.county, who):
        areas.append(row["area_code"])
        words = DUTY_WORDS[DutyRole(row["role"])]
        if not row["holds"]:
            out.still_open.append(_left("duty", row, _("{words}的代班人").format(words=words)))
        elif rules.covers(theirs, row["area_code"]):
            taken.append(row["id"])
        else:
            out.still_open.append(_left("duty", row, words))
    out.duties = await leaving.take_duties(tx.conn, tx.county, who, taken)
    await leaving.end_duties(tx.conn, tx.county, who)
    await service.tell(tx, areas)


async def _households(tx: Transaction, who: Successor, theirs: Grants, out: HandOverOut) -> None:
    areas = await leaving.household_areas(tx.conn, tx.county, who)
    reached: Sequence[str] = [area for area in areas if rules.covers(theirs, area)]
    await leaving.take_households(tx.conn, tx.county, who, reached)
    await service.tell(tx, areas)
    out.households = sum(areas[area] for area in reached)
    out.still_open += [
        LeftOpen(kind="households", id=who.leaver, area_code=area, words=_("包户 {count} 户").format(count=count))
        for area, count in areas.items()
        if area not in reached
    ]


def _left(kind: str, row: asyncpg.Record, words: str) -> LeftOpen:
    return LeftOpen(kind=kind, id=row["id"], area_code=row["area_code"], words=words)
