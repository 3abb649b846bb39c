"""GRIDHOOD_DATABASE_URL: each way it can be wrong gets its own sentence, tried on a real PostgreSQL 15."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from backend.core.migrate import migrate
from backend.core.postgres import PostgresFailed, check_server, normalise_dsn
from backend.core.schema import NEWEST, current
from tests.postgres15 import postgres15

READY = b"Z\0\0\0\5I"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with postgres15() as folder:
        yield folder


async def refusal(url: str) -> str:
    with pytest.raises(PostgresFailed) as refused:
        await check_server(url)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "wrong" not in sentence  # every password in these tests
    return sentence


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_a_good_address_passes_in_every_form(home: Path, scheme: str) -> None:
    await check_server(f"{scheme}://with_password:right@/gridhood?host={home}")


async def test_an_owner_who_is_no_superuser_makes_the_schema_with_its_extension(home: Path) -> None:
    url = f"postgresql://{{}}@/{{}}?host={home}"
    postgres = await asyncpg.connect(url.format("postgres", "postgres"))
    await postgres.execute("CREATE ROLE operator LOGIN CREATEROLE PASSWORD 'right'")
    await postgres.execute("CREATE DATABASE theirs OWNER operator TEMPLATE template0 ENCODING 'UTF8'")
    await postgres.close()

    await migrate(url.format("operator:right", "theirs"))

    assert await current(url.format("operator:right", "theirs")) == NEWEST


def test_every_form_becomes_the_one_asyncpg_reads() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+asyncpg"):
        assert normalise_dsn(f" {scheme}://a:b@c:1/d?x=y\n") == "postgresql://a:b@c:1/d?x=y"
    assert normalise_dsn(normalise_dsn("postgres:///d?host=/run")) == "postgresql:///d?host=/run"


@pytest.mark.parametrize("user", ["with_password:wrong", "with_password", "nobody_of_that_name:wrong"])
async def test_a_wrong_user_or_password_is_named(home: Path, user: str) -> None:
    sentence = await refusal(f"postgresql://{user}@/gridhood?host={home}")

    assert sentence == f"The database server at {home} refuses this user or password."


async def test_a_missing_database_is_named(home: Path) -> None:
    assert 'database "absent" does not exist' in await refusal(f"postgresql://postgres@/absent?host={home}")


async def test_a_database_that_cannot_hold_chinese_is_refused(home: Path) -> None:
    assert "encoded in SQL_ASCII" in await refusal(f"postgresql://postgres@/ascii_only?host={home}")


async def test_a_port_where_nothing_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    sentence = await refusal(f"postgresql://me:wrong@127.0.0.1:{port}/gridhood")

    assert sentence.startswith(f"No database server can be reached at 127.0.0.1:{port}: the connection is refused")


async def test_an_unknown_host_and_a_missing_socket_are_named() -> None:
    assert "host name is not known" in await refusal("postgresql://me:wrong@nowhere.invalid/gridhood")
    assert "no such socket" in await refusal("postgresql://me:wrong@/gridhood?host=/nowhere")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gridhood",
        "postgresql://",
        "mysql://me:wrong@host/gridhood",
        "postgresql://me:wrong@host:port/gridhood",
        "postgresql://me:wrong@127.0.0.1:99999999/gridhood",
        "postgresql://me:wrong@[::1/gridhood",
        "postgresql://me:12#wrong@host/gridhood",
        "postgresql://me:12/wrong@host/gridhood",
        "postgresql://me:12?wrong@host/gridhood",
        "postgresql://me:wrong@host/gridhood?sslmode=perhaps",
    ],
)
async def test_a_malformed_address_is_shown_the_right_form(url: str) -> None:
    assert "not a PostgreSQL address" in await refusal(url)


def answer_once(listener: socket.socket, reply: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(reply)
        if reply.endswith(READY):
            connection.recv(1024)  # stays until the client goes


async def refusal_of_a_server_that_says(reply: bytes) -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer_once, args=(listener, reply))
        answering.start()
        url = f"postgresql://me:wrong@127.0.0.1:{listener.getsockname()[1]}/gridhood?sslmode=disable"
        sentence = await refusal(url)
        answering.join()
    return sentence


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


@pytest.mark.parametrize(("version", "verdict"), [("14.19", "runs PostgreSQL 14; 15 or newer"), ("15.1", "encoded in")])
async def test_a_server_older_than_15_is_refused(version: str, verdict: str) -> None:
    settings = {"server_version": version, "server_encoding": "LATIN1"}
    hello = message(b"R", bytes(4)) + message(b"K", bytes(8))
    hello += b"".join(message(b"S", f"{name}\0{value}\0".encode()) for name, value in settings.items())

    assert verdict in await refusal_of_a_server_that_says(hello + READY)


async def test_something_that_is_not_postgresql_is_recognised() -> None:
    assert "does not behave like PostgreSQL" in await refusal_of_a_server_that_says(b"HTTP/1.1 400 Bad Request\r\n\r\n")
