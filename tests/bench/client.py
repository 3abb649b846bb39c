"""A small HTTP/1.1 client on kept connections: a general one would cost more than the servers it measures."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

Check = Callable[[bytes], bool]


class Void(Exception):
    """A request was not answered as it should have been: the run says nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """A request ready to be sent, and what its answer must hold."""

    request: bytes
    is_right: Check


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Connection(asyncio.Protocol):
    """One kept connection with one request at a time in flight."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._read = bytearray()
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(Void(f"connection lost: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._wanted:
            self._wanted = _length(self._read)
        if self._wanted and len(self._read) >= self._wanted and self._answer:
            answer, self._read, self._wanted = bytes(self._read), bytearray(), 0
            self._answer.set_result(answer)

    async def ask(self, job: Job) -> None:
        """Send a request and check its whole answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(job.request)
        answer = await asyncio.wait_for(self._answer, 60)
        if not (answer.startswith(b"HTTP/1.1 200 ") and job.is_right(answer)):
            raise Void(f"{job.request[:120]!r} was answered {answer[:600].decode(errors='replace')}")

    def close(self) -> None:
        if self._transport:
            self._transport.close()


def _length(read: bytearray) -> int:
    """Return how long the whole answer is; 0 while its head is not there."""
    end = read.find(b"\r\n\r\n")
    if end < 0:
        return 0
    at = read.lower().find(b"content-length:", 0, end)
    if at < 0:
        raise Void(f"an answer without a length: {bytes(read[:300])!r}")
    return end + 4 + int(read[at + 15 : read.find(b"\r\n", at)])


async def connect(socket: str) -> Connection:
    _transport, connection = await asyncio.get_running_loop().create_unix_connection(Connection, socket)
    return connection


async def send_all(socket: str, lines: Sequence[Sequence[Job]]) -> float:
    """Send each line of jobs over a connection of its own; return the seconds from first to last."""
    connections = [await connect(socket) for _ in lines]
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        await asyncio.gather(*(_send(c, line) for c, line in zip(connections, lines, strict=True)))
        return loop.time() - started
    finally:
        for connection in connections:
            connection.close()


async def _send(connection: Connection, jobs: Sequence[Job]) -> None:
    for job in jobs:
        await connection.ask(job)
