"""A real PostgreSQL for the session; every test that asks gets its own database, cloned from a migrated template."""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import hypothesis
import pytest
from fastapi import FastAPI

from backend.core.db import Database
from backend.core.migrate import migrate
from backend.core.postgres import EmbeddedPostgres
from backend.core.settings import Keys, Settings, derive_keys
from backend.grid.founding import found
from backend.main import build
from tests.factories import COUNTY, Factory

KEYS: Keys = derive_keys(bytes(range(32)))

# A shared machine is slow now and then: time says nothing about a rule.
hypothesis.settings.register_profile("gridhood", deadline=None)
hypothesis.settings.load_profile("gridhood")


def pytest_collection_finish() -> None:
    """What was loaded stays: looking through it again with every collection took more time than many tests."""
    gc.collect()
    gc.freeze()


MEMORY = Path("/dev/shm")


def roomy(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free > 1 << 30


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """DSN of an embedded server in a folder of its own."""
    # Not pytest's tmp_path: the server's unprivileged account could not enter it, and sockets have short paths.
    # In memory where there is room: a clone a test writes 10 MB, and what is in it need not survive anything.
    folder = Path(tempfile.mkdtemp(prefix="gridhood-", dir=MEMORY if roomy(MEMORY) else None))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "data")
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def on_database(dsn: str, name: str) -> str:
    return dsn.replace("/gridhood?", f"/{name}?")


async def _make_template(dsn: str) -> str:
    admin = await asyncpg.connect(dsn)
    await admin.execute("CREATE DATABASE template_county")
    await admin.close()
    url = on_database(dsn, "template_county")
    await migrate(url)
    database = await Database.connect(url, size=2, deadline_s=10)
    await found(database, COUNTY)
    await database.close()
    return url


@pytest.fixture(scope="session")
def template(cluster: str) -> str:
    return asyncio.run(_make_template(cluster))


@pytest.fixture
async def database_url(cluster: str, template: str) -> AsyncIterator[str]:
    """A database with the schema and a founded county, for one test."""
    name = f"t{uuid4().hex[:12]}"
    admin = await asyncpg.connect(cluster)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template_county STRATEGY FILE_COPY")
    try:
        yield on_database(cluster, name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def _order(dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(statement)
    await conn.close()


@pytest.fixture(scope="module")
def shared_url(cluster: str, template: str) -> Iterator[str]:
    """A database for a whole module, whose tests only look or clean up after themselves."""
    name = f"m{uuid4().hex[:12]}"
    asyncio.run(_order(cluster, f"CREATE DATABASE {name} TEMPLATE template_county STRATEGY FILE_COPY"))
    yield on_database(cluster, name)
    asyncio.run(_order(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, size=8, deadline_s=10)
    yield opened
    await opened.close()


@dataclass
class Running:
    """The app with its lifespan running, and clients for it."""

    app: FastAPI
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        made = httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)
        self.clients.append(made)
        return made


@pytest.fixture
async def running(database_url: str) -> AsyncIterator[Running]:
    app = build(Settings(database_url, KEYS, work=False))
    async with app.router.lifespan_context(app):
        server = Running(app)
        yield server
        for client in server.clients:
            await client.aclose()


@pytest.fixture
async def make(running: Running) -> Factory:
    """Builders of accounts, cells, households and so on in this test's county."""
    return Factory(running.app, running.client)


os.environ.pop("GRIDHOOD_DATABASE_URL", None)
