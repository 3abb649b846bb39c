"""What a phone does beside the lists of people, and reads of them: corrections, follow-ups, links, the past, duties."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from backend.core.clock import county_day
from shared.duties import CellTeam
from shared.register import PersonPast
from tests.api.test_duties import assign, duty
from tests.factories import CELL, COMMUNITY, NEIGHBOUR
from tests.sync.test_push import household, outcomes, phone, register  # noqa: F401  (fixtures)
from tests.sync.test_push_register import API, operation

TODAY = county_day(datetime.now(UTC))


@pytest.fixture
async def person(make, household):  # noqa: F811
    return await make.resident(household)


async def pulled(on, kind, since=None):
    items = (await on.pull(since)).json()["items"]
    return [one for one in items if one["kind"] == kind]


async def noted(on, home, what="phone", **given):
    """A visit that brought back a doubt about the register; return its correction."""
    visit, doubt = on.visit(home.id), {"kind": "correction", "id": str(uuid4()), "what": what, **given}
    visit["fields"]["follow_ups"] = [doubt]
    await on.push(visit)
    return doubt["id"]


def settle(on, correction, **fields):
    return operation(on, "correction.settle", correction, fields)


def opening(on, visit, **follow_up):
    return operation(on, "follow_up.open", visit["entity_id"], {"follow_up": {"id": str(uuid4()), **follow_up}})


def link(on, who, **fields):
    usual = {"resident_id": str(who.id), "kind": "contact", "name": "何小梅", "phone": "12600002706"}
    return operation(on, "link.put", uuid4(), {**usual, **fields})


async def test_a_correction_is_pulled_and_settled_from_the_phone(phone, household):  # noqa: F811
    correction = await noted(phone, household, said="12800001111")
    cursor = (await phone.pull()).json()["cursor"]

    answer = await phone.push(settle(phone, correction, state="refused", reason="再问过，没有变"))
    [row] = await pulled(phone, "correction", cursor)

    assert outcomes(answer) == [("applied", None)]
    assert (row["body"]["state"], row["body"]["reason"], row["body"]["settled_by"]) == (
        "refused", "再问过，没有变", "张敏",
    )  # fmt: skip


async def test_a_correction_is_settled_once_with_a_reason_and_by_whoever_sees_it(
    make, phone, register, household,  # noqa: F811
):  # fmt: skip
    await make.cell(NEIGHBOUR)
    other = await register(await make.worker(NEIGHBOUR))
    correction = await noted(phone, household)

    unseen = await other.push(settle(other, correction, state="done"))
    answers = await phone.push(
        settle(phone, correction, state="refused"),
        settle(phone, correction, state="done"),
        settle(phone, correction, state="refused", reason="没有变"),
    )

    assert outcomes(unseen) == [("rejected", "not_found")]
    assert outcomes(answers) == [("rejected", "reason_missing"), ("applied", None), ("rejected", "step_not_allowed")]


async def test_a_visit_and_what_it_leads_to_later_come_in_one_push(phone, household):  # noqa: F811
    visit = phone.visit(household.id)
    asked = opening(phone, visit, kind="request", category="errand")

    answer = await phone.push(asked, visit)
    found = (await phone.person.client.get(f"{API}/requests/{asked['fields']['follow_up']['id']}")).json()

    assert outcomes(answer) == [("applied", None)] * 2
    assert (found["visit_id"], found["category"], found["state"]) == (visit["entity_id"], "errand", "open")


async def test_what_is_opened_later_joins_what_is_open_and_a_repeat_is_one(phone, household):  # noqa: F811
    visit = phone.visit(household.id)
    first, second = (opening(phone, visit, kind="request", category="errand") for _ in range(2))
    doubt = opening(phone, visit, kind="correction", what="moved_away")
    await phone.push(visit)

    answers = [await phone.push(first, second, doubt), await phone.push(first)]
    linked = (await phone.person.client.get(f"{API}/visits/{visit['entity_id']}/follow-ups")).json()

    assert [outcomes(one) for one in answers] == [[("applied", None)] * 3, [("duplicate", None)]]
    assert len((await phone.person.client.get(f"{API}/requests")).json()["items"]) == 1
    assert sorted((one["kind"], one["attached"]) for one in linked) == [
        ("correction", False), ("request", False), ("request", True),
    ]  # fmt: skip


async def test_what_is_opened_later_needs_a_visit_in_sight_and_people_who_are_there(
    make, phone, register, household,  # noqa: F811
):  # fmt: skip
    await make.cell(NEIGHBOUR)
    other, visit = await register(await make.worker(NEIGHBOUR)), phone.visit(household.id)
    await phone.push(visit)

    unseen = await other.push(opening(other, visit, kind="request", category="errand"))
    unknown = await phone.push(
        opening(phone, visit, kind="request", category="errand", resident_id=str(uuid4())),
        opening(phone, visit, kind="request", category="elder_allowance"),
    )

    assert outcomes(unseen) == [("rejected", "not_found")]
    assert outcomes(unknown) == [("rejected", "resident_not_here"), ("rejected", "malformed")]


async def test_a_contact_is_written_changed_and_ended_from_the_phone(phone, person):  # noqa: F811
    sent = link(phone, person, from_day=str(TODAY - timedelta(5)))
    key = sent["entity_id"]
    changed = operation(phone, "link.put", key, sent["fields"] | {"phone": "12600009999"}, base_rev=1)
    blind = operation(phone, "link.end", key, {"on": str(TODAY)})
    ended = operation(phone, "link.end", key, {"on": str(TODAY)}, base_rev=2)

    answers = [await phone.push(one) for one in (sent, sent, changed)]
    [row] = await pulled(phone, "link")
    answers += [await phone.push(blind), await phone.push(ended)]
    [gone] = await pulled(phone, "link")

    assert [outcomes(one)[0] for one in answers] == [
        ("applied", None), ("duplicate", None), ("applied", None), ("rejected", "precondition_missing"),
        ("applied", None),
    ]  # fmt: skip
    assert (row["body"]["resident_id"], row["body"]["phone"]) == (str(person.id), "12600009999")
    assert gone["gone"]


async def test_a_link_that_cannot_be_is_refused_with_its_reason(make, phone, household):  # noqa: F811
    grown = await make.resident(household, birth_date=date(1954, 3, 8))

    answer = await phone.push(
        link(phone, grown, kind="guardian"),
        link(phone, grown, person_id=str(grown.id)),
        operation(phone, "link.end", uuid4(), {"on": str(TODAY)}, base_rev=1),
    )

    assert outcomes(answer) == [("rejected", "reason_missing"), ("rejected", "malformed"), ("rejected", "not_found")]


async def test_a_persons_past_comes_with_their_row_and_to_staff_only(make, phone, person):  # noqa: F811
    sent = {"kind": "float", "on": str(TODAY), "resident_ids": [str(person.id)]}
    await phone.push(operation(phone, "register.event", uuid4(), sent))
    partner = await make.partner()

    [row] = await pulled(phone, "resident")
    theirs = (await partner.client.get(f"{API}/changes")).json()["items"]

    past = PersonPast.model_validate(row["body"]).periods
    assert [(one.value, one.until_day, one.noted_by) for one in past if one.track == "residency"][-1] == (
        "floating", None, "张敏",
    )  # fmt: skip
    assert {one.track for one in past} >= {"residency", "household"}
    assert "relation" not in {one.track for one in past}
    assert all("periods" not in one["body"] for one in theirs if one["kind"] == "resident")


async def test_who_answers_for_a_cell_comes_with_it_again_when_it_changes(make, phone, household):  # noqa: F811
    coordinator, worker = await make.worker(COMMUNITY, name="李建国"), phone.person
    cursor = (await phone.pull()).json()["cursor"]

    await assign(coordinator, duty(worker, TODAY))
    await coordinator.client.put(
        f"{API}/cells/{CELL}/household-duties/{worker.account_id}", json={"household_ids": [str(household.id)]}
    )
    [row] = await pulled(phone, "cell", cursor)
    after = (await phone.pull()).json()["cursor"]
    successor = await make.worker(CELL, name="王芳")
    handed = {"to_account_id": str(successor.account_id), "on": str(TODAY), "reason": "调往县民政局"}
    await coordinator.client.post(f"{API}/accounts/{worker.account_id}/hand-over", json=handed)
    other = await register_other(make, phone, successor)
    [later] = await pulled(other, "cell", after)

    team, changed = CellTeam.model_validate(row["body"]), CellTeam.model_validate(later["body"])
    assert [(one.role, one.name) for one in team.duties] == [("in_charge", "张敏")]
    assert [(one.name, one.household_ids) for one in team.looked_after] == [("张敏", [household.id])]
    assert [one.name for one in changed.duties] == ["王芳"]
    assert [one.name for one in changed.looked_after] == ["王芳"]


async def register_other(make, phone, person):  # noqa: F811
    """The successor reads on with the leaver's cursor, on a phone of their own."""
    other = type(phone)(person, str(uuid4()))
    await person.client.put(f"{API}/devices/{other.device_id}", json={"name": "测试手机"})
    return other


async def test_a_partner_reads_no_duties(make, household, phone):  # noqa: F811
    partner = await make.partner()

    items = (await partner.client.get(f"{API}/changes")).json()["items"]

    assert all("duties" not in one["body"] for one in items if one["kind"] == "cell")
