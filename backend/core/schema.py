"""Which schema a database has, and which one this release works with. Cheap to import: every start asks."""

import asyncpg

NEWEST = "2026_12_01_unit_codes"
"""The newest revision. A contract test compares it with the migrations themselves."""


async def current(url: str) -> str | None:
    """Return the revision a database is at; None for an empty one."""
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("SELECT to_regclass('alembic_version')"):
            return None
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found
    finally:
        await connection.close()
