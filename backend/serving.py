"""`gridhood serve`: database, schema, demo county, HTTP; and a clean end."""

import asyncio
import socket
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from backend import storage
from backend.core import logs
from backend.core.db import Database
from backend.core.garbage import spare_what_stays
from backend.core.postgres import EmbeddedPostgres
from backend.core.settings import Keys, Settings, load_keys
from backend.demo.ensure import ensure_demo
from backend.demo.logins import table
from backend.main import build


class CannotServe(Exception):
    """Why the server does not start; one sentence."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What `gridhood serve` was asked."""

    host: str
    port: int
    folder: Path
    demo: bool
    work: bool


def serve(asked: Serving) -> None:
    """Serve until told to stop. The embedded database stops after the last request was answered."""
    listener = _listen(asked.host, asked.port)
    keys = load_keys(asked.folder)
    logs.set_up()
    with storage.started(asked.folder) as server, asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_serve(asked, keys, server, listener))


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _listen(host: str, port: int) -> socket.socket:
    """Take the port first: a taken one is said before a database is started for nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise CannotServe(f"Cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}.") from error
    return listener


async def _serve(asked: Serving, keys: Keys, server: EmbeddedPostgres | None, listener: socket.socket) -> None:
    url = await storage.reach(server)
    await storage.bring_up_to_date(url)
    settings = Settings(url, keys, work=asked.work, files=asked.folder / "files", imports=asked.folder / "imports")
    demo = await _demo(settings) if asked.demo else False
    config = uvicorn.Config(
        build(settings), http="httptools", log_config=None, access_log=False, timeout_graceful_shutdown=10
    )
    address = f"http://{asked.host}:{listener.getsockname()[1]}"
    await AnnouncingServer(config, address, table(keys) if demo else "").serve(sockets=[listener])


async def _demo(settings: Settings) -> bool:
    """Load the demo county into an empty database; say whether a demo county is there."""
    database = await Database.connect(settings.database_url, size=2, deadline_s=120)
    try:
        return await ensure_demo(database, settings.keys)
    finally:
        await database.close()


class AnnouncingServer(uvicorn.Server):
    """Says where it is, once it is ready."""

    def __init__(self, config: uvicorn.Config, address: str, logins: str) -> None:
        super().__init__(config)
        self._address = address
        self._logins = logins

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        spare_what_stays()
        if self.started and await asyncio.to_thread(_is_ready, self._address):
            places = f"API docs: {self._address}/docs", f"For a browser: {self._address}/m"
            print("\n".join((f"Gridhood ready on {self._address}", *places, self._logins)).rstrip(), flush=True)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
