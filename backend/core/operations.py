"""Exactly once: the ledger that answers a repeat with the first answer and tells it from a reuse."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg
from pydantic import BaseModel

from backend.core.errors import Refusal
from backend.core.transaction import Settled, Transaction
from shared.errors import Code
from shared.sync import Outcome


@dataclass(frozen=True, slots=True)
class Remembered:
    """An operation as the ledger remembers it."""

    entity_id: UUID
    outcome: Outcome
    code: str | None
    rev: int | None
    content_hmac: bytes


def fingerprint(key: bytes, kind: str, entity_id: UUID, body: BaseModel) -> bytes:
    """Keyed hash of what was asked. Keyed, because bodies hold values from small spaces such as phone numbers.

    Of the checked body and not of the bytes sent: the same time in another zone is the same content.
    """
    return hmac.digest(key, f"{kind}|{entity_id}|{body.model_dump_json()}".encode(), "sha256")


def of_put(kind: str, entity_id: UUID) -> UUID:
    """Operation id of a PUT that creates: the entity's own id says which one it is."""
    return uuid5(NAMESPACE_URL, f"urn:gridhood:put:{kind}:{entity_id}")


def of_key(account_id: UUID, path: str, key: str) -> UUID:
    """Operation id of a POST with an Idempotency-Key, which belongs to its account and address."""
    return uuid5(NAMESPACE_URL, f"urn:gridhood:key:{account_id}:{path}:{key}")


async def remembered(tx: Transaction, op_ids: Sequence[UUID]) -> dict[UUID, Remembered]:
    """Look operations up in the ledger."""
    rows = await tx.conn.fetch(f"{_LOOK_UP} AND id = ANY($2::uuid[])", tx.county, list(op_ids))
    return {row["id"]: _remembered(row) for row in rows}


async def remembered_entities(tx: Transaction, entity_ids: Sequence[UUID]) -> dict[UUID, Remembered]:
    """Look up what the caller made these entities by, whichever way it was sent."""
    rows = await tx.conn.fetch(
        f"{_LOOK_UP} AND entity_id = ANY($2::uuid[]) AND outcome = 'applied'", tx.county, list(entity_ids)
    )
    return {row["entity_id"]: _remembered(row) for row in rows}


async def remembered_either(
    tx: Transaction, op_ids: Sequence[UUID], entity_ids: Sequence[UUID]
) -> tuple[dict[UUID, Remembered], dict[UUID, Remembered]]:
    """Look operations up by their own ids, and others by what they made, at once."""
    rows = await tx.conn.fetch(
        f"{_LOOK_UP} AND id = ANY($2::uuid[]) UNION {_LOOK_UP} AND entity_id = ANY($3::uuid[]) AND outcome = 'applied'",
        tx.county, list(op_ids), list(entity_ids),
    )  # fmt: skip
    wanted = set(entity_ids)
    by_entity = {row["entity_id"]: _remembered(row) for row in rows if row["outcome"] == Outcome.applied}
    return {row["id"]: _remembered(row) for row in rows}, {i: one for i, one in by_entity.items() if i in wanted}


def _remembered(row: asyncpg.Record) -> Remembered:
    return Remembered(row["entity_id"], Outcome(row["outcome"]), row["code"], row["rev"], row["content_hmac"])


_LOOK_UP = "SELECT id, entity_id, outcome, code, rev, content_hmac FROM operation WHERE county_code = $1"


async def repeated(tx: Transaction, op_id: UUID, content_hmac: bytes, otherwise: Code) -> Remembered | None:
    """Return what an equal request came to before; the same id with other content is refused."""
    known = (await remembered(tx, [op_id])).get(op_id)
    if known and not hmac.compare_digest(known.content_hmac, content_hmac):
        raise Refusal(otherwise)
    return known


def applied(op_id: UUID, kind: str, entity_id: UUID, content_hmac: bytes, rev: int | None = None) -> Settled:
    """An operation that has just been done."""
    return Settled(op_id, kind, entity_id, Outcome.applied, content_hmac, rev=rev)
