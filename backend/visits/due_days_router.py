"""How often a county looks in on whom."""

from fastapi import APIRouter, Response

from backend.auth.deps import CurrentAdmin, CurrentReader, Tx
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.visits import due_days
from shared.visiting import DueDaysIn, DueDaysOut

router = APIRouter(prefix="/api/v1/due-days", tags=["走访安排"], route_class=TxRoute)


@router.get("")
async def get_due_days(_reader: CurrentReader, tx: Tx, reply: Response) -> DueDaysOut:
    """本县隔多少天走访一次：一般的户、各关爱标签、没见到人之后。"""
    found = await due_days.get(tx)
    reply.headers["ETag"] = etag(found.rev)
    return found


@router.put("")
async def put_due_days(body: DueDaysIn, admin: CurrentAdmin, tx: Tx, reply: Response, if_match: IfMatch) -> DueDaysOut:
    """定本县的走访间隔，1 到 366 天，要带 If-Match。从下一次走访起算，已经排定的日子不变；手机同步后一样算。"""
    found = await due_days.put(tx, admin, body, if_match)
    reply.headers["ETag"] = etag(found.rev)
    return found
