"""The floor: the same answers and rows by Starlette and asyncpg alone, written by hand for what the bench sends.

`floor` checks the same token and sets the same scope as the project; `bare` does neither and stores the visit only.
"""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.auth import tokens
from backend.core import operations
from backend.core.paging import encode_cursor
from backend.core.scope import Caller
from backend.grid.locate import CountyGrid
from shared.auth import Role
from shared.types import uuid7
from tests.bench import floor_sql
from tests.bench.common import COUNTY, KEYS

_CALLERS = """
SELECT a.id, a.display_name, g.area_code
FROM account a JOIN role_grant g ON g.county_code = a.county_code AND g.account_id = a.id
"""


class Floor:
    """Everything kept in memory that the project keeps in memory too: who calls, the cells, the epoch."""

    def __init__(self, dsn: str, *, bare: bool) -> None:
        self._dsn = dsn
        self._bare = bare
        self._callers: dict[UUID, Caller] = {}

    @asynccontextmanager
    async def running(self, _app: Starlette) -> AsyncIterator[None]:
        settings = {} if self._bare else {"role": "gridhood_app"}
        self._pool = await asyncpg.create_pool(
            self._dsn, min_size=2, max_size=10, reset=_no_reset, server_settings={"jit": "off", **settings}
        )
        conn = await asyncpg.connect(self._dsn)
        cells = await conn.fetch("SELECT area_code, area_code, geometry::text FROM cell_boundary")
        self._grid = CountyGrid(None, [tuple(cell) for cell in cells])
        for account_id, name, area in await conn.fetch(_CALLERS):
            self._callers[account_id] = Caller(account_id, name, COUNTY, ((Role.community_worker, area),))
        self._epoch = await conn.fetchval("SELECT epoch FROM county")
        await conn.close()
        yield
        await self._pool.close()

    @asynccontextmanager
    async def _begun(self, caller: Caller) -> AsyncIterator[Any]:
        async with self._pool.acquire() as conn:
            if self._bare:
                yield conn
                return
            await conn.execute("BEGIN; " + caller.scope_settings)
            try:
                yield conn
            except BaseException:
                await conn.execute("ROLLBACK")
                raise
            await conn.execute("COMMIT")

    def _caller(self, request: Request) -> Caller:
        if self._bare:
            return next(iter(self._callers.values()))
        signed = tokens.read(KEYS.token, request.headers["authorization"].removeprefix("Bearer "))
        return self._callers[signed.account_id]

    async def get(self, request: Request) -> Response:
        visit_id = UUID(request.path_params["visit_id"])
        async with self._begun(self._caller(request)) as conn:
            found = await conn.fetchval(floor_sql.GET, COUNTY, visit_id)
        return _json(found) if found else Response(status_code=404)

    async def page(self, request: Request) -> Response:
        limit = int(request.query_params.get("limit", 50))
        async with self._begun(self._caller(request)) as conn:
            rows = await conn.fetch(floor_sql.PAGE, COUNTY, request.query_params["area_code"], limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        cursor = f'"{encode_cursor(last[0], last[1])}"' if last else "null"
        return _json(f'{{"items":[{",".join([row[2] for row in rows[:limit]])}],"next_cursor":{cursor}}}')

    async def put(self, request: Request) -> Response:
        caller, visit_id = self._caller(request), UUID(request.path_params["visit_id"])
        sent = await request.body()
        op_id = operations.of_put("visit.record", visit_id)
        values = self._values(op_id, visit_id, None, orjson.loads(sent), sent)
        statement = floor_sql.BARE_POST if self._bare else floor_sql.POST
        async with self._begun(caller) as conn:
            stored = await conn.fetchval(statement, COUNTY, caller.account_id, caller.name, uuid4().hex, *values)
        return _json(stored) if stored else Response(status_code=409)

    async def push(self, request: Request) -> Response:
        caller, sent = self._caller(request), orjson.loads(await request.body())
        values = [self._operation(one) for one in sent["operations"]]
        fixed = (
            COUNTY,
            caller.account_id,
            caller.name,
            uuid4().hex,
            *(list(column) for column in zip(*values, strict=True)),
        )
        async with self._begun(caller) as conn:
            if self._bare:
                settled = await conn.fetchval(floor_sql.BARE_PUSH, *fixed)
            else:
                settled = await conn.fetchval(floor_sql.PUSH, *fixed, UUID(sent["device_id"]))
        return self._receipt(sent["operations"], settled) if settled else Response(status_code=409)

    def _operation(self, one: dict[str, Any]) -> tuple[Any, ...]:
        content = orjson.dumps(one["fields"])
        return self._values(UUID(one["op_id"]), UUID(one["entity_id"]), one["device_seq"], one["fields"], content)

    def _values(
        self, op_id: UUID, visit_id: UUID, device_seq: int | None, body: dict[str, Any], content: bytes
    ) -> tuple[Any, ...]:
        fix = body["fix"]
        cell = self._grid.find(fix["lon"], fix["lat"])
        return (
            op_id, visit_id, UUID(body["household_id"]), device_seq, hmac.digest(KEYS.ledger, content, "sha256"),
            datetime.fromisoformat(body["visited_at"]), body["note"], fix["lon"], fix["lat"], fix["accuracy_m"],
            cell.code if cell else None, uuid7(),
        )  # fmt: skip

    def _receipt(self, asked: list[dict[str, Any]], settled: int) -> Response:
        answers = [
            {"op_id": one["op_id"], "index": index, "outcome": "applied", "code": None, "sentence": None, "rev": None}
            for index, one in enumerate(asked)
        ]
        return _json(orjson.dumps({"epoch": self._epoch, "settled_seq": settled, "answers": answers}))


def _json(body: str | bytes) -> Response:
    return Response(body, media_type="application/json")


async def _no_reset(_connection: asyncpg.Connection) -> None:
    """As the project's pool: a reset would only cost a round trip."""


def build(dsn: str, *, bare: bool) -> Starlette:
    floor = Floor(dsn, bare=bare)
    routes = [
        Route("/api/v1/visits/{visit_id}", floor.get, methods=["GET"]),
        Route("/api/v1/visits/{visit_id}", floor.put, methods=["PUT"]),
        Route("/api/v1/visits", floor.page, methods=["GET"]),
        Route("/api/v1/sync/push", floor.push, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=floor.running)
