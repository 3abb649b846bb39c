"""Where a server keeps its things: the data folder with the master key, and the database named or embedded."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.postgres import EmbeddedPostgres, check_server, normalise_dsn
from backend.core.schema import NEWEST, current

URL_SETTING = "GRIDHOOD_DATABASE_URL"


def named_database() -> str | None:
    """Return the operator's own database, if one is named."""
    return os.environ.get(URL_SETTING) or None


@contextmanager
def started(folder: Path) -> Iterator[EmbeddedPostgres | None]:
    """Have the embedded database running meanwhile; nothing to start when another one is named."""
    if named_database():
        yield None
    else:
        with EmbeddedPostgres(folder) as server:
            yield server


async def reach(server: EmbeddedPostgres | None) -> str:
    """Return the URL of a database that answers and will do."""
    url = server.dsn if server else normalise_dsn(named_database() or "")
    await check_server(url)
    return url


async def bring_up_to_date(url: str) -> None:
    """Give the database the schema of this release; one that has it already costs a single look."""
    if await current(url) != NEWEST:
        from backend.core.migrate import migrate  # Alembic and SQLAlchemy would add a second to every start

        await migrate(url)
