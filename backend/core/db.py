"""The pool and the edge of every transaction. Only this module commits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import asyncpg
from fastapi import Depends, Request

from backend.core.clock import Clock, system_clock
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from shared.errors import Code

T = TypeVar("T")

APP_ROLE = "gridhood_app"
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
ATTEMPTS = 3
RETRYABLE = (
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
)
"""A unique violation is the loser of a race for one id: its second attempt finds the winner's row and answers by it."""


class UnsafeRole(Exception):
    """The effective database role could see past row-level security; the server must not start."""


async def _no_reset(_connection: asyncpg.Connection) -> None:
    """Leave a returned connection as it is: session state is forbidden, so a reset would only cost a round trip."""


class Database:
    """A pool of connections that all act as the application role."""

    def __init__(self, pool: asyncpg.Pool, *, deadline_s: float, clock: Clock = system_clock) -> None:
        self.pool = pool
        self.deadline_s = deadline_s
        self.clock = clock
        self._heard: list[tuple[str, Callable[[], None]]] = []

    def hear(self, channel: str, heard: Callable[[], None]) -> None:
        """Call back after each commit of this process that notified the channel.

        The database's own notice reaches this process too, but maybe after the next request has.
        """
        self._heard.append((channel, heard))

    def announce(self, channels: set[str]) -> None:
        for channel, heard in self._heard:
            if channel in channels:
                heard()

    @classmethod
    async def connect(cls, url: str, *, size: int, deadline_s: float, clock: Clock = system_clock) -> "Database":
        """Open the pool and refuse a role that row-level security does not bind."""
        pool = await asyncpg.create_pool(
            url, min_size=2, max_size=size, reset=_no_reset, max_inactive_connection_lifetime=0,
            server_settings={
                "role": APP_ROLE, "timezone": "UTC", "lock_timeout": "4s", "statement_timeout": f"{deadline_s:.0f}s",
                "idle_in_transaction_session_timeout": "60s", "jit": "off",
            },
        )  # fmt: skip
        unsafe = await pool.fetchval(
            "SELECT rolsuper OR rolbypassrls OR current_user <> $1 FROM pg_roles WHERE rolname = current_user", APP_ROLE
        )
        if unsafe:
            await pool.close()
            raise UnsafeRole("The effective database role is a superuser or bypasses row-level security.")
        return cls(pool, deadline_s=deadline_s, clock=clock)

    async def close(self) -> None:
        await self.pool.close()

    async def run(self, caller: Caller, work: Callable[[Transaction], Awaitable[T]], *, snapshot: bool = False) -> T:
        """Do work in one transaction of its own; a deadlock or a lost race is tried twice more.

        A snapshot sees one moment throughout and writes nothing.
        """
        for attempt in range(1, ATTEMPTS + 1):
            unit = Unit(self, attempt=attempt)
            try:
                async with asyncio.timeout(self.deadline_s):
                    result = await work(await unit.begin(caller, snapshot=snapshot))
                    await unit.flush()
                await unit.commit()
                return result
            except RETRYABLE as error:
                await unit.rollback()
                if attempt == ATTEMPTS:
                    raise Refusal(last_word(error)) from error
            except BaseException:
                await unit.rollback()
                raise
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def bare(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection without a scope, for the tables that are read before one is known."""
        async with self.pool.acquire(timeout=self.deadline_s) as connection:
            yield connection


def last_word(error: Exception) -> Code:
    """Say why the last attempt failed: an id still taken belongs to a row that the caller cannot see."""
    return Code.id_taken if isinstance(error, asyncpg.UniqueViolationError) else Code.busy


class Unit:
    """One transaction from acquiring its connection to giving it back."""

    def __init__(self, database: Database, request_id: str = "", attempt: int = 1) -> None:
        self._database = database
        self._request_id = request_id
        self._attempt = attempt
        self._connection: asyncpg.pool.PoolConnectionProxy | None = None
        self._transaction: Transaction | None = None

    async def begin(self, caller: Caller, *, snapshot: bool = False) -> Transaction:
        """Begin at the first call; a request asking twice gets the same transaction."""
        if self._transaction is None:
            self._connection = await self._database.pool.acquire()
            await self._connection.execute((SNAPSHOT if snapshot else "BEGIN; ") + caller.scope_settings)
            self._transaction = Transaction(
                self._connection, caller, self._database.clock(), self._request_id, self._attempt
            )
        return self._transaction

    async def flush(self) -> None:
        """Write what every change owes (ledger, edits, audit, feed): last, so that feed heads are locked last."""
        if self._transaction is not None:
            await self._transaction.flush()

    async def commit(self, *, wrote: bool = True) -> None:
        """Commit, even when the caller has gone: a cancelled COMMIT would leave the outcome unknown to us as well.

        What only read has no outcome, and is spared the task that shielding takes.
        """
        if self._connection is not None:
            await (asyncio.shield(asyncio.ensure_future(self._commit())) if wrote else self._commit())

    async def _commit(self) -> None:
        await self._end("COMMIT")
        if self._transaction is not None:
            self._database.announce(self._transaction.notices)

    async def rollback(self) -> None:
        if self._connection is not None:
            await asyncio.shield(asyncio.ensure_future(self._end("ROLLBACK")))

    async def _end(self, word: str) -> None:
        connection, self._connection = self._connection, None
        assert connection is not None
        try:
            tag = await connection.execute(word)
            if word == "COMMIT" and tag != "COMMIT":
                raise Refusal(Code.busy)  # the server had aborted the transaction
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as error:
            connection.terminate()
            if word == "COMMIT":
                raise Refusal(Code.outcome_unknown) from error
        except BaseException:
            connection.terminate()
            raise
        finally:
            await self._database.pool.release(connection)


async def begin(request: Request, caller: Caller) -> Transaction:
    """Begin the request's transaction for its caller."""
    unit: Unit = request.state.unit
    return await unit.begin(caller)


async def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Db = Annotated[Database, Depends(database_of)]
