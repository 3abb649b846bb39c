"""A line that counts: every byte between a client and a server, in a process of its own."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.sharedctypes import Synchronized


class Line:
    """`address` leads to the server; `up` and `down` say how much went through so far."""

    def __init__(self, port: int, up: "Synchronized[int]", down: "Synchronized[int]") -> None:
        self.address, self._up, self._down = f"http://127.0.0.1:{port}", up, down

    def counts(self) -> tuple[int, int]:
        return self._up.value, self._down.value


@contextmanager
def counted(to_port: int) -> Iterator[Line]:
    # Not forked: the bench has threads and a database's connections by then.
    spawning = multiprocessing.get_context("spawn")
    port, up, down = spawning.Value("i"), spawning.Value("q"), spawning.Value("q")
    ready = spawning.Event()
    process = spawning.Process(target=_run, args=(to_port, port, up, down, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(30):
            raise TimeoutError("the counting line did not start")
        yield Line(port.value, up, down)
    finally:
        process.terminate()
        process.join()


def _run(to_port: int, port: "Synchronized[int]", up: "Synchronized[int]", down: "Synchronized[int]", ready) -> None:
    import uvloop

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", to_port)
        await asyncio.gather(_forward(reader, back, up), _forward(there, writer, down))

    async def serve() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port.value = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        uvloop.run(serve())


async def _forward(source: asyncio.StreamReader, sink: asyncio.StreamWriter, counter: "Synchronized[int]") -> None:
    with suppress(OSError):
        while piece := await source.read(1 << 16):
            counter.value += len(piece)
            sink.write(piece)
            await sink.drain()
    with suppress(OSError):
        sink.close()
