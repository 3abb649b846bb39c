"""The edge of every transaction: committed before the reply, tried again, ended in time, and nothing left behind."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
import structlog.testing
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel

from backend.core import db, errors
from backend.core.db import Database, UnsafeRole, begin
from backend.core.handover import beyond_scope
from backend.core.http import Gate
from backend.core.route import TxRoute
from backend.core.scope import Caller, system_caller
from backend.core.transaction import Transaction
from shared.auth import Role
from shared.types import uuid7
from tests.contract.rows import fill
from tests.core.waiting import in_transaction, until_at_rest, until_blocked
from tests.factories import CELL, COUNTY, NEIGHBOUR

COUNTY_ITSELF = system_caller(COUNTY)
PROMISES = """
CREATE TABLE promise (name text, kept int REFERENCES promise_kinds DEFERRABLE INITIALLY DEFERRED);
GRANT ALL ON promise TO gridhood_app
"""


class Promise(BaseModel):
    """A row that may point to nothing until the transaction ends."""

    name: str
    kept: int = 1


async def _tx(request: Request) -> Transaction:
    return await begin(request, COUNTY_ITSELF)


Tx = Annotated[Transaction, Depends(_tx)]
DEADLOCK, LOCK_TIMEOUT, SERIALIZATION, UNIQUE = "40P01", "55P03", "40001", "23505"
INSERT = "INSERT INTO promise VALUES ($1, $2)"


def small_app(database: Database, router: APIRouter) -> httpx.AsyncClient:
    app = FastAPI()
    app.state.database = database
    app.add_middleware(Gate)
    errors.install(app)
    app.include_router(router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test")


@pytest.fixture
def database_url(shared_url: str) -> str:
    return shared_url


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What goes wrong on purpose here need not be rendered: a traceback with its variables takes seconds."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The schema's owner, in a database that looks for deadlocks at once."""
    conn = await asyncpg.connect(database_url)
    name = await conn.fetchval("SELECT current_database()")
    await conn.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '50ms'")
    await conn.execute(
        f"CREATE TABLE promise_kinds (id int PRIMARY KEY); INSERT INTO promise_kinds VALUES (1); {PROMISES}"
    )
    yield conn
    await conn.execute("DROP TABLE promise, promise_kinds; DROP FUNCTION IF EXISTS linger")
    await conn.close()


async def promised(owner: asyncpg.Connection) -> list[str]:
    return [row["name"] for row in await owner.fetch("SELECT name FROM promise ORDER BY name")]


async def test_a_commit_that_fails_is_never_answered_with_success(owner, database):
    router = APIRouter(route_class=TxRoute)

    @router.post("/promises")
    async def promise(body: Promise, tx: Tx) -> Promise:
        await tx.conn.execute(INSERT, body.name, body.kept)
        return body

    client = small_app(database, router)
    broken = await client.post("/promises", json={"name": "送药", "kept": 404})
    kept = await client.post("/promises", json={"name": "陪诊"})

    assert broken.status_code == 500
    assert broken.json()["code"] == "server_error"
    assert kept.status_code == 200
    assert await promised(owner) == ["陪诊"]


async def test_a_dependency_that_commits_by_itself_answers_success_and_loses_the_row(owner, database):
    """The control: FastAPI's usual way, where a dependency ends after the reply has left."""

    async def usual() -> AsyncIterator[asyncpg.Connection]:
        async with database.pool.acquire() as conn, conn.transaction():
            yield conn

    router = APIRouter()

    @router.post("/promises")
    async def promise(body: Promise, conn: Annotated[Any, Depends(usual)]) -> Promise:
        await conn.execute(INSERT, body.name, body.kept)
        return body

    answer = await small_app(database, router).post("/promises", json={"name": "送药", "kept": 404})

    assert answer.status_code == 200
    assert await promised(owner) == []


