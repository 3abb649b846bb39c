"""Password hashes by argon2id. Each takes 64 MiB, so only a few run at once."""

import asyncio
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_PARALLEL = asyncio.Semaphore(2)
_hasher = PasswordHash((Argon2Hasher(),))


@cache
def _nobody() -> str:
    """Hash to compare with when there is no such account: a stranger learns nothing from the time it takes."""
    return _hasher.hash("no account has this password")


def hash_password(password: str) -> str:
    return _hasher.hash(password)


async def verify(password: str, password_hash: str | None) -> bool:
    """Compare in a thread, a bounded number at a time, in the same time for unknown accounts."""
    async with _PARALLEL:
        matches = await asyncio.to_thread(_hasher.verify, password, password_hash or _nobody())
    return matches and password_hash is not None
