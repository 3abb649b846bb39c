"""What goes wrong on purpose in these tests stays quiet."""

from collections.abc import Iterator

import pytest
import structlog.testing


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """A rendered traceback with its variables takes seconds."""
    with structlog.testing.capture_logs():
        yield