async def test_the_victim_of_a_deadlock_is_tried_again_with_its_body(owner, database, database_url):
    await owner.execute("INSERT INTO promise_kinds VALUES (2)")
    await owner.execute("GRANT ALL ON promise_kinds TO gridhood_app")
    router, attempts = APIRouter(route_class=TxRoute), []
    first_held, rival_waits, rival_done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @router.post("/promises")
    async def promise(body: Promise, tx: Tx) -> Promise:
        attempts.append(body.name)
        if len(attempts) > 1:
            await rival_done.wait()  # or it takes its lock back before the rival wakes, and is the victim again
        await tx.conn.execute("UPDATE promise_kinds SET id = id WHERE id = 1")
        first_held.set()
        await rival_waits.wait()
        await tx.conn.execute("UPDATE promise_kinds SET id = id WHERE id = 2")
        await tx.conn.execute(INSERT, body.name, body.kept)
        return body

    rival = await asyncpg.connect(database_url)
    await rival.execute("SET deadlock_timeout = '1min'")  # so that the app is the one to be chosen
    await rival.execute("BEGIN; UPDATE promise_kinds SET id = id WHERE id = 2")
    asking = asyncio.create_task(small_app(database, router).post("/promises", json={"name": "送药"}))
    await first_held.wait()
    waiting = asyncio.create_task(rival.execute("UPDATE promise_kinds SET id = id WHERE id = 1"))
    await until_blocked(database)
    rival_waits.set()
    await waiting
    await rival.execute("COMMIT")
    rival_done.set()
    await rival.close()
    answer = await asking

    assert answer.status_code == 200
    assert attempts == ["送药", "送药"]
    assert await promised(owner) == ["送药"]


async def test_what_fails_three_times_is_refused_with_a_sentence(owner, database):
    router, attempts = APIRouter(route_class=TxRoute), []

    @router.get("/promises")
    async def promises(tx: Tx, sqlstate: str) -> None:
        attempts.append(sqlstate)
        await tx.conn.execute(f"DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{sqlstate}'; END $$")

    client, said = small_app(database, router), {}
    for sqlstate in (DEADLOCK, LOCK_TIMEOUT, SERIALIZATION, UNIQUE):
        answer = await client.get("/promises", params={"sqlstate": sqlstate})
        said[sqlstate] = answer.json()["code"], answer.headers.get("retry-after")

    assert Counter(attempts) == dict.fromkeys(said, 3)
    assert said == {
        DEADLOCK: ("busy", "5"), LOCK_TIMEOUT: ("busy", "5"), SERIALIZATION: ("busy", "5"), UNIQUE: ("id_taken", None)
    }  # fmt: skip


@pytest.mark.parametrize("slow", ["in the database", "in the handler", "waiting for a connection"])
async def test_past_the_deadline_the_outcome_is_unknown_and_no_transaction_is_left(owner, database_url, slow):
    database = await Database.connect(database_url, size=2, deadline_s=1)
    router = APIRouter(route_class=TxRoute)

    @router.post("/promises")
    async def promise(body: Promise, tx: Tx) -> Promise:
        await tx.conn.execute(INSERT, body.name, body.kept)
        await (tx.conn.execute("SELECT pg_sleep(30)") if slow == "in the database" else asyncio.sleep(30))
        return body

    held = [await database.pool.acquire() for _ in range(2 if slow == "waiting for a connection" else 0)]
    answer = await small_app(database, router).post("/promises", json={"name": "送药"})
    for conn in held:
        await database.pool.release(conn)
    left = await in_transaction(owner)
    await database.close()

    assert answer.status_code == 503
    assert answer.json()["code"] == "outcome_unknown"
    assert left == 0
    assert await promised(owner) == []


async def test_an_open_transaction_would_be_seen(owner, database):
    async with database.bare() as conn:
        await conn.execute("BEGIN")
        left = await in_transaction(owner)
        await conn.execute("ROLLBACK")

    assert left == 1


