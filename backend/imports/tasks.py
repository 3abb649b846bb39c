"""Imports in the background: one at a time, each in a process of its own.

Reading a workbook and sealing numbers keep a processor busy for minutes and take the memory of three servers, while
the server must answer phones. The process gets what it needs on its standard input: a command line can be read by
anybody on the machine.
"""

import asyncio
import os
import sys
from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg
import orjson
import structlog

from backend.core import daily
from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.scope import system_caller
from backend.core.settings import Settings
from backend.imports import keeping, queries
from backend.imports.service import CHANNEL
from shared.texts import _

log = structlog.get_logger()

LOOK_S = 3.0
"""How often to look for batches that another process noted, or that a restart left behind."""

BEGIN_AGAIN_S = 30.0
MOST_BREAKS: Final = 10
"""How often the process of a batch may break off in a row before the batch is given up, in words."""

PROCESS: Final = (sys.executable, "-m", "backend.imports.work")

THRIFTY: Final = {
    "_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:50,muzzy_decay_ms:0",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 18),
}
"""How the process allocates. What a slice needs for a moment is given back before the next one, and not kept by each
thread that has prepared one: a fifth less memory, and no more time."""


class Importer:
    """Starts a process for each batch that waits."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._wake = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._tidied: date | None = None
        self._breaks: Counter[UUID] = Counter()
        database.hear(CHANNEL, self._wake.set)
        self._task = asyncio.create_task(self._keep_going())

    async def stop(self) -> None:
        """Let go of the batch at hand: the next start goes on with it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._process and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _keep_going(self) -> None:
        while True:
            pause = LOOK_S
            try:
                await self._tidy()
                for county, batch in await self._waiting():
                    if await self._start(county, batch):
                        pause = BEGIN_AGAIN_S
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("imports_wait", error=type(error).__name__)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            self._wake.clear()

    async def _tidy(self) -> None:
        """Once a day, and once at the start."""
        today = county_day(self._database.clock())
        if today != self._tidied and self._settings.imports:
            for county in await daily.counties(self._database):
                await keeping.tidy(self._database, county, self._settings.imports)
            self._tidied = today

    async def _waiting(self) -> list[tuple[str, UUID]]:
        found = []
        for county in await daily.counties(self._database):
            batches = await self._database.run(
                system_caller(county), lambda tx: queries.waiting(tx.conn, tx.county), snapshot=True
            )
            found += [(county, batch) for batch in batches]
        return found

    async def _start(self, county: str, batch: UUID) -> bool:
        """Run a batch to its end; True when its process broke off."""
        self._process = await asyncio.create_subprocess_exec(
            *PROCESS, stdin=asyncio.subprocess.PIPE, env=os.environ | THRIFTY
        )
        await self._process.communicate(handed_over(self._settings, county, batch))
        broken = self._process.returncode != 0
        if broken:
            log.warning("import_broke_off", batch=str(batch), code=self._process.returncode)
            await self._count(county, batch)
        else:
            del self._breaks[batch]
        return broken

    async def _count(self, county: str, batch: UUID) -> None:
        self._breaks[batch] += 1
        if self._breaks[batch] >= MOST_BREAKS:
            del self._breaks[batch]
            why = _("试了几次都中断了，没有做完。请把这张表交给管理员看。")
            await self._database.run(
                system_caller(county), lambda tx: queries.fail(tx.conn, county, batch, why, tx.now)
            )


def handed_over(settings: Settings, county: str, batch: UUID) -> bytes:
    """Write what the process is told; `work.taken_over` reads it."""
    keys = {name: key.hex() for name, key in asdict(settings.keys).items()}
    return orjson.dumps(
        {
            "url": settings.database_url,
            "data": str(settings.imports),
            "county": county,
            "batch": str(batch),
            "keys": keys,
        }
    )
