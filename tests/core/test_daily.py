"""What is done for each county when its day begins."""

import asyncio

import pytest

from backend.core import daily
from backend.matching.tasks import Worker
from tests.factories import COUNTY


@pytest.fixture
def works(monkeypatch):
    """Only what a test registers."""
    monkeypatch.setattr(daily, "_works", [])
    return daily.every_day


async def test_what_fails_never_stops_what_comes_after_it(database, works):
    done = []

    async def fails(_database, _county):
        raise ValueError("broken")

    async def works_on(_database, county):
        done.append(county)

    works(fails)
    works(works_on)
    await daily.run(database, COUNTY)

    assert done == [COUNTY]


async def test_a_server_that_was_off_at_midnight_catches_up_when_it_starts(make, database, database_url, works):
    await make.worker()
    caught_up = asyncio.Event()

    async def work(_database, _county):
        caught_up.set()

    works(work)
    worker = Worker(database, database_url)
    try:
        await asyncio.wait_for(caught_up.wait(), 10)
    finally:
        await worker.stop()
