"""The county that the phones belong to: founded with workers for ten cells, and counted at the end."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from backend.auth import queries, tokens
from backend.auth.directory import hash_key
from backend.core.db import Database
from backend.core.migrate import migrate
from backend.core.settings import Keys, Settings
from backend.grid.founding import found
from backend.main import build
from shared.auth import TokenOut
from shared.types import uuid7
from tests.conftest import Running
from tests.end_to_end.chaos.wire import Held
from tests.factories import COMMUNITY, COUNTY, OTHER_COMMUNITY, Factory, Person

CELLS = [f"{community}{cell:03}" for cell in range(1, 6) for community in (COMMUNITY, OTHER_COMMUNITY)]
HOMES = 3


async def founded(dsn: str, keys: Keys, phones: int) -> list[Held]:
    """Make the county and give out its phones, each to a worker of its own; twenty are two to a cell."""
    await migrate(dsn)
    database = await Database.connect(dsn, size=2, deadline_s=60)
    await found(database, COUNTY)
    await database.close()
    app = build(Settings(dsn, keys, work=False))
    async with app.router.lifespan_context(app):
        server = Running(app)
        make = Factory(app, server.client)
        for cell in CELLS:
            for _ in range(HOMES):
                await make.resident(await make.household(cell))
        return [await _phone(make, number, CELLS[number % len(CELLS)]) for number in range(phones)]


async def _phone(make: Factory, number: int, cell: str) -> Held:
    worker = await make.worker(cell, name=f"网格员{number}")
    me = (await worker.client.get("/api/v1/auth/me")).json()
    await worker.client.aclose()
    return Held(number, me, (await _signed_in(make, worker)).model_dump(mode="json"))


async def _signed_in(make: Factory, worker: Person) -> TokenOut:
    """Tokens as after a sign-in, without the second that checking a password takes on purpose."""
    now, secret = datetime.now(UTC), secrets.token_urlsafe(32)
    async with make.database.bare() as conn:
        await queries.add_refresh(
            conn, COUNTY, uuid7(), worker.account_id, uuid7(), hash_key(secret), now, now + timedelta(days=1), None
        )
    access = tokens.issue(make.app.state.keys.token, COUNTY, worker.account_id, now)
    return TokenOut(access_token=access, expires_in=900, refresh_token=secret)


class Truth:
    """What the county's tables say when everything is over."""

    def __init__(self, visits: list[asyncpg.Record], edits: list[asyncpg.Record], people: list[asyncpg.Record]) -> None:
        self._visits, self._people = visits, people
        self.done: dict[str, int] = {}
        for word in [row["note"] for row in visits] + [str(row["op_id"]) for row in edits]:
            self.done[word] = self.done.get(word, 0) + 1

    @classmethod
    async def read(cls, dsn: str) -> "Truth":
        conn = await asyncpg.connect(dsn)
        try:
            return cls(
                await conn.fetch("SELECT id, area_code, note FROM visit"),
                await conn.fetch("SELECT op_id FROM edit WHERE op_id IS NOT NULL"),
                await conn.fetch("SELECT id, area_code, note, rev FROM resident"),
            )
        finally:
            await conn.close()

    @property
    def visits(self) -> set[Any]:
        return {row["id"] for row in self._visits}

    def shown_in(self, cell: str) -> dict[str, Any]:
        """What a phone of this cell must show."""
        return {
            "visits": {str(row["id"]): row["note"] for row in self._visits if row["area_code"] == cell},
            "people": {str(row["id"]): [row["note"], row["rev"]] for row in self._people if row["area_code"] == cell},
        }


class NaiveReader:
    """The control: another system that reads what is newer than the newest it has seen, whenever there is news."""

    def __init__(self, dsn: str) -> None:
        self._dsn, self._since = dsn, datetime(2020, 1, 1, tzinfo=UTC)
        self._conn: asyncpg.Connection | None = None
        self._news = asyncio.Event()
        self.seen: set[Any] = set()

    def tell(self) -> None:
        self._news.set()

    async def follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.read()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                self.close()  # the database has been killed: there will be other news

    async def read(self) -> None:
        if self._conn is None or self._conn.is_closed():
            self._conn = await asyncpg.connect(self._dsn)
        rows = await self._conn.fetch("SELECT id, received_at FROM visit WHERE received_at > $1", self._since)
        self.seen.update(row["id"] for row in rows)
        self._since = max([self._since, *(row["received_at"] for row in rows)])

    def close(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
