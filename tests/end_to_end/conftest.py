"""A server with the demo county, for the tests that use the whole of it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobile.core import fonts
from tests.end_to_end.server import Server


@pytest.fixture(scope="session", autouse=True)
def _fonts() -> None:
    fonts.build()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server in a folder that its unprivileged database account can reach. A test leaves it running."""
    folder = Path(tempfile.mkdtemp(prefix="gridhood-"))
    folder.chmod(0o711)
    running = Server(folder / "data", "--demo")
    running.start()
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)