async def test_a_commit_goes_through_although_its_caller_has_gone(owner, database):
    await owner.execute(
        "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON promise DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION linger()"
    )
    await owner.execute("SELECT pg_advisory_lock(1)")

    async def work(tx: Transaction) -> None:
        await tx.conn.execute(INSERT, "送药", 1)
        tx.notify("promises")

    heard: list[str] = []
    database.hear("promises", lambda: heard.append("committed"))
    asking = asyncio.create_task(database.run(COUNTY_ITSELF, work))
    await until_blocked(database)  # inside COMMIT
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await owner.execute("SELECT pg_advisory_unlock(1)")
    await until_at_rest(owner)

    assert asking.cancelled()
    assert await promised(owner) == ["送药"]
    assert heard == ["committed"]
    async with asyncio.timeout(10):
        held = [await database.pool.acquire() for _ in range(8)]
    for conn in held:
        await database.pool.release(conn)


async def test_a_connection_forgets_its_scope_with_the_transaction(database):
    async def scopes(conn: Any) -> tuple[int, int]:
        return await conn.fetchval("SELECT pg_backend_pid()"), await conn.fetchval("SELECT count(*) FROM county")

    during = await database.run(COUNTY_ITSELF, lambda tx: scopes(tx.conn))
    after: dict[int, int] = {}
    while during[0] not in after:
        async with database.bare() as conn:
            pid, seen = await scopes(conn)
        after[pid] = seen

    assert during[1] == 1
    assert after[during[0]] == 0


async def test_the_server_refuses_a_role_that_sees_past_row_level_security(owner, database_url, monkeypatch):
    name = f"careless_{uuid7().hex}"
    await owner.execute(f"CREATE ROLE {name} NOLOGIN")
    try:
        for rights in ("SUPERUSER", "NOSUPERUSER BYPASSRLS"):
            await owner.execute(f"ALTER ROLE {name} {rights}")
            monkeypatch.setattr(db, "APP_ROLE", name)
            with pytest.raises(UnsafeRole):
                await Database.connect(database_url, size=2, deadline_s=5)
        await owner.execute(f"ALTER ROLE {name} NOBYPASSRLS")
        bound = await Database.connect(database_url, size=2, deadline_s=5)
        await bound.close()
    finally:
        await owner.execute(f"DROP ROLE {name}")


async def test_beyond_its_scope_a_transaction_sees_the_county_and_leaves_an_audit_row(owner, database):
    await owner.execute("SET session_replication_role = replica")
    await fill(owner, "household", [CELL, NEIGHBOUR], lay_in="'[]'")
    worker = Caller(uuid7(), "张敏", COUNTY, ((Role.grid_worker, CELL),))
    household = uuid7()

    async def work(tx: Transaction) -> list[int]:
        count = "SELECT count(*) FROM household"
        seen = [await tx.conn.fetchval(count)]
        async with beyond_scope(tx, "household.moved", "household", household, NEIGHBOUR, to=NEIGHBOUR):
            seen.append(await tx.conn.fetchval(count))
        return [*seen, await tx.conn.fetchval(count)]

    assert await database.run(worker, work) == [1, 2, 1]
    audit = await owner.fetchrow("SELECT account_id, action, entity_id, area_code FROM audit")
    assert tuple(audit) == (worker.account_id, "household.moved", household, NEIGHBOUR)


async def test_a_snapshot_sees_one_moment_throughout(owner, database):
    async def look(tx: Transaction) -> list[int]:
        before = await tx.conn.fetchval("SELECT count(*) FROM promise")
        await owner.execute(INSERT, "送药", 1)
        return [before, await tx.conn.fetchval("SELECT count(*) FROM promise")]

    of_one_moment = await database.run(COUNTY_ITSELF, look, snapshot=True)
    of_each_statement = await database.run(COUNTY_ITSELF, look)

    assert of_one_moment == [0, 0]
    assert of_each_statement == [1, 2]


async def test_a_snapshot_writes_nothing(owner, database):
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await database.run(COUNTY_ITSELF, lambda tx: tx.conn.execute(INSERT, "送药", 1), snapshot=True)
