"""What is written about a person lies where the person does: it follows them from cell to cell."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

FOLLOWERS: Final = ("sealed_fact", "register_finding")


async def follow(conn: asyncpg.Connection, county: str, residents: Sequence[UUID]) -> None:
    """Bring the rows about these people to the area that the people are in now."""
    for table in FOLLOWERS:
        await conn.execute(
            f"UPDATE {table} f SET area_code = r.area_code, rev = f.rev + 1 FROM resident r"
            " WHERE f.county_code = $1 AND f.resident_id = ANY ($2::uuid[])"
            " AND r.county_code = $1 AND r.id = f.resident_id AND f.area_code <> r.area_code",
            county, list(residents),
        )  # fmt: skip
