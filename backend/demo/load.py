"""Loading the demo county into an empty database, in one transaction; what phones pull is written last."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from backend.auth import passwords, queries
from backend.auth.directory import hash_key
from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.scope import system_caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.demo import rows
from backend.demo.generate import generate
from backend.demo.load_register import load_register
from backend.demo.logins import PARTNER, partner_key
from backend.demo.records import Account, DemoCounty, Grant
from backend.grid import service as grid
from backend.grid.founding import lay_foundation
from backend.requests import service as requests
from backend.residents import loading
from backend.visits import history
from backend.volunteers import service as volunteers
from shared.auth import Role
from shared.types import uuid7


async def load_demo(database: Database, keys: Keys) -> None:
    """Load the demo county into a database without a county."""
    today = county_day(database.clock())
    county = generate(today=today)
    hashes = await _hash([account.password for account in county.accounts])

    async def work(tx: Transaction) -> None:
        await lay_foundation(tx, demo=True)
        await _accounts(tx, county, hashes)
        await _partner(tx, partner_key(keys))
        for cell in county.cells:
            await grid.draw(tx, tx.caller, cell.code, rows.cell(cell), None)
        # Registered for a year, so that a past day can be asked for.
        since = today - timedelta(days=365)
        await loading.load(tx, keys, rows.households(county), rows.residents(county), since)
        await volunteers.register(tx, rows.volunteers(county))
        await history.load(tx, rows.visits(county))
        await requests.store(tx, rows.requests(county))
        await load_register(tx, keys, county)

    await database.run(system_caller(county.county_code), work)


async def _hash(words: Sequence[str]) -> list[str]:
    """Hash passwords two at a time: each takes a quarter of a second."""
    return list(await asyncio.gather(*(asyncio.to_thread(passwords.hash_password, word) for word in words)))


async def _accounts(tx: Transaction, county: DemoCounty, hashes: Sequence[str]) -> None:
    """Open an account for everybody who works; only the twelve have a password."""
    signing_in = {account.id for account in county.accounts}
    for account, hashed in zip(county.accounts, hashes, strict=True):
        await _open(tx, account.id, account.username, account.display_name, account.grants, account, hashed)
    for worker in county.workers:
        if worker.id not in signing_in:
            await _open(tx, worker.id, f"worker-{worker.id}", worker.name, worker.grants)


async def _open(
    tx: Transaction, account_id: UUID, username: str, name: str, grants: Iterable[Grant],
    account: Account | None = None, hashed: str | None = None,
) -> None:  # fmt: skip
    row: dict[str, Any] = {
        "county_code": tx.county, "id": account_id, "username": username, "display_name": name,
        "password_hash": hashed, "volunteer_id": account.volunteer_id if account else None, "created_at": tx.now,
    }  # fmt: skip
    await queries.add_account(tx.conn, row)
    for grant in grants:
        await queries.add_grant(tx.conn, tx.county, uuid7(), account_id, grant.role, grant.area_code, tx.now)


async def _partner(tx: Transaction, key: str) -> None:
    account_id = uuid7()
    await _open(tx, account_id, "key:demo", PARTNER, [Grant(Role.partner, tx.county)])
    await queries.add_api_key(tx.conn, tx.county, uuid7(), account_id, PARTNER, tx.county, hash_key(key), tx.now)
