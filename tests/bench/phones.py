"""The real server and real phones of the bench, signed in as one signs in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from backend.core.postgres import EmbeddedPostgres
from mobile.core.session import AppContext, Session
from mobile.device import desktop
from mobile.sync.client import Client
from tests.bench import phones_county as county
from tests.bench.client import Void
from tests.end_to_end.server import Server


@contextmanager
def county_served(folder: Path) -> Iterator[Server]:
    """`gridhood serve` on a county with the bench's workers."""
    with EmbeddedPostgres(folder / "database") as database:
        asyncio.run(county.fill(database.dsn))
        server = Server(folder / "server", "--no-worker", env={"GRIDHOOD_DATABASE_URL": database.dsn})
        server.start()
        try:
            yield server
        finally:
            server.stop()


@asynccontextmanager
async def phone_of(login: str, folder: Path, address: str, make_client: Any = Client) -> AsyncIterator[Session]:
    """A phone without a window, signed in as one signs in. Its loop does not run: the bench syncs."""
    ctx = AppContext(folder, desktop.ports(folder), server=address, make_client=make_client, start_syncing=False)
    ctx.login.username, ctx.login.password, ctx.login.consent = login, county.PASSWORD, True
    if not await ctx.login.sign_in():
        raise Void(f"{login} could not sign in: {ctx.login.error}")
    try:
        yield ctx.session
    finally:
        await ctx.close()
