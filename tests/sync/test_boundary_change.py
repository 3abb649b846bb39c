"""A boundary change with three phones in the field: nothing is lost, and everybody sees the right cell."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from backend.auth import tokens
from backend.core.clock import county_day
from mobile.device.fakes import KEY
from mobile.store.outbox import State
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.sync.client import Client
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import Syncer
from mobile.visits.effects import effects
from shared.auth import GrantOut, MeOut, Role, TokenOut
from shared.grid import CellOut
from shared.residents import HouseholdOut, ResidentOut
from shared.sync import OperationKind
from shared.types import uuid7
from shared.visits import VisitIn, VisitOut, VisitOutcome
from tests.api.test_redrawing import NEW, plan, split, step
from tests.factories import CELL, COMMUNITY, COUNTY, Factory, Person, corner_of

HOMES, PEOPLE_EACH = 500, 4


@dataclass
class FieldPhone:
    """A real phone's store and sync loop, talking to the real server."""

    person: Person
    store: Store
    client: Client
    syncer: Syncer
    me: MeOut

    def sees(self) -> dict[str, str]:
        """Every household on the phone with its cell."""
        return {str(home.id): home.area_code for home in self.store.entities.all(HouseholdOut)}

    def people(self) -> set[str]:
        return {one.area_code for one in self.store.entities.all(ResidentOut)}

    def record(self, home: HouseholdOut, note: str) -> UUID:
        visit = VisitIn(household_id=home.id, outcome=VisitOutcome.seen, visited_at=datetime.now(UTC), note=note)
        visit_id = uuid7()
        self.store.outbox.capture(
            OperationKind.visit_record, visit_id, visit.model_dump(mode="json"),
            effects(visit_id, visit, home, self.me), title="走访",
        )  # fmt: skip
        return visit_id

    def counts(self) -> tuple[int, int]:
        """How many operations wait, and how many were refused."""
        counts = self.store.outbox.counts()
        return counts[State.unsent] + counts[State.sent], counts[State.refused]


async def phone_of(make: Factory, area: str, folder: Path, name: str) -> FieldPhone:
    person = await make.worker(area, name=name)
    file = PhoneFile(folder)
    store = Store(file.store_path(person.account_id), KEY, person.account_id, file, lambda: datetime.now(UTC))
    signed = TokenOut(
        access_token=tokens.issue(make.app.state.keys.token, COUNTY, person.account_id, make.database.clock()),
        expires_in=900, refresh_token="no-refresh-token-needed",
    )  # fmt: skip
    client = Client("http://county", signed, transport=httpx.ASGITransport(make.app))
    status = SyncStatus(store, lambda: datetime.now(UTC))
    role = Role.grid_worker if len(area) == 15 else Role.community_worker
    me = MeOut(
        account_id=person.account_id, username=name, display_name=name, county_code=COUNTY, county_name="凤县",
        grants=[GrantOut(role=role, area_code=area)],
    )  # fmt: skip
    return FieldPhone(person, store, client, Syncer(store, client, status, lambda: datetime.now(UTC)), me)


async def settle_community(make: Factory, homes: int, people: int) -> None:
    """Fill the test cell: half the doors lie in its western half, half in the eastern one."""
    cell = await make.cell(CELL)
    west, south = corner_of(CELL)

    async def work(tx):
        await tx.conn.execute(
            "INSERT INTO dwelling (county_code, id, area_code, rev, received_at, compound, building, unit, room, lon,"
            " lat) SELECT $1, ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid, $2, 1, $3, '河滨小区',"
            " '1', '1', n::text,"
            " $4::float8 + CASE WHEN n % 2 = 0 THEN 0.0002 ELSE 0.0015 END, $5::float8 + 0.000003 * n"
            " FROM generate_series(1, $6::int) n",
            COUNTY, CELL, tx.now, west, south, homes,
        )  # fmt: skip
        await tx.conn.execute(
            "INSERT INTO household (county_code, id, area_code, rev, received_at, dwelling_id, head_name, size, care,"
            " tries_since_seen, due_reason)"
            " SELECT $1, ('00000000-0000-0000-0002-' || right(id::text, 12))::uuid, area_code, 1, $2, id, '何长顺', $3,"
            " '{}', 0, '' FROM dwelling WHERE county_code = $1",
            COUNTY, tx.now, people,
        )  # fmt: skip
        await tx.conn.execute(
            "INSERT INTO resident (county_code, id, area_code, rev, received_at, household_id, name, sex, relation,"
            " residency, care, note)"
            " SELECT $1, gen_random_uuid(), area_code, 1, $2, id, '何' || n, '1', '10', 'living', '{}', ''"
            " FROM household, generate_series(1, $3::int) n WHERE county_code = $1",
            COUNTY, tx.now, people,
        )  # fmt: skip
        await tx.conn.execute(
            "INSERT INTO period (county_code, id, area_code, resident_id, track, value, from_day, noted_at)"
            " SELECT $1, gen_random_uuid(), area_code, id, track, 'x', DATE '2026-01-01', $2"
            " FROM resident, unnest(ARRAY['residency', 'household', 'relation']) AS track WHERE county_code = $1",
            COUNTY, tx.now,
        )  # fmt: skip
        await tx.conn.execute(
            "INSERT INTO change (county_code, stream, kind, id, area_code, seq, gone, at)"
            " SELECT $1, $2, kind, id, area_code, 10 + row_number() OVER (), false, $3 FROM ("
            " SELECT 'household' AS kind, id, area_code FROM household"
            " UNION ALL SELECT 'resident', id, area_code FROM resident) rows",
            COUNTY, COMMUNITY, tx.now,
        )  # fmt: skip
        await tx.conn.execute("UPDATE feed_head SET seq = 100000 WHERE stream = $1", COMMUNITY)

    await make.run(work)
    assert cell.code == CELL


