"""How long the files of a batch stay: they hold everybody's numbers as they were typed."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

from backend.core.db import Database
from backend.core.scope import system_caller
from backend.imports import files, queries

KEPT: Final = timedelta(days=14)
"""From the last step of a batch. One that nobody stored by then is given up."""


async def tidy(database: Database, county: str, data: Path) -> None:
    """Give up what was checked and never stored, and remove the files of every batch that is over."""
    over = await database.run(
        system_caller(county), lambda tx: queries.give_up(tx.conn, tx.county, tx.now, tx.now - KEPT)
    )
    for batch in over:
        await asyncio.to_thread(files.discard, files.folder_of(data, batch))
