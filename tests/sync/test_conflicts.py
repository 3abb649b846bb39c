"""What could not be applied as it came waits for a person, with both values, where somebody may decide."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from backend.auth.directory import CHANNEL
from backend.auth.queries import add_grant
from backend.core import sealing
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.sync import conflicts, queueing
from shared.auth import Role
from shared.conflicts import mark_of
from shared.errors import Code
from tests.api.test_redrawing import NEW, plan, split, step
from tests.conftest import KEYS
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR
from tests.sync.test_boundary_change import settle_community
from tests.sync.test_push import Phone, household, outcomes, phone, register  # noqa: F401  (fixtures)
from tests.sync.test_push_register import door, newcomer, operation, twins

API = "/api/v1"
URL = f"{API}/conflicts"


@pytest.fixture
async def person(make, household):  # noqa: F811
    return await make.resident(household, note="原来的")


async def items(person, **params):
    return (await person.client.get(URL, params=params)).json()["items"]


async def settle(person, item, choice, rev=None, **more):
    headers = {} if rev == "none" else {"If-Match": f'"{rev or item["rev"]}"'}
    return await person.client.post(f"{URL}/{item['id']}/settle", json={"choice": choice, **more}, headers=headers)


async def row(worker, person):
    return (await worker.client.get(f"{API}/residents/{person.id}")).json()


async def overtaken(make, phone, person, **late):  # noqa: F811
    """A note of the office, and a later one from a stairwell that knew nothing of it."""
    office = await make.worker(COMMUNITY, name="李建国")
    url = f"{API}/residents/{person.id}"
    await office.client.patch(url, json={"note": "搬到里屋"}, headers={"If-Match": '"1"'})
    fields = late or {"note": "听力不好"}
    sent = operation(phone, "resident.edit", person.id, fields, base_rev=1, base={"note": "原来的"})
    assert outcomes(await phone.push(sent)) == [("conflict", "edit_conflict")]
    return office, sent


async def test_an_overtaken_edit_waits_with_both_values_who_when_and_where(make, phone, person):  # noqa: F811
    _office, sent = await overtaken(make, phone, person)

    [found] = await items(phone.person)

    assert found["fields"] == [
        {"field": "note", "base": "原来的", "mine": "听力不好", "theirs": "搬到里屋", "overtaken": True}
    ]
    assert (found["mine"]["name"], found["theirs"]["name"]) == ("张敏", "李建国")
    assert datetime.fromisoformat(found["mine"]["at"]) == datetime.fromisoformat(sent["made_at"])
    assert (found["area_code"], found["subject"], found["kind"]) == (CELL, person.name, "resident.edit")
    assert (found["op_id"], found["device_id"]) == (sent["op_id"], str(mark_of(UUID(phone.device_id))))
    assert found["choices"] == ["mine", "theirs", "both", "unsure"]
    assert (found["state"], found["code"]) == ("open", "edit_conflict")


async def test_what_waits_comes_to_the_phones_of_its_area_and_to_nobody_else(make, phone, register, person):  # noqa: F811
    other = await register(await make.worker(NEIGHBOUR))
    before = (await phone.pull()).json()["cursor"]
    await overtaken(make, phone, person)

    pulled = [one for one in (await phone.pull(before)).json()["items"] if one["kind"] == "conflict"]
    elsewhere = [one for one in (await other.pull()).json()["items"] if one["kind"] == "conflict"]
    partner = await make.partner()
    read = (await partner.client.get(f"{API}/changes")).json()["items"]

    assert [one["body"]["fields"][0]["mine"] for one in pulled] == ["听力不好"]
    assert elsewhere == []
    assert [(one["gone"], one["body"]) for one in read if one["kind"] == "conflict"] == [(True, None)]


async def test_a_push_repeated_leaves_one_item(make, phone, person):  # noqa: F811
    _office, sent = await overtaken(make, phone, person)

    again = await phone.push(sent)

    assert outcomes(again) == [("conflict", "edit_conflict")]
    assert len(await items(phone.person)) == 1


@pytest.mark.parametrize(
    ("choice", "stands"), [("mine", "听力不好"), ("theirs", "搬到里屋"), ("both", "搬到里屋\n听力不好")]
)
async def test_one_choice_settles_and_says_what_stands(make, phone, person, choice, stands):  # noqa: F811
    await overtaken(make, phone, person)
    [found] = await items(phone.person)

    first, again = [await settle(phone.person, found, choice, note="问过本人") for _ in range(2)]
    another = await settle(phone.person, found, "theirs" if choice == "mine" else "mine")

    assert first.status_code == again.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.headers["etag"] == '"2"'
    assert (first.json()["state"], first.json()["settled_by"], first.json()["choices"]) == ("settled", "张敏", [])
    assert (another.status_code, another.json()["code"]) == (409, "step_not_allowed")
    assert (await row(phone.person, person))["note"] == stands
    assert await items(phone.person, state="open") == []


async def test_a_decision_names_what_it_was_made_on(make, phone, person):  # noqa: F811
    await overtaken(make, phone, person)
    [found] = await items(phone.person)

    missing, stale = await settle(phone.person, found, "mine", "none"), await settle(phone.person, found, "mine", 7)

    assert [(one.status_code, one.json()["code"]) for one in (missing, stale)] == [
        (428, "precondition_missing"), (412, "stale"),
    ]  # fmt: skip


async def test_what_cannot_stand_together_is_not_offered_both(make, phone, person):  # noqa: F811
    office = await make.worker(COMMUNITY)
    url = f"{API}/residents/{person.id}"
    await office.client.patch(url, json={"phone": "12600000003"}, headers={"If-Match": '"1"'})
    late = operation(phone, "resident.edit", person.id, {"phone": "12600000004"}, base_rev=1)
    await phone.push(late)
    [found] = await items(phone.person)

    refused = await settle(phone.person, found, "both")

    assert found["choices"] == ["mine", "theirs", "unsure"]
    assert (refused.status_code, refused.json()["code"]) == (409, "step_not_allowed")
    assert (await row(phone.person, person))["phone"] == "12600000003"


async def test_who_cannot_decide_gives_it_to_the_community_and_sees_it_no_more(make, phone, register, person):  # noqa: F811
    office, _sent = await overtaken(make, phone, person)
    desk = await register(office)
    cursor = (await phone.pull()).json()["cursor"]
    [found] = await items(phone.person)

    passed, again = [await settle(phone.person, found, "unsure", note="家里没人") for _ in range(2)]
    gone = [one["gone"] for one in (await phone.pull(cursor)).json()["items"] if one["kind"] == "conflict"]
    pulled = [one for one in (await desk.pull()).json()["items"] if one["kind"] == "conflict"]
    [there] = [one["body"] for one in pulled if not one["gone"]]
    decided = await settle(office, there, "mine")

    assert (passed.status_code, passed.json()) == (again.status_code, again.json())
    assert (there["area_code"], there["choice"], there["note"]) == (COMMUNITY, "unsure", "家里没人")
    assert (gone, await items(phone.person)) == ([True], [])
    assert decided.json()["state"] == "settled"
    assert (await row(office, person))["note"] == "听力不好"


async def test_a_settling_made_without_network_is_an_operation_like_any_other(make, phone, person):  # noqa: F811
    await overtaken(make, phone, person)
    [found] = await items(phone.person)
    decision = operation(phone, "conflict.settle", found["id"], {"choice": "mine"}, base_rev=found["rev"])
    blind = operation(phone, "conflict.settle", found["id"], {"choice": "theirs"})

    answers = [await phone.push(decision), await phone.push(decision), await phone.push(blind)]

    assert [outcomes(one) for one in answers] == [
        [("applied", None)], [("duplicate", None)], [("rejected", "step_not_allowed")],
    ]  # fmt: skip
    assert (await row(phone.person, person))["note"] == "听力不好"
    assert len(await items(phone.person)) == 1


async def test_three_offline_edits_of_one_field_by_one_phone_leave_nothing_to_decide(phone, person):  # noqa: F811
    edits = [operation(phone, "resident.edit", person.id, {"note": word}, base_rev=1) for word in "一二三"]

    answer = await phone.push(*edits)

    assert outcomes(answer) == [("applied", None)] * 3
    assert await items(phone.person) == []


async def test_an_edit_that_arrives_after_a_later_one_of_the_same_phone_does_not_undo_it(phone, person):  # noqa: F811
    first, second = (operation(phone, "resident.edit", person.id, {"note": word}, base_rev=1) for word in "一二")

    await phone.push(second)
    late = await phone.push(first)

    assert outcomes(late) == [("conflict", "edit_conflict")]
    assert (await row(phone.person, person))["note"] == "二"
    assert [one["fields"][0]["mine"] for one in await items(phone.person)] == ["一"]


async def moved_away(make, phone, person, today):  # noqa: F811
    """The office moves somebody to the next cell, where they are met."""
    home = await make.household(NEIGHBOUR)
    office = await make.worker(COMMUNITY, name="李建国")
    event = uuid4()
    out = {"kind": "move_out", "on": today, "resident_ids": [str(person.id)], "to": {"cell_code": NEIGHBOUR}}
    await office.client.put(f"{API}/register-events/{event}", json=out)
    move = (await office.client.get(f"{API}/moves")).json()["items"][0]
    settled = {"arrived": True, "on": today, "household_id": str(home.id)}
    answer = await office.client.post(
        f"{API}/moves/{move['id']}/settle", json=settled, headers={"If-Match": f'"{move["rev"]}"'}
    )
    assert answer.status_code == 200, answer.text


async def test_a_late_edit_of_who_has_moved_goes_to_the_worker_of_their_new_cell(make, phone, person):  # noqa: F811
    today = str(county_day(datetime.now(UTC)))
    await moved_away(make, phone, person, today)
    there = await make.worker(NEIGHBOUR, name="王芳")
    late = operation(phone, "resident.edit", person.id, {"phone": "12600000004"}, base_rev=1)

    answer = await phone.push(late)
    [found] = await items(there)
    settled = await settle(there, found, "mine")

    assert outcomes(answer) == [("conflict", "handed_over")]
    assert await items(phone.person) == []
    assert (found["area_code"], found["subject"], found["mine"]["name"]) == (NEIGHBOUR, person.name, "张敏")
    assert settled.status_code == 200, settled.text
    assert (await row(there, person))["phone"] == "12600000004"


async def test_what_waits_goes_along_when_its_ground_changes_hands(make, register):  # noqa: F811
    await settle_community(make, 2, 1)
    office = await make.worker(COMMUNITY)
    phone = await register(await make.worker(CELL))  # noqa: F811
    homes = {one["id"]: one["lon"] for one in (await office.client.get(f"{API}/households")).json()["items"]}
    goes = max(homes, key=lambda home: homes[home])
    url = f"{API}/residents"
    [who] = (await office.client.get(url, params={"household_id": goes})).json()["items"]
    await office.client.patch(f"{url}/{who['id']}", json={"note": "搬到里屋"}, headers={"If-Match": '"1"'})
    await phone.push(operation(phone, "resident.edit", who["id"], {"note": "听力不好"}, base_rev=1))

    made = await plan(office, split(county_day(make.database.clock())))
    assert (await step(office, made, "apply")).status_code == 200
    there = await make.worker(NEW)

    assert await items(phone.person) == []
    assert [(one["area_code"], one["entity_id"]) for one in await items(there)] == [(NEW, who["id"])]


async def test_an_edit_of_somebody_who_never_was_theirs_tells_its_author_nothing_about_them(make, phone, household):  # noqa: F811
    stranger = await make.resident(await make.household(NEIGHBOUR), name="赵不识", phone="12600000009")
    there = await make.worker(NEIGHBOUR)

    answer = await phone.push(operation(phone, "resident.edit", stranger.id, {"phone": "12600000004"}, base_rev=1))
    [found] = await items(phone.person)

    assert outcomes(answer) == [("rejected", "not_found")]
    assert (found["area_code"], found["subject"], found["theirs"]) == (CELL, "", None)
    assert found["fields"][0]["theirs"] is None
    assert await items(there) == []


async def test_an_edit_of_a_row_that_was_merged_is_decided_on_the_row_that_was_kept(make, phone, household):  # noqa: F811
    kept, lost = await twins(make, household)
    [pair] = [one for one in (await phone.pull()).json()["items"] if one["kind"] == "duplicate"]
    decision = {"same": True, "keep": str(kept.id), "reason": "上门核过证件"}
    await phone.push(operation(phone, "duplicate.settle", pair["id"], decision))

    answer = await phone.push(operation(phone, "resident.edit", lost.id, {"note": "听力不好"}, base_rev=1))
    [found] = await items(phone.person)
    settled = await settle(phone.person, found, "mine")

    assert outcomes(answer) == [("conflict", "merged")]
    assert found["subject"] == kept.name
    assert settled.status_code == 200, settled.text
    assert (await row(phone.person, kept))["note"] == "听力不好"


async def test_a_death_noted_twice_with_two_days_is_decided_by_a_person(make, phone, person):  # noqa: F811
    today = county_day(datetime.now(UTC))
    events = [
        operation(phone, "register.event", uuid4(), {"kind": "death", "on": str(day), "resident_ids": [str(person.id)]})
        for day in (today, today - timedelta(days=3))
    ]

    answer = await phone.push(*events)
    [found] = await items(phone.person)
    in_the_cell = await settle(phone.person, found, "theirs")
    refused = await settle(await make.worker(COMMUNITY), found, "mine")

    assert (in_the_cell.status_code, in_the_cell.json()["code"]) == (403, "role_not_allowed")
    assert outcomes(answer) == [("applied", None), ("rejected", "has_left")]
    day = next(one for one in found["fields"] if one["field"] == "on")
    assert (day["mine"], day["theirs"]) == (str(today - timedelta(days=3)), str(today))
    assert "both" not in found["choices"]
    assert (refused.status_code, refused.json()["code"]) == (409, "has_left")
    assert len(await items(phone.person, state="open")) == 1


async def test_an_identity_number_waits_sealed_and_is_shown_to_nobody(make, phone, household, database_url):  # noqa: F811
    number = "610388195403082713"
    await make.resident(household, id_number=number)
    second = operation(phone, "resident.put", uuid4(), {**newcomer(household.id), "id_number": number})

    answer = await phone.push(second)
    listed = await phone.person.client.get(URL)
    pulled = await phone.pull()

    assert outcomes(answer) == [("rejected", "id_already_registered")]
    assert number not in listed.text + pulled.text
    shown = {one["field"]: one["mine"] for one in listed.json()["items"][0]["fields"]}
    assert (shown["name"], shown["id_number"]) == ("赵新", "已填，不在这里显示")
    assert "both" not in listed.json()["items"][0]["choices"]
    owner = await asyncpg.connect(database_url)
    stored = await owner.fetchrow("SELECT *, conflict::text AS whole FROM conflict")
    await owner.close()
    assert "赵新" not in stored["whole"]
    assert number in sealing.unseal(KEYS, stored["data_key"], stored["id"], queueing.SEALED, stored["sealed"])


async def test_a_door_that_was_refused_is_put_when_its_cause_is_gone(make, phone, household):  # noqa: F811
    new = operation(phone, "household.put", uuid4(), door(cell_code=NEIGHBOUR))
    answer = await phone.push(new)
    [found] = await items(phone.person)
    office = await make.worker(COMMUNITY)
    await make.cell(NEIGHBOUR)

    settled = await settle(office, found, "mine")

    assert outcomes(answer) == [("rejected", "area_not_allowed")]
    assert settled.status_code == 200, settled.text
    assert (await office.client.get(f"{API}/households/{new['entity_id']}")).json()["area_code"] == NEIGHBOUR


async def test_a_visit_that_came_too_late_keeps_whoever_was_at_the_door(make, phone, household):  # noqa: F811
    home = await make.household(NEIGHBOUR)
    sent = phone.visit(home.id)

    answer = await phone.push(sent)
    [found] = await items(phone.person)
    office = await make.worker(COMMUNITY, name="李建国")
    await settle(office, found, "mine")

    assert outcomes(answer) == [("rejected", "household_not_here")]
    stored = (await office.client.get(f"{API}/visits/{sent['entity_id']}")).json()
    assert (stored["worker_name"], stored["area_code"]) == ("张敏", NEIGHBOUR)


async def test_what_loses_nothing_is_not_queued(make, phone, person):  # noqa: F811
    good = phone.visit(person.household_id)
    await phone.push(good)

    answer = await phone.push(
        phone.visit(person.household_id, fields={"outcome": "?"}),
        phone.visit(person.household_id, op_id=good["op_id"]),
        operation(phone, "resident.edit", person.id, {"note": "一"}),
        operation(phone, "offer.accept", uuid4(), {}),
        operation(phone, "conflict.settle", uuid4(), {"choice": "mine"}, base_rev=1),
    )

    assert {outcome for outcome, _code in outcomes(answer)} == {"rejected"}
    assert await items(phone.person) == []


async def test_an_item_stands_or_falls_with_its_answer(make, phone, person, monkeypatch):  # noqa: F811
    office = await make.worker(COMMUNITY)
    url = f"{API}/residents/{person.id}"
    await office.client.patch(url, json={"note": "搬到里屋"}, headers={"If-Match": '"1"'})
    sent = operation(phone, "resident.edit", person.id, {"note": "听力不好"}, base_rev=1)

    async def full(*_args, **_row):
        raise Refusal(Code.busy)

    with monkeypatch.context() as patch:
        patch.setattr(queueing.queries, "add", full)
        failed = await phone.push(sent)
    again = await phone.push(sent)

    assert failed.status_code == 503
    assert outcomes(again) == [("conflict", "edit_conflict")]
    assert len(await items(phone.person)) == 1


async def test_values_go_ninety_days_after_the_decision_and_leave_the_phones(make, phone, person, database_url):  # noqa: F811
    await overtaken(make, phone, person)
    [found] = await items(phone.person)
    await settle(phone.person, found, "theirs")
    cursor = (await phone.pull()).json()["cursor"]

    async def age(days):
        owner = await asyncpg.connect(database_url)
        await owner.execute("UPDATE conflict SET settled_at = now() - make_interval(days => $1)", days)
        await owner.close()
        await conflicts.forget_old(make.database, COUNTY)
        return (await items(phone.person))[0]["fields"]

    kept, forgotten = await age(89), await age(91)
    gone = [one["gone"] for one in (await phone.pull(cursor)).json()["items"] if one["kind"] == "conflict"]

    assert (len(kept), forgotten, gone) == (1, [], [True])


async def test_only_who_works_there_decides(make, phone, person):  # noqa: F811
    await overtaken(make, phone, person)
    [found] = await items(phone.person)
    others = [await make.worker(NEIGHBOUR), await make.auditor(), await make.partner(), await make.volunteer()]

    answers = [await settle(one, found, "mine") for one in others]
    lists = [(await one.client.get(URL)).status_code for one in others]

    assert [one.status_code for one in answers] == [404, 403, 403, 403]
    assert lists == [200, 403, 403, 403]
    assert await items(others[0]) == []


async def test_decisions_are_in_the_audit_trail_without_values(make, phone, person, database_url):  # noqa: F811
    await overtaken(make, phone, person)
    [found] = await items(phone.person)
    await settle(phone.person, found, "mine")

    owner = await asyncpg.connect(database_url)
    rows = await owner.fetch("SELECT action, detail::text FROM audit WHERE entity_kind = 'conflict' ORDER BY at")
    await owner.close()

    assert [one["action"] for one in rows] == ["conflict.queued", "conflict.settled"]
    assert "听力不好" not in "".join(one["detail"] for one in rows)


def test_nothing_offline_writes_what_only_a_person_decides():
    """Poverty, disability and a changed identity number have no operation: they are written with network only."""
    from backend.sync.reading import BODIES
    from shared.residents import ResidentPatch

    fields = {name for shape in BODIES.values() for name in shape.model_fields}

    assert "id_number" not in ResidentPatch.model_fields
    assert not fields & {"poverty", "disability", "grade"}


def nested(levels):
    value = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


async def test_a_value_nested_without_end_is_refused_and_spoils_nothing(make, phone, person, household):  # noqa: F811
    office, _sent = await overtaken(make, phone, person)

    def late(levels):
        base = {"note": nested(levels)}
        return operation(phone, "resident.edit", person.id, {"note": "晚"}, base_rev=1, base=base, author_id=author)

    author = str((await register_other(make, phone)).account_id)
    answer = await phone.push(late(19), late(20), late(253), late(900), phone.visit(household.id))
    pulled, read = await phone.pull(), await office.client.get(f"{API}/changes")

    assert outcomes(answer) == [("conflict", "edit_conflict"), *[("rejected", "malformed")] * 3, ("applied", None)]
    assert (pulled.status_code, read.status_code) == (200, 200)
    assert nested(19) in [one["fields"][0]["base"] for one in await items(phone.person)]


async def register_other(make, phone):  # noqa: F811
    """Another user of the same phone: their edits do not follow the first one's."""
    other = await make.worker(name="王芳")
    await other.client.put(f"{API}/devices/{phone.device_id}", json={"name": ""})
    return other


