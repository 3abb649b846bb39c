"""Accounts with their grants, kept in memory and dropped the moment they change anywhere.

A scope must bite at the next request after it was changed, and a look-up a request would cost a round trip: so every
change of an account notifies, and while the listening connection is down nothing is remembered.
"""

import asyncio
import hashlib
from datetime import date
from uuid import UUID

import asyncpg
import structlog

from backend.auth import queries
from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.scope import Caller
from shared.auth import Role

log = structlog.get_logger()

CHANNEL = "gridhood_accounts"


class Directory:
    """Answers "who is this" for tokens and API keys."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, UUID], tuple[date, Caller | None]] = {}
        self._keys: dict[bytes, tuple[str, UUID] | None] = {}
        self._shut_out: dict[str, frozenset[UUID]] = {}
        self._generation = 0
        self._listening = False
        self._task: asyncio.Task[None] | None = None
        database.hear(CHANNEL, self._clear)

    async def start(self) -> None:
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._listen(ready))
        await asyncio.wait_for(ready.wait(), 10)

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def caller(self, county: str, account_id: UUID) -> Caller | None:
        """Return the account with today's grants; None when there is none, or it was switched off."""
        today = county_day(self._database.clock())
        known = self._known.get((county, account_id))
        if known and known[0] == today:
            return known[1]
        generation = self._generation
        found = await self._load(county, account_id, today)
        if self._listening and generation == self._generation:
            self._known[county, account_id] = today, found
        return found

    async def holder_of(self, key: str) -> Caller | None:
        """Return the partner that holds an API key."""
        digest = hash_key(key)
        if digest not in self._keys:
            generation = self._generation
            async with self._database.bare() as connection:
                row = await connection.fetchrow(
                    "SELECT county_code, account_id FROM api_key WHERE key_hash = $1 AND revoked_at IS NULL", digest
                )
            holder = (row["county_code"], row["account_id"]) if row else None
            if holder is None or not self._listening or generation != self._generation:
                return await self.caller(*holder) if holder else None
            self._keys[digest] = holder
        holder = self._keys[digest]
        return await self.caller(*holder) if holder else None

    async def is_shut_out(self, county: str, device_id: UUID) -> bool:
        """Say whether a phone was revoked."""
        known = self._shut_out.get(county)
        if known is None:
            generation = self._generation
            async with self._database.bare() as connection:
                known = await queries.revoked_devices(connection, county)
            if self._listening and generation == self._generation:
                self._shut_out[county] = known
        return device_id in known

    async def _load(self, county: str, account_id: UUID, today: date) -> Caller | None:
        async with self._database.bare() as connection:
            rows = await connection.fetch(_LOAD, county, account_id, today)
        if not rows:
            return None
        grants = tuple((Role(row["role"]), row["area_code"]) for row in rows if row["role"])
        return Caller(account_id, rows[0]["display_name"], county, grants, rows[0]["volunteer_id"])

    async def _listen(self, ready: asyncio.Event) -> None:
        while True:
            try:
                connection = await self._database.pool.acquire()
                try:
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda _connection, lost=lost: lost.set())
                    await connection.add_listener(CHANNEL, self._forget)
                    self._listening = True
                    ready.set()
                    await lost.wait()
                finally:
                    self._listening = False
                    self._clear()
                    connection.terminate()
                    await self._database.pool.release(connection)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("directory_not_listening", error=type(error).__name__)
                await asyncio.sleep(1)

    def _forget(self, *_notice: object) -> None:
        self._clear()

    def _clear(self) -> None:
        self._generation += 1
        self._known.clear()
        self._keys.clear()
        self._shut_out.clear()


def hash_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


_LOAD = """
SELECT a.display_name, a.volunteer_id, g.role, g.area_code
FROM account a
LEFT JOIN role_grant g
  ON g.county_code = a.county_code AND g.account_id = a.id AND g.from_day <= $3 AND g.until_day > $3
WHERE a.county_code = $1 AND a.id = $2 AND a.active
ORDER BY g.area_code
"""
