"""What phones send: each operation is answered, once, and none blocks its neighbours."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from backend.auth.directory import CHANNEL
from tests.core.waiting import until_blocked
from tests.factories import CELL, NEIGHBOUR, visit_to


class Phone:
    """A registered phone of one worker, numbering what it sends."""

    def __init__(self, person, device_id):
        self.person, self.device_id, self.seq = person, device_id, 0

    def visit(self, household_id, **changes):
        self.seq += 1
        return {
            "op_id": str(uuid4()), "kind": "visit.record", "entity_id": str(uuid4()),
            "author_id": str(self.person.account_id), "device_id": self.device_id, "device_seq": self.seq,
            "fields": visit_to(household_id), "made_at": datetime.now(UTC).isoformat(), **changes,
        }  # fmt: skip

    async def push(self, *operations):
        body = {"device_id": self.device_id, "operations": list(operations)}
        return await self.person.client.post("/api/v1/sync/push", json=body)

    async def pull(self, cursor=None, limit=500):
        body = {"device_id": self.device_id, "cursor": cursor, "limit": limit}
        return await self.person.client.post("/api/v1/sync/pull", json=body)


@pytest.fixture
async def household(make):
    await make.cell(CELL)
    return await make.household(CELL)


@pytest.fixture
async def register(make):
    async def registered(person, device_id=None):
        device_id = device_id or str(uuid4())
        await person.client.put(f"/api/v1/devices/{device_id}", json={"name": "测试手机"})
        return Phone(person, device_id)

    return registered


@pytest.fixture
async def phone(make, register):
    return await register(await make.worker())


def outcomes(answer):
    return [(a["outcome"], a["code"]) for a in answer.json()["answers"]]


async def test_a_push_sent_twice_stands_once(phone, household):
    sent = [phone.visit(household.id) for _ in range(3)]

    first, again = [await phone.push(*sent) for _ in range(2)]
    stored = await phone.person.client.get("/api/v1/visits")

    assert outcomes(first) == [("applied", None)] * 3
    assert outcomes(again) == [("duplicate", None)] * 3
    assert first.json()["settled_seq"] == again.json()["settled_seq"] == 3
    assert {v["id"] for v in stored.json()["items"]} == {o["entity_id"] for o in sent}


async def test_a_bad_operation_never_blocks_its_neighbours(phone, household):
    good, malformed = phone.visit(household.id), phone.visit(household.id, fields={"outcome": "?"})
    unknown, elsewhere = phone.visit(household.id, kind="visit.forget"), phone.visit(uuid4().hex)
    last = phone.visit(household.id)

    answer = await phone.push(good, malformed, unknown, {"op_id": 5}, elsewhere, last)

    assert outcomes(answer) == [
        ("applied", None), ("rejected", "malformed"), ("rejected", "unknown_operation"), ("rejected", "malformed"),
        ("rejected", "household_not_here"), ("applied", None),
    ]  # fmt: skip
    assert all(a["sentence"] for a in answer.json()["answers"] if a["outcome"] == "rejected")
    assert len((await phone.person.client.get("/api/v1/visits")).json()["items"]) == 2


async def test_an_id_held_by_an_unseen_row_spoils_only_its_own_operation(make, phone, register, household):
    await make.cell(NEIGHBOUR)
    theirs = await make.household(NEIGHBOUR)
    neighbour = await register(await make.worker(NEIGHBOUR))
    held = neighbour.visit(theirs.id)
    await neighbour.push(held)

    answer = await phone.push(
        phone.visit(household.id), phone.visit(household.id, entity_id=held["entity_id"]), phone.visit(household.id)
    )

    assert outcomes(answer) == [("applied", None), ("rejected", "id_taken"), ("applied", None)]


async def test_one_operation_id_with_other_content_is_refused(phone, household):
    sent = phone.visit(household.id)
    await phone.push(sent)

    answer = await phone.push({**sent, "fields": visit_to(household.id, outcome="absent")})

    assert outcomes(answer) == [("rejected", "id_taken")]


async def test_a_visit_sent_by_put_and_by_push_stands_once(phone, household):
    sent = phone.visit(household.id)
    await phone.person.client.put(f"/api/v1/visits/{sent['entity_id']}", json=sent["fields"])

    answer = await phone.push(sent)

    assert outcomes(answer) == [("duplicate", None)]
    assert len((await phone.person.client.get("/api/v1/visits")).json()["items"]) == 1


async def test_a_shared_phone_credits_whoever_wrote_the_visit(make, phone, register, household):
    morning = phone.visit(household.id)
    evening = await register(await make.worker(name="王芳"), phone.device_id)

    answer = await evening.push(morning, evening.visit(household.id, device_seq=2))

    assert outcomes(answer) == [("applied", None)] * 2
    stored = (await phone.person.client.get("/api/v1/visits")).json()["items"]
    assert {v["worker_name"] for v in stored} == {"张敏", "王芳"}


async def test_what_a_switched_off_account_wrote_stays_on_the_shared_phone(make, phone, register, household):
    theirs = phone.visit(household.id)
    evening = await register(await make.worker(name="王芳"), phone.device_id)

    async def switch(tx, active):
        await tx.conn.execute("UPDATE account SET active = $2 WHERE id = $1", phone.person.account_id, active)
        tx.notify(CHANNEL)

    await make.run(lambda tx: switch(tx, active=False))
    off = await evening.push(theirs, evening.visit(household.id, device_seq=2))
    await make.run(lambda tx: switch(tx, active=True))
    on = await evening.push(theirs)

    assert outcomes(off) == [("held", "session_ended"), ("applied", None)]
    assert outcomes(on) == [("applied", None)]


async def test_an_author_who_never_signed_in_on_the_phone_is_refused(make, phone, household):
    stranger = await make.worker(name="生人")

    answer = await phone.push(phone.visit(household.id, author_id=str(stranger.account_id)))

    assert outcomes(answer) == [("rejected", "not_the_author")]


async def test_an_unregistered_phone_is_told_so(make, household):
    phone = Phone(await make.worker(), str(uuid4()))

    answer = await phone.push(phone.visit(household.id))

    assert (answer.status_code, answer.json()["code"]) == (403, "device_unknown")


async def test_a_phone_takes_nothing_from_whoever_never_signed_in_on_it(make, phone, household):
    stranger = Phone(await make.worker(name="生人"), phone.device_id)

    answer = await stranger.push(stranger.visit(household.id))
    stored = await phone.person.client.get("/api/v1/visits")

    assert (answer.status_code, answer.json()["code"]) == (403, "device_unknown")
    assert stored.json()["items"] == []


async def test_a_phone_that_is_revoked_while_its_push_waits_brings_nothing_any_more(make, phone, household):
    async def revoke(tx):
        await tx.conn.execute("UPDATE device SET revoked_at = now() WHERE id = $1", UUID(phone.device_id))
        pushing = asyncio.create_task(phone.push(phone.visit(household.id)))
        await until_blocked(make.database)
        return pushing

    answer = await (await make.run(revoke))
    stored = await phone.person.client.get("/api/v1/visits")

    assert (answer.status_code, answer.json()["code"]) == (403, "device_revoked")
    assert stored.json()["items"] == []


async def test_a_pull_brings_everything_then_only_what_changed(phone, household):
    first = (await phone.pull()).json()
    await phone.push(visit := phone.visit(household.id))
    second = (await phone.pull(first["cursor"])).json()
    third = (await phone.pull(second["cursor"])).json()

    assert {i["kind"] for i in first["items"]} == {"cell", "household"}
    assert {(i["kind"], i["id"]) for i in second["items"]} == {
        ("visit", visit["entity_id"]), ("household", str(household.id)),
    }  # fmt: skip
    assert third["items"] == []
    assert second["settled_seq"] == 1


async def test_small_pages_bring_the_same_as_one_large(make, phone):
    await make.cell(CELL)
    for _ in range(7):
        await make.household(CELL)
    whole = (await phone.pull()).json()

    items, cursor, more = [], None, True
    while more:
        page = (await phone.pull(cursor, limit=2)).json()
        items, cursor, more = items + page["items"], page["cursor"], page["more"]

    assert items == whole["items"]
    assert len(items) == 8


async def test_a_lost_area_is_announced_and_a_new_one_comes_whole(make, phone, household):
    await make.cell(NEIGHBOUR)
    theirs = await make.household(NEIGHBOUR)
    before = (await phone.pull()).json()

    async def move(tx):
        await tx.conn.execute(
            "UPDATE role_grant SET area_code = $1 WHERE account_id = $2", NEIGHBOUR, phone.person.account_id
        )
        tx.notify(CHANNEL)

    await make.run(move)

    after = (await phone.pull(before["cursor"])).json()

    assert after["scope_removed"] == [CELL]
    assert str(theirs.id) in {i["id"] for i in after["items"]}
    assert str(household.id) not in {i["id"] for i in after["items"]}


async def test_a_cursor_of_another_epoch_has_expired_and_one_from_nowhere_is_refused(make, phone, household):
    cursor = (await phone.pull()).json()["cursor"]
    async with make.database.pool.acquire() as conn:
        await conn.execute("BEGIN; SET LOCAL app.county = '610330'; UPDATE county SET epoch = 'restored'; COMMIT")

    expired, nowhere = await phone.pull(cursor), await phone.pull("bm93aGVyZQ")

    assert (expired.status_code, expired.json()["code"]) == (410, "cursor_expired")
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "bad_cursor")


async def test_a_partner_reads_the_feed_with_masked_phones(make, phone, household):
    await make.resident(household, name="何长顺", phone="12600004417")
    partner = await make.partner()

    page = (await partner.client.get("/api/v1/changes")).json()
    own = (await phone.pull()).json()

    assert [i["body"]["phone"] for i in page["items"] if i["kind"] == "resident"] == ["126****4417"]
    assert [i["body"]["phone"] for i in own["items"] if i["kind"] == "resident"] == ["12600004417"]
    assert page["more"] is False


async def test_what_visits_lead_to_is_opened_once_and_one_that_cannot_be_stops_no_neighbour(phone, household):
    def wanting(follow_up_id):
        asked = {"kind": "request", "id": follow_up_id, "category": "errand"}
        return phone.visit(household.id, fields=visit_to(household.id, follow_ups=[asked]))

    one, other = str(uuid4()), str(uuid4())
    doubt = {"kind": "correction", "id": str(uuid4()), "what": "phone", "resident_id": str(uuid4())}
    sent = [wanting(one), wanting(other), phone.visit(household.id, fields=visit_to(household.id, follow_ups=[doubt]))]

    first, again = await phone.push(*sent), await phone.push(*sent)
    taken = await phone.push(wanting(one), phone.visit(household.id))
    pulled = {item["kind"] for item in (await phone.pull()).json()["items"]}

    assert outcomes(first) == [("applied", None), ("applied", None), ("rejected", "resident_not_here")]
    assert outcomes(again) == [("duplicate", None), ("duplicate", None), ("rejected", "resident_not_here")]
    assert outcomes(taken) == [("rejected", "id_taken"), ("applied", None)]
    assert [item["id"] for item in (await phone.person.client.get("/api/v1/requests")).json()["items"]] == [one]
    assert {"visit", "request"} <= pulled
