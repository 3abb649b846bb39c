"""The county the bench runs against: filled set-based, as the database's owner."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from backend.core.db import Database
from backend.core.migrate import migrate
from backend.grid.founding import found
from shared.auth import Role
from shared.types import uuid7
from tests.bench.common import COUNTY
from tests.factories import PLOT, corner_of, plot_of

COMMUNITIES = ("610330100001", "610330100007", "610330100008", "610330100200")
CELLS = [f"{community}{cell:03}" for community in COMMUNITIES for cell in range(1, 7)]
HOUSEHOLDS = 20_000
WORKERS_EACH = 2
"""Workers of a community: two at once wait for one feed head, as colleagues do."""


@dataclass(frozen=True, slots=True)
class Home:
    """A household and where its door is."""

    id: UUID
    lon: float
    lat: float


@dataclass(slots=True)
class Worker:
    """A community worker with a phone, and what they may be asked about."""

    account_id: UUID
    device_id: UUID
    community: str
    homes: list[Home] = field(default_factory=list)
    visits: list[UUID] = field(default_factory=list)


async def fill(dsn: str, visits: int) -> list[Worker]:
    """Make the county and return its workers, colleagues apart: the first four have a community each."""
    await migrate(dsn)
    database = await Database.connect(dsn, size=2, deadline_s=60)
    await found(database, COUNTY)
    await database.close()
    workers = [Worker(uuid7(), uuid7(), community) for _ in range(WORKERS_EACH) for community in COMMUNITIES]
    conn = await asyncpg.connect(dsn)
    try:
        await _fill_places(conn)
        await _fill_workers(conn, workers)
        await _fill_visits(conn, visits, workers[0])
        for worker in workers:
            await _show(conn, worker)
    finally:
        await conn.close()
    return workers


async def _fill_places(conn: asyncpg.Connection) -> None:
    cells = [(COUNTY, uuid7(), code, orjson.dumps(plot_of(code)).decode()) for code in CELLS]
    await conn.executemany(
        "INSERT INTO cell (county_code, id, area_code, rev, received_at, name, kind)"
        " VALUES ($1, $2, $3, 1, now(), right($3, 3) || '网格', 'basic')",
        [cell[:3] for cell in cells],
    )
    await conn.executemany(
        "INSERT INTO cell_boundary (county_code, id, area_code, cell_id, geometry, area_m2, from_day, until_day)"
        " VALUES ($1, $2, $3, $2, $4::jsonb, 40000, DATE '2024-01-01', DATE '9999-12-31')",
        cells,
    )
    await conn.execute("INSERT INTO grid_version VALUES ($1, uuidv7())", COUNTY)
    corners = [corner_of(code) for code in CELLS]
    west, south = zip(*corners, strict=True)
    await conn.execute(_HOMES, COUNTY, HOUSEHOLDS, CELLS, list(west), list(south), PLOT)


async def _fill_workers(conn: asyncpg.Connection, workers: list[Worker]) -> None:
    for at, worker in enumerate(workers):
        await conn.execute(_WORKER, COUNTY, worker.account_id, f"worker{at}", f"工作人员{at}")
        await conn.execute(_GRANT, COUNTY, worker.account_id, Role.community_worker, worker.community)
        await conn.execute(_DEVICE, COUNTY, worker.device_id, worker.account_id)


async def _fill_visits(conn: asyncpg.Connection, visits: int, worker: Worker) -> None:
    async with conn.transaction():
        # The rows are right by construction; checking each foreign key would take longer than writing them.
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(_VISITS, COUNTY, visits, HOUSEHOLDS, worker.account_id, timeout=600)
        await conn.execute(_LEDGER, timeout=600)
    await conn.execute("VACUUM ANALYZE", timeout=600)
    await conn.execute("CHECKPOINT", timeout=600)


async def _show(conn: asyncpg.Connection, worker: Worker) -> None:
    """Note what a worker's phone would know by now."""
    homes = await conn.fetch(f"SELECT h.id, d.lon, d.lat {_HOMES_OF} ORDER BY h.id", worker.community)
    worker.homes = [Home(home["id"], home["lon"], home["lat"]) for home in homes]
    seen = await conn.fetch(
        "SELECT id FROM visit WHERE area_code >= $1 AND area_code < $1 || ':' ORDER BY hashtext(id::text) LIMIT 5000",
        worker.community,
    )
    worker.visits = [row["id"] for row in seen]


