"""Twenty phones write a thousand operations while server, database, phones and network fail: all stand once.

`make bench` has the long run. GRIDHOOD_CHAOS_SEED=n looks at other faults.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MEMORY, roomy
from tests.end_to_end.chaos.proxy import FAULTS
from tests.end_to_end.chaos.run import Chaos, Plan

SEED = int(os.environ.get("GRIDHOOD_CHAOS_SEED", "20261122"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's account can enter. What a kill -9 leaves is in the kernel's memory either way."""
    made = Path(tempfile.mkdtemp(prefix="gridhood-chaos-", dir=MEMORY if roomy(MEMORY) else None))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_nothing_is_lost_or_doubled_and_all_phones_agree_while_everything_is_killed(folder: Path) -> None:
    sys.stdout.write(f"seed {SEED}\n")
    report = asyncio.run(Chaos(Plan(SEED), folder).run())

    sys.stdout.write(f"{report}\n")
    assert report.operations >= 1000
    assert (report.lost, report.doubled, report.diverged) == ([], [], [])
    assert all(report.fates[fault] for fault in FAULTS)
    assert report.naive_missed > 0  # the control: by time instead of by the feed, the same run is not read whole
