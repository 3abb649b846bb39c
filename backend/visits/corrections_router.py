"""Corrections of the register that workers brought back from doors."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from backend.auth.deps import CurrentReader, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.route import TxRoute
from backend.visits import corrections
from shared.types import AreaCode
from shared.visits import CorrectionOut, CorrectionSettleIn, CorrectionState

router = APIRouter(prefix="/api/v1/corrections", tags=["登记更正"], route_class=TxRoute)


@router.get("")
async def list_corrections(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
    state: Annotated[CorrectionState | None, Query(description="只看这个状态")] = None,
) -> Page[CorrectionOut]:
    """列出走访时发现的登记问题，后收到的在前。"""
    return await corrections.listed(tx, reader, area_code, state, page)


@router.post("/{correction_id}/settle")
async def settle_correction(
    correction_id: UUID, body: CorrectionSettleIn, worker: CurrentWorker, tx: Tx
) -> CorrectionOut:
    """办结一条登记问题：已更正，或写明理由不更正。"""
    return await corrections.settle(tx, worker, correction_id, body)
