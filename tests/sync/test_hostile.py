"""Phones that are broken or bent: whatever one of them sends, its own neighbours and everybody else's phones go on."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import uuid4

import asyncpg
import pytest

from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, visit_to
from tests.sync.test_push import household, outcomes, phone, register  # noqa: F401  (fixtures)
from tests.sync.test_push_register import operation, person  # noqa: F401  (fixture)

EDGES = ("2200-12-31T23:59:59-14:00", "1900-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z")


@pytest.mark.parametrize("moment", EDGES)
async def test_a_time_that_only_its_zone_brings_into_range_stops_no_pull(phone, household, moment):  # noqa: F811
    """Stored, it could never be read again: every phone of the community would stand still before it."""
    odd = phone.visit(household.id, fields=visit_to(household.id, visited_at=moment))
    made_then = phone.visit(household.id, made_at=moment)

    answer = await phone.push(odd, made_then, phone.visit(household.id))
    pulled = await phone.pull()

    assert outcomes(answer) == [("rejected", "malformed"), ("rejected", "malformed"), ("applied", None)]
    assert pulled.status_code == 200
    assert pulled.json()["more"] is False


async def test_a_row_that_cannot_be_shown_keeps_nobody_from_the_rows_around_it(make, phone, household, database_url):  # noqa: F811
    homes = [household, *[await make.household(CELL) for _ in range(4)]]
    spoiled = homes[2].id
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE household SET received_at = '2300-01-01' WHERE id = $1", spoiled)
    await owner.close()

    pulled = await phone.pull()

    shown = {item["id"] for item in pulled.json()["items"] if item["kind"] == "household" and not item["gone"]}
    assert shown == {str(home.id) for home in homes if home.id != spoiled}


async def test_an_operation_id_of_another_account_spoils_only_its_own_operation(make, phone, register, household):  # noqa: F811
    await make.cell(NEIGHBOUR)
    theirs = await make.household(NEIGHBOUR)
    neighbour = await register(await make.worker(NEIGHBOUR))
    held = neighbour.visit(theirs.id)
    await neighbour.push(held)
    sent = [phone.visit(household.id), phone.visit(household.id, op_id=held["op_id"]), phone.visit(household.id)]

    first, again = await phone.push(*sent), await phone.push(*sent)

    assert outcomes(first) == [("applied", None), ("rejected", "id_taken"), ("applied", None)]
    assert outcomes(again) == [("duplicate", None), ("rejected", "id_taken"), ("duplicate", None)]
    stored = (await phone.person.client.get("/api/v1/visits")).json()["items"]
    assert {one["id"] for one in stored} == {sent[0]["entity_id"], sent[2]["entity_id"]}


async def test_an_edit_based_on_a_revision_far_ahead_waits_for_a_person_and_stops_no_neighbour(
    phone,  # noqa: F811
    person,  # noqa: F811
    household,  # noqa: F811
):
    ahead = operation(phone, "resident.edit", person.id, {"note": "腿脚不便"}, base_rev=2**53)

    answer = await phone.push(ahead, phone.visit(household.id))

    assert outcomes(answer) == [("rejected", "stale"), ("applied", None)]
    waiting = (await phone.person.client.get("/api/v1/conflicts")).json()["items"]
    assert [one["op_id"] for one in waiting] == [ahead["op_id"]]


def word(*content):
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize("area", ["\0", "%", "6103301", "x" * 40, "v:1"])
async def test_a_forged_cursor_is_refused_and_no_server_error(phone, household, area):  # noqa: F811
    good = (await phone.pull()).json()["cursor"]
    epoch, day, _places = json.loads(urlsafe_b64decode(good + "=="))

    forged = await phone.pull(word(epoch, day, [[area, area, 1]]))

    assert (forged.status_code, forged.json()["code"]) == (422, "bad_cursor")


async def test_a_cursor_that_names_other_peoples_areas_opens_none_of_them(make, phone, household):  # noqa: F811
    await make.cell(NEIGHBOUR)
    theirs = await make.household(NEIGHBOUR)
    epoch, day, _places = json.loads(urlsafe_b64decode((await phone.pull()).json()["cursor"] + "=="))

    wide = [[NEIGHBOUR, NEIGHBOUR[:12], 0], [COUNTY, COUNTY, 0], ["", f"v:{uuid4()}", 0]]
    page = (await phone.pull(word(epoch, day, wide))).json()

    assert str(household.id) in {item["id"] for item in page["items"]}
    assert str(theirs.id) not in {item["id"] for item in page["items"]}
    assert page["scope_removed"] == [COUNTY, NEIGHBOUR]


async def test_what_is_handed_in_under_the_id_of_another_operation_is_not_said_to_be_done(make, phone, household):  # noqa: F811
    done = phone.visit(household.id)
    await phone.push(done)
    admin = await make.admin()
    await admin.client.post(f"/api/v1/devices/{phone.device_id}/revoke", json={"reason": "丢了"})

    body = {
        "device_id": phone.device_id,
        "operations": [done, phone.visit(household.id, op_id=done["op_id"]), {"op_id": done["op_id"], "torn": True}],
    }
    answers = await phone.person.client.post("/api/v1/sync/rescue", json=body)

    assert outcomes(answers) == [("duplicate", None), ("rejected", "id_taken"), ("rejected", "id_taken")]


async def test_nobody_learns_the_id_of_anothers_phone(make, phone, person):  # noqa: F811
    """Whoever knew it could sign in on that phone in name and hand in what its users never wrote."""
    await phone.push(operation(phone, "resident.edit", person.id, {"note": "腿脚不便"}, base_rev=2**40))
    colleague = await make.worker(name="王芳")
    community = await make.worker(COMMUNITY)
    other = str(uuid4())
    read = [await colleague.client.get("/api/v1/conflicts"), await community.client.get("/api/v1/conflicts")]
    for who in (colleague, community):
        await who.client.put(f"/api/v1/devices/{other}", json={"name": ""})
        read.append(await who.client.post("/api/v1/sync/pull", json={"device_id": other}))

    assert all(person.name in one.text for one in read)
    assert not any(phone.device_id in one.text for one in read)
