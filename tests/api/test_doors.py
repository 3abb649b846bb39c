"""Doors, empty flats, moves from door to door, and the head of a household, over HTTP on PostgreSQL."""

from datetime import timedelta

import asyncpg
import pytest

from backend.core.clock import county_day, system_clock
from shared.residents import Relation
from shared.types import uuid7
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY

TODAY = county_day(system_clock())
YESTERDAY = TODAY - timedelta(days=1)


def door(**other):
    usual = {"cell_code": CELL, "compound": "河滨小区", "building": "3号楼", "unit": "2单元", "room": "401"}
    return usual | {"usage": "empty"} | other


def at(dwelling_id=""):
    return f"/api/v1/dwellings/{dwelling_id}".rstrip("/")


def of(household, more=""):
    return f"/api/v1/households/{household.id}{more}"


async def put_door(worker, **other):
    dwelling_id = uuid7()
    answer = await worker.client.put(at(dwelling_id), json=door(**other))
    assert answer.status_code == 200, answer.text
    return str(dwelling_id)


async def go(worker, household, dwelling_id, *, on=TODAY, tenure="tenant"):
    rev = (await worker.client.get(of(household))).headers["ETag"]
    body = {"dwelling_id": dwelling_id, "tenure": tenure, "on": on.isoformat()}
    return await worker.client.post(of(household, "/door"), json=body, headers={"If-Match": rev})


async def own_door(worker, household):
    listed = await worker.client.get(at())
    homes = {one["household_id"]: row["id"] for row in listed.json()["items"] for one in row["occupants"]}
    return homes[str(household.id)]


def said(answer):
    body = answer.json()
    return answer.status_code, body["code"], *(error["pointer"] for error in body.get("errors", []))


async def test_an_empty_flat_is_stored_once_and_listed(make):
    await make.household()
    worker, dwelling_id = await make.worker(), uuid7()

    first, retry = [await worker.client.put(at(dwelling_id), json=door()) for _ in range(2)]
    other = await worker.client.put(at(dwelling_id), json=door(room="402"))
    listed = await worker.client.get(at(), params={"area_code": CELL, "usage": "empty"})

    assert first.status_code == retry.status_code == 200
    assert first.json() == retry.json() == listed.json()["items"][0]
    assert (first.json()["occupants"], first.headers["ETag"]) == ([], '"1"')
    assert said(other)[:2] == (409, "id_taken")


async def test_a_place_is_summed_up_by_compound_and_building(make):
    home = await make.household()
    await make.resident(home)
    await make.resident(home, name="王小明", relation=Relation.son)
    await make.household(room="303")
    await make.household(NEIGHBOUR, compound="河滨小区", building="4号楼")
    worker, coordinator = await make.worker(), await make.worker(COMMUNITY)
    await put_door(worker)

    compounds = await coordinator.client.get("/api/v1/compounds", params={"area_code": COMMUNITY})
    mine = await worker.client.get("/api/v1/compounds", params={"area_code": CELL})
    asked = {"area_code": COMMUNITY, "compound": "河滨小区"}
    buildings = await coordinator.client.get("/api/v1/buildings", params=asked)

    assert compounds.json() == [
        {"name": "河滨小区", "community_code": COMMUNITY, "cell_codes": [CELL, NEIGHBOUR], "buildings": 2, "doors": 4,
         "empty_doors": 1, "households": 3, "people": 2}
    ]  # fmt: skip
    assert [row["doors"] for row in mine.json()] == [3]
    assert [(row["building"], row["units"], row["doors"], row["people"]) for row in buildings.json()] == [
        ("3号楼", ["2单元"], 3, 2), ("4号楼", ["2单元"], 1, 0),
    ]  # fmt: skip


async def test_a_county_is_not_added_up_while_somebody_waits(make):
    admin = await make.admin()

    answer = await admin.client.get("/api/v1/compounds", params={"area_code": COUNTY})

    assert said(answer) == (422, "malformed", "/area_code")


