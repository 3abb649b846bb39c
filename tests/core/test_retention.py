"""What has been kept long enough goes, what has not stays, and nobody loses a row in silence."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from backend.core import retention
from backend.core.clock import county_day
from backend.matching.tasks import AT_NIGHT, RETENTION, Worker, run_retention
from backend.sync import cursors
from shared.sync import EntityKind
from tests.contract.rows import fill
from tests.factories import CELL, COUNTY

HOUR = timedelta(hours=1)


def ago(kept: timedelta, more: timedelta) -> str:
    """SQL of a moment that lies a little more, or less, than this in the past."""
    return f"now() - interval '{(kept + more).total_seconds()} seconds'"


KEPT = {
    "change": (retention.GONE_KEPT, "at", {"gone": "true"}),
    "operation": (retention.LEDGER_KEPT, "received_at", {}),
    "edit": (retention.LEDGER_KEPT, "at", {}),
    "login_counter": (retention.ATTEMPTS_KEPT, "last_at", {}),
}


@pytest.fixture
async def owner(database_url):
    conn = await asyncpg.connect(database_url)
    yield conn
    await conn.close()


@pytest.mark.parametrize("table", KEPT)
async def test_a_row_just_outside_its_time_goes_and_one_just_inside_stays(make, owner, table):
    kept, column, values = KEPT[table]
    await make.worker()
    await owner.execute(f"DELETE FROM {table}")
    for more in (-HOUR, HOUR):
        await _row(owner, table, {column: ago(kept, more), **values})

    await run_retention(make.database)

    left = await owner.fetch(f"SELECT {column} > {ago(kept, timedelta(0))} AS inside FROM {table}")
    assert [row["inside"] for row in left] == [True]


async def _row(owner, table, values) -> None:
    if table == "login_counter":  # the one table here that belongs to no county
        insert = "INSERT INTO login_counter (key, failures, last_at) VALUES ($1, 1, {last_at})"
        await owner.execute(insert.format(**values), uuid4().hex)
    else:
        await fill(owner, table, [CELL], **values)


async def test_what_is_not_gone_stays_in_the_feed_however_old_it_is(make, owner):
    await make.worker()
    await owner.execute("DELETE FROM change")
    await fill(owner, "change", [CELL], at=ago(retention.GONE_KEPT, HOUR), gone="false")

    await run_retention(make.database)

    assert await owner.fetchval("SELECT count(*) FROM change") == 1


async def test_a_refresh_token_goes_once_it_has_expired(make, owner):
    worker = await make.worker()
    for expires in ("- interval '1 hour'", "+ interval '1 hour'"):
        await owner.execute(
            "INSERT INTO refresh_token (county_code, id, account_id, family_id, token_hash, made_at, expires_at)"
            f" VALUES ($1, $2, $3, $2, $4, now() - interval '60 days', now() {expires})",
            COUNTY, uuid4(), worker.account_id, uuid4().bytes,
        )  # fmt: skip

    await run_retention(make.database)

    assert [row["good"] for row in await owner.fetch("SELECT expires_at > now() AS good FROM refresh_token")] == [True]


async def test_the_log_of_finished_jobs_is_kept_a_month(make, owner):
    for more in (-HOUR, HOUR):
        await owner.execute(
            "INSERT INTO jobs.pgqueuer_log (created, job_id, status, priority, entrypoint)"
            f" VALUES ({ago(retention.JOB_LOG_KEPT, more)}, 1, 'successful', 0, 'matching.tick')"
        )

    await run_retention(make.database)

    assert await owner.fetchval("SELECT count(*) FROM jobs.pgqueuer_log") == 1


async def test_more_than_a_slice_goes_in_one_night(make, owner, monkeypatch):
    monkeypatch.setattr(retention, "SLICE", 3)
    await make.worker()
    await fill(owner, "edit", [CELL], count=10, at=ago(retention.LEDGER_KEPT, HOUR))

    removed = await retention.purge_county(make.database, COUNTY)

    assert removed["edit"] == 10


async def test_another_county_is_left_alone(make, owner):
    await make.worker()
    await fill(owner, "edit", ["610331100008003"], county="610331", at=ago(retention.LEDGER_KEPT, HOUR))

    await run_retention(make.database)

    assert await owner.fetchval("SELECT count(*) FROM edit WHERE county_code = '610331'") == 1


# A phone that was away


async def phone_of(make) -> tuple:
    worker, device = await make.worker(), uuid4()
    await worker.client.put(f"/api/v1/devices/{device}", json={"name": "手机"})
    return worker, device


async def pull(phone, cursor=None):
    worker, device = phone
    body = {"device_id": str(device)} | ({"cursor": cursor} if cursor else {})
    return await worker.client.post("/api/v1/sync/pull", json=body)


def read_on(cursor: str, epoch: str, day) -> str:
    """The same cursor as if it had been given on another day."""
    return cursors.Cursor(epoch, day, cursors.decode(cursor, epoch, county_day(datetime.now(UTC))).seqs).encode()


async def gone_since(make, owner, entity_id: UUID, at: datetime) -> None:
    """Take a row from the phones of its cell, as of a moment in the past."""

    async def work(tx):
        tx.changed(EntityKind.resident, entity_id, CELL, gone=True)

    await make.run(work)
    await owner.execute("UPDATE change SET at = $2 WHERE id = $1", entity_id, at)


async def test_no_phone_whose_cursor_is_still_good_has_lost_a_row_to_the_purge(make, owner):
    """The oldest good cursor is from the first moment of its day; everything that went after it must still be there."""
    resident, phone = await make.resident(), await phone_of(make)
    first = (await pull(phone)).json()
    oldest_good = county_day(datetime.now(UTC)) - cursors.KEPT
    cursor = read_on(first["cursor"], first["epoch"], oldest_good)
    midnight = datetime.fromisoformat(f"{oldest_good}T00:00:00+08:00")
    await gone_since(make, owner, resident.id, midnight)

    await run_retention(make.database)
    answer = await pull(phone, cursor)

    assert str(resident.id) in [item["id"] for item in first["items"]]
    assert answer.status_code == 200
    assert [(item["id"], item["gone"]) for item in answer.json()["items"]] == [(str(resident.id), True)]


async def test_a_phone_whose_cursor_is_too_old_is_told_to_begin_again(make, owner):
    resident, phone = await make.resident(), await phone_of(make)
    first = (await pull(phone)).json()
    cursor = read_on(first["cursor"], first["epoch"], county_day(datetime.now(UTC)) - cursors.KEPT - timedelta(days=1))
    await gone_since(make, owner, resident.id, datetime.now(UTC) - retention.GONE_KEPT - HOUR)
    await owner.execute("DELETE FROM period WHERE resident_id = $1", resident.id)
    await owner.execute("DELETE FROM resident WHERE id = $1", resident.id)

    await run_retention(make.database)
    refused, anew = await pull(phone, cursor), await pull(phone)

    assert (refused.status_code, refused.json()["code"]) == (410, "cursor_expired")
    assert await owner.fetchval("SELECT count(*) FROM change WHERE id = $1", resident.id) == 0  # it would be lost
    assert str(resident.id) not in [item["id"] for item in anew.json()["items"]]


def test_a_row_that_is_gone_outlives_every_cursor_from_before_it():
    longest_good = cursors.KEPT + timedelta(days=1)

    assert longest_good + timedelta(hours=12) < retention.GONE_KEPT


# Who may remove, and when


async def test_only_the_retention_role_may_remove_from_the_ledger(owner):
    may = await owner.fetch(
        "SELECT grantee, table_name FROM information_schema.role_table_grants WHERE privilege_type = 'DELETE'"
        " AND table_name IN ('edit', 'operation') AND grantee LIKE 'gridhood%' AND grantee <> current_user"
    )

    assert {tuple(row) for row in may} == {("gridhood_retention", "edit"), ("gridhood_retention", "operation")}


async def test_it_runs_at_night(make, database_url):
    worker = Worker(make.database, database_url)
    connection = await asyncpg.connect(database_url)
    try:
        schedules = worker._prepare(connection).sm.registry
    finally:
        await connection.close()
        await worker.stop()

    assert (RETENTION, AT_NIGHT) in {(key.entrypoint, key.expression) for key in schedules}
