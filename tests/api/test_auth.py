"""Signing in, staying signed in, and being slowed down."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from backend.auth import passwords
from backend.auth.service import FREE_ATTEMPTS, LONGEST_BLOCK, REFRESH_LIFETIME
from backend.core.clock import system_clock
from backend.core.settings import Settings
from backend.main import build
from shared.types import uuid7
from tests.conftest import KEYS, Running

PASSWORD = "对的密码"
SIGN_IN = "/api/v1/auth/token"
REFRESH = "/api/v1/auth/refresh"


class Hands:
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def running(shared_url: str, clock: Hands) -> AsyncIterator[Running]:
    app = build(Settings(shared_url, KEYS, work=False), clock=clock)
    async with app.router.lifespan_context(app):
        server = Running(app)
        yield server
        for client in server.clients:
            await client.aclose()


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm with less work: a real hash takes a quarter of a second."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64),)))
    passwords._nobody.cache_clear()


@pytest.fixture
async def username(make) -> str:
    """The name of an account that can sign in with PASSWORD."""
    worker, name = await make.worker(), f"zhangmin{uuid7().hex}"
    async with make.database.bare() as conn:
        await conn.execute(
            "UPDATE account SET username = $1, password_hash = $2 WHERE id = $3",
            name, passwords.hash_password(PASSWORD), worker.account_id,
        )  # fmt: skip
    return name


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post(SIGN_IN, data={"username": username, "password": password})


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post(REFRESH, json={"refresh_token": token})


async def test_signing_in_gives_tokens_that_work(running, username):
    client = running.client()

    signed_in = await sign_in(client, username)
    me = await client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {signed_in.json()['access_token']}"})

    assert signed_in.json()["expires_in"] == 900
    assert signed_in.json()["token_type"] == "bearer"
    assert (me.json()["display_name"], me.json()["username"]) == ("张敏", username)


async def test_a_wrong_password_and_an_unknown_name_are_refused_alike(running, username):
    client = running.client()

    answers = [await sign_in(client, username, "错的"), await sign_in(client, "nobody")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "wrong_password")}


async def test_signing_in_takes_the_password_form_and_nothing_else(running, username):
    client = running.client()

    as_json = await client.post(SIGN_IN, json={"username": username, "password": PASSWORD})
    half = await client.post(SIGN_IN, data={"username": username})
    unstorable = await sign_in(client, "a\0b")

    assert as_json.status_code == 415
    assert unstorable.status_code == 422
    assert (half.status_code, half.json()["errors"][0]["pointer"]) == (422, "/password")


async def test_an_account_that_was_switched_off_cannot_sign_in(running, make, username):
    async with make.database.bare() as conn:
        await conn.execute("UPDATE account SET active = false WHERE username = $1", username)

    assert (await sign_in(running.client(), username)).json()["code"] == "wrong_password"


async def test_passwords_are_stored_as_argon2_hashes(make, username):
    async with make.database.bare() as conn:
        stored = await conn.fetchval("SELECT password_hash FROM account WHERE username = $1", username)

    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


async def test_a_refresh_token_is_exchanged_for_a_new_pair(running, username):
    client = running.client()
    first = (await sign_in(client, username)).json()

    second = await refresh(client, first["refresh_token"])
    third = await refresh(client, second.json()["refresh_token"])

    assert second.status_code == third.status_code == 200
    assert len({first["refresh_token"], second.json()["refresh_token"], third.json()["refresh_token"]}) == 3


async def test_a_phone_whose_answer_was_lost_may_ask_again_however_much_later(running, username, clock):
    client = running.client()
    first = (await sign_in(client, username)).json()["refresh_token"]
    for _ in range(2):
        await refresh(client, first)

    clock.ahead = REFRESH_LIFETIME - timedelta(days=1)
    repeat = await refresh(client, first)
    after = await refresh(client, repeat.json()["refresh_token"])

    assert repeat.status_code == after.status_code == 200


async def test_an_answer_that_was_lost_is_not_given_again_beyond_the_tokens_own_life(running, username, clock):
    client = running.client()
    first = (await sign_in(client, username)).json()["refresh_token"]
    clock.ahead = REFRESH_LIFETIME / 2
    successor = (await refresh(client, first)).json()["refresh_token"]

    clock.ahead = REFRESH_LIFETIME

    assert (await refresh(client, first)).status_code == 401
    assert (await refresh(client, successor)).status_code == 200


async def test_a_token_used_again_after_its_successor_ends_the_whole_family(running, username):
    client = running.client()
    first = (await sign_in(client, username)).json()["refresh_token"]
    other_family = (await sign_in(client, username)).json()["refresh_token"]
    second = (await refresh(client, first)).json()["refresh_token"]
    newest = (await refresh(client, second)).json()["refresh_token"]

    stolen = await refresh(client, first)
    honest = await refresh(client, newest)
    elsewhere = await refresh(client, other_family)

    assert [a.status_code for a in (stolen, honest, elsewhere)] == [401, 401, 200]
    assert stolen.json()["code"] == honest.json()["code"] == "session_ended"


async def test_of_two_successors_the_second_to_be_used_ends_the_family(running, username):
    client = running.client()
    first = (await sign_in(client, username)).json()["refresh_token"]
    one, other = [(await refresh(client, first)).json()["refresh_token"] for _ in range(2)]
    newest = await refresh(client, one)

    assert newest.status_code == 200
    assert (await refresh(client, other)).status_code == 401
    assert (await refresh(client, newest.json()["refresh_token"])).status_code == 401


async def test_two_successors_used_at_the_same_moment_do_not_both_go_on(running, username):
    client = running.client()
    first = (await sign_in(client, username)).json()["refresh_token"]
    both = [(await refresh(client, first)).json()["refresh_token"] for _ in range(2)]

    answers = await asyncio.gather(*(refresh(client, token) for token in both))

    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_the_newest_token_lives_on_when_no_old_one_is_used(running, username, clock):
    """The control: it is the reuse that ends a family, and not the time."""
    client = running.client()
    token = (await sign_in(client, username)).json()["refresh_token"]

    for days in range(0, 150, 30):
        clock.ahead = timedelta(days=days)
        answer = await refresh(client, token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]


async def test_signing_out_ends_the_family_and_is_never_an_error(running, username):
    client = running.client()
    first = (await sign_in(client, username)).json()["refresh_token"]
    second = (await refresh(client, first)).json()["refresh_token"]

    left = await client.post("/api/v1/auth/sign-out", json={"refresh_token": first})
    again = await client.post("/api/v1/auth/sign-out", json={"refresh_token": "x" * 40})

    assert left.status_code == again.status_code == 204
    assert (await refresh(client, second)).status_code == 401


async def test_a_refresh_token_ends_by_itself(running, username, clock):
    client = running.client()
    token = (await sign_in(client, username)).json()["refresh_token"]

    clock.ahead = REFRESH_LIFETIME

    assert (await refresh(client, token)).status_code == 401


async def test_refresh_tokens_are_stored_as_hashes(running, make, username):
    token = (await sign_in(running.client(), username)).json()["refresh_token"]

    async with make.database.bare() as conn:
        stored = await conn.fetch("SELECT refresh_token::text AS row FROM refresh_token")

    assert not any(token in row["row"] for row in stored)


def calling_from(running: Running, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(running.app, raise_app_exceptions=False, client=(address, 4000))
    client = httpx.AsyncClient(transport=transport, base_url="http://test")
    running.clients.append(client)
    return client


async def test_after_some_failures_even_the_right_password_has_to_wait(running, username, clock):
    guesser, elsewhere = calling_from(running, "10.0.0.1"), calling_from(running, "10.0.0.2")

    wrong = [await sign_in(guesser, username, f"错{n}") for n in range(FREE_ATTEMPTS)]
    blocked, other = await sign_in(guesser, username), await sign_in(elsewhere, username)
    clock.ahead = timedelta(seconds=1.5)
    later = await sign_in(guesser, username)

    assert {answer.status_code for answer in wrong} == {401}
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_attempts")
    assert "retry-after" in blocked.headers
    assert other.status_code == later.status_code == 200


async def test_a_burst_of_guesses_cannot_pass_the_limit_before_the_first_is_answered(running, username, monkeypatch):
    guesser, hashed = calling_from(running, "10.0.0.5"), []
    verify = passwords.verify

    async def counted(password, password_hash):
        hashed.append(password)
        return await verify(password, password_hash)

    monkeypatch.setattr(passwords, "verify", counted)

    answers = await asyncio.gather(*(sign_in(guesser, username, f"错{n}") for n in range(20)))

    assert len(hashed) == FREE_ATTEMPTS
    assert sorted(answer.status_code for answer in answers) == [401] * FREE_ATTEMPTS + [429] * (20 - FREE_ATTEMPTS)


async def test_the_wait_grows_with_each_failure_up_to_a_limit(running, make, username, clock):
    guesser, waits = calling_from(running, "10.0.0.3"), []
    for n in range(FREE_ATTEMPTS + 13):
        asked = clock()
        await sign_in(guesser, username, f"错{n}")
        async with make.database.bare() as conn:
            until = await conn.fetchval(
                "SELECT blocked_until FROM login_counter WHERE key = $1", f"{username}|10.0.0.3"
            )
        waits.append((until - asked).total_seconds() if until else 0.0)
        clock.ahead += timedelta(seconds=waits[-1] + 1)

    assert waits[: FREE_ATTEMPTS - 1] == [0.0] * (FREE_ATTEMPTS - 1)
    assert [round(wait) for wait in waits[FREE_ATTEMPTS - 1 :][:5]] == [1, 2, 4, 8, 16]
    assert round(waits[-1]) == LONGEST_BLOCK.total_seconds()


async def test_signing_in_forgets_earlier_failures(running, username):
    client = calling_from(running, "10.0.0.4")

    for _ in range(2):
        for n in range(FREE_ATTEMPTS - 1):
            await sign_in(client, username, f"错{n}")
        assert (await sign_in(client, username)).status_code == 200
