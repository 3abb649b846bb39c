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
from shared.auth import Role
from tests.conftest import KEYS
from tests.contract.rows import fill, loosen
from tests.contract.test_scope import session, staff
from tests.factories import CELL, COMMUNITY, COUNTY, Factory, Person

CELLS = [f"610330100{community:03}{cell:03}" for community in range(4, 9) for cell in range(1, 9)]
MANY: dict[str, dict[str, str]] = {
    "visit": {"happened_in": "'610330100001001'"},
    "correction": {},
    "duplicate": {"state": "'open'"},
    "dwelling": {},
    "household": {},
    "resident": {"sex": "'2'", "relation": "'10'"},
    "register_finding": {"state": "'open'"},
    "period": {
        "track": "(ARRAY['residency', 'household', 'relation', 'care:alone'])[1 + g % 4]",
        "until_day": "'infinity'",
        "value": "'living'",
    },
    "register_event": {},
    "register_event_person": {"event_id": "gen_random_uuid()"},
    "move": {"from_area_code": "'610330100' || lpad((4 + g % 5)::text, 3, '0') || '001'", "movers": "'[]'"},
    "search_key": {"key": "'zhang' || g"},
    "request": {"kind": "'help'", "category": "'errand'", "state": "'open'", "happened_in": "'610330100001001'"},
    "volunteer": {"area_code": "'610330100' || lpad((4 + g % 5)::text, 3, '0')"},
    "change": {"kind": "'visit'"},
    "offer": {"state": "CASE WHEN g % 50 = 0 THEN 'offered' ELSE 'expired' END"},
    "task_card": {
        "state": "CASE WHEN g % 50 = 0 THEN 'serving' ELSE 'finished' END",
        "checked_in_at": "timestamptz '2126-01-01'",
        "category": "'errand'",
    },
    "conflict": {"state": "'open'", "kind": "'resident.edit'", "code": "'edit_conflict'"},
}
"""Tables that grow with the county, with the values that cannot be made up."""

READ: dict[str, list[dict[str, str]]] = {
    "/api/v1/visits": [{}, {"area_code": CELL}, {"outcome": "absent", "from_day": "2026-11-01"}],
    "/api/v1/corrections": [{}, {"area_code": CELL, "state": "open"}],
    "/api/v1/conflicts": [{}, {"state": "settled"}],
    "/api/v1/dwellings": [{}, {"usage": "empty"}],
    "/api/v1/duplicates": [{}, {"state": "distinct"}],
    "/api/v1/households": [{}, {"q": "zhang12"}],
    "/api/v1/residents": [{}, {"q": "zhang12"}, {"as_at": "2026-11-01"}],
    "/api/v1/register-events": [{}, {"resident_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01"}],
    "/api/v1/register/counts": [{}, {"as_at": "2026-11-01"}],
    "/api/v1/moves": [{}, {"state": "expected"}],
    "/api/v1/findings": [{}, {"state": "open"}],
    "/api/v1/requests": [{}, {"state": "open"}, {"household_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01"}],
    "/api/v1/volunteers": [{}],
    "/api/v1/changes": [{}],
    "/api/v1/offers/calls": [{}],
    "/api/v1/tasks/forgotten": [{}],
}
SMALL = {
    "/api/v1/divisions", "/api/v1/cells", "/api/v1/volunteers/me/service-records", "/api/v1/tasks",
    "/api/v1/grid/plans", "/api/v1/imports",
}  # fmt: skip
"""Lists that a county's size does not make long, and a volunteer's own."""
SCANNED = re.compile(r"Seq Scan on (\w+)")


@pytest.fixture(scope="module")
def busy_url(shared_url: str) -> str:
    """Return a database with 10,000 rows in each table that grows."""
    asyncio.run(_settle(shared_url))
    return shared_url


async def _settle(url: str) -> None:
    owner = await asyncpg.connect(url)
    await loosen(owner)
    for table, values in MANY.items():
        await fill(owner, table, CELLS, count=250, **values)
        await owner.execute(f"ANALYZE {table}")
    await owner.execute("UPDATE feed_head SET seq = 1000000")
    await owner.close()


@dataclass
class Watched:
    """A running app whose queries are noted."""

    make: Factory
    queries: list[tuple[str, tuple[Any, ...]]]

    async def read(self, person: Person, path: str, params: dict[str, str]) -> Caller:
        self.queries.clear()
        answer = await person.client.get(path, params=params)
        assert answer.status_code == 200, (path, params, answer.text)
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


@pytest.mark.parametrize("area", [CELL, COMMUNITY, COUNTY], ids=["of a cell", "of a community", "of a county"])
async def test_a_workers_lists_are_read_by_index(watched, busy_url, area):
    worker = await watched.make.account((Role.community_worker, area))

    scanned, unread = {}, []
    for path, asked in READ.items():
        for params in asked:
            plans = await watched.plans(busy_url, await watched.read(worker, path, params))
            scanned[path, *params] = [name for plan in plans for name in SCANNED.findall(plan) if name in MANY]
            unread += [] if plans else [path]

    assert unread == []
    assert not any(scanned.values()), scanned


async def test_a_round_reads_by_index_the_households_of_its_cell_and_who_lives_there(watched, busy_url):
    worker = await watched.make.account((Role.grid_worker, CELL))

    plans = await watched.plans(busy_url, await watched.read(worker, "/api/v1/rounds/today", {}))

    [homes] = [plan for plan in plans if " on resident " in plan]
    assert re.search(r"Index Scan .*using household_(list|due)", homes), homes
    assert "using resident_household" in homes or "on resident_household" in homes, homes


LIKE_POLICY = """
DROP POLICY scope ON visit;
CREATE POLICY scope ON visit TO gridhood_app USING (area_code LIKE nullif(current_setting('app.lo', true), '') || '%')
"""
VISITS = "SELECT id FROM visit WHERE county_code = '610330'"


@pytest.mark.parametrize(("policy", "scanned"), [("", []), (LIKE_POLICY, ["visit"])], ids=["ranges", "LIKE"])
async def test_a_policy_of_ranges_uses_the_index_that_like_cannot(busy_url, policy, scanned):
    owner = await asyncpg.connect(busy_url)
    try:
        await owner.execute(f"BEGIN; {policy}; SET LOCAL ROLE gridhood_app; {staff(CELL).scope_settings}")
        plan = await explain(owner, VISITS)
    finally:
        await owner.close()

    assert SCANNED.findall(plan) == scanned


@pytest.mark.parametrize(
    ("search", "served"),
    [("key >= 'zhang12' AND key < 'zhang13'", True), ("key LIKE 'zhang12%'", False)],
    ids=["range", "LIKE"],
)
async def test_a_search_by_range_is_served_by_the_index_and_like_is_not(busy_url, search, served):
    """Under row-level security LIKE could reveal rows it is asked about, so it runs after the policy, on each row."""
    async with session(busy_url, staff(CELL).scope_settings) as conn:
        plan = await explain(conn, f"SELECT entity_id FROM search_key WHERE county_code = '610330' AND {search}")

    assert bool(re.search(r"Index Cond: .*key", plan)) == served


def test_every_list_of_a_table_that_grows_is_looked_at():
    paths = build(Settings("", KEYS)).openapi()["paths"]
    lists = {path for path, methods in paths.items() if "get" in methods and "{" not in path and _pages(methods["get"])}

    assert lists - SMALL == set(READ) - {"/api/v1/register/counts"}


def _pages(operation: dict[str, Any]) -> bool:
    return any(parameter["name"] == "cursor" for parameter in operation.get("parameters", []))
