"""A folder that the server's account can enter, and an embedded server in it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.postgres import EmbeddedPostgres
from tests.core.postgres_processes import wait_until_gone


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path: pytest closes its parents to everybody but root, and the server account must get through."""
    path = Path(tempfile.mkdtemp(prefix="pg18-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd").startswith(f"{path}/"):
                os.kill(int(process.name), signal.SIGKILL)
                wait_until_gone(int(process.name))
        except OSError:
            continue
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder) as server:
        yield server
