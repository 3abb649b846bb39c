"""`gridhood doctor`: look at every part a server needs and name the broken one in plain words."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg

from backend import storage
from backend.core.db import Database, UnsafeRole
from backend.core.postgres import EmbeddedPostgres, PostgresFailed
from backend.core.schema import NEWEST, current
from backend.core.settings import SettingsRefused, load_keys

LEAST_FREE = 1 << 30


class Finding(NamedTuple):
    """One part, whether it is sound, and what to know or do."""

    part: str
    sound: bool
    words: str


async def examine(folder: Path) -> AsyncIterator[Finding]:
    """Yield what was found, part by part; what depends on a broken part is not examined."""
    yield _space(folder)
    yield _key(folder)
    server: EmbeddedPostgres | None = None
    try:
        with storage.started(folder) as server:
            url = await storage.reach(server)
            yield Finding("database", True, "answers" + (" (embedded)" if server else f" ({storage.URL_SETTING})"))
            async for finding in _inside(url):
                yield finding
    except PostgresFailed as failure:
        yield Finding("database", False, str(failure))


def _space(folder: Path) -> Finding:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    return Finding("disk", free >= LEAST_FREE, f"{free / (1 << 30):.1f} GiB free at {place}")


def _key(folder: Path) -> Finding:
    path = folder / "master.key"
    if not path.exists():
        return Finding("master key", True, "not made yet: the first start makes it")
    if path.stat().st_mode & 0o077:
        return Finding("master key", False, f"others can read it: chmod 600 {path}")
    try:
        load_keys(folder)
    except (SettingsRefused, OSError) as error:
        return Finding("master key", False, str(error))
    return Finding("master key", True, "present, readable by its owner only")


async def _inside(url: str) -> AsyncIterator[Finding]:
    found = await current(url)
    if found != NEWEST:
        words = f"at {found}, not {NEWEST}" if found else "empty: `gridhood db migrate` or the next start fills it"
        yield Finding("schema", found is None, words)
        return
    yield Finding("schema", True, f"at {found}")
    try:
        database = await Database.connect(url, size=2, deadline_s=10)
    except (asyncpg.PostgresError, UnsafeRole) as error:
        yield Finding("role", False, f"the application role cannot be used: {error}")
        return
    yield Finding("role", True, "bound by row-level security")
    await database.close()
    connection = await asyncpg.connect(url)
    founded = await connection.fetchval("SELECT EXISTS (SELECT 1 FROM account)")
    await connection.close()
    yield Finding("county", founded, "founded" if founded else "none yet: `gridhood db found CODE --admin NAME`")
