"""What an account may do changes the moment its grants do; keys and phones end the moment they are revoked."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from backend.auth import queries
from backend.auth.directory import CHANNEL
from backend.core.clock import county_day
from shared.auth import Role
from shared.types import uuid7
from tests.core.waiting import until
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY

ME = "/api/v1/auth/me"
KEYS = "/api/v1/api-keys"


@pytest.fixture
def database_url(shared_url: str) -> str:
    return shared_url


async def areas_of(person) -> list[str]:
    return [grant["area_code"] for grant in (await person.client.get(ME)).json()["grants"]]


async def test_a_grant_that_is_given_or_taken_bites_at_the_next_request(make):
    worker = await make.worker(CELL)
    before = await areas_of(worker)

    async def given(tx) -> None:
        await queries.add_grant(tx.conn, COUNTY, uuid7(), worker.account_id, Role.grid_worker, NEIGHBOUR, tx.now)
        tx.notify(CHANNEL)

    async def taken(tx) -> None:
        await tx.conn.execute(
            "UPDATE role_grant SET until_day = $2 WHERE account_id = $1 AND area_code = $3",
            worker.account_id, county_day(tx.now), CELL,
        )  # fmt: skip
        tx.notify(CHANNEL)

    await make.run(given)
    with_both = await areas_of(worker)
    await make.run(taken)
    after = await areas_of(worker)

    assert (before, with_both, after) == ([CELL], [CELL, NEIGHBOUR], [NEIGHBOUR])


async def test_without_the_notice_an_old_grant_would_live_on(make):
    """The control: grants are kept in memory, so a change that tells nobody is not seen."""
    worker = await make.worker(CELL)
    await areas_of(worker)

    async def silently(tx) -> None:
        await tx.conn.execute("DELETE FROM role_grant WHERE account_id = $1", worker.account_id)

    await make.run(silently)

    assert await areas_of(worker) == [CELL]


async def test_a_change_made_by_another_process_is_heard(make, database_url):
    worker = await make.worker(CELL)
    await areas_of(worker)
    elsewhere = await asyncpg.connect(database_url)
    await elsewhere.execute(f"BEGIN; UPDATE account SET active = false WHERE id = '{worker.account_id}'")
    await elsewhere.execute(f"NOTIFY {CHANNEL}; COMMIT")
    await elsewhere.close()

    async def ended() -> bool:
        return (await worker.client.get(ME)).status_code == 401

    await until(ended)


async def test_while_nobody_listens_nothing_is_remembered(make, database_url):
    """A lost connection must not make an old grant live for ever."""
    worker = await make.worker(CELL)
    directory = make.app.state.directory
    owner = await asyncpg.connect(database_url)
    await areas_of(worker)

    async def deaf() -> bool:
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
        )
        return not directory._listening

    await until(deaf)
    await owner.execute("DELETE FROM role_grant WHERE account_id = $1", worker.account_id)
    await owner.close()

    assert await areas_of(worker) == []


async def test_a_grant_counts_from_its_first_day_to_the_day_before_its_last(make):
    worker = await make.account()
    today = county_day(make.database.clock())
    days = {
        CELL: (today, today + timedelta(days=1)),
        NEIGHBOUR: (today + timedelta(days=1), today + timedelta(days=9)),
        OTHER_COMMUNITY: (today - timedelta(days=9), today),
    }

    async def work(tx) -> None:
        for area, (first, until_day) in days.items():
            await tx.conn.execute(
                "INSERT INTO role_grant (county_code, id, account_id, role, area_code, from_day, until_day)"
                " VALUES ($1, $2, $3, 'grid_worker', $4, $5, $6)",
                COUNTY, uuid7(), worker.account_id, area, first, until_day,
            )  # fmt: skip

    await make.run(work)

    assert await areas_of(worker) == [CELL]


async def test_a_key_reads_and_stops_the_moment_it_is_revoked(make):
    partner, admin = await make.partner(), await make.admin()

    before = await partner.client.get(ME)
    await admin.client.delete(f"{KEYS}/{partner.account_id}")
    after = await partner.client.get(ME)

    assert (before.status_code, before.json()["county_code"]) == (200, COUNTY)
    assert after.status_code == 401


async def test_a_key_is_shown_once_and_stored_as_a_hash(make):
    admin = await make.admin()

    made = (await admin.client.post(KEYS, json={"name": "热线平台", "area_code": COMMUNITY})).json()
    async with make.database.bare() as conn:
        stored = await conn.fetchval("SELECT api_key::text FROM api_key WHERE id = $1", made["id"])

    assert made["key"].startswith("gh_")
    assert made["key"] not in stored


async def test_only_an_administrator_makes_and_revokes_keys_and_only_for_their_area(make):
    worker, admin = await make.worker(), await make.account((Role.county_admin, COMMUNITY))
    body = {"name": "热线平台", "area_code": OTHER_COMMUNITY}

    by_worker = await worker.client.post(KEYS, json=body)
    revoked_by_worker = await worker.client.delete(f"{KEYS}/{uuid4()}")
    beyond = await admin.client.post(KEYS, json=body)
    unknown = await admin.client.delete(f"{KEYS}/{uuid4()}")

    codes = [answer.json()["code"] for answer in (by_worker, revoked_by_worker, beyond, unknown)]
    assert codes == ["role_not_allowed", "role_not_allowed", "area_not_allowed", "not_found"]


async def test_a_phone_is_registered_once_for_all_who_sign_in_on_it(make):
    one, other, device = await make.worker(), await make.worker(), uuid7()

    first = await one.client.put(f"/api/v1/devices/{device}", json={"name": "张敏的手机"})
    second = await other.client.put(f"/api/v1/devices/{device}", json={})
    async with make.database.bare() as conn:
        users = await conn.fetch("SELECT account_id FROM device_login WHERE device_id = $1", device)

    assert first.status_code == 200
    assert second.json() == first.json()
    assert {row["account_id"] for row in users} == {one.account_id, other.account_id}


async def test_a_revoked_phone_is_refused(make):
    worker, device = await make.worker(), uuid7()
    await worker.client.put(f"/api/v1/devices/{device}", json={})
    async with make.database.bare() as conn:
        await conn.execute("UPDATE device SET revoked_at = now() WHERE id = $1", device)

    refused = await worker.client.put(f"/api/v1/devices/{device}", json={})

    assert (refused.status_code, refused.json()["code"]) == (403, "device_revoked")
