"""SQL of photos, whoever announced them: a visit or a request."""

import asyncpg

from shared.attachments import PhotoState

_OWNERS = ("visit_photo", "request_photo")


async def announced(conn: asyncpg.Connection, county: str, sha256: str) -> list[asyncpg.Record]:
    """Return where the caller sees this photo announced, as areas with the size that was said and what has come."""
    rows: list[asyncpg.Record] = await conn.fetch(_ANNOUNCED, county, sha256)
    return rows


async def set_state(conn: asyncpg.Connection, county: str, sha256: str, state: PhotoState) -> None:
    """Note wherever the caller sees it announced that a photo has come."""
    for table in _OWNERS:
        await conn.execute(
            f"UPDATE {table} SET state = $3 WHERE county_code = $1 AND sha256 = $2 AND state = 'missing'",
            county, sha256, state,
        )  # fmt: skip


_EACH = "SELECT area_code, size, state, id FROM {} WHERE county_code = $1 AND sha256 = $2"
_ANNOUNCED = f"""
SELECT area_code, size, state FROM (
    {" UNION ALL ".join(_EACH.format(table) for table in _OWNERS)}
) AS found ORDER BY state = 'missing', area_code, id LIMIT 100
"""
