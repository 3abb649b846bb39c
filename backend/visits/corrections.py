"""Doubts about the register: listed for whoever may correct it, and settled once."""

from uuid import UUID

from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.visits import follow_up_queries, rules
from shared.errors import Code
from shared.sync import EntityKind
from shared.visits import CorrectionOut, CorrectionSettleIn, CorrectionState


async def listed(
    tx: Transaction, reader: Caller, area: str | None, state: CorrectionState | None, page: PageParams
) -> Page[CorrectionOut]:
    """List corrections of an area, newest first, inside the caller's scope."""
    if area and not rules.may_ask_for(reader.scopes, area):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    rows = await follow_up_queries.page_of_corrections(tx.conn, tx.county, area or tx.county, state, page)
    return cut(rows, page.limit)


async def settle(tx: Transaction, worker: Caller, correction_id: UUID, body: CorrectionSettleIn) -> CorrectionOut:
    """Say what was decided; saying the same again gives the same, deciding anew is refused."""
    found = await _get(tx, correction_id)
    if not worker.may_write_in(found.area_code):
        raise Refusal(Code.area_not_allowed)
    if body.state is CorrectionState.refused and not body.reason:
        raise Refusal(Code.reason_missing, pointer="/reason")
    if (found.state, found.reason) == (body.state, body.reason):
        return found
    if not await follow_up_queries.settle_correction(
        tx.conn, tx.county, correction_id, body.state, body.reason, worker.name
    ):
        raise Refusal(Code.step_not_allowed)
    tx.changed(EntityKind.correction, correction_id, found.area_code)
    tx.audit("correction.settled", "correction", correction_id, found.area_code, to=body.state)
    return await _get(tx, correction_id)


async def _get(tx: Transaction, correction_id: UUID) -> CorrectionOut:
    found = (await follow_up_queries.corrections_by_ids(tx.conn, tx.county, [correction_id])).get(correction_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found
