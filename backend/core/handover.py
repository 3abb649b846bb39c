"""The one way beyond a caller's own area: as the transfer role, inside the county, with an audit row."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from backend.core.transaction import Transaction


@asynccontextmanager
async def beyond_scope(
    tx: Transaction, action: str, kind: str, entity_id: UUID, area_code: str, **detail: Any
) -> AsyncIterator[None]:
    """Act on rows of another area of the same county. The audit row says who did it and to what.

    An error leaves the role as it is: the transaction is lost anyway, and the next one begins as the app role. Inside
    another one it changes nothing but the audit trail: the outer one goes on beyond the scope.
    """
    tx.audit(action, kind, entity_id, area_code, **detail)
    if tx.transferring:
        yield
        return
    tx.beyond_scope = tx.transferring = True
    await tx.conn.execute("SET LOCAL ROLE gridhood_transfer")
    yield
    await tx.conn.execute("SET LOCAL ROLE gridhood_app")
    tx.transferring = False
