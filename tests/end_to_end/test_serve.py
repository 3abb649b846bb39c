"""`gridhood` as an operator meets it: started, stopped, told wrong things."""

import os
import shutil
import socket
import subprocess
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.server import GRIDHOOD, Server
from tests.postgres15 import postgres15

NOWHERE = "postgresql://nobody@127.0.0.1:1/gridhood"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's account can enter."""
    made = Path(tempfile.mkdtemp(prefix="gridhood-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def gridhood(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*GRIDHOOD, *words], capture_output=True, text=True, env={**os.environ, **env}, timeout=120)


def test_it_says_where_it_is_stops_at_ctrl_c_and_starts_again_with_its_rows(server: Server) -> None:
    said = server.log.read_text()
    key = server.accounts()["partner_key"]
    first = server.ask("/api/v1/visits?limit=1", key)

    ended = server.stop()
    server.start()

    assert f"Gridhood ready on {server.address}" in said
    assert f"API docs: {server.address}/docs" in said
    assert "yangjiaping03  linge-2026-yangjiaping03  网格员" in said
    assert ended == 0
    assert server.ask("/api/v1/visits?limit=1", key) == first


def test_the_docs_page_asks_nothing_of_the_outside(server: Server) -> None:
    with urllib.request.urlopen(f"{server.address}/m") as page:
        assert "登录" in page.read().decode()
    with urllib.request.urlopen(f"{server.address}/docs") as page:
        html = page.read().decode()
    with urllib.request.urlopen(f"{server.address}/docs/assets/swagger-ui-bundle.js") as script:
        assert script.status == 200

    assert "http://" not in html
    assert "https://" not in html


def test_it_works_on_an_operators_own_postgresql_15(folder: Path) -> None:
    with postgres15() as home:
        url = f"postgresql://postgres@/gridhood?host={urllib.parse.quote(str(home))}"
        server = Server(folder / "data", "--demo", env={"GRIDHOOD_DATABASE_URL": url})
        server.start()
        try:
            found = server.ask("/api/v1/cells?limit=200", server.accounts()["partner_key"])
            examined = gridhood("doctor", "--data", str(folder / "data"), GRIDHOOD_DATABASE_URL=url)
        finally:
            server.stop()

    assert len(found["items"]) == 24
    assert not (folder / "data" / "postgres").exists()
    assert examined.returncode == 0, examined.stdout


@pytest.mark.parametrize("url", [NOWHERE, "mysql://somewhere/else"])
def test_a_database_that_is_not_there_is_one_sentence_and_exit_code_2(folder: Path, url: str) -> None:
    refused = gridhood("serve", "--port", "0", "--data", str(folder / "data"), GRIDHOOD_DATABASE_URL=url)

    assert refused.returncode == 2
    assert refused.stderr.startswith("gridhood: ")
    assert refused.stderr.count("\n") == 1
    assert "Traceback" not in refused.stderr


def test_a_taken_port_is_one_sentence_and_exit_code_2(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = gridhood("serve", "--port", str(taken.getsockname()[1]), "--data", str(folder / "data"))

    assert refused.returncode == 2
    assert "Cannot listen on" in refused.stderr


def test_the_doctor_names_the_broken_part(folder: Path) -> None:
    data = folder / "data"
    sound = gridhood("doctor", "--data", str(data))
    (data / "master.key").write_bytes(b"0" * 32)
    weak = gridhood("doctor", "--data", str(data))
    away = gridhood("doctor", "--data", str(data), GRIDHOOD_DATABASE_URL=NOWHERE)

    assert sound.returncode == 0, sound.stdout
    assert "schema: empty" in sound.stdout
    assert weak.returncode == 1
    assert "BROKEN master key" in weak.stdout
    assert "BROKEN database" in away.stdout


def test_a_real_county_is_founded_with_its_first_account(folder: Path) -> None:
    data = str(folder / "data")
    founded = gridhood("db", "found", "610330", "--admin", "chenyi", "--data", data)
    again = gridhood("db", "found", "610330", "--admin", "chenyi", "--data", data)
    nowhere = gridhood("db", "found", "999999", "--admin", "chenyi", "--data", data)
    password = founded.stdout.split(" with ")[-1].strip()
    server = Server(folder / "data")
    server.start()
    try:
        form = urllib.parse.urlencode({"username": "chenyi", "password": password}).encode()
        with urllib.request.urlopen(f"{server.address}/api/v1/auth/token", form) as answer:
            assert answer.status == 200
    finally:
        server.stop()

    assert "was founded before" in again.stdout
    assert nowhere.returncode == 1
    assert "没有这个区域编码" in nowhere.stderr
