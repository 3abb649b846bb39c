"""Reports and steps from a phone without network: once, in order, and asked about when somebody was faster."""

from uuid import uuid4

import pytest

from backend.requests.numbers import is_sound
from tests.api.test_requests import URL, at_a_place, for_household
from tests.factories import CELL, NEIGHBOUR
from tests.sync.test_push import Phone, household, outcomes, phone, register  # noqa: F401  (fixtures)
from tests.sync.test_push_register import operation


def report(on: Phone, entity_id, fields):
    return operation(on, "request.report", entity_id, fields)


def step(on: Phone, entity_id, to, rev, reason=""):
    return operation(on, "request.step", entity_id, {"to": to, "reason": reason}, base_rev=rev)


async def stored(worker, request_id):
    return (await worker.client.get(f"{URL}/{request_id}")).json()


@pytest.fixture
async def lamp(phone, household):  # noqa: F811
    """A street lamp that the phone has reported."""
    lamp = uuid4()
    assert outcomes(await phone.push(report(phone, lamp, at_a_place()))) == [("applied", None)]
    return lamp


async def test_a_report_gets_a_number_and_comes_back_to_its_phone(phone, household):  # noqa: F811
    lamp = uuid4()
    sent = report(phone, lamp, at_a_place(place_note="北门外第二盏"))

    answers = [await phone.push(sent) for _ in range(2)]

    pulled = (await phone.pull()).json()["items"]
    [row] = [item["body"] for item in pulled if item["kind"] == "request"]
    assert [outcomes(one) for one in answers] == [[("applied", None)], [("duplicate", None)]]
    assert (row["id"], row["state"], row["area_code"], row["owner_name"]) == (str(lamp), "open", CELL, "张敏")
    assert is_sound(row["number"])


async def test_a_report_sent_by_put_and_by_push_stands_once(phone, household):  # noqa: F811
    lamp = uuid4()
    await phone.person.client.put(f"{URL}/{lamp}", json=at_a_place())

    same, other = await phone.push(report(phone, lamp, at_a_place())), report(phone, lamp, at_a_place(detail="另一盏"))

    assert outcomes(same) == [("applied", None)]
    assert outcomes(await phone.push(other)) == [("rejected", "id_taken")]
    assert len((await phone.person.client.get(URL)).json()["items"]) == 1


async def test_what_was_seen_across_the_street_is_taken_and_handed_over(make, phone, household):  # noqa: F811
    await make.cell(NEIGHBOUR)
    lamp = uuid4()

    answer = await phone.push(report(phone, lamp, at_a_place(NEIGHBOUR)))

    assert outcomes(answer) == [("applied", None)]
    assert (await stored(phone.person, lamp))["area_code"] == NEIGHBOUR


async def test_a_refused_report_leaves_its_neighbours_and_nothing_of_itself(phone, household):  # noqa: F811
    far, near = uuid4(), uuid4()
    beijing = {"lon": 116.4, "lat": 39.9, "crs": "wgs84"}

    answer = await phone.push(
        report(phone, far, at_a_place(place=beijing)),
        report(phone, near, for_household(household)),
        report(phone, uuid4(), {"kind": "help"}),
    )

    assert outcomes(answer) == [("rejected", "outside_county"), ("applied", None), ("rejected", "malformed")]
    assert [item["id"] for item in (await phone.person.client.get(URL)).json()["items"]] == [str(near)]


async def test_a_report_and_its_steps_made_without_network_come_in_one_push(phone, household):  # noqa: F811
    lamp = uuid4()

    answer = await phone.push(
        report(phone, lamp, at_a_place()),
        step(phone, lamp, "handling", 1),
        step(phone, lamp, "done", 2, "换了灯泡"),
    )

    events = (await phone.person.client.get(f"{URL}/{lamp}/events")).json()
    assert outcomes(answer) == [("applied", None)] * 3
    assert [(event["to_state"], event["reason"]) for event in events] == [
        ("open", ""), ("handling", ""), ("done", "换了灯泡"),
    ]  # fmt: skip


async def test_a_step_after_somebody_elses_waits_for_a_person(make, phone, lamp):  # noqa: F811
    colleague = await make.worker(name="王芳")
    url = f"{URL}/{lamp}/move"
    moved = await colleague.client.post(url, json={"to": "handling"}, headers={"If-Match": '"1"'})
    late = step(phone, lamp, "cancelled", 1, "已经亮了")

    answers = [await phone.push(late) for _ in range(2)]

    assert moved.status_code == 200
    assert [outcomes(one) for one in answers] == [[("conflict", "edit_conflict")]] * 2
    assert (await stored(phone.person, lamp))["state"] == "handling"


@pytest.mark.parametrize(
    ("to", "rev", "reason", "code"),
    [
        ("handling", None, "", "precondition_missing"),
        ("handling", 9, "", "stale"),
        ("closed", 1, "", "step_not_allowed"),
        ("cancelled", 1, "", "reason_missing"),
    ],
)
async def test_a_step_that_may_not_be_taken_is_refused(phone, lamp, to, rev, reason, code):  # noqa: F811
    assert outcomes(await phone.push(step(phone, lamp, to, rev, reason))) == [("rejected", code)]


async def test_a_volunteers_phone_reports_nothing(make, register, household):  # noqa: F811
    volunteer = await register(await make.volunteer())

    answer = await volunteer.push(report(volunteer, uuid4(), at_a_place()))

    assert outcomes(answer) == [("rejected", "role_not_allowed")]