async def test_a_compound_is_asked_for_in_a_place(make):
    await make.household()
    worker = await make.worker()
    await put_door(worker, building="4号楼")

    nowhere = await worker.client.get(at(), params={"compound": "河滨小区"})
    listed = await worker.client.get(
        at(), params={"area_code": CELL, "compound": "河滨小区", "building": "4号楼", "unit": "2单元"}
    )

    assert said(nowhere) == (422, "malformed", "/area_code")
    assert [row["room"] for row in listed.json()["items"]] == ["401"]


async def test_two_households_live_behind_one_door_and_read_its_new_name(make):
    first, second = await make.household(), await make.household(room="303")
    worker = await make.worker()
    shared = await own_door(worker, first)

    moved = await go(worker, second, shared)
    renamed = await worker.client.put(
        at(shared), json=door(room="305", usage="rented"), headers={"If-Match": (await tag(worker, shared))}
    )
    found = await worker.client.get("/api/v1/households", params={"q": "305"})

    assert moved.json()["room"] == "302"
    assert {one["household_id"] for one in renamed.json()["occupants"]} == {str(first.id), str(second.id)}
    assert {row["id"] for row in found.json()["items"]} == {str(first.id), str(second.id)}


async def tag(worker, dwelling_id):
    return (await worker.client.get(at(dwelling_id))).headers["ETag"]


async def test_a_door_changed_from_one_household_is_changed_for_its_neighbour(make):
    first, second = await make.household(), await make.household(room="303")
    worker = await make.worker()
    await go(worker, second, await own_door(worker, first))
    rev = (await worker.client.get(of(first))).headers["ETag"]
    body = {key: value for key, value in door(room="309").items() if key != "usage"}

    await worker.client.put(of(first), json=body, headers={"If-Match": rev})
    found = await worker.client.get("/api/v1/households", params={"q": "309"})

    assert {row["id"] for row in found.json()["items"]} == {str(first.id), str(second.id)}


async def test_where_a_household_lived_is_kept(make):
    household = await make.household()
    worker = await make.worker()
    old, new = await own_door(worker, household), await put_door(worker)

    moved = await go(worker, household, new, on=YESTERDAY)
    bought = await go(worker, household, new, tenure="owner")
    history = await worker.client.get(of(household, "/occupancies"))
    dwelling = (await worker.client.get(at(new))).json()

    assert (moved.status_code, moved.json()["room"], bought.status_code) == (200, "401", 200)
    assert [(row["dwelling_id"], row["tenure"], row["until_day"]) for row in history.json()] == [
        (new, "owner", None), (new, "tenant", TODAY.isoformat()), (old, "unknown", YESTERDAY.isoformat()),
    ]  # fmt: skip
    assert (dwelling["usage"], dwelling["occupants"][0]["tenure"]) == ("rented", "owner")
    assert (await worker.client.get(at(old))).json()["occupants"] == []


async def test_the_same_day_said_again_is_a_correction(make):
    household = await make.household()
    worker = await make.worker()
    new = await put_door(worker)

    await go(worker, household, new)
    await go(worker, household, new, tenure="owner")
    history = await worker.client.get(of(household, "/occupancies"))

    assert [(row["tenure"], row["until_day"]) for row in history.json()] == [
        ("owner", None), ("unknown", TODAY.isoformat()),
    ]  # fmt: skip


async def test_the_database_itself_refuses_two_doors_at_a_time(make):
    household = await make.household()
    worker = await make.worker()
    await go(worker, household, await put_door(worker))

    async def twice(tx):
        await tx.conn.execute(
            "INSERT INTO occupancy SELECT county_code, gen_random_uuid(), area_code, household_id, dwelling_id, tenure,"
            " from_day, until_day, account_id, noted_at FROM occupancy WHERE until_day = 'infinity'"
        )

    with pytest.raises(Exception, match="occupancy_one_door"):
        await make.run(twice)


