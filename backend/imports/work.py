"""The process that brings one batch on: `python -m backend.imports.work`, told what to do on its standard input."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import orjson

from backend.core import logs
from backend.core.db import Database
from backend.core.settings import Keys
from backend.imports.run import run

SLICE_DEADLINE_S = 600.0
"""A slice of rows is a transaction of seconds; undoing reads the whole index of search keys once."""


async def work(told: bytes) -> None:
    given = orjson.loads(told)
    keys = Keys(**{name: bytes.fromhex(key) for name, key in given["keys"].items()})
    database = await Database.connect(given["url"], size=2, deadline_s=SLICE_DEADLINE_S)
    try:
        await run(database, keys, Path(given["data"]), given["county"], UUID(given["batch"]))
    finally:
        await database.close()


if __name__ == "__main__":
    logs.set_up()
    asyncio.run(work(sys.stdin.buffer.read()))
