"""Opening accounts."""

from collections.abc import Sequence
from uuid import UUID

from backend.auth import passwords, queries
from backend.core.db import Database
from backend.core.scope import system_caller
from backend.core.transaction import Transaction
from shared.auth import Role
from shared.types import uuid7


async def open_account(
    database: Database, county: str, username: str, password: str, name: str, grants: Sequence[tuple[Role, str]]
) -> UUID:
    """Open an account that can sign in, as the county itself."""
    account_id, password_hash = uuid7(), passwords.hash_password(password)

    async def work(tx: Transaction) -> None:
        row = {
            "county_code": county, "id": account_id, "username": username, "display_name": name,
            "password_hash": password_hash, "volunteer_id": None, "created_at": tx.now,
        }  # fmt: skip
        await queries.add_account(tx.conn, row)
        for role, area in grants:
            await queries.add_grant(tx.conn, county, uuid7(), account_id, role, area, tx.now)
        tx.audit("account.opened", "account", account_id, county, username=username)

    await database.run(system_caller(county), work)
    return account_id
