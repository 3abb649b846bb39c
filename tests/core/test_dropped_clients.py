"""Phones lose their network in the middle of a request: over real sockets, nothing may be left behind."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from backend.core import errors
from backend.core.db import Database, begin
from backend.core.http import Gate
from backend.core.route import TxRoute
from backend.core.scope import system_caller
from backend.core.transaction import Transaction
from tests.core.waiting import in_transaction, until, until_at_rest
from tests.factories import COUNTY

BURSTS, CLIENTS, POOL = 5, 16, 4
BODY = b'{"name": "\\u9001\\u836f"}'
HEAD = (
    b"POST /promises HTTP/1.1\r\nHost: county\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n" % len(BODY)
)
CUTS = (HEAD[:40], HEAD, HEAD + BODY[:7], HEAD + BODY)
"""How far a request gets before its client is gone."""
WHOLE = 11
"""A client that sends all of it and is gone a moment later."""


class Promise(BaseModel):
    name: str


async def _tx(request: Request) -> Transaction:
    return await begin(request, system_caller(COUNTY))


async def _careless(request: Request) -> AsyncIterator[Any]:
    """Ends its transaction only for a client that is still there."""
    conn = await request.app.state.database.pool.acquire()
    await conn.execute("BEGIN")
    yield Transaction(conn, system_caller(COUNTY), request.app.state.database.clock())
    if not await request.is_disconnected():
        await conn.execute("COMMIT")
        await request.app.state.database.pool.release(conn)


def app_of(url: str, route_class: type[APIRoute], tx: Any) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = await Database.connect(url, size=POOL, deadline_s=5)
        yield
        app.state.database.pool.terminate()

    app = FastAPI(lifespan=lifespan)
    app.router.route_class = route_class
    app.add_middleware(Gate)
    errors.install(app)

    @app.post("/promises")
    async def promise(body: Promise, tx: Annotated[Any, Depends(tx)]) -> Promise:
        await tx.conn.execute("INSERT INTO promise SELECT $1 FROM pg_sleep(0.05)", body.name)
        return body

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    """Serve over real sockets from a thread with a loop of its own; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http="httptools", log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


async def drop(port: int, number: int) -> None:
    """Send part of a request and reset the connection, some at once and some a moment later."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(CUTS[number % len(CUTS)])
    await writer.drain()
    await asyncio.sleep((number % 5) * 0.01)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.fixture
def database_url(shared_url: str) -> str:
    return shared_url


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database_url)
    await conn.execute("CREATE TABLE promise (name text); GRANT ALL ON promise TO gridhood_app")
    yield conn
    await conn.execute("DROP TABLE promise")
    await conn.close()


async def test_clients_that_drop_leave_no_transaction_and_no_later_request_unanswered(owner, database_url):
    with serving(app_of(database_url, TxRoute, _tx)) as port:
        for _ in range(BURSTS):
            await asyncio.gather(*(drop(port, number) for number in range(CLIENTS)))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            later = await asyncio.gather(*(client.post("/promises", json={"name": "陪诊"}) for _ in range(CLIENTS)))
        await until_at_rest(owner)

    assert [answer.status_code for answer in later] == [200] * CLIENTS
    assert await owner.fetchval("SELECT count(*) FROM promise WHERE name = '陪诊'") == CLIENTS


async def test_transactions_that_are_left_open_are_seen_the_same_way(owner, database_url):
    """The control: a dependency that forgets its connection when the client has gone."""

    async def all_taken() -> bool:
        await drop(port, WHOLE)
        return await in_transaction(owner) == POOL

    with serving(app_of(database_url, APIRoute, _careless)) as port:
        await until(all_taken)
