"""What people leave behind or take with them: their requests end, or move to where they live now."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from backend.core.handover import beyond_scope
from backend.core.transaction import Transaction
from backend.requests import queries
from backend.requests.queries import Stepped
from backend.requests.service import announce
from backend.residents.events import Leaver
from backend.residents.moves import Arrival
from shared.requests import RequestState
from shared.sync import EntityKind
from shared.texts import _

_WITH_VOLUNTEER = (RequestState.taken, RequestState.serving)
MOVED = _("求助的人搬到了别处")


async def left(tx: Transaction, leavers: Sequence[Leaver]) -> None:
    """End the help that was asked for who has left, and for a household in which nobody is left."""
    leavers = [one for one in leavers if one.reason]
    if not leavers:
        return
    people, homes = [one.resident_id for one in leavers], [one.household_id for one in leavers]
    areas = sorted({one.area_code for one in leavers})
    for row in await queries.lock_open_help(tx.conn, tx.county, areas, people, homes):
        await _cancel(tx, row["id"], row["state"], leavers[0].reason)


async def _cancel(tx: Transaction, request_id: UUID, state: str, reason: str) -> None:
    # Somebody who is serving goes home first: the table of steps knows no shorter way.
    ways = (RequestState.open, RequestState.cancelled) if state == RequestState.serving else (RequestState.cancelled,)
    for to in ways:
        step = await queries.step(
            tx.conn, tx.county, request_id, by=tx.caller.account_id, at=tx.now, from_state=state, to_state=to,
            reason=reason,
        )  # fmt: skip
        assert step is not None, "the row is locked"
        tx.audit("request.moved", "request", request_id, step.area_code, to=to, reason=reason)
        await announce(tx, [step])
        state = to


async def arrived(tx: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Let open requests follow their people. Volunteers near the old door are let go, and others asked."""
    moved: list[Stepped] = []
    for one in arrivals:
        async with beyond_scope(tx, "requests.moved", "resident", one.resident_id, one.area_code):
            rows = await queries.relocate(
                tx.conn, tx.county, one.resident_id, one.from_area, one.area_code, one.household_id
            )
            for row in rows:
                if one.from_area != one.area_code:
                    tx.changed(EntityKind.request, row["id"], one.from_area, gone=True)
                moved.append(await _ask_anew(tx, row))
    await announce(tx, moved)


async def _ask_anew(tx: Transaction, row: asyncpg.Record) -> Stepped:
    if row["state"] in _WITH_VOLUNTEER:
        step = await queries.step(
            tx.conn, tx.county, row["id"], by=tx.caller.account_id, at=tx.now, from_state=row["state"],
            to_state=RequestState.open, reason=MOVED,
        )  # fmt: skip
        assert step is not None, "the row is locked"
        return step
    return Stepped(row["id"], row["area_code"], row["kind"], row["state"], row["state"], row["volunteer_id"])
