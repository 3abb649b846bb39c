"""openapi/sync.md describes the protocol that the server speaks, and its example works as printed."""

import asyncio
import json
import os
import re
import socket
from pathlib import Path

import pytest
import uvicorn

from backend.auth import passwords
from backend.core.http import SYNC_LIMIT
from backend.sync.cursors import KEPT
from backend.sync.reading import BODIES
from backend.sync.versions import KEPT as VERSIONS
from mobile.store import outbox
from shared.errors import Code
from shared.sync import PULL_LIMIT, PUSH_LIMIT, SCHEMA, EntityKind, OperationKind, Outcome

ROOT = Path(__file__).parents[2] / "openapi"
PAGE = (ROOT / "sync.md").read_text(encoding="utf-8")
MODELS = set(json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))["components"]["schemas"])


def rows(page: str) -> dict[str, str]:
    """The table rows of a page by the word they begin with; a table may have two such words in a row."""
    cells = [line.strip("| \n").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    named = {row[0].strip("`"): " | ".join(row[1:]) for row in cells}
    return named | {row[2].strip("`"): row[3] for row in cells if len(row) == 4 and row[2].startswith("`")}


def test_every_operation_is_described_with_the_model_of_its_body():
    described = rows(PAGE)

    assert set(OperationKind) <= set(described)
    for kind, shape in BODIES.items():
        wanted = f"`{shape.__name__}`" if shape.model_fields else "`{}`"
        assert wanted in described[kind], kind


def test_every_kind_of_row_is_described():
    assert set(EntityKind) <= set(rows(PAGE))


def test_a_kind_that_nobody_described_would_be_found():
    assert "visit.record" not in rows(PAGE.replace("| `visit.record`", "| visits"))


def test_every_model_that_is_named_is_in_the_api_description():
    named = set(re.findall(r"`([A-Z][A-Za-z]+(?:In|Out|Patch))`", PAGE)) | {"Operation", "Change", "Answer", "Problem"}

    assert named - MODELS == set()


def test_outcomes_codes_and_figures_are_the_servers_own():
    codes = set(re.findall(r"(?:4\d\d|503) `([a-z_]+)`", PAGE))

    assert {outcome.value for outcome in Outcome} <= set(rows(PAGE))
    assert codes <= set(Code)
    assert (PUSH_LIMIT, PULL_LIMIT, SYNC_LIMIT >> 20, KEPT.days, outbox.KEPT.days, VERSIONS, SCHEMA) == (
        500, 1000, 4, 90, 35, 3, 1,
    )  # fmt: skip
    for words in ("500 operations, 4 MiB and 1,000 rows", "Tombstones are kept 90 days", "last 35 days"):
        assert words in PAGE


@pytest.fixture
async def address(running):
    """The app behind a real socket, for a program that knows nothing of Python."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(running.app, lifespan="off", log_level="critical", access_log=False))
    serving = asyncio.create_task(server.serve([listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


async def test_the_example_works_as_printed(make, address):
    home = await make.household()
    worker = await make.worker()
    secret = passwords.hash_password("demo-password")

    async def let_in(tx):
        await tx.conn.execute(
            "UPDATE account SET username = 'zhangmin', password_hash = $1 WHERE id = $2", secret, worker.account_id
        )

    await make.run(let_in)
    script = PAGE.split("```sh\n")[1].split("```")[0]
    known = {"API": address, "LOGIN": "zhangmin", "PASSWORD": "demo-password", "HOME_ID": str(home.id)}

    ran = await asyncio.create_subprocess_exec(
        "sh", "-euc", script, env={**os.environ, **known, "no_proxy": "*"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, wrong = await asyncio.wait_for(ran.communicate(), 60)

    lines = said.decode().replace("}", "}\n").split()
    assert ran.returncode == 0, wrong.decode()
    assert lines[-3:-1] == ["applied", "duplicate"]
    assert lines[-1] in ("household", "visit")
