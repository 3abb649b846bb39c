"""A line between phone and server that breaks: each connection ends after so many bytes, in the middle of anything."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.end_to_end.server import free_port


class CuttingLine:
    """Forwards to a port. Each connection has a budget of bytes upward and is reset when it is used up."""

    def __init__(self, to_port: int, seed: int = 1) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._to, self._dice = to_port, random.Random(seed)
        self.cuts = self.upward = 0
        self.whole = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["CuttingLine"]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        both = {asyncio.create_task(self._up(reader, back)), asyncio.create_task(_forward(there, writer))}
        with suppress(asyncio.CancelledError):
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        for stream in (writer, back):
            stream.transport.abort()

    async def _up(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        budget = self._dice.randrange(20_000, 400_000)
        with suppress(OSError):
            while piece := await source.read(16_384):
                if not self.whole:
                    self.upward += len(piece)
                    budget -= len(piece)
                if budget < 0:
                    self.cuts += 1
                    return
                sink.write(piece)
                await sink.drain()


async def _forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(16_384):
            sink.write(piece)
            await sink.drain()
