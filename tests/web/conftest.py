"""A browser's visit without a browser: cookies kept, forms sent from our own pages."""

from collections.abc import Callable

import httpx
import pytest

from backend.auth import passwords
from backend.auth.directory import CHANNEL
from tests.factories import Factory, Person

PASSWORD = "three words only"


@pytest.fixture
def visitor(running) -> Callable[[], httpx.AsyncClient]:
    return lambda: running.client(origin="http://test")


@pytest.fixture
def with_password(make: Factory) -> Callable[..., object]:
    """Give an account a name and a password to sign in with."""

    async def give(person: Person, username: str) -> str:
        hashed = passwords.hash_password(PASSWORD)

        async def work(tx) -> None:
            change = "UPDATE account SET username = $2, password_hash = $3 WHERE id = $1"
            await tx.conn.execute(change, person.account_id, username, hashed)
            tx.notify(CHANNEL)

        await make.run(work)
        return username

    return give


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/m/sign-in", data={"username": username, "password": password})
