"""How the lists are read: as the application role, in a county with many rows, by index."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from backend.auth.directory import Directory
from backend.core.db import APP_ROLE, Database
from backend.core.scope import Caller
from backend.core.settings import Settings
from backend.main import build
from tests.conftest import KEYS
from tests.contract.rows import fill, loosen
from tests.contract.test_scope import session
from tests.factories import CELL, COMMUNITY, COUNTY, Factory, Person

MANY = (
    "visit", "household", "dwelling", "resident", "request", "change", "search_key", "volunteer", "offer", "task_card",
    "service_record",
)  # fmt: skip
CELLS = [
    f"{town:09}{community:03}{cell:03}"
    for town in (610330100, 610330101)
    for community in (1, 8)
    for cell in range(1, 11)
]
SCANNED = re.compile(r"Seq Scan on (\w+)")
HINTS: dict[str, str] = {"lon": "106.52", "lat": "33.91", "crs": "wgs84"}
TYPED = {"/api/v1/households": "zhangmin", "/api/v1/residents": "zhangmin"}


def lists() -> list[str]:
    """Return the addresses of every list of the API."""
    paths = build(Settings("", KEYS)).openapi()["paths"]
    return [path for path, methods in paths.items() if "get" in methods and "{" not in path]


@pytest.fixture(scope="module")
def busy_url(shared_url: str) -> str:
    """Return a database with 20,000 rows in each table that is listed."""
    asyncio.run(_settle(shared_url))
    return shared_url


async def _settle(url: str) -> None:
    owner = await asyncpg.connect(url)
    await loosen(owner)
    for table in MANY:
        await fill(owner, table, CELLS, count=500)
        await owner.execute(f"ANALYZE {table}")
    await owner.execute("UPDATE feed_head SET seq = 1000000")
    await owner.close()


@dataclass
class Watched:
    """A running app whose queries are noted."""

    make: Factory
    queries: list[tuple[str, tuple[Any, ...]]]

    async def read(self, person: Person, path: str) -> Caller:
        self.queries.clear()
        params = {**HINTS} if path.endswith("/locate") else {"q": TYPED[path]} if path in TYPED else {}
        answer = await person.client.get(path, params=params)
        assert answer.status_code != 422, answer.text
        caller = await self.make.app.state.directory.caller(COUNTY, person.account_id)
        assert caller is not None
        return caller

    async def plans(self, url: str, caller: Caller) -> list[str]:
        """Return how each noted query that reads many rows would be run in the caller's scope."""
        async with session(url, caller.scope_settings) as conn:
            return [await explain(conn, query, *args) for query, args in self.queries if reads_many(query)]


def reads_many(query: str) -> bool:
    words = set(re.findall(r"\w+", query))
    return query.lstrip().startswith(("SELECT", "WITH")) and not words.isdisjoint(MANY)


async def explain(conn: asyncpg.Connection, query: str, *args: Any) -> str:
    return "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {query}", *args))


@pytest.fixture
async def watched(busy_url: str) -> AsyncIterator[Watched]:
    noted: list[tuple[str, tuple[Any, ...]]] = []

    async def watch(connection: asyncpg.Connection) -> None:
        connection.add_query_logger(lambda done: noted.append((done.query, tuple(done.args or ()))))

    pool = await asyncpg.create_pool(
        busy_url, min_size=2, max_size=4, server_settings={"role": APP_ROLE}, init=watch, reset=_keep
    )
    app = build(Settings(busy_url, KEYS, work=False))
    app.state.database = Database(pool, deadline_s=10)
    app.state.directory = Directory(app.state.database)
    await app.state.directory.start()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    yield Watched(
        Factory(app, lambda **headers: httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)),
        noted,
    )
    await app.state.directory.stop()
    await pool.close()


async def _keep(_connection: asyncpg.Connection) -> None:
    """Keep the logger, which asyncpg's own reset would drop."""


@pytest.mark.parametrize("path", lists())
async def test_every_list_is_read_by_index(watched, busy_url, path):
    for area in (CELL, COMMUNITY):
        caller = await watched.read(await watched.make.worker(area), path)
        found = await watched.plans(busy_url, caller)
        print(path, len(found), [SCANNED.findall(p) for p in found])
