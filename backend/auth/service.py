"""Signing in, staying signed in, keys for other systems."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from backend.auth import directory, passwords, queries, tokens
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from shared.auth import ApiKeyIn, ApiKeyOut, DeviceIn, DeviceOut, DeviceUseOut, GrantOut, MeOut, Role, TokenOut
from shared.errors import Code
from shared.types import is_within, uuid7

REFRESH_LIFETIME = timedelta(days=60)
FREE_ATTEMPTS = 5
LONGEST_BLOCK = timedelta(minutes=15)


async def sign_in(
    database: Database, keys: Keys, username: str, password: str, address: str, device_id: UUID | None = None
) -> TokenOut:
    """Check a password and open a family of tokens. Failures slow down this account from this address.

    Tokens of a phone end with the phone.
    """
    now, counter = database.clock(), f"{username[:60]}|{address}"
    async with database.bare() as conn:
        await _count_attempt(conn, counter, now, FREE_ATTEMPTS)
        accounts = await queries.account_by_username(conn, username)
    account = accounts[0] if len(accounts) == 1 else None
    correct = await passwords.verify(password, account["password_hash"] if account else None)
    async with database.bare() as conn:
        if not correct or account is None:
            raise Refusal(Code.wrong_password)
        await queries.forget_failures(conn, counter)
        return await _open(conn, keys, account["county_code"], account["id"], uuid7(), now, device_id)


async def slow_down(database: Database, key: str, *, free: int) -> None:
    """Let somebody do something `free` times a day; from then on they wait longer after each time."""
    async with database.bare() as conn:
        await _count_attempt(conn, key, database.clock(), free)


async def _count_attempt(conn: asyncpg.Connection, counter: str, now: datetime, free: int) -> None:
    """Count an attempt as failed until it succeeds, and before the slow hash: a burst must not pass all at once."""
    async with conn.transaction():
        failures = await queries.count_failure(conn, counter, now)
        if failures is not None and failures >= free:
            wait = min(timedelta(seconds=2.0 ** min(failures - free, 12)), LONGEST_BLOCK)
            await queries.block(conn, counter, now + wait)
    if failures is None:
        raise Refusal(Code.too_many_attempts)


async def _open(
    conn: asyncpg.Connection, keys: Keys, county: str, account: UUID, family: UUID, now: datetime,
    device: UUID | None,
) -> TokenOut:  # fmt: skip
    refresh = secrets.token_urlsafe(32)
    digest = directory.hash_key(refresh)
    await queries.add_refresh(conn, county, uuid7(), account, family, digest, now, now + REFRESH_LIFETIME, device)
    return TokenOut(
        access_token=tokens.issue(keys.token, county, account, now, device),
        expires_in=int(tokens.LIFETIME.total_seconds()),
        refresh_token=refresh,
    )


async def refresh(database: Database, keys: Keys, token: str) -> TokenOut:
    """Exchange a refresh token.

    A phone whose answer was lost asks again with the same token, however much later: that is well until a token that
    was made after it has been used. Then one of the two is a thief's copy, and the whole family ends.
    """
    now = database.clock()
    async with database.bare() as conn, conn.transaction():
        row = await queries.refresh_by_hash(conn, directory.hash_key(token))
        usable = row is not None and row["ended_at"] is None and row["expires_at"] > now
        if usable and row is not None and row["shut_out"]:
            raise Refusal(Code.device_revoked)
        if usable and row is not None:
            if not row["left_behind"]:
                await queries.use_refresh(conn, row["county_code"], row["id"], now)
                device = row["device_id"]
                return await _open(conn, keys, row["county_code"], row["account_id"], row["family_id"], now, device)
            await queries.end_family(conn, row["county_code"], row["family_id"], now)
    raise Refusal(Code.session_ended)


async def sign_out(database: Database, token: str) -> None:
    """End the family of a refresh token; an unknown one is as good as ended."""
    async with database.bare() as conn, conn.transaction():
        row = await queries.refresh_by_hash(conn, directory.hash_key(token))
        if row is not None:
            await queries.end_family(conn, row["county_code"], row["family_id"], database.clock())


async def me(tx: Transaction) -> MeOut:
    caller = tx.caller
    row = await queries.me(tx.conn, tx.county, caller.account_id)
    if row is None:
        raise Refusal(Code.session_ended)
    return MeOut(
        account_id=caller.account_id, username=row["username"], display_name=caller.name, county_code=tx.county,
        county_name=row["county_name"], volunteer_id=caller.volunteer_id,
        grants=[GrantOut(role=role, area_code=area) for role, area in caller.grants],
    )  # fmt: skip


async def use_device(tx: Transaction, device_id: UUID, body: DeviceIn) -> DeviceOut:
    """Note that the caller works on this phone: from now on it may be the author of what the phone sends."""
    row = await queries.sign_in_on_device(tx.conn, tx.county, device_id, tx.caller.account_id, body.name, tx.now)
    if row is None:
        raise Refusal(Code.device_revoked)
    return DeviceOut.model_validate(dict(row))


async def devices(tx: Transaction, account: UUID | None) -> list[DeviceUseOut]:
    return [DeviceUseOut.model_validate(dict(row)) for row in await queries.devices(tx.conn, tx.county, account)]


async def revoke_device(tx: Transaction, device_id: UUID, reason: str) -> DeviceUseOut:
    """Shut a phone out from the next request on, with every token that was given to it: what it holds comes in by
    rescue only, and then it is wiped."""
    return await _set_revoked(tx, device_id, tx.now, "device.revoked", reason)


async def restore_device(tx: Transaction, device_id: UUID, reason: str) -> DeviceUseOut:
    """Let a phone in again that was found, or shut out by mistake."""
    return await _set_revoked(tx, device_id, None, "device.restored", reason)


async def _set_revoked(tx: Transaction, device_id: UUID, at: datetime | None, action: str, reason: str) -> DeviceUseOut:
    row = await queries.set_revoked(tx.conn, tx.county, device_id, at)
    if row is None:
        raise Refusal(Code.not_found)
    tx.notify(directory.CHANNEL)
    tx.audit(action, "device", device_id, tx.county, reason=reason)
    return DeviceUseOut.model_validate(dict(row))


async def make_api_key(tx: Transaction, caller: Caller, body: ApiKeyIn) -> ApiKeyOut:
    """Make an account for another system, with a key that is shown this once."""
    if not any(is_within(body.area_code, area) for _role, area in caller.grants):
        raise Refusal(Code.area_not_allowed)
    key, key_id, account_id = f"gh_{secrets.token_urlsafe(32)}", uuid7(), uuid7()
    account = {
        "county_code": tx.county, "id": account_id, "username": f"key:{key_id}", "display_name": body.name,
        "password_hash": None, "volunteer_id": None, "created_at": tx.now,
    }  # fmt: skip
    await queries.add_account(tx.conn, account)
    await queries.add_grant(tx.conn, tx.county, uuid7(), account_id, Role.partner, body.area_code, tx.now)
    await queries.add_api_key(
        tx.conn, tx.county, key_id, account_id, body.name, body.area_code, directory.hash_key(key), tx.now
    )
    tx.audit("api_key.made", "api_key", key_id, body.area_code, name=body.name)
    return ApiKeyOut(id=key_id, name=body.name, area_code=body.area_code, created_at=tx.now, key=key)


async def revoke_api_key(tx: Transaction, key_id: UUID) -> None:
    if not await queries.revoke_api_key(tx.conn, tx.county, key_id, tx.now):
        raise Refusal(Code.not_found)
    tx.notify(directory.CHANNEL)
    tx.audit("api_key.revoked", "api_key", key_id, tx.county)
