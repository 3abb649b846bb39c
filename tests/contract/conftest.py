"""A database that the tests of one module share: most of them only look."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
import structlog.testing

from tests.conftest import on_database


async def _order(dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(statement)
    await conn.close()


@pytest.fixture(scope="module")
def shared_url(cluster: str, template: str) -> Iterator[str]:
    """Return the URL, as the owner of the schema, of a founded county's database."""
    name = f"m{uuid4().hex[:12]}"
    asyncio.run(_order(cluster, f"CREATE DATABASE {name} TEMPLATE template_county STRATEGY FILE_COPY"))
    yield on_database(cluster, name)
    asyncio.run(_order(cluster, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What goes wrong on purpose here need not be rendered: a traceback with its variables takes seconds."""
    with structlog.testing.capture_logs():
        yield