async def test_an_item_that_cannot_be_shown_comes_without_its_values(make, phone, person):  # noqa: F811
    await overtaken(make, phone, person)

    async def poison(tx):
        await queueing.store(
            tx, KEYS, {"operation": {"fields": {"note": nested(253)}}}, area_code=CELL, kind="resident.edit",
            entity_id=person.id, op_id=uuid4(), device_id=uuid4(), device_seq=1, author_id=phone.person.account_id,
            author_name="张敏", made_at=None, code="edit_conflict", rescued=False, fields=["note"], theirs_name="",
            theirs_at=None,
        )  # fmt: skip

    await make.run(poison)
    pulled = await phone.pull()
    bad, good = await items(phone.person)
    refused, left = [await settle(phone.person, bad, choice) for choice in ("mine", "theirs")]

    assert pulled.status_code == 200, pulled.text
    assert ([one["mine"] for one in good["fields"]], bad["fields"]) == (["听力不好"], [])
    assert bad["choices"] == ["theirs", "unsure"]
    assert (refused.status_code, left.status_code) == (409, 200)


async def test_what_somebody_wrote_while_they_worked_here_waits_though_they_only_volunteer_now(
    make, phone, household  # noqa: F811
):  # fmt: skip
    person = await make.resident(household)
    volunteer = await make.volunteer()

    async def changes_sides(tx):
        account = phone.person.account_id
        await tx.conn.execute("UPDATE role_grant SET until_day = from_day WHERE account_id = $1", account)
        await tx.conn.execute("UPDATE account SET volunteer_id = $2 WHERE id = $1", account, volunteer.volunteer_id)
        await add_grant(tx.conn, COUNTY, uuid4(), account, Role.volunteer, COMMUNITY, tx.now)
        tx.notify(CHANNEL)

    await make.run(changes_sides)
    edit = operation(phone, "resident.edit", person.id, {"note": "听力不好"}, base_rev=1)
    report = operation(
        phone, "request.report", uuid4(), {"kind": "help", "category": "errand", "household_id": str(household.id)}
    )
    visit = phone.visit(household.id)
    answers = [await phone.push(edit, report, visit) for _ in range(2)]
    office = await make.worker(COMMUNITY)
    found = {one["kind"]: one for one in await items(office)}
    settled = await settle(office, found["resident.edit"], "mine")

    assert outcomes(answers[0])[0] == ("rejected", "role_not_allowed")
    assert outcomes(answers[0]) == outcomes(answers[1])
    assert len(found) == len(await items(office)) == 3
    assert {one["area_code"] for one in found.values()} == {CELL}
    assert settled.status_code == 200, settled.text
    assert (await row(office, person))["note"] == "听力不好"


