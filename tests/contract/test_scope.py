"""Who sees which row: every table with an area, read by the application role."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from backend.core.db import APP_ROLE
from backend.core.scope import Caller
from shared.auth import Role
from shared.types import uuid7
from tests.contract.rows import COUNTY_WIDE, area_tables, county_tables, fill, loosen
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY

TOWN = "610330100"
OTHER_CELL = OTHER_COMMUNITY + "003"
BETWEEN = "610330100005001"
"""Its code lies between those of CELL and OTHER_CELL, and belongs to neither."""
NEXT_TOWN = "610330101008003"
NEXT_COUNTY = "610331"
NEXT_COUNTY_CELL = "610331100008003"
PLACES = (COUNTY, TOWN, COMMUNITY, CELL, NEIGHBOUR, OTHER_CELL, BETWEEN, NEXT_TOWN)

SIGHT: dict[tuple[str, ...], set[str]] = {
    (CELL,): {CELL},
    (COMMUNITY,): {COMMUNITY, CELL, NEIGHBOUR},
    (CELL, OTHER_CELL): {CELL, OTHER_CELL},
    (TOWN,): {TOWN, COMMUNITY, CELL, NEIGHBOUR, OTHER_CELL, BETWEEN},
    (COUNTY,): set(PLACES),
    (CELL, COMMUNITY): {COMMUNITY, CELL, NEIGHBOUR},
    ("610330100002",): set(),
    (NEXT_COUNTY,): {NEXT_COUNTY_CELL},
}

VOLUNTEER = uuid7()
OWN_ROWS = {"volunteer": "id", "volunteer_slot": "volunteer_id", "offer": "volunteer_id", "task_card": "volunteer_id",
            "service_record": "volunteer_id", "volunteer_skill": "volunteer_id"}  # fmt: skip


def staff(*areas: str, county: str = COUNTY) -> Caller:
    return Caller(uuid7(), "张敏", county, tuple((Role.grid_worker, area) for area in areas))


@asynccontextmanager
async def session(url: str, settings: str = "") -> AsyncIterator[asyncpg.Connection]:
    """A transaction of the application role with these settings; nothing it does stays."""
    conn = await asyncpg.connect(url, server_settings={"role": APP_ROLE})
    try:
        await conn.execute("BEGIN; " + settings)
        yield conn
    finally:
        await conn.close()


async def places_seen(conn: asyncpg.Connection, table: str) -> set[str]:
    return {row[0] for row in await conn.fetch(f'SELECT DISTINCT area_code FROM "{table}"')}


async def _settle(url: str) -> None:
    owner = await asyncpg.connect(url)
    await loosen(owner)
    for table in area_tables():
        await fill(owner, table, PLACES)
        await fill(owner, table, [NEXT_COUNTY_CELL], county=NEXT_COUNTY)
    await owner.close()


@pytest.fixture(scope="module")
def url(shared_url: str) -> str:
    """Return a database with a row of every table with an area in each place."""
    asyncio.run(_settle(shared_url))
    return shared_url


@pytest.mark.parametrize("areas", SIGHT, ids="+".join)
async def test_a_caller_sees_the_rows_of_the_granted_areas_and_no_other(url, areas):
    async with session(url, staff(*areas, county=areas[0][:6]).scope_settings) as conn:
        seen = {table: await places_seen(conn, table) for table in area_tables()}

    assert seen == dict.fromkeys(area_tables(), SIGHT[areas])


async def test_a_grant_wider_than_the_county_opens_no_other_county(url):
    async with session(url, staff(COUNTY[:4]).scope_settings) as conn:
        seen = {table: await places_seen(conn, table) for table in area_tables()}

    assert seen == {table: set(PLACES) for table in area_tables()}


async def test_without_row_level_security_the_same_reading_leaks(url):
    owner = await asyncpg.connect(url)
    try:
        await owner.execute("BEGIN; ALTER TABLE visit DISABLE ROW LEVEL SECURITY; SET LOCAL ROLE gridhood_app")
        await owner.execute(staff(CELL).scope_settings)
        seen = await places_seen(owner, "visit")
    finally:
        await owner.close()

    assert seen == {*PLACES, NEXT_COUNTY_CELL}


@pytest.mark.parametrize(
    "unset",
    ["app.lo", "app.hi", "app.scopes", "app.county, app.actor, app.volunteer, app.scopes, app.lo, app.hi"],
)
@pytest.mark.parametrize("way", ["never set", "set to nothing"])
async def test_a_missing_or_empty_setting_opens_nothing(url, unset, way):
    settings = staff(COUNTY).scope_settings.split("; ")
    kept = [setting for setting in settings if not any(name in setting for name in unset.split(", "))]
    emptied = [f"SET LOCAL {name} = ''" for name in unset.split(", ")] if way == "set to nothing" else []

    async with session(url, "; ".join([*kept, *emptied])) as conn:
        seen = {table: await places_seen(conn, table) for table in area_tables()}

    assert not any(seen.values())


async def test_after_its_transaction_a_scope_opens_nothing_for_the_next_user_of_the_connection(url):
    async with session(url, staff(COUNTY).scope_settings) as conn:
        during = await places_seen(conn, "visit")
        await conn.execute("COMMIT; BEGIN")
        after = await places_seen(conn, "visit")

    assert during == set(PLACES)
    assert after == set()


async def test_a_setting_for_the_whole_session_would_open_it_to_the_next_user(url):
    careless = staff(COUNTY).scope_settings.replace("SET LOCAL", "SET")
    async with session(url, careless) as conn:
        await conn.execute("COMMIT; BEGIN")
        after = await places_seen(conn, "visit")

    assert after == set(PLACES)


@pytest.mark.parametrize("table", area_tables())
async def test_a_row_can_be_written_inside_the_scope_only(url, table):
    mine, theirs = COMMUNITY + "071", COMMUNITY + "072"
    async with session(url, staff(mine).scope_settings) as conn:
        await fill(conn, table, [mine])
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await fill(conn, table, [theirs])


@pytest.mark.parametrize("table", ["alert", "round_rule"])
async def test_what_a_whole_county_reads_is_written_only_by_who_holds_its_area(url, table):
    owner = await asyncpg.connect(url)
    await fill(owner, table, [COUNTY, CELL])
    await owner.close()

    async with session(url, staff(CELL).scope_settings) as conn:
        changed = await conn.fetch(f"UPDATE {table} SET rev = rev + 1 RETURNING area_code")
        dropped = await conn.fetch(f"DELETE FROM {table} RETURNING area_code")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await fill(conn, table, [COUNTY])

    assert {row["area_code"] for row in (*changed, *dropped)} == {CELL}


async def test_a_row_cannot_be_moved_out_of_the_scope(url):
    async with session(url, staff(CELL).scope_settings) as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await conn.execute("UPDATE household SET area_code = $1", NEIGHBOUR)


@pytest.mark.parametrize("table", area_tables())
async def test_a_code_between_two_levels_is_stored_nowhere(url, table):
    """A range by prefix would count thirteen digits as part of the community they begin with."""
    owner = await asyncpg.connect(url)
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="area_level"):
            await fill(owner, table, [COMMUNITY + "1"])
    finally:
        await owner.close()


@pytest.mark.parametrize("table", [t.name for t in county_tables() if t.name not in area_tables()])
async def test_rows_without_an_area_are_seen_in_their_county_only(url, table):
    caller, elsewhere = staff(CELL), staff(NEXT_COUNTY_CELL, county=NEXT_COUNTY)
    actor = f"'{caller.account_id}'::uuid"
    owner = await asyncpg.connect(url)
    await owner.execute(f'DELETE FROM "{table}"')
    values = {"account_id": actor} if table == "operation" else {}
    await fill(owner, table, [CELL], **values)
    await owner.close()

    counts = []
    for who in (caller, elsewhere):
        async with session(url, who.scope_settings) as conn:
            counts.append(await conn.fetchval(f'SELECT count(*) FROM "{table}"'))

    assert counts == [1, 0]
    named = {"county", "due_days", "feed_head", "grid_version", "operation", "trusted_county"}
    assert table in COUNTY_WIDE | named, "a new one: name it on purpose"


@pytest.fixture
async def as_volunteer(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A volunteer's transaction, in a county where each table has a row of theirs beside those of others."""
    owner = await asyncpg.connect(url)
    for table in county_tables():
        named = OWN_ROWS.get(table.name) or ("volunteer_id" if "volunteer_id" in table.c else None)
        if named and table.name in area_tables():
            await owner.execute(f'DELETE FROM "{table.name}" WHERE {named} = $1', VOLUNTEER)
            await fill(owner, table.name, [CELL], **{named: f"'{VOLUNTEER}'::uuid"})
    await owner.close()
    caller = Caller(uuid7(), "李秀兰", COUNTY, ((Role.volunteer, COUNTY),), VOLUNTEER)
    async with session(url, caller.scope_settings) as conn:
        yield conn


async def test_a_volunteer_sees_their_own_rows_and_nothing_else(as_volunteer):
    seen: dict[str, set[UUID]] = {}
    for table in area_tables():
        rows = await as_volunteer.fetch(f'SELECT * FROM "{table}"')
        if rows:
            seen[table] = {row[OWN_ROWS.get(table, "id")] for row in rows}

    assert seen == {table: {VOLUNTEER} for table in OWN_ROWS}


async def test_a_volunteer_reads_their_own_stream_and_no_area(url, as_volunteer):
    stream = f"'v:{VOLUNTEER}'"
    await fill(as_volunteer, "change", [COUNTY], stream=stream)

    assert await as_volunteer.fetchval("SELECT count(*) FROM change") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await fill(as_volunteer, "change", [CELL])
