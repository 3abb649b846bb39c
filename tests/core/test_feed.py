"""The feed: what a reader has passed can hold nothing that is still on its way."""

import asyncio
import random
from contextlib import suppress
from itertools import pairwise
from uuid import UUID

import asyncpg
import pytest

from backend.core import feed, operations, owed
from backend.core.db import Database, Unit
from backend.core.scope import system_caller
from shared.sync import EntityKind
from shared.types import uuid7
from tests.core.waiting import until_blocked
from tests.factories import CELL, COMMUNITY, COUNTY, OTHER_COMMUNITY

COUNTY_ITSELF = system_caller(COUNTY)
OTHER_CELL = OTHER_COMMUNITY + "003"


@pytest.fixture
async def database_url(shared_url: str) -> str:
    """Return the module's database with nothing in its feed."""
    owner = await asyncpg.connect(shared_url)
    await owner.execute("TRUNCATE change, audit; UPDATE feed_head SET seq = 0")
    await owner.close()
    return shared_url


async def begun(database: Database, *areas: str) -> tuple[Unit, UUID]:
    """Begin a transaction that owes the feed one row in each of these areas."""
    unit, entity = Unit(database), uuid7()
    tx = await unit.begin(COUNTY_ITSELF)
    for area in areas:
        tx.changed(EntityKind.visit, entity, area)
    return unit, entity


class Reader:
    """Pulls by number, as a phone does."""

    def __init__(self, database: Database, query: str) -> None:
        self._database, self._query = database, query
        self._cursor = 0
        self.seen: list[UUID] = []

    async def pull(self) -> None:
        async with self._database.pool.acquire() as conn, conn.transaction():
            await conn.execute(COUNTY_ITSELF.scope_settings)
            rows = await conn.fetch(self._query, self._cursor)
        self._cursor = rows[-1]["seq"] if rows else self._cursor
        self.seen += [row["id"] for row in rows]


BY_HEAD = (
    f"SELECT id, seq FROM change WHERE county_code = '{COUNTY}' AND stream = '{COMMUNITY}' AND seq > $1 ORDER BY seq"
)
BY_SEQUENCE = "SELECT id, seq FROM naive WHERE seq > $1 ORDER BY seq"


async def test_who_waits_for_a_row_of_the_ledger_does_not_hold_up_the_feed_meanwhile(database):
    op_id = uuid7()
    first, _ = await begun(database)
    (await first.begin(COUNTY_ITSELF)).settled(operations.applied(op_id, "visit.record", uuid7(), b"first"))
    await first.flush()
    second, _ = await begun(database, CELL)
    (await second.begin(COUNTY_ITSELF)).settled(operations.applied(op_id, "visit.record", uuid7(), b"second"))
    waiting = asyncio.create_task(second.flush())
    await until_blocked(database)

    third, passed = await begun(database, CELL)
    await third.flush()
    await third.commit()

    reader = Reader(database, BY_HEAD)
    await reader.pull()
    await first.rollback()
    await waiting
    await second.commit()
    assert reader.seen == [passed]


async def test_a_reader_misses_nothing_that_many_writers_commit_out_of_step(database):
    reader, written, chance = Reader(database, BY_HEAD), [], random.Random(7)

    async def write() -> None:
        for _ in range(8):
            unit, entity = await begun(database, CELL)
            await unit.flush()
            await asyncio.sleep(chance.choice([0, 0, 0.004]))
            await unit.commit()
            written.append(entity)

    async def read(writers: asyncio.Task) -> None:
        while not writers.done():
            await reader.pull()
        await reader.pull()

    writers = asyncio.gather(*(write() for _ in range(12)))
    await asyncio.gather(writers, read(writers))

    assert len(written) == 96
    assert sorted(reader.seen) == sorted(written)


async def test_the_later_number_waits_for_the_earlier_one_to_be_committed(database):
    reader = Reader(database, BY_HEAD)
    (slow, first), (quick, second) = await begun(database, CELL), await begun(database, CELL)

    await slow.flush()
    overtaking = asyncio.create_task(_finish(quick))
    await until_blocked(database)
    await reader.pull()
    early = list(reader.seen)
    await slow.commit()
    await overtaking
    await reader.pull()

    assert early == []
    assert reader.seen == [first, second]


async def _finish(unit: Unit) -> None:
    await unit.flush()
    await unit.commit()


