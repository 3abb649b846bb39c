"""Before anything is timed: all four give the same answers, and leave the same rows behind."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.auth import tokens
from tests.bench.client import Connection, Job, Void, connect
from tests.bench.common import COUNTY, KEYS
from tests.bench.county import Worker
from tests.bench.servers import Server
from tests.bench.workload import get_one, page_of, post_one, push_batch

_OWN = ("id", "entity_id", "request_id", "content_hmac", "seq", "device_seq", "at", "received_at", "visited_at")
"""Columns that differ between two writings of the same thing."""

_TABLES = {
    "visit": "household_id = ANY($1::uuid[]) AND received_at >= $2",
    "household": "id = ANY($1::uuid[])",
    "audit": "entity_kind = 'visit' AND at >= $2",
    "operation": "received_at >= $2",
    "change": "at >= $2",
}


async def check(dsn: str, servers: dict[str, Server], worker: Worker) -> None:
    """Compare every server with the project; raise Void where they differ."""
    conn = await asyncpg.connect(dsn)
    try:
        for make in (get_one, page_of):
            read = {
                name: await _read(server, make(worker, _token(worker), random.Random(1)))
                for name, server in servers.items()
            }
            _compare(read)
        for make in (post_one, push_batch):
            _compare({name: await _rows_left(conn, server, make, worker) for name, server in servers.items()})
    finally:
        await conn.close()


def _token(worker: Worker) -> str:
    return tokens.issue(KEYS.token, COUNTY, worker.account_id, datetime.now(UTC))


async def _read(server: Server, job: Job) -> Any:
    seen: list[bytes] = []
    await _ask(
        await connect(server.socket), Job(job.request, lambda answer: job.is_right(answer) and not seen.append(answer))
    )
    return _with_moments(json.loads(seen[0].partition(b"\r\n\r\n")[2]))


async def _ask(connection: Connection, job: Job) -> None:
    try:
        await connection.ask(job)
    finally:
        connection.close()


def _with_moments(value: Any) -> Any:
    """Read times, which PostgreSQL and pydantic write differently."""
    if isinstance(value, list):
        return [_with_moments(one) for one in value]
    if isinstance(value, dict):
        return {
            key: datetime.fromisoformat(one) if key.endswith("_at") else _with_moments(one)
            for key, one in value.items()
        }
    return value


async def _rows_left(conn: asyncpg.Connection, server: Server, make: Any, worker: Worker) -> dict[str, Sequence[str]]:
    """Send a write twice, the first time so that nothing is left to warm up, and return the rows of the second."""
    await _ask(await connect(server.socket), make(worker, _token(worker), random.Random(2)))
    homes = [home.id for home in worker.homes]
    await conn.execute(_AS_AT_FIRST, homes)
    await conn.execute("DELETE FROM change WHERE id = ANY($1::uuid[])", homes)
    begun = await conn.fetchval("SELECT clock_timestamp()")
    await _ask(await connect(server.socket), make(worker, _token(worker), random.Random(3)))
    kept = ["visit", "household"] if server.name == "bare" else list(_TABLES)
    left = {table: await _rows(conn, table, homes, begun) for table in kept}
    return left if server.name != "bare" else {"visit": left["visit"]}


async def _rows(conn: asyncpg.Connection, table: str, homes: list[UUID], begun: datetime) -> list[str]:
    where = _TABLES[table]
    rows = await conn.fetch(
        f"SELECT (to_jsonb(t) - $3::text[])::text AS row FROM {table} AS t"
        f" WHERE {where} AND ($1::uuid[] IS NOT NULL AND $2::timestamptz IS NOT NULL) ORDER BY 1",
        homes, begun, list(_OWN),
    )  # fmt: skip
    return [row["row"] for row in rows]


def _compare(found: dict[str, Any]) -> None:
    for name, one in found.items():
        wanted = {"visit": found["project"]["visit"]} if name == "bare" and "visit" in one else found["project"]
        if one != wanted:
            raise Void(f"{name} differs from the project:\n{_difference(one, wanted)}")


def _difference(one: Any, wanted: Any) -> str:
    for key in wanted:
        if one.get(key) != wanted[key]:
            return f"{key}: {str(one.get(key))[:1500]}\ninstead of {str(wanted[key])[:1500]}"
    return "it has more"


_AS_AT_FIRST = """
UPDATE household SET last_visited_on = NULL, last_seen_on = NULL, tries_since_seen = 0, due_on = NULL, due_reason = '',
                     rev = 1
WHERE id = ANY($1::uuid[])
"""
