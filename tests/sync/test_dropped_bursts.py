"""Five bursts of phones that are gone in the middle of a push or a pull, over real sockets and the whole app."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import httpx
import pytest

from backend.auth import tokens
from backend.core.settings import Settings
from backend.main import build
from tests.conftest import KEYS, Running
from tests.core.test_dropped_clients import serving
from tests.core.waiting import until_at_rest
from tests.factories import CELL, COUNTY, Factory, visit_to

BURSTS, CLIENTS, POOL = 5, 16, 4


@dataclass(frozen=True)
class Phone:
    """Makes requests as bytes, to be cut where a test likes."""

    token: str
    account_id: str
    device_id: str
    household_id: str

    def push(self) -> bytes:
        operation = {
            "op_id": str(uuid4()), "kind": "visit.record", "entity_id": str(uuid4()), "author_id": self.account_id,
            "device_id": self.device_id, "device_seq": 1, "fields": visit_to(self.household_id),
            "made_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        return self._request("push", {"device_id": self.device_id, "operations": [operation]})

    def pull(self) -> bytes:
        return self._request("pull", {"device_id": self.device_id})

    def _request(self, what: str, body: object) -> bytes:
        content = json.dumps(body).encode()
        head = f"POST /api/v1/sync/{what} HTTP/1.1\r\nHost: county\r\nAuthorization: Bearer {self.token}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


@pytest.fixture
async def phone(shared_url: str) -> AsyncIterator[Phone]:
    app = build(Settings(shared_url, KEYS, work=False))
    async with app.router.lifespan_context(app):
        server = Running(app)
        make, device_id = Factory(app, server.client), str(uuid4())
        home, worker = await make.household(CELL), await make.worker()
        await worker.client.put(f"/api/v1/devices/{device_id}", json={"name": "手机"})
        token = tokens.issue(KEYS.token, COUNTY, worker.account_id, datetime.now(UTC))
        yield Phone(token, str(worker.account_id), device_id, str(home.id))
        for client in server.clients:
            await client.aclose()


@pytest.fixture
async def owner(shared_url: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(shared_url)
    yield conn
    await conn.close()


async def drop(port: int, request: bytes, number: int) -> None:
    """Send a part of it, or all, and reset the connection: at once or while the server is at work on it."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request[: (60, len(request) // 2, len(request) - 7, len(request))[number % 4]])
    await writer.drain()
    await asyncio.sleep((number % 5) * 0.01)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def answered(port: int, request: bytes) -> int:
    """Send it whole and wait for the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    status = (await reader.readline()).split()[1]
    writer.close()
    return int(status)


async def test_phones_that_drop_leave_no_transaction_and_no_later_phone_unanswered(
    phone: Phone, owner: asyncpg.Connection, shared_url: str
) -> None:
    requests = (phone.push, phone.pull)
    with serving(build(Settings(shared_url, KEYS, pool_size=POOL, work=False))) as port:
        for _ in range(BURSTS):
            await asyncio.gather(*(drop(port, requests[n // 4 % 2](), n) for n in range(CLIENTS)))
        later = await asyncio.gather(*(answered(port, requests[n % 2]()) for n in range(CLIENTS)))
        await until_at_rest(owner)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            ready = await client.get("/readyz")

    assert later == [200] * CLIENTS
    assert ready.status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM visit") >= CLIENTS // 2


async def test_what_a_dropped_push_said_whole_is_done_or_not_at_all(
    phone: Phone, owner: asyncpg.Connection, shared_url: str
) -> None:
    """A phone that is gone cannot know: it asks again, and its visit stands once."""
    pushes = [phone.push() for _ in range(CLIENTS)]
    with serving(build(Settings(shared_url, KEYS, pool_size=POOL, work=False))) as port:
        before = await owner.fetchval("SELECT count(*) FROM visit")
        await asyncio.gather(*(drop(port, push, 4 * n + 3) for n, push in enumerate(pushes)))
        again = await asyncio.gather(*(answered(port, push) for push in pushes))

    assert again == [200] * CLIENTS
    assert await owner.fetchval("SELECT count(*) FROM visit") == before + CLIENTS
