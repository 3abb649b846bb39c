"""A bad network: a TCP proxy that cuts, delays and doubles HTTP requests by a seeded dice."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

CLOSE = b"\r\nConnection: close\r\n"
LONGEST_DELAY_S = 0.2
HEAD_LIMIT = 1 << 16


class Fate(StrEnum):
    """What becomes of a request."""

    passes = "passes"
    never_arrives = "never arrives"
    arrives_in_part = "arrives in part"
    answer_lost = "answer lost"
    answer_in_part = "answer in part"
    delayed = "delayed"
    doubled = "doubled"


FAULTS = [fate for fate in Fate if fate is not Fate.passes]


class Cut(Exception):
    """The connection ends here."""


class FaultProxy:
    """Stands before a server on a port of its own. A connection carries one request, so that each has its own fate."""

    def __init__(self, upstream_port: int, seed: int, rate: float) -> None:
        self._upstream, self._dice, self._rate = upstream_port, random.Random(seed), rate
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self.fates: Counter[Fate] = Counter()
        self.answered = 0
        """Requests whose whole answer went back: how far things have come."""
        self.when_answered: Callable[[], None] = lambda: None

    @property
    def faults(self) -> int:
        return sum(self.fates[fate] for fate in FAULTS)

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=HEAD_LIMIT)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def heal(self) -> None:
        """From now on every request passes."""
        self._rate = 0.0

    def _fate(self) -> Fate:
        fate = self._dice.choice(FAULTS) if self._dice.random() < self._rate else Fate.passes
        self.fates[fate] += 1
        return fate

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(Cut, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            request = await _request(reader)
            answer = await self._meet(self._fate(), request)
            writer.write(answer)
            await writer.drain()
            writer.close()
            self.answered += 1
            self.when_answered()
            return
        writer.transport.abort()

    async def _meet(self, fate: Fate, request: bytes) -> bytes:
        if fate is Fate.never_arrives:
            raise Cut
        if fate is Fate.arrives_in_part:
            await self._send_part(request)
            raise Cut
        if fate is Fate.delayed:
            await asyncio.sleep(self._dice.uniform(0, LONGEST_DELAY_S))
        if fate is Fate.doubled:
            first, second = await asyncio.gather(self._ask(request), self._ask(request))
            return self._dice.choice((first, second))
        answer = await self._ask(request)
        if fate is Fate.answer_lost:
            raise Cut
        return answer[: len(answer) // 2] if fate is Fate.answer_in_part else answer

    async def _ask(self, request: bytes) -> bytes:
        """Return the whole answer. None at all is a cut: the server has died over it, or is not there."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            writer.write(request)
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.close()
        if not answer:
            raise Cut
        return answer

    async def _send_part(self, request: bytes) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        writer.write(request[: self._dice.randrange(1, len(request))])
        await writer.drain()
        writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One request whole, asking the server to close after it: then its answer ends where the stream does."""
    head = await reader.readuntil(b"\r\n\r\n")
    at = head.lower().find(b"content-length:")
    body = b"" if at < 0 else await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
    first, rest = head.split(b"\r\n", 1)
    kept = b"\r\n".join(line for line in rest.split(b"\r\n") if not line.lower().startswith(b"connection:"))
    return first + CLOSE + kept + body
