"""A browser's visit without a browser: cookies kept, forms sent from our own pages."""

from collections.abc import Callable

import httpx
import pytest

from tests.factories import PASSWORD


@pytest.fixture
def visitor(running) -> Callable[[], httpx.AsyncClient]:
    return lambda: running.client(origin="http://test")


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/m/sign-in", data={"username": username, "password": password})