async def test_a_plain_sequence_loses_the_row_whose_writer_was_overtaken(database, database_url):
    """The control: the same two writers and the same reader, numbered by a sequence."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "CREATE TABLE naive (id uuid, seq bigserial); GRANT ALL ON naive, naive_seq_seq TO gridhood_app"
    )
    await owner.close()
    reader, first, second = Reader(database, BY_SEQUENCE), uuid7(), uuid7()
    async with database.pool.acquire() as slow, database.pool.acquire() as quick:
        await slow.execute("BEGIN")
        await slow.execute("INSERT INTO naive (id) VALUES ($1)", first)
        await quick.execute("INSERT INTO naive (id) VALUES ($1)", second)
        await reader.pull()
        await slow.execute("COMMIT")
    await reader.pull()

    assert reader.seen == [second]


async def _impatient(database_url: str) -> Database:
    """A database that looks for deadlocks at once."""
    owner = await asyncpg.connect(database_url)
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '20ms'")
    await owner.close()
    return await Database.connect(database_url, size=4, deadline_s=10)


async def test_writers_who_name_many_streams_in_any_order_never_deadlock(database_url):
    database = await _impatient(database_url)

    async def write(*areas: str) -> None:
        unit, _entity = await begun(database, *areas)
        await _finish(unit)

    async with database.bare() as conn:
        codes = await conn.fetch("SELECT code FROM division WHERE level = 'community' AND code LIKE $1", f"{COUNTY}%")
    communities, chance = [row["code"] for row in codes], random.Random(7)
    for _ in range(25):
        await asyncio.gather(*(write(*chance.sample(communities, 12)) for _ in range(4)))
    last = await database.run(COUNTY_ITSELF, lambda tx: tx.conn.fetchval("SELECT sum(seq) FROM feed_head"))
    await database.close()

    assert last == 25 * 4 * 12


async def test_heads_are_locked_in_the_order_of_their_names(database):
    """While a writer waits for one head it holds none that comes later, so no two can wait for each other."""
    async with database.bare() as conn:
        codes = await conn.fetch("SELECT code FROM division WHERE level = 'community' ORDER BY code LIMIT 8")
        await conn.execute(f"BEGIN; {COUNTY_ITSELF.scope_settings}")
        for row in reversed(codes):  # so that they do not lie in the order of their names by chance
            await conn.execute("UPDATE feed_head SET seq = 1 WHERE stream = $1", row["code"])
        await conn.execute("COMMIT")

    held = [await _holds_while_waiting(database, low["code"], high["code"]) for low, high in pairwise(codes)]

    assert held == [False] * 7


async def _holds_while_waiting(database: Database, low: str, high: str) -> bool:
    """Say whether a writer that waits for the lower head has locked the higher one already."""
    lock = "SELECT 1 FROM feed_head WHERE stream = $1 FOR UPDATE SKIP LOCKED"
    (rival, _), (writer, _) = await begun(database), await begun(database, high, low)
    tx = await rival.begin(COUNTY_ITSELF)
    await tx.conn.fetchval(lock, low)
    writing = asyncio.create_task(_finish(writer))
    await until_blocked(database)
    free = await tx.conn.fetchval(lock, high)
    await rival.rollback()
    await writing
    return free is None


async def test_heads_locked_as_they_come_do_deadlock(database_url):
    """The control: the same two writers, each publishing a stream at a time."""
    database = await _impatient(database_url)
    (one, _), (other, _) = await begun(database), await begun(database)
    await _publish(one, CELL)
    await _publish(other, OTHER_CELL)

    ends = await asyncio.gather(_publish(one, OTHER_CELL), _publish(other, CELL), return_exceptions=True)

    for unit in (one, other):
        await unit.rollback()
    await database.close()
    assert [type(end) for end in ends if end] == [asyncpg.DeadlockDetectedError]


async def _publish(unit: Unit, area: str) -> None:
    tx = await unit.begin(COUNTY_ITSELF)
    pending = {(feed.stream_of(area), EntityKind.visit, uuid7(), area): False}
    await owed.write(tx.conn, COUNTY, tx.now, pending)


async def test_a_change_for_a_stream_without_a_head_is_refused_and_undone(database):
    entity = uuid7()

    async def work(tx) -> None:
        tx.changed(EntityKind.visit, entity, CELL)
        tx.changed(EntityKind.visit, entity, "610330999999001")

    with pytest.raises(feed.MissingHead):
        await database.run(COUNTY_ITSELF, work)

    assert await database.run(COUNTY_ITSELF, lambda tx: tx.conn.fetchval("SELECT count(*) FROM change")) == 0


async def test_a_row_written_again_moves_to_the_next_number_and_stands_once(database):
    entity = uuid7()

    async def work(tx) -> None:
        tx.changed(EntityKind.visit, entity, CELL)

    await database.run(COUNTY_ITSELF, work)
    await database.run(COUNTY_ITSELF, work)
    rows = await database.run(COUNTY_ITSELF, lambda tx: tx.conn.fetch("SELECT id, seq FROM change"))

    assert [tuple(row) for row in rows] == [(entity, 2)]


async def test_what_a_savepoint_undoes_is_not_announced(database):
    kept, undone = uuid7(), uuid7()

    async def work(tx) -> None:
        tx.changed(EntityKind.visit, kept, CELL)
        with suppress(asyncpg.DivisionByZeroError):
            async with tx.savepoint():
                tx.changed(EntityKind.visit, undone, CELL)
                tx.audit("visit.recorded", "visit", undone, CELL)
                await tx.conn.execute("SELECT 1 / 0")

    await database.run(COUNTY_ITSELF, work)
    rows = await database.run(
        COUNTY_ITSELF, lambda tx: tx.conn.fetch("SELECT id FROM change UNION ALL SELECT entity_id FROM audit")
    )

    assert [row["id"] for row in rows] == [kept]