async def test_what_cannot_be_is_refused_with_the_reason(make):
    household = await make.household()
    await make.cell(NEIGHBOUR)
    worker, coordinator = await make.worker(), await make.worker(COMMUNITY)
    mine = await own_door(worker, household)
    there = await put_door(coordinator, cell_code=NEIGHBOUR)
    new = await put_door(worker)

    empty = await worker.client.put(at(mine), json=door(), headers={"If-Match": '"1"'})
    elsewhere = await go(coordinator, household, there)
    nowhere = await go(worker, household, str(uuid7()))
    future = await go(worker, household, new, on=TODAY + timedelta(days=1))
    await go(worker, household, new)
    before = await go(worker, household, mine, on=YESTERDAY)
    blind = await worker.client.post(
        of(household, "/door"), json={"dwelling_id": new, "tenure": "owner", "on": TODAY.isoformat()}
    )
    stale = await worker.client.put(at(new), json=door(), headers={"If-Match": '"1"'})
    other_cell = await coordinator.client.put(
        at(there), json=door(), headers={"If-Match": await tag(coordinator, there)}
    )

    assert said(empty) == (409, "step_not_allowed", "/usage")
    assert said(elsewhere) == (409, "step_not_allowed", "/dwelling_id")
    assert said(nowhere) == (404, "not_found", "/dwelling_id")
    assert said(future) == (422, "in_the_future", "/on")
    assert said(before) == (409, "step_not_allowed", "/on")
    assert said(blind) == (428, "precondition_missing")
    assert said(stale) == (412, "stale")
    assert said(other_cell) == (409, "step_not_allowed", "/cell_code")


async def test_doors_and_moves_are_their_own_areas_only(make):
    household = await make.household()
    auditor, other = await make.auditor(), await make.worker(OTHER_COMMUNITY)
    mine = await own_door(await make.worker(), household)
    body = {"dwelling_id": mine, "tenure": "owner", "on": TODAY.isoformat()}

    unseen = [await other.client.get(path) for path in (at(mine), of(household, "/occupancies"))]
    unseen.append(await other.client.post(of(household, "/door"), json=body, headers={"If-Match": '"1"'}))
    place = [
        await other.client.get(f"/api/v1/{name}", params={"area_code": CELL, "compound": "河滨小区"})
        for name in ("compounds", "buildings", "dwellings")
    ]
    written = [
        await auditor.client.put(at(uuid7()), json=door()),
        await auditor.client.post(of(household, "/door"), json=body),
        await auditor.client.post(of(household, "/head"), json={}),
    ]

    assert {said(answer)[:2] for answer in unseen} == {(404, "not_found")}
    assert {said(answer) for answer in place} == {(403, "area_not_allowed", "/area_code")}
    assert {said(answer) for answer in written} == {(403, "role_not_allowed")}
    assert said(await other.client.put(at(uuid7()), json=door()))[1] == "area_not_allowed"


# The head of a household


async def family(make):
    home = await make.household()
    father = await make.resident(home, name="王建国")
    mother = await make.resident(home, name="李秀兰", relation=Relation.spouse)
    son = await make.resident(home, name="王小明", relation=Relation.son)
    return home, father, mother, son


async def behead(worker, home, head, relations, on=TODAY, rev=None):
    rev = rev or (await worker.client.get(of(home))).headers["ETag"]
    body = {"head_id": str(head), "relations": {str(one): code for one, code in relations.items()}}
    return await worker.client.post(of(home, "/head"), json=body | {"on": on.isoformat()}, headers={"If-Match": rev})


async def test_a_new_head_comes_with_everybodys_relation(make):
    home, father, mother, son = await family(make)
    worker = await make.worker()

    changed = await behead(worker, home, mother.id, {father.id: "10", son.id: "20"})
    people = await worker.client.get("/api/v1/residents", params={"household_id": str(home.id)})

    async def periods(tx):
        return await tx.conn.fetch(
            "SELECT resident_id, value FROM period WHERE track = 'relation' AND until_day = 'infinity'"
        )

    now = {str(mother.id): "02", str(father.id): "10", str(son.id): "20"}
    assert (changed.status_code, changed.json()["head_name"]) == (200, "李秀兰")
    assert {row["id"]: row["relation"] for row in people.json()["items"]} == now
    assert {row["id"]: row["rev"] for row in people.json()["items"]}[str(son.id)] == 1
    assert {str(row["resident_id"]): row["value"] for row in await make.run(periods)} == now


