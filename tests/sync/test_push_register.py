"""The register from a phone without network: put, edit, events, moves; and edits that somebody has overtaken."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from backend.core.clock import county_day
from backend.matching.tasks import run_duplicates
from tests.factories import CELL, NEIGHBOUR
from tests.sync.test_push import Phone, household, outcomes, phone, register  # noqa: F401  (fixtures)

API = "/api/v1"


def operation(on: Phone, kind, entity_id, fields, **changes):
    return {**on.visit(entity_id), "kind": kind, "entity_id": str(entity_id), "fields": fields, **changes}


def door(**changes):
    return {"cell_code": CELL, "compound": "河滨小区", "room": "501", **changes}


def newcomer(home):
    return {"household_id": str(home), "name": "赵新", "relation": "02"}


@pytest.fixture
def today():
    return str(county_day(datetime.now(UTC)))


@pytest.fixture
async def person(make, household):  # noqa: F811
    return await make.resident(household)


async def row(worker, person):
    return (await worker.client.get(f"{API}/residents/{person.id}")).json()


async def test_a_door_its_people_and_a_visit_to_them_come_in_one_push(phone, household):  # noqa: F811
    home, who = uuid4(), uuid4()
    visit = phone.visit(home)

    answer = await phone.push(
        operation(phone, "household.put", home, door()), operation(phone, "resident.put", who, newcomer(home)), visit
    )

    assert outcomes(answer) == [("applied", None)] * 3
    found = (await phone.person.client.get(f"{API}/households/{home}")).json()
    assert (found["head_name"], found["size"]) == ("赵新", 1)


async def test_a_register_operation_sent_twice_is_done_once(phone, person, today):  # noqa: F811
    sent = operation(phone, "register.event", uuid4(), {"kind": "float", "on": today, "resident_ids": [str(person.id)]})

    answers = [await phone.push(sent) for _ in range(2)]

    assert [outcomes(one) for one in answers] == [[("applied", None)], [("duplicate", None)]]
    assert (await row(phone.person, person))["residency"] == "floating"


async def test_a_refused_event_leaves_its_neighbours_and_nothing_of_itself(phone, person):  # noqa: F811
    wrong = {"kind": "death", "on": "2199-01-01", "resident_ids": [str(person.id)]}

    answer = await phone.push(
        operation(phone, "register.event", uuid4(), wrong),
        operation(phone, "resident.edit", person.id, {"note": "听力不好"}, base_rev=1),
    )

    assert outcomes(answer) == [("rejected", "in_the_future"), ("applied", None)]
    assert (await row(phone.person, person))["note"] == "听力不好"


async def test_an_edit_of_other_fields_than_somebody_elses_is_applied(phone, person):  # noqa: F811
    url = f"{API}/residents/{person.id}"
    await phone.person.client.patch(url, json={"phone": "12600000003"}, headers={"If-Match": '"1"'})

    answer = await phone.push(operation(phone, "resident.edit", person.id, {"note": "听力不好"}, base_rev=1))

    assert outcomes(answer) == [("applied", None)]
    found = await row(phone.person, person)
    assert (found["phone"], found["note"]) == ("12600000003", "听力不好")


async def test_an_edit_of_a_field_that_somebody_has_changed_since_waits_for_a_person(phone, person):  # noqa: F811
    url = f"{API}/residents/{person.id}"
    await phone.person.client.patch(url, json={"note": "搬到里屋"}, headers={"If-Match": '"1"'})
    sent = operation(phone, "resident.edit", person.id, {"note": "听力不好"}, base_rev=1)

    answers = [await phone.push(sent) for _ in range(2)]

    assert [outcomes(one) for one in answers] == [[("conflict", "edit_conflict")]] * 2
    assert (await row(phone.person, person))["note"] == "搬到里屋"


async def test_edits_of_one_phone_follow_one_another_and_those_of_another_phone_do_not(
    make, phone, register, person  # noqa: F811
):  # fmt: skip
    first, second, third = (
        operation(phone, "resident.edit", person.id, {"note": note}, base_rev=1) for note in ("一", "二", "三")
    )

    apart = [await phone.push(first), await phone.push(second, third)]
    other = await register(await make.worker(name="王芳"))
    late = await other.push(operation(other, "resident.edit", person.id, {"note": "四"}, base_rev=1))

    assert [outcomes(one) for one in apart] == [[("applied", None)], [("applied", None)] * 2]
    assert outcomes(late) == [("conflict", "edit_conflict")]
    assert (await row(phone.person, person))["note"] == "三"


async def test_an_edit_says_what_it_was_made_on(phone, person):  # noqa: F811
    answer = await phone.push(
        operation(phone, "resident.edit", person.id, {"note": "一"}),
        operation(phone, "resident.edit", person.id, {"note": "一"}, base_rev=9),
    )

    assert outcomes(answer) == [("rejected", "precondition_missing"), ("rejected", "stale")]


async def test_a_move_is_pulled_by_both_sides_and_settled_from_the_phone(make, phone, register, person, today):  # noqa: F811
    await make.cell(NEIGHBOUR)
    home = await make.household(NEIGHBOUR)
    receiving = await register(await make.worker(NEIGHBOUR))
    before = (await phone.pull()).json()["cursor"]
    move = uuid4()
    out = {"kind": "move_out", "on": today, "resident_ids": [str(person.id)], "to": {"cell_code": NEIGHBOUR}}

    await phone.push(operation(phone, "register.event", move, out))
    left = {(one["kind"], one["gone"]) for one in (await phone.pull(before)).json()["items"]}
    expected = [one["body"] for one in (await receiving.pull()).json()["items"] if one["kind"] == "move"]
    settle = {"arrived": True, "on": today, "household_id": str(home.id)}
    answer = await receiving.push(operation(receiving, "move.settle", move, settle, base_rev=expected[0]["rev"]))
    there = {one["id"] for one in (await receiving.pull()).json()["items"] if one["kind"] == "resident"}

    assert {("resident", True), ("move", False), ("register_event", False)} <= left
    assert [mover["name"] for mover in expected[0]["movers"]] == [person.name]
    assert outcomes(answer) == [("applied", None)]
    assert there == {str(person.id)}


async def test_a_volunteers_phone_writes_nothing_on_the_register(make, register, person, today):  # noqa: F811
    volunteer = await register(await make.volunteer())
    fields = {"kind": "death", "on": today, "resident_ids": [str(person.id)]}

    answer = await volunteer.push(operation(volunteer, "register.event", uuid4(), fields))

    assert outcomes(answer) == [("rejected", "role_not_allowed")]


async def twins(make, home):
    """One person registered twice behind two doors of a cell."""
    born = {"birth_date": date(1954, 3, 8), "phone": "13812345678"}
    first = await make.resident(home, name="王小华", **born)
    return first, await make.resident(await make.household(room="303"), name="王晓华", **born)


async def pairs(on: Phone, since=None):
    items = (await on.pull(since)).json()["items"]
    return [one for one in items if one["kind"] == "duplicate"]


async def test_two_rows_of_one_person_are_pulled_and_decided_from_the_phone(make, phone, household):  # noqa: F811
    first, second = await twins(make, household)
    cursor = (await phone.pull()).json()["cursor"]
    [found] = await pairs(phone)
    settle = {"same": True, "keep": str(first.id), "reason": "上门核过证件"}

    answers = [
        await phone.push(operation(phone, "duplicate.settle", found["id"], settle)),
        await phone.push(operation(phone, "duplicate.settle", found["id"], settle)),
    ]
    [decided] = await pairs(phone, cursor)

    body = found["body"]
    assert (found["area_code"], body["state"], body["reasons"]) == (CELL, "open", ["phone"])
    assert {body[side]["phone"] for side in ("first", "second")} == {"138****5678"}
    assert [outcomes(one) for one in answers] == [[("applied", None)], [("rejected", "step_not_allowed")]]
    assert (decided["body"]["state"], decided["body"]["kept_id"]) == ("merged", str(first.id))
    assert (await phone.person.client.get(f"{API}/residents/{second.id}")).status_code == 410


async def test_a_decision_taken_back_and_a_pair_alike_no_more_are_heard_of(make, phone, household, database):  # noqa: F811
    first, _second = await twins(make, household)
    [found] = await pairs(phone)
    decision = {"same": False, "reason": "父子同名"}
    await phone.push(operation(phone, "duplicate.settle", found["id"], decision))
    cursor = (await phone.pull()).json()["cursor"]

    await phone.person.client.post(f"{API}/duplicates/{found['id']}/undo", json={"reason": "后来发现看错了"})
    [reopened] = await pairs(phone, cursor)
    url = f"{API}/residents/{first.id}"
    await phone.person.client.patch(url, json={"phone": None, "birth_date": None}, headers={"If-Match": '"1"'})
    await run_duplicates(database)
    [gone] = await pairs(phone, cursor)

    assert (reopened["body"]["state"], gone["gone"]) == ("open", True)


async def test_a_night_that_finds_nothing_new_tells_nobody(make, phone, household, database):  # noqa: F811
    await twins(make, household)
    cursor = (await phone.pull()).json()["cursor"]

    await run_duplicates(database)

    assert await pairs(phone, cursor) == []


async def test_a_merge_takes_the_other_pairs_of_the_row_along(make, phone, household):  # noqa: F811
    first, second = await twins(make, household)
    third = await make.resident(
        await make.household(room="304"), name="王小华", birth_date=date(1954, 3, 8), phone="13812345678"
    )
    found = {frozenset((one["body"]["first"]["id"], one["body"]["second"]["id"])): one for one in await pairs(phone)}
    settle = {"same": True, "keep": str(first.id), "reason": "上门核过证件"}

    pair = found[frozenset((str(first.id), str(second.id)))]
    await phone.push(operation(phone, "duplicate.settle", pair["id"], settle))

    left = {one["id"] for one in await pairs(phone) if not one["gone"] and one["body"]["state"] == "open"}
    assert len(found) == 3
    assert left == {found[frozenset((str(first.id), str(third.id)))]["id"]}


async def test_a_partner_reads_no_pairs(make, household):  # noqa: F811
    await twins(make, household)
    partner = await make.partner()

    items = (await partner.client.get(f"{API}/changes")).json()["items"]

    assert {one["gone"] for one in items if one["kind"] == "duplicate"} == {True}


async def test_who_becomes_head_after_a_death_comes_in_the_push_that_tells_of_it(make, phone, household, today):  # noqa: F811
    head = await make.resident(household)
    death = {"kind": "death", "on": today, "resident_ids": [str(head.id)]}
    heir = operation(phone, "resident.put", uuid4(), newcomer(household.id))

    answer = await phone.push(operation(phone, "register.event", uuid4(), death), heir)

    assert outcomes(answer) == [("applied", None)] * 2
    assert (await row(phone.person, head))["left_on"] == today


async def test_a_newborn_is_visited_in_the_push_that_tells_of_the_birth(make, phone, household, today):  # noqa: F811
    await make.resident(household)
    baby = str(uuid4())
    new = {"household_id": str(household.id), "name": "王小宝", "relation": "20", "residency": "registered"}
    birth = {"kind": "birth", "on": today, "new_resident_id": baby, "new_resident": new}
    told = operation(phone, "register.event", uuid4(), birth)
    visit = phone.visit(household.id)
    visit["fields"]["resident_id"] = baby

    answer = await phone.push(told, visit, phone.visit(household.id))

    assert outcomes(answer) == [("applied", None)] * 3
