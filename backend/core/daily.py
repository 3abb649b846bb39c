"""What is done for each county when its day begins, and when the background work starts. Rooms register in main.py."""

from collections.abc import Awaitable, Callable

import structlog

from backend.core.db import Database

log = structlog.get_logger()

Work = Callable[[Database, str], Awaitable[None]]
_works: list[Work] = []


async def counties(database: Database) -> list[str]:
    """Counties in which somebody can sign in: the one list that can be read before a county is chosen."""
    async with database.bare() as connection:
        rows = await connection.fetch("SELECT DISTINCT county_code FROM account ORDER BY county_code")
    return [row["county_code"] for row in rows]


def every_day(work: Work) -> None:
    """Register work on a county. It may run twice in a day, and must not mind."""
    _works.append(work)


async def run(database: Database, county: str) -> None:
    """Do a county's daily work. What fails is logged and never stops what comes after it."""
    for work in _works:
        try:
            await work(database, county)
        except Exception as error:
            log.error("daily_work_failed", county=county, work=work.__qualname__, error=type(error).__name__)
