"""The four servers, each a uvicorn process of its own on a unix socket, started the same way."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from backend.core.garbage import spare_what_stays

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    socket: str
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time of all its threads until now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pss_mb(self) -> float:
        """Memory, with what is shared counted by share."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _project(dsn: str) -> Any:
    from backend.core import logs
    from backend.core.settings import Settings
    from backend.main import build
    from tests.bench.common import KEYS

    logs.set_up()
    return build(Settings(dsn, KEYS, work=False))


def _floor(dsn: str) -> Any:
    from tests.bench.floor import build

    return build(dsn, bare=False)


def _bare(dsn: str) -> Any:
    from tests.bench.floor import build

    return build(dsn, bare=True)


def _plain(dsn: str) -> Any:
    from tests.bench.plain import build

    return build(dsn)


# Imported late: what one server does not need must not count as its memory.
APPS: dict[str, Callable[[str], Any]] = {"project": _project, "floor": _floor, "bare": _bare, "plain": _plain}


@contextmanager
def running(dsn: str, folder: Path) -> Iterator[dict[str, Server]]:
    """Have all four running meanwhile. What they log goes into the folder, as a real server's log would to a file."""
    started: dict[str, tuple[Server, subprocess.Popen[bytes]]] = {}
    try:
        for name in APPS:
            started[name] = _start(name, dsn, folder)
        yield {name: server for name, (server, _process) in started.items()}
    finally:
        for _server, process in started.values():
            process.terminate()
        for _server, process in started.values():
            process.wait(20)


def _start(name: str, dsn: str, folder: Path) -> tuple[Server, "subprocess.Popen[bytes]"]:
    socket, log = folder / f"{name}.sock", folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.servers", name, dsn, str(socket)], stdout=output, stderr=output
        )
    deadline = time.monotonic() + START_SECONDS
    while not asyncio.run(_answers(str(socket))):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"the server {name} does not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.1)
    return Server(name, str(socket), process.pid), process


async def _answers(socket: str) -> bool:
    try:
        _reader, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    writer.close()
    return True


def main(name: str, dsn: str, socket: str) -> None:
    app = APPS[name](dsn)
    spare_what_stays()  # as `gridhood serve` does, for all four alike
    uvicorn.run(app, uds=socket, http="httptools", loop="uvloop", log_config=None, access_log=False, workers=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