async def test_who_never_worked_here_leaves_nothing_to_decide(make, register, person):  # noqa: F811
    volunteer = await register(await make.volunteer())

    answer = await volunteer.push(operation(volunteer, "resident.edit", person.id, {"note": "x"}, base_rev=1))

    assert outcomes(answer) == [("rejected", "role_not_allowed")]
    assert await items(await make.worker(COMMUNITY)) == []


async def test_two_notes_too_long_to_stand_together_refuse_only_that_decision(make, phone, person):  # noqa: F811
    await overtaken(make, phone, person, note="长" * 1999)
    [found] = await items(phone.person)

    refused, settled = [await settle(phone.person, found, choice) for choice in ("both", "mine")]

    assert (refused.status_code, refused.json()["code"]) == (409, "step_not_allowed")
    assert settled.status_code == 200, settled.text


async def test_a_door_that_no_cell_holds_refuses_the_decision_and_stays_open(make, register, household):  # noqa: F811
    office = await register(await make.worker(COMMUNITY))

    async def leave_its_cell(tx):
        for table in ("household", "dwelling"):
            await tx.conn.execute(f"UPDATE {table} SET area_code = $1", COMMUNITY)

    await make.run(leave_its_cell)
    await office.push(operation(office, "household.put", household.id, door(), base_rev=9))
    [found] = await items(office.person)

    settled = await settle(office.person, found, "mine")

    assert (settled.status_code, settled.json()["code"]) == (409, "step_not_allowed")
    assert [one["state"] for one in await items(office.person)] == ["open"]
