"""Founding a county: its row, the national divisions, and a feed stream for the county and each community."""

import csv
import secrets
from collections.abc import Iterator
from importlib.resources import files

from backend.core import feed
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.scope import system_caller
from backend.core.transaction import Transaction
from shared.errors import Code

DATA = files("backend.grid") / "data"


def divisions() -> Iterator[tuple[str, str, str, str | None]]:
    """Yield (code, level, name, parent) of the divisions that come with the package."""
    with (DATA / "fengxian_divisions.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["code"], row["level"], row["name"], row["parent_code"] or None


async def found(database: Database, county_code: str) -> bool:
    """Found a county; False when it was founded before."""
    return await database.run(system_caller(county_code), lay_foundation)


async def is_demo(database: Database, county_code: str) -> bool | None:
    """Say whether a county is a made-up one; None before it is founded."""

    async def work(tx: Transaction) -> bool | None:
        demo: bool | None = await tx.conn.fetchval("SELECT demo FROM county WHERE county_code = $1", tx.county)
        return demo

    return await database.run(system_caller(county_code), work)


async def lay_foundation(tx: Transaction, *, demo: bool = False) -> bool:
    """Write a county's row, the divisions and the streams of its communities; False when they were there."""
    rows = list(divisions())
    name = next((name for code, level, name, _ in rows if code == tx.county and level == "county"), None)
    if name is None:
        raise Refusal(Code.unknown_area)
    made = await tx.conn.execute(
        "INSERT INTO county (county_code, name, epoch, demo, founded_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        tx.county, name, secrets.token_hex(8), demo, tx.now,
    )  # fmt: skip
    await tx.conn.executemany("INSERT INTO division VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", rows)
    communities = [code for code, level, *_ in rows if level == "community" and code.startswith(tx.county)]
    await feed.open_streams(tx.conn, tx.county, [tx.county, *communities])
    return bool(made == "INSERT 0 1")
