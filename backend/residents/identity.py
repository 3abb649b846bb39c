"""Identity numbers: sealed when they come in, shown and changed only for a reason, and every look is written down."""

from dataclasses import astuple, dataclass
from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

import asyncpg

from backend.core import preconditions, sealing
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, encode_cursor
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.residents import findings, merging, queries, rules
from shared.errors import Code
from shared.identifiers import birth_in, full_id_number
from shared.residents import IdCheckOut, IdLook, IdLookOut, IdPutIn, IdRevealOut, Sex
from shared.sync import EntityKind

SHOWN_FOR = timedelta(minutes=15)
_COLUMN = "id_number"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An identity number as it is stored, or its absence."""

    data_key: bytes | None = None
    number: bytes | None = None
    index: bytes | None = None


def seal(keys: Keys, county: str, resident_id: UUID, number: str | None) -> Sealed:
    """Seal a number under a new key of its owner's. A number that its last character contradicts is refused, one of
    fifteen digits stored with eighteen."""
    if number is None:
        return Sealed()
    number = _checked(number)
    data_key = sealing.new_data_key(keys, resident_id)
    return Sealed(
        data_key,
        sealing.seal(keys, data_key, resident_id, _COLUMN, number),
        sealing.blind_index(keys, county, number),
    )


def _checked(number: str) -> str:
    full = full_id_number(number)
    if full is None:
        raise Refusal(Code.id_checksum, pointer="/id_number")
    return full


def index_of(keys: Keys, county: str, number: str) -> bytes:
    """Return the blind index that finds a number without opening any."""
    return sealing.blind_index(keys, county, _checked(number))


async def put(
    tx: Transaction, keys: Keys, worker: Caller, resident_id: UUID, body: IdPutIn, if_match: frozenset[str] | None
) -> None:
    """Put a number on file, or in the place of a wrong one, on the revision that the caller names."""
    number = _checked(body.id_number)
    row = await _in_reach(tx, worker, resident_id)
    preconditions.require(if_match, row["rev"])
    index = sealing.blind_index(keys, tx.county, number)
    if row["id_index"] is not None and compare_digest(row["id_index"], index):
        # Nothing changes, and the caller learns that it is the number: a look like any other.
        _note(tx, IdLook.checked, resident_id, row["area_code"], matches=True)
        return
    data_key = row["data_key"] or sealing.new_data_key(keys, resident_id)
    sealed = Sealed(data_key, sealing.seal(keys, data_key, resident_id, _COLUMN, number), index)
    await _store(tx, resident_id, row, sealed, "corrected" if row["id_index"] else "added", body.reason)
    claim = findings.Claim(resident_id, row["area_code"], body.id_number, Sex(row["sex"]), row["birth_date"])
    await findings.compare(tx, [claim])


async def remove(
    tx: Transaction, worker: Caller, resident_id: UUID, reason: str, if_match: frozenset[str] | None
) -> None:
    """Take a wrong number off file, on the revision that the caller names."""
    row = await _on_file(tx, worker, resident_id)
    preconditions.require(if_match, row["rev"])
    await _store(tx, resident_id, row, Sealed(data_key=row["data_key"]), "removed", reason)


async def _store(
    tx: Transaction, resident_id: UUID, row: asyncpg.Record, sealed: Sealed, action: str, reason: str
) -> None:
    try:
        rev = await queries.set_identity(tx.conn, tx.county, resident_id, row["rev"], astuple(sealed))
    except asyncpg.UniqueViolationError as error:
        raise Refusal(Code.id_already_registered, pointer="/id_number") from error
    if rev is None:
        raise Refusal(Code.stale)
    await findings.number_changed(tx, resident_id, reason)
    tx.edited(Edited(resident_id, rev, row["area_code"], [_COLUMN]))
    tx.changed(EntityKind.resident, resident_id, row["area_code"])
    tx.audit(f"identity.{action}", "resident", resident_id, row["area_code"], reason=reason)


async def reveal(tx: Transaction, keys: Keys, worker: Caller, resident_id: UUID, reason: str) -> IdRevealOut:
    """Open the number. The reason goes into the audit trail with the look itself."""
    row = await _on_file(tx, worker, resident_id)
    number = sealing.unseal(keys, row["data_key"], resident_id, _COLUMN, row["id_sealed"])
    _refuse_minors(tx, worker, row, number)
    _note(tx, IdLook.revealed, resident_id, row["area_code"], reason=reason)
    return IdRevealOut(id_number=number, hide_at=tx.now + SHOWN_FOR)


def _refuse_minors(tx: Transaction, worker: Caller, row: asyncpg.Record, number: str) -> None:
    """Only who coordinates opens a minor's number. The number itself says the age where the register does not."""
    today = county_day(tx.now)
    young = rules.is_minor(row["birth_date"], today) or rules.is_minor(birth_in(number), today)
    if young and not rules.coordinates(worker.grants, row["area_code"]):
        raise Refusal(Code.minor_protected)


async def check(tx: Transaction, keys: Keys, worker: Caller, resident_id: UUID, number: str) -> IdCheckOut:
    """Compare a number read from a card with the one on file, without opening that one."""
    given = sealing.blind_index(keys, tx.county, _checked(number))
    row = await _on_file(tx, worker, resident_id)
    matches = compare_digest(row["id_index"], given)
    _note(tx, IdLook.checked, resident_id, row["area_code"], matches=matches)
    return IdCheckOut(matches=matches)


async def looks(tx: Transaction, resident_id: UUID, page: PageParams) -> Page[IdLookOut]:
    """List who looked, at rows that were merged into this one too, newest first."""
    if await queries.identity(tx.conn, tx.county, resident_id) is None:
        raise Refusal(Code.not_found)
    found = await queries.looks(tx.conn, tx.county, await merging.rows_of(tx.conn, tx.county, resident_id), page)
    items = found[: page.limit]
    more = encode_cursor(items[-1].at, items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=more)


async def _in_reach(tx: Transaction, worker: Caller, resident_id: UUID) -> asyncpg.Record:
    row = await queries.identity(tx.conn, tx.county, resident_id)
    if row is None:
        raise Refusal(Code.not_found)
    if not worker.may_write_in(row["area_code"]):
        raise Refusal(Code.area_not_allowed)
    return row


async def _on_file(tx: Transaction, worker: Caller, resident_id: UUID) -> asyncpg.Record:
    row = await _in_reach(tx, worker, resident_id)
    if row["id_sealed"] is None:
        raise Refusal(Code.no_id_on_file)
    return row


def _note(tx: Transaction, look: IdLook, resident_id: UUID, area: str, **detail: str | bool) -> None:
    tx.audit(f"identity.{look}", "resident", resident_id, area, **detail)