async def place_of_page(dsn: str, community: str, page: int, size: int) -> tuple[datetime, UUID, UUID]:
    """Return the last row before a page, which its cursor is made of, and the page's first id."""
    conn = await asyncpg.connect(dsn)
    try:
        before, first = await conn.fetch(
            "SELECT received_at, id FROM visit WHERE area_code >= $1 AND area_code < $1 || ':'"
            " ORDER BY received_at DESC, id DESC OFFSET $2 LIMIT 2",
            community, (page - 1) * size - 1,
        )  # fmt: skip
        return before["received_at"], before["id"], first["id"]
    finally:
        await conn.close()


_HOMES_OF = """
FROM household h JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
WHERE h.area_code >= $1 AND h.area_code < $1 || ':'
"""

_HOMES = """
WITH home AS (
    SELECT uuidv7() AS id, ($3::text[])[1 + i % cardinality($3)] AS area_code, i,
           ($4::float8[])[1 + i % cardinality($3)] + $6 * (0.1 + 0.8 * random()) AS lon,
           ($5::float8[])[1 + i % cardinality($3)] + $6 * (0.1 + 0.8 * random()) AS lat
    FROM generate_series(1, $2::int) AS i
), door AS (
    INSERT INTO dwelling (county_code, id, area_code, rev, received_at, compound, building, unit, room, lon, lat)
    SELECT $1, id, area_code, 1, now(), '家属院', (i / 60)::text, (i / 20 % 3 + 1)::text, (i % 20)::text, lon, lat
    FROM home
)
INSERT INTO household (county_code, id, area_code, rev, received_at, dwelling_id, head_name, size, care,
                       tries_since_seen, due_reason)
SELECT $1, id, area_code, 1, now(), id, '户主' || i, 1 + i % 5, '{}', 0, '' FROM home
"""

_WORKER = """
INSERT INTO account (county_code, id, username, display_name, active, created_at) VALUES ($1, $2, $3, $4, true, now())
"""

_GRANT = """
INSERT INTO role_grant (county_code, id, account_id, role, area_code, from_day, until_day)
VALUES ($1, uuidv7(), $2, $3, $4, DATE '2024-01-01', DATE '9999-12-31')
"""

_DEVICE = """
WITH phone AS (
    INSERT INTO device (county_code, id, name, settled_seq, registered_at) VALUES ($1, $2, '手机', 0, now())
)
INSERT INTO device_login (county_code, device_id, account_id, at) VALUES ($1, $2, $3, now())
"""

# Three years of visits in the order they were received, each to any household.
_VISITS = """
WITH home AS (
    SELECT h.id, h.area_code, d.lon, d.lat, row_number() OVER (ORDER BY h.id) - 1 AS n
    FROM household h JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
), went AS (
    SELECT i, (hashint4(i) & 2147483647) % $3::int AS n, interval '3 years' * (1 - i::float8 / ($2 + 1)) AS ago
    FROM generate_series(1, $2::int) AS i
)
INSERT INTO visit (county_code, id, area_code, happened_in, household_id, worker_id, worker_name, mode, outcome,
                   findings, note, visited_at, lon, lat, accuracy_m, distance_m, fix_area_code, evidence, received_at)
SELECT $1, uuidv7(-ago), area_code, area_code, home.id, $4, '工作人员', 'home',
       (ARRAY['seen', 'family', 'absent'])[1 + i % 3], ARRAY['fine'], '家里都好，药按时吃，炉子看过了，没有问题。',
       now() - ago, lon, lat, 12, 3, area_code, 'at_door', now() - ago + interval '1 minute'
FROM went JOIN home USING (n) ORDER BY i
"""

# What a county keeps of them: without statistics of a ledger, the planner would have every push read all of it.
_LEDGER = """
INSERT INTO operation (county_code, id, account_id, kind, entity_id, outcome, content_hmac, received_at)
SELECT county_code, uuidv7(received_at - now()), worker_id, 'visit.record', id, 'applied', sha256(id::text::bytea),
       received_at
FROM visit WHERE received_at > now() - interval '400 days' ORDER BY received_at
"""
