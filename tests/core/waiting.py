"""Waiting for what another connection does, by looking and not by the clock."""

import asyncio
from collections.abc import Awaitable, Callable

from backend.core.db import Database

_BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
"""
_IN_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND (state LIKE 'idle in transaction%' OR state = 'active')
"""


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.01)


async def _count(database: Database, query: str) -> int:
    async with database.bare() as conn:
        counted: int = await conn.fetchval(query)
    return counted


async def until_blocked(database: Database) -> None:
    """Wait until a connection waits for another one's lock."""

    async def blocked() -> bool:
        return await _count(database, _BLOCKED) > 0

    await until(blocked)


async def in_transaction(database: Database) -> int:
    """Return how many other connections are in a transaction."""
    return await _count(database, _IN_TRANSACTION)


async def until_at_rest(database: Database) -> None:
    """Wait until no connection is in a transaction."""

    async def at_rest() -> bool:
        return await in_transaction(database) == 0

    await until(at_rest)