async def test_a_head_is_one_and_nobody_is_forgotten(make):
    home, father, mother, son = await family(make)
    stranger = await make.resident(await make.household(room="303"))
    worker = await make.worker()

    answers = [
        await behead(worker, home, mother.id, {father.id: "10"}),
        await behead(worker, home, mother.id, {father.id: "02", son.id: "20"}),
        await behead(worker, home, mother.id, {father.id: "10", son.id: "20", mother.id: "10"}),
        await behead(worker, home, mother.id, {father.id: "10", son.id: "20", stranger.id: "97"}),
        await behead(worker, home, stranger.id, {}),
        await behead(worker, home, mother.id, {father.id: "10", son.id: "20"}, on=TODAY + timedelta(days=1)),
        await behead(worker, home, mother.id, {father.id: "10", son.id: "20"}, rev='"99"'),
    ]
    kept = await worker.client.get(of(home))

    assert [said(answer) for answer in answers] == [
        (422, "relations_missing", "/relations"), (422, "one_head", "/relations"), (422, "one_head", "/relations"),
        (404, "resident_not_here", "/relations"), (404, "resident_not_here", "/head_id"),
        (422, "in_the_future", "/on"), (412, "stale"),
    ]  # fmt: skip
    assert kept.json()["head_name"] == "王建国"


async def test_nobody_becomes_a_second_head_beside_the_first(make):
    home, father, mother, _son = await family(make)
    worker = await make.worker()
    newcomer = {"household_id": str(home.id), "name": "王小军", "relation": "02"}
    noted = {"track": "relation", "value": "02", "from_day": TODAY.isoformat(), "reason": "户口本上写的"}

    answers = [
        await worker.client.patch(
            f"/api/v1/residents/{mother.id}", json={"relation": "02"}, headers={"If-Match": '"1"'}
        ),
        await worker.client.put(f"/api/v1/residents/{uuid7()}", json=newcomer),
        await (await make.worker(COMMUNITY)).client.put(f"/api/v1/residents/{mother.id}/periods", json=noted),
    ]

    assert {said(answer) for answer in answers} == {(422, "one_head", "/relation")}
    assert "已经有户主" in answers[0].json()["detail"]
    assert (await worker.client.get(of(home))).json()["head_name"] == father.name


async def test_the_database_itself_holds_no_second_head(make, database_url):
    _home, _father, mother, _son = await family(make)
    owner = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.UniqueViolationError, match="resident_one_head"):
            await owner.execute("UPDATE resident SET relation = '02' WHERE id = $1", mother.id)
    finally:
        await owner.close()


async def test_a_household_whose_head_has_died_gets_another_and_the_death_is_withdrawn_only_without(make):
    home, father, mother, _son = await family(make)
    worker, event = await make.worker(), f"/api/v1/register-events/{uuid7()}"
    died = {"kind": "death", "on": TODAY.isoformat(), "resident_ids": [str(father.id)]}
    await worker.client.put(event, json=died)
    await worker.client.patch(f"/api/v1/residents/{mother.id}", json={"relation": "02"}, headers={"If-Match": '"1"'})

    headed = (await worker.client.get(of(home))).json()["head_name"]
    back = await worker.client.post(f"{event}/withdraw", json={"reason": "登记错了人"})

    assert headed == mother.name
    assert said(back) == (422, "one_head", "/relation")


async def test_a_head_is_changed_by_the_areas_own_workers(make):
    home, father, mother, son = await family(make)
    other = await make.worker(OTHER_COMMUNITY)

    answer = await behead(other, home, mother.id, {father.id: "10", son.id: "20"}, rev='"1"')

    assert said(answer) == (404, "not_found")
