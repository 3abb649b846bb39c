"""A transaction in progress: its connection, its caller, its moment, and what it owes at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from backend.core import feed, owed
from backend.core.scope import Caller
from shared.sync import EntityKind, Outcome
from shared.types import uuid7


@dataclass(frozen=True, slots=True)
class Settled:
    """An operation that has been decided, to be remembered in the ledger."""

    op_id: UUID
    kind: str
    entity_id: UUID
    outcome: Outcome
    content_hmac: bytes
    code: str | None = None
    rev: int | None = None
    device_id: UUID | None = None
    device_seq: int | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """Which fields of an entity a change touched."""

    entity_id: UUID
    rev: int
    area_code: str
    fields: list[str]
    op_id: UUID | None = None
    device_id: UUID | None = None
    device_seq: int | None = None


class Origin(NamedTuple):
    """The operation of a phone that is being done: edits remember it."""

    op_id: UUID
    device_id: UUID
    device_seq: int


class Transaction:
    """What rooms get to work with. Writes to the feed, ledger, edits and audit trail are collected and written last."""

    def __init__(self, connection: Any, caller: Caller, now: datetime, request_id: str = "", attempt: int = 1) -> None:
        self.conn: asyncpg.Connection = connection
        self.caller = caller
        self.now = now
        self.request_id = request_id
        self.attempt = attempt
        self.origin: Origin | None = None
        self.beyond_scope = False
        """Whether anything was done beyond the scope, so that what is owed reaches there too."""
        self.transferring = False
        """Whether that is going on now."""
        self.notices: set[str] = set()
        self._changes: dict[tuple[str, EntityKind, UUID, str], bool] = {}
        self._audits: list[dict[str, Any]] = []
        self._settled: list[Settled] = []
        self._edits: list[Edited] = []

    @property
    def county(self) -> str:
        return self.caller.county_code

    def changed(self, kind: EntityKind, entity_id: UUID, area_code: str, *, gone: bool = False) -> None:
        """Tell phones and partners of this area that a row is new, changed, or has left it."""
        self._changes[feed.stream_of(area_code), kind, entity_id, area_code] = gone

    def changed_for_volunteer(
        self, kind: EntityKind, entity_id: UUID, volunteer_id: UUID, *, gone: bool = False
    ) -> None:
        """Tell a volunteer's own phone."""
        self._changes[feed.volunteer_stream(volunteer_id), kind, entity_id, self.county] = gone

    def audit(self, action: str, kind: str, entity_id: UUID, area_code: str, **detail: Any) -> None:
        """Note who did what to which row. Never pass values that are sealed."""
        self._audits.append(
            {"id": uuid7(), "area_code": area_code, "action": action, "kind": kind, "entity_id": entity_id,
             "detail": detail}
        )  # fmt: skip

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo one operation of many when it fails, in the database and in what is owed."""
        kept = dict(self._changes), len(self._audits), len(self._settled), len(self._edits)
        scope = self.beyond_scope, self.transferring
        await self.conn.execute("SAVEPOINT one")
        try:
            yield
        except BaseException:
            await self.conn.execute("ROLLBACK TO SAVEPOINT one")
            self._changes, audits, settled, edits = kept
            self.beyond_scope, self.transferring = scope
            del self._audits[audits:], self._settled[settled:], self._edits[edits:]
            raise
        await self.conn.execute("RELEASE SAVEPOINT one")

    def notify(self, channel: str) -> None:
        """Tell every process at commit, and this one before the reply leaves, that something kept in memory is old."""
        self.notices.add(channel)

    def settled(self, operation: Settled) -> None:
        self._settled.append(operation)

    def edited(self, edit: Edited) -> None:
        self._edits.append(replace(edit, **self.origin._asdict()) if self.origin else edit)

    async def flush(self) -> None:
        """Write what is owed, feed heads last."""
        if self.beyond_scope:
            await self.conn.execute("SET LOCAL ROLE gridhood_transfer")
        if self._edits:
            await self.conn.executemany(_EDIT, [self._edit_row(edit) for edit in self._edits])
        for channel in sorted(self.notices):
            await self.conn.execute(f"NOTIFY {channel}")
        if self._settled or self._audits or self._changes:
            await owed.write(
                self.conn, self.county, self.now, self._changes, account=self.caller.account_id,
                request_id=self.request_id, settled=self._settled, audits=self._audits,
            )  # fmt: skip

    def _edit_row(self, edit: Edited) -> tuple[Any, ...]:
        return (
            self.county, edit.entity_id, edit.rev, edit.area_code, edit.fields, edit.op_id, edit.device_id,
            edit.device_seq, self.caller.account_id, self.now,
        )  # fmt: skip


_EDIT = """
INSERT INTO edit (county_code, entity_id, rev, area_code, fields, op_id, device_id, device_seq, account_id, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
