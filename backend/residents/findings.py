"""Findings: what does not fit together on the register. Nothing is refused for it; a person looks and settles it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.core.words import THE_SYSTEM
from backend.grid import service as grid
from backend.residents import rules
from shared.errors import Code
from shared.residents import Sex
from shared.sealed import FINDING_WORDS, FindingKind, FindingOut, FindingState
from shared.texts import _
from shared.types import uuid7


class Claim(NamedTuple):
    """What is written about a person beside the number as it was given."""

    resident_id: UUID
    area_code: str
    number: str
    sex: Sex
    birth_date: date | None


async def compare(tx: Transaction, claims: Sequence[Claim]) -> None:
    """Store a finding for each thing that a number contradicts. One that is open already stays the only one."""
    rows = [
        (uuid7(), claim.area_code, claim.resident_id, kind.value, FINDING_WORDS[kind])
        for claim in claims
        for kind in rules.disagreements(claim.number, claim.sex, claim.birth_date)
    ]
    if rows:
        columns = [[row[at] for row in rows] for at in range(5)]
        await tx.conn.execute(_ADD, tx.county, tx.now, tx.caller.account_id, *columns)


async def number_changed(tx: Transaction, resident_id: UUID, reason: str) -> None:
    """Settle what was found about a number that is not on file any more."""
    kinds = [kind.value for kind in FindingKind]
    await tx.conn.execute(_CLOSE, tx.county, resident_id, kinds, tx.caller.account_id, tx.now, reason)


async def listed(
    tx: Transaction, reader: Caller, area: str | None, state: FindingState | None, page: PageParams
) -> Page[FindingOut]:
    """List findings of an area, newest first."""
    arguments: list[Any] = [tx.county, await grid.area_to_list(tx, reader, area), page.limit + 1]
    narrower = ""
    if page.after:
        arguments += page.after
        narrower += " AND (f.received_at, f.id) < ($4, $5)"
    if state:
        arguments.append(state)
        narrower += f" AND f.state = ${len(arguments)}"
    found = [_out(row) for row in await tx.conn.fetch(_LIST.format(narrower=narrower), *arguments)]
    return cut(found, page.limit)


async def settle(tx: Transaction, worker: Caller, finding_id: UUID, reason: str) -> FindingOut:
    """Settle a finding. The same word again from the same person is the same answer."""
    present = await _get(tx, finding_id)
    if not worker.may_write_in(present.area_code):
        raise Refusal(Code.area_not_allowed)
    if not await tx.conn.fetchval(_SETTLE, tx.county, finding_id, worker.account_id, tx.now, reason):
        raise Refusal(Code.step_not_allowed, _("这一条已经处理过了。"))
    tx.audit("finding.settled", "finding", finding_id, present.area_code, reason=reason)
    return await _get(tx, finding_id)


async def _get(tx: Transaction, finding_id: UUID) -> FindingOut:
    row = await tx.conn.fetchrow(_ONE, tx.county, finding_id)
    if row is None:
        raise Refusal(Code.not_found)
    return _out(row)


def _out(row: asyncpg.Record) -> FindingOut:
    return FindingOut.model_validate(dict(row))


_ADD = """
INSERT INTO register_finding (county_code, received_at, noted_by, rev, state, reason, id, area_code, resident_id, kind,
                              detail)
SELECT $1, $2, $3, 1, 'open', '', * FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[])
ON CONFLICT (county_code, resident_id, kind) WHERE state = 'open' DO NOTHING
"""

_CLOSE = """
UPDATE register_finding SET state = 'settled', settled_by = $4, settled_at = $5, reason = $6, rev = rev + 1
WHERE county_code = $1 AND resident_id = $2 AND kind = ANY ($3::text[]) AND state = 'open'
"""

_SETTLE = """
UPDATE register_finding SET state = 'settled', settled_by = $3, settled_at = coalesce(settled_at, $4), reason = $5,
                            rev = rev + 1
WHERE county_code = $1 AND id = $2 AND (state = 'open' OR settled_by = $3 AND reason = $5)
RETURNING true
"""

_ROWS = f"""
SELECT f.id, f.area_code, f.resident_id, r.name AS resident_name, f.kind, f.detail, f.state, f.received_at,
       coalesce(a.display_name, {THE_SYSTEM}) AS noted_by, f.settled_at, f.reason,
       CASE WHEN f.state = 'settled' THEN coalesce(b.display_name, {THE_SYSTEM}) END AS settled_by
FROM {{source}} f
JOIN LATERAL (SELECT name FROM resident WHERE county_code = f.county_code AND id = f.resident_id OFFSET 0) r ON true
LEFT JOIN account a ON a.county_code = f.county_code AND a.id = f.noted_by
LEFT JOIN account b ON b.county_code = f.county_code AND b.id = f.settled_by
"""

_ONE = _ROWS.format(source="register_finding") + "WHERE f.county_code = $1 AND f.id = $2"

_ORDER = "ORDER BY f.received_at DESC, f.id DESC"
_PAGE = (
    "(SELECT * FROM register_finding f WHERE f.county_code = $1 AND f.area_code >= $2 AND f.area_code < $2 || ':'"
    f"{{narrower}} {_ORDER} LIMIT $3)"
)
_LIST = _ROWS.format(source=_PAGE) + _ORDER
