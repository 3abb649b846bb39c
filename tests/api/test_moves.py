"""Moves: expected by one cell, settled by the other, and signed for another county."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from backend.core.clock import county_day
from backend.residents import documents
from shared.register import HandoverContent, HandoverPerson
from shared.residents import HouseholdOut
from tests.conftest import KEYS
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY

API = "/api/v1"
ELSEWHERE = "610331"


@pytest.fixture
def today(make):
    return county_day(make.database.clock())


@pytest.fixture
async def worker(make):
    return await make.worker()


@pytest.fixture
async def receiving(make):
    await make.cell(NEIGHBOUR)
    return await make.worker(NEIGHBOUR, name="王芳")


@pytest.fixture
async def home(make):
    return await make.household(NEIGHBOUR, room="701")


@pytest.fixture
async def person(make):
    return await make.resident(name="何长顺", care=["alone"], phone="12600000009")


async def move_out(worker, today, *people, to=None, ago=0):
    move = uuid4()
    body = {
        "kind": "move_out", "on": str(today - timedelta(days=ago)), "resident_ids": [str(one.id) for one in people],
        "to": to or {"cell_code": NEIGHBOUR, "words": "搬去女儿家"},
    }  # fmt: skip
    answer = await worker.client.put(f"{API}/register-events/{move}", json=body)
    assert answer.status_code == 200, answer.text
    return move


async def settle(worker, move, today, rev=1, **fields):
    body = {"arrived": True, "on": str(today)} | fields
    return await worker.client.post(f"{API}/moves/{move}/settle", json=body, headers={"If-Match": f'"{rev}"'})


async def names(worker, **params):
    return [one["name"] for one in (await worker.client.get(f"{API}/residents", params=params)).json()["items"]]


async def listed(worker, **params):
    return (await worker.client.get(f"{API}/moves", params=params)).json()["items"]


async def people_on(worker, day):
    return (await worker.client.get(f"{API}/register/counts", params={"as_at": str(day)})).json()["people"]


async def test_both_sides_see_who_is_expected_and_nobody_lists_them_meanwhile(worker, receiving, person, today):
    move = await move_out(worker, today, person)

    seen = [await listed(one) for one in (worker, receiving)]

    assert seen[0] == seen[1]
    assert [(one["id"], one["state"], one["overdue"], one["movers"]) for one in seen[0]] == [
        (str(move), "expected", False, [{"resident_id": str(person.id), "name": "何长顺", "phone": "12600000009"}])
    ]
    assert [await names(one) for one in (worker, receiving)] == [[], []]


async def test_who_arrives_belongs_to_the_new_cell_and_household_with_all_that_is_theirs(
    make, worker, receiving, person, home, today
):
    old = (await worker.client.get(f"{API}/residents/{person.id}")).json()["household_id"]
    move = await move_out(worker, today, person)

    answer = await settle(receiving, move, today, household_id=str(home.id))

    assert (answer.json()["state"], answer.headers["etag"]) == ("arrived", '"2"'), answer.text
    row = (await receiving.client.get(f"{API}/residents/{person.id}")).json()
    assert (row["area_code"], row["household_id"], row["left_on"], row["care"], row["relation"]) == (
        NEIGHBOUR, str(home.id), None, ["alone"], "02",
    )  # fmt: skip
    assert await names(receiving, q="何长顺") == ["何长顺"]
    assert await names(worker, q="何长顺") == []
    assert (await worker.client.get(f"{API}/residents/{person.id}")).status_code == 404
    sizes = [
        (await one.client.get(f"{API}/households/{home_id}")).json()["size"]
        for one, home_id in ((worker, old), (receiving, home.id))
    ]
    assert sizes == [0, 1]
    assert [await people_on(one, today) for one in (worker, receiving)] == [0, 1]


async def test_the_old_cell_still_lists_who_lived_there_on_a_past_day(
    make, worker, receiving, person, home, today, database_url
):
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE period SET from_day = from_day - 30")
    await settle(receiving, await move_out(worker, today, person, ago=10), today, household_id=str(home.id))

    before, between = str(today - timedelta(days=20)), str(today - timedelta(days=5))

    assert await names(worker, as_at=before) == ["何长顺"]
    assert await names(receiving, as_at=before) == []
    assert await names(worker, as_at=between) == await names(receiving, as_at=between) == []
    assert [await people_on(worker, before), await people_on(receiving, today)] == [1, 1]
    looked = await owner.fetchval("SELECT count(*) FROM audit WHERE action = 'residents.read_as_at'")
    assert looked == 1
    await owner.close()


async def test_of_two_heads_who_move_in_together_one_is_the_households(make, worker, receiving, person, home, today):
    other = await make.resident(await make.household(room="303"), name="李秀英")
    move = await move_out(worker, today, person, other)

    arrived = await settle(receiving, move, today, household_id=str(home.id))
    rows = [(await receiving.client.get(f"{API}/residents/{one.id}")).json() for one in (person, other)]

    assert arrived.status_code == 200, arrived.text
    assert [row["relation"] for row in rows] == ["02", "97"]


async def test_who_comes_back_to_a_household_with_a_new_head_is_not_its_head(make, worker, receiving, person, today):
    son = await make.resident(await household_of(worker, person), name="何小林")
    move = await move_out(worker, today, person)
    await worker.client.patch(f"{API}/residents/{son.id}", json={"relation": "02"}, headers={"If-Match": '"1"'})

    stayed = await settle(receiving, move, today, arrived=False)
    row = (await worker.client.get(f"{API}/residents/{person.id}")).json()

    assert stayed.status_code == 200, stayed.text
    assert (row["left_on"], row["residency"], row["relation"]) == (None, "away", "97")


async def household_of(worker, person):
    return HouseholdOut.model_validate((await worker.client.get(f"{API}/households/{person.household_id}")).json())


async def test_who_joins_others_is_related_to_their_head_in_a_way_nobody_has_said(
    make, worker, receiving, person, home, today
):
    await make.resident(home, name="何小燕")
    move = await move_out(worker, today, person)

    await settle(receiving, move, today, household_id=str(home.id))

    assert (await receiving.client.get(f"{API}/residents/{person.id}")).json()["relation"] == "97"
    assert (await receiving.client.get(f"{API}/households/{home.id}")).json()["head_name"] == "何小燕"


async def test_open_requests_follow_their_person_and_near_volunteers_are_let_go(
    make, worker, receiving, home, today, database_url
):
    old = await make.household()
    person = await make.resident(old)
    request = await make.request(old, resident_id=person.id)
    volunteer = await make.volunteer()
    offer = await make.offer(request, volunteer)
    await volunteer.client.post(f"{API}/offers/{offer}/accept")
    other = await make.request(old, resident_id=person.id)
    asked = await make.offer(other, await make.volunteer(phone="12600000002"))

    move = await move_out(worker, today, person)
    await settle(receiving, move, today, household_id=str(home.id))

    for one in (request, other):
        found = (await receiving.client.get(f"{API}/requests/{one.id}")).json()
        assert (found["state"], found["household_id"], found["happened_in"]) == ("open", str(home.id), CELL)
    assert await listed(worker) == await listed(receiving)
    owner = await asyncpg.connect(database_url)
    states = {row["id"]: row["state"] for row in await owner.fetch("SELECT id, state FROM offer")}
    assert (states[offer], states[asked]) == ("handed_back", "recalled")
    await owner.close()


async def test_who_did_not_arrive_stays_on_the_old_books_as_away(worker, receiving, person, today):
    move = await move_out(worker, today, person)

    answer = await settle(receiving, move, today, arrived=False, note="没有这个人")

    assert answer.json()["state"] == "not_arrived"
    assert [await names(one) for one in (worker, receiving)] == [["何长顺"], []]
    row = (await worker.client.get(f"{API}/residents/{person.id}")).json()
    assert (row["residency"], row["left_on"], row["care"]) == ("away", None, ["alone"])
    states = {(await listed(one, state="not_arrived"))[0]["id"] for one in (worker, receiving)}
    assert states == {str(move)}


async def test_a_move_that_nobody_looks_into_becomes_overdue(worker, receiving, person, today, database_url):
    move = await move_out(worker, today, person)
    owner = await asyncpg.connect(database_url)
    for ago, overdue in ((14, False), (16, True)):
        await owner.execute("UPDATE move SET received_at = now() - $1 * interval '1 day'", ago)

        assert [one["overdue"] for one in await listed(receiving)] == [overdue]
        assert [one["id"] for one in await listed(worker, overdue=True)] == [str(move)] * overdue
    await owner.close()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"rev": 7}, 412, "stale"),
        ({"household_id": None}, 422, "malformed"),
        ({"household_id": str(uuid4())}, 404, "household_not_here"),
        ({"days": 1}, 422, "in_the_future"),
        ({"days": -1}, 422, "too_old"),
    ],
)
async def test_a_settling_that_cannot_be_is_refused(worker, receiving, person, home, today, fields, status, code):
    move = await move_out(worker, today, person)
    given = {"household_id": str(home.id)} | fields
    day = today + timedelta(days=given.pop("days", 0))

    answer = await settle(receiving, move, day, **given)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await names(receiving) == []


async def test_a_settling_says_what_it_was_made_on_and_is_made_once(worker, receiving, person, home, today):
    move = await move_out(worker, today, person)
    body = {"arrived": True, "on": str(today), "household_id": str(home.id)}

    blind = await receiving.client.post(f"{API}/moves/{move}/settle", json=body)
    first, again = [await settle(receiving, move, today, household_id=str(home.id)) for _ in range(2)]
    otherwise = await settle(receiving, move, today, rev=2, arrived=False)

    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_missing")
    assert first.json() == again.json()
    assert (otherwise.status_code, otherwise.json()["code"]) == (409, "step_not_allowed")


async def test_only_the_receiving_side_settles_and_strangers_see_nothing(make, worker, receiving, person, today):
    move = await move_out(worker, today, person)
    stranger = await make.worker(OTHER_COMMUNITY + "003")

    sender = await settle(worker, move, today, arrived=False)
    other = await settle(stranger, move, today, arrived=False)

    assert (sender.status_code, sender.json()["code"]) == (403, "area_not_allowed")
    assert other.status_code == (await stranger.client.get(f"{API}/moves/{move}")).status_code == 404
    assert await listed(stranger) == []


async def forward(worker, move, cell, rev=1):
    url, seen = f"{API}/moves/{move}/forward", {"If-Match": f'"{rev}"'} if rev else {}
    return await worker.client.post(url, json={"cell_code": cell}, headers=seen)


async def heard(worker):
    changes = (await worker.client.get(f"{API}/changes", params={"limit": 200})).json()["items"]
    return [(one["area_code"], one["gone"]) for one in changes if one["kind"] == "move"]


async def test_who_waits_at_the_county_is_handed_to_the_cell_that_confirms_them(
    make, worker, receiving, person, home, today
):
    move = await move_out(worker, today, person, to={"words": "县城老街，儿子家"})
    admin = await make.admin()

    before = await listed(receiving)
    first, again = [await forward(admin, move, NEIGHBOUR) for _ in range(2)]
    answer = await settle(receiving, move, today, rev=2, household_id=str(home.id))

    assert before == []
    assert first.json() == again.json(), first.text
    assert (first.json()["area_code"], first.json()["state"], first.headers["ETag"]) == (NEIGHBOUR, "expected", '"2"')
    assert answer.json()["state"] == "arrived", answer.text
    assert await names(receiving) == ["何长顺"]


async def test_a_cell_passes_on_whom_it_was_told_to_expect_and_its_phones_hear_of_it(
    make, worker, receiving, person, today
):
    there = OTHER_COMMUNITY + "003"
    await make.cell(there)
    stranger = await make.worker(there)
    move = await move_out(worker, today, person)

    passed = await forward(receiving, move, there)

    assert (passed.status_code, passed.json()["area_code"]) == (200, there), passed.text
    assert [await listed(one) for one in (receiving, stranger)] == [[], [passed.json()]]
    assert await listed(worker) == [passed.json()]
    assert [await heard(one) for one in (worker, receiving, stranger)] == [
        [(CELL, False)], [(NEIGHBOUR, True)], [(there, False)],
    ]  # fmt: skip


async def test_passing_on_that_cannot_be_is_refused(make, worker, receiving, person, home, today):
    move = await move_out(worker, today, person)
    stranger = await make.worker(OTHER_COMMUNITY + "003")

    refused = [
        await forward(worker, move, CELL),
        await forward(stranger, move, CELL),
        await forward(receiving, move, CELL, rev=None),
        await forward(receiving, move, CELL, rev=7),
        await forward(receiving, move, COMMUNITY + "099"),
        await forward(receiving, move, ELSEWHERE + "100001001"),
    ]
    await settle(receiving, move, today, household_id=str(home.id))
    late = await forward(receiving, move, CELL, rev=2)

    assert [(one.status_code, one.json()["code"]) for one in [*refused, late]] == [
        (403, "area_not_allowed"), (404, "not_found"), (428, "precondition_missing"), (412, "stale"),
        (422, "unknown_area"), (422, "unknown_area"), (409, "step_not_allowed"),
    ]  # fmt: skip


async def test_a_partner_reads_a_masked_number(make, worker, receiving, person, today):
    move = await move_out(worker, today, person)
    partner = await make.partner()

    one = (await partner.client.get(f"{API}/moves/{move}")).json()

    assert [mover["phone"] for mover in one["movers"]] == ["126****0009"]


async def test_a_wrong_move_is_taken_back_until_it_is_settled(worker, receiving, person, home, today):
    wrong = await move_out(worker, today, person)
    taken = await worker.client.post(f"{API}/register-events/{wrong}/withdraw", json={"reason": "没有要搬"})
    after = [await listed(receiving), await names(worker)]
    right = await move_out(worker, today, person)
    await settle(receiving, right, today, household_id=str(home.id))

    late = await worker.client.post(f"{API}/register-events/{right}/withdraw", json={"reason": "没有要搬"})

    assert taken.json()["withdrawn"] is True
    assert after == [[], ["何长顺"]]
    assert (late.status_code, late.json()["code"]) == (409, "step_not_allowed")


async def test_a_cell_that_is_not_there_expects_nobody(worker, person, today):
    for cell in (COMMUNITY + "099", ELSEWHERE + "100008003"):
        body = {"kind": "move_out", "on": str(today), "resident_ids": [str(person.id)], "to": {"cell_code": cell}}

        answer = await worker.client.put(f"{API}/register-events/{uuid4()}", json=body)

        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_area")
    assert await names(worker) == ["何长顺"]


async def test_leaving_the_county_ends_help_and_gives_a_signed_document(make, worker, today):
    home = await make.household()
    person = await make.resident(home, phone="12600000009")
    request = await make.request(home, resident_id=person.id)

    move = await move_out(worker, today, person, to={"county_code": ELSEWHERE, "words": "留坝县城"})
    document = await worker.client.get(f"{API}/moves/{move}/document")
    again = await worker.client.get(f"{API}/moves/{move}/document")

    assert document.json() == again.json()
    assert "12600000009" in document.json()["payload"]
    assert document.headers["cache-control"] == "no-store"
    read = (await worker.client.get(f"{API}/requests/{request.id}")).json()
    assert read["state"] == "cancelled"
    assert [one["state"] for one in await listed(worker)] == ["left_county"]


async def test_leaving_for_a_county_that_nobody_can_name_ends_help_and_is_expected_nowhere(make, worker, today):
    home = await make.household()
    person = await make.resident(home)
    request = await make.request(home, resident_id=person.id)

    move = await move_out(worker, today, person, to={"leaves_county": True, "words": "外县"})
    document = await worker.client.get(f"{API}/moves/{move}/document")

    assert [one["state"] for one in await listed(worker)] == ["left_county"]
    assert (await worker.client.get(f"{API}/requests/{request.id}")).json()["state"] == "cancelled"
    assert (document.status_code, document.json()["code"]) == (409, "step_not_allowed")


@pytest.mark.parametrize("abroad", [{"leaves_county": True}, {"county_code": ELSEWHERE}])
async def test_who_leaves_the_county_goes_to_none_of_its_cells(worker, person, today, abroad):
    to = {"cell_code": CELL} | abroad
    body = {"kind": "move_out", "on": str(today), "resident_ids": [str(person.id)], "to": to}

    answer = await worker.client.put(f"{API}/register-events/{uuid4()}", json=body)

    assert answer.status_code == 422
    assert await names(worker) == ["何长顺"]


async def test_a_move_inside_the_county_has_no_document(worker, receiving, person, today):
    move = await move_out(worker, today, person)

    answers = [await one.client.get(f"{API}/moves/{move}/document") for one in (worker, receiving)]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (409, "step_not_allowed"), (403, "area_not_allowed"),
    ]  # fmt: skip


def foreign(to=COUNTY, cell=ELSEWHERE + "100001002", on="2026-11-01"):
    """A document that another county has signed, with its public key."""
    content = HandoverContent(
        move_id=uuid4(), from_county=ELSEWHERE, from_area_code=cell, to_county=to, out_on=on, words="凤县县城",
        people=[
            HandoverPerson(
                resident_id=uuid4(), name="马远", phone=None, sex="1", birth_date="1990-05-01", relation="02",
            )
        ],
    )  # fmt: skip
    return documents.signed(KEYS, ELSEWHERE, content), documents.public_key(KEYS, ELSEWHERE).public_key


@pytest.fixture
async def admin(make):
    return await make.admin()


async def trust(admin, key):
    answer = await admin.client.put(f"{API}/register/trusted-counties/{ELSEWHERE}", json={"public_key": key})
    assert answer.status_code == 200, answer.text


async def test_a_document_of_a_trusted_county_is_an_expected_arrival_and_then_a_person(
    make, admin, receiving, home, today
):
    document, key = foreign()
    await trust(admin, key)
    body = document.model_dump() | {"cell_code": NEIGHBOUR}

    first, again = [await admin.client.post(f"{API}/moves/documents", json=body) for _ in range(2)]
    answer = await settle(receiving, first.json()["id"], today, household_id=str(home.id), residency="floating")

    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["movers"][0]["name"]) == ("expected", "马远")
    assert answer.json()["state"] == "arrived", answer.text
    people = (await receiving.client.get(f"{API}/residents")).json()["items"]
    assert [(one["name"], one["residency"], one["birth_date"]) for one in people] == [
        ("马远", "floating", "1990-05-01")
    ]
    assert (await admin.client.get(f"{API}/register/trusted-counties")).json()[0]["county_code"] == ELSEWHERE


async def test_a_document_that_was_changed_or_comes_from_a_stranger_is_refused(admin):
    document, key = foreign()
    url = f"{API}/moves/documents"

    unknown = await admin.client.post(url, json=document.model_dump())
    await trust(admin, key)
    tampered = document.model_dump() | {"payload": document.payload.replace("马远", "马近")}
    answers = [
        await admin.client.post(url, json=body)
        for body in (
            tampered,
            document.model_dump() | {"signature": "bWFkZSB1cA=="},
            {"payload": "{}", "signature": "x"},
        )
    ]
    misdirected = await admin.client.post(url, json=foreign(to="610332")[0].model_dump())

    assert (unknown.status_code, unknown.json()["code"]) == (403, "county_not_trusted")
    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (422, "bad_signature"), (422, "bad_signature"), (422, "malformed"),
    ]  # fmt: skip
    assert (misdirected.status_code, misdirected.json()["code"]) == (403, "area_not_allowed")
    assert await listed(admin) == []


async def test_a_document_of_a_cell_of_ours_or_of_a_day_to_come_is_refused_though_it_is_signed(admin, today):
    ours, key = foreign(cell=NEIGHBOUR)
    early, _key = foreign(on=today + timedelta(days=1))
    await trust(admin, key)

    answers = [await admin.client.post(f"{API}/moves/documents", json=one.model_dump()) for one in (ours, early)]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(422, "malformed"), (422, "in_the_future")]
    assert await listed(admin) == []


async def test_a_county_signs_with_a_key_of_its_own_and_does_not_trust_itself(admin, worker):
    shown = (await worker.client.get(f"{API}/register/handover-key")).json()

    answer = await admin.client.put(
        f"{API}/register/trusted-counties/{COUNTY}", json={"public_key": shown["public_key"]}
    )

    assert shown["public_key"] != documents.public_key(KEYS, ELSEWHERE).public_key
    assert (answer.status_code, answer.json()["code"]) == (409, "step_not_allowed")