async def test_two_thousand_people_change_cells_under_three_phones_and_nothing_is_lost(make, tmp_path):
    await settle_community(make, HOMES, PEOPLE_EACH)
    west = await phone_of(make, CELL, tmp_path / "west", "张敏")
    east = await phone_of(make, NEW, tmp_path / "east", "王芳")
    whole = await phone_of(make, COMMUNITY, tmp_path / "whole", "李建国")
    for phone in (west, east, whole):
        assert await phone.syncer.sync_once()
    everybody = whole.sees()
    assert (len(west.sees()), len(east.sees()), len(everybody)) == (HOMES, 0, HOMES)

    # In the field, without a network: visits on both sides of the line that is being drawn.
    homes = sorted(west.store.entities.all(HouseholdOut), key=lambda home: home.lon)
    unsent = {west.record(home, "线划之前") for home in (homes[0], homes[-1], homes[-2])}
    made = await plan(whole.person, split(county_day(make.database.clock())))
    applied = await step(whole.person, made, "apply")
    unsent.add(west.record(homes[-3], "线划之后，手机还不知道"))

    assert applied.status_code == 200, applied.text
    moved = applied.json()["moved"]
    assert (moved["households"], moved["residents"]) == (HOMES // 2, HOMES // 2 * PEOPLE_EACH)
    for phone in (west, east, whole):
        assert await phone.syncer.sync_once(), phone.me.display_name
    for phone in (east, whole):
        assert await phone.syncer.sync_once()

    # Nothing waits and nothing was refused; every visit stands, with the household's cell of now.
    assert west.counts() == (0, 0)
    stored = {visit.id: visit for visit in whole.store.entities.all(VisitOut)}
    assert set(stored) == unsent
    assert {visit.household_id: visit.area_code for visit in stored.values()} == {
        homes[0].id: CELL, homes[-1].id: NEW, homes[-2].id: NEW, homes[-3].id: NEW,
    }  # fmt: skip
    assert {visit.worker_name for visit in stored.values()} == {"张敏"}
    # Everybody sees the right cell, and nobody less or more.
    assert west.sees() == {str(home.id): CELL for home in homes[: HOMES // 2]}
    assert east.sees() == {str(home.id): NEW for home in homes[HOMES // 2 :]}
    assert whole.sees() == {**west.sees(), **east.sees()}
    assert set(whole.sees()) == set(everybody)
    assert (west.people(), east.people(), whole.people()) == ({CELL}, {NEW}, {CELL, NEW})
    assert len(whole.store.entities.all(ResidentOut)) == HOMES * PEOPLE_EACH
    assert {cell.code for cell in whole.store.entities.all(CellOut)} == {CELL, NEW}
    assert [cell.code for cell in west.store.entities.all(CellOut)] == [CELL]
    assert {visit.id for visit in east.store.entities.all(VisitOut)} == {
        one.id for one in stored.values() if one.area_code == NEW
    }  # fmt: skip


async def test_without_the_memory_of_who_left_such_a_visit_would_be_refused(make, tmp_path):
    """The control: the feed's gone rows are what lets the late visits above through."""
    await settle_community(make, 2, 1)
    west = await phone_of(make, CELL, tmp_path / "west", "张敏")
    whole = await make.worker(COMMUNITY)
    await west.syncer.sync_once()
    goes = max(west.store.entities.all(HouseholdOut), key=lambda home: home.lon)
    west.record(goes, "")
    made = await plan(whole, split(county_day(make.database.clock())))
    await step(whole, made, "apply")

    async def forget(tx):
        await tx.conn.execute("UPDATE change SET gone = false WHERE gone AND kind = 'household'")

    await make.run(forget)
    await west.syncer.sync_once()

    assert west.counts() == (0, 1)
    assert [entry.code for entry in west.store.outbox.entries(State.refused)] == ["household_not_here"]


@pytest.mark.parametrize("days", [6, 8])
async def test_a_visit_long_after_the_household_left_is_not_the_old_workers(make, tmp_path, days):
    await settle_community(make, 2, 1)
    worker, whole = await make.worker(CELL), await make.worker(COMMUNITY)
    made = await plan(whole, split(county_day(make.database.clock())))
    homes = (await whole.client.get("/api/v1/households")).json()["items"]
    goes = max(homes, key=lambda home: home["lon"])

    async def age(tx):
        await tx.conn.execute("UPDATE change SET at = at - make_interval(days => $1) WHERE gone", days)

    await step(whole, made, "apply")
    await make.run(age)
    body = {"household_id": goes["id"], "outcome": "seen", "visited_at": datetime.now(UTC).isoformat()}
    url = f"/api/v1/visits/{uuid7()}"
    first, again = [await worker.client.put(url, json=body) for _ in range(2)]

    if days < 7:
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json()
        assert first.json()["area_code"] == NEW
    else:
        assert (first.status_code, first.json()["code"]) == (404, "household_not_here")
