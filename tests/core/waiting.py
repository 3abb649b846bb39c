"""Waiting for what another connection does, by looking and not by the clock."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from backend.core.db import Database


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _attempt in range(2000):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("it never came to hold")


async def until_blocked(database: Database) -> None:
    """Wait until a connection waits for another one's lock."""

    async def blocked() -> bool:
        async with database.bare() as conn:
            counted: int = await conn.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
            )
        return counted > 0

    await until(blocked)


async def in_transaction(owner: asyncpg.Connection) -> int:
    """Return how many other connections are in a transaction. Only the owner is told; the app role reads nothing."""
    counted: int = await owner.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' AND state <> 'idle'"
    )
    return counted


async def until_at_rest(owner: asyncpg.Connection) -> None:
    """Wait until no connection is in a transaction."""

    async def at_rest() -> bool:
        return await in_transaction(owner) == 0

    await until(at_rest)
