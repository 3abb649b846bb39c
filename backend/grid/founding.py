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


async def found(database: Database, county_code: str, *, demo: bool = False) -> bool:
    """Found a county; False when it was founded before."""

    async def work(tx: Transaction) -> bool:
        rows = list(divisions())
        name = next((name for code, level, name, _ in rows if code == county_code and level == "county"), None)
        if name is None:
            raise Refusal(Code.unknown_area)
        made = await tx.conn.execute(
            "INSERT INTO county (county_code, name, epoch, demo, founded_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            county_code, name, secrets.token_hex(8), demo, tx.now,
        )  # fmt: skip
        await tx.conn.executemany("INSERT INTO division VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", rows)
        communities = [code for code, level, *_ in rows if level == "community" and code.startswith(county_code)]
        await feed.open_streams(tx.conn, county_code, [county_code, *communities])
        return bool(made == "INSERT 0 1")

    return await database.run(system_caller(county_code), work)
