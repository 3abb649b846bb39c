"""What a volunteer says of themselves without network, and a 签退 that is told in time or the morning after."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.factories import COMMUNITY
from tests.sync.test_push import Phone, household, outcomes, phone, register  # noqa: F401  (fixtures)
from tests.sync.test_push_register import operation

MORNING = {"weekday": 2, "from_minute": 480, "until_minute": 720}
SAID = [
    ("volunteer.week", {"slots": [MORNING]}),
    ("volunteer.quiet", {"from_minute": 1320, "until_minute": 360}),
    ("volunteer.skills", {"skills": [{"skill": "electric", "note": "低压电工证"}]}),
    ("volunteer.pause", {"active": False}),
]


@pytest.fixture
async def teacher(make, register) -> Phone:  # noqa: F811
    return await register(await make.volunteer())


def of_myself(on: Phone, kind, fields, **changes):
    return operation(on, kind, on.person.volunteer_id, fields, **changes)


async def mine(on: Phone):
    return (await on.person.client.get("/api/v1/volunteers/me")).json()


async def test_week_quiet_hours_skills_and_pause_come_in_one_push_and_once(teacher):
    sent = [of_myself(teacher, kind, fields) for kind, fields in SAID]

    answers = [await teacher.push(*sent) for _ in range(2)]

    assert [{outcome for outcome, _ in outcomes(one)} for one in answers] == [{"applied"}, {"duplicate"}]
    found = await mine(teacher)
    assert (found["slots"], found["quiet_from"], found["quiet_until"]) == ([MORNING], 1320, 360)
    assert (found["skills"], found["evidence"][0]["note"], found["active"]) == (["electric"], "低压电工证", False)
    pulled = (await teacher.pull()).json()["items"]
    assert [item["body"] for item in pulled if item["kind"] == "volunteer"] == [found]


async def test_the_last_word_about_oneself_counts(teacher):
    sent = [of_myself(teacher, "volunteer.pause", {"active": active}) for active in (False, False, True)]

    assert outcomes(await teacher.push(*sent)) == [("applied", None)] * 3
    assert (await mine(teacher))["active"] is True


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("volunteer.week", {"slots": [{**MORNING, "weekday": 8}]}),
        ("volunteer.quiet", {"from_minute": 1440, "until_minute": 0}),
        ("volunteer.skills", {"skills": []}),
        ("volunteer.skills", {"skills": [{"skill": "meal", "note": "610330195403011234"}]}),
        ("volunteer.pause", {}),
    ],
)
async def test_what_cannot_be_is_refused(teacher, kind, fields):
    before = await mine(teacher)

    assert outcomes(await teacher.push(of_myself(teacher, kind, fields))) == [("rejected", "malformed")]
    assert await mine(teacher) == before


async def test_nobody_speaks_for_another_volunteer_and_no_worker_for_any(make, register, teacher):  # noqa: F811
    other, worker = await register(await make.volunteer()), await register(await make.worker(COMMUNITY))
    before = await mine(teacher)

    def about_teacher(on):
        return [operation(on, kind, teacher.person.volunteer_id, fields) for kind, fields in SAID]

    refused = [outcomes(await on.push(*about_teacher(on))) for on in (other, worker)]

    assert refused == [[("rejected", "not_found")] * 4, [("rejected", "role_not_allowed")] * 4]
    assert await mine(teacher) == before
    assert (await worker.person.client.get("/api/v1/conflicts")).json()["items"] == []


async def being_served(make, on: Phone, ago: timedelta):
    """A task begun that long ago: its id and the moment."""
    begun = datetime.now(UTC) - ago
    offer = await make.offer(await make.request(), on.person)
    task = (await on.person.client.post(f"/api/v1/offers/{offer}/accept")).json()
    await on.person.client.post(f"/api/v1/tasks/{offer}/check-in", json={"at": task["accepted_at"]})

    async def earlier(tx):
        await tx.conn.execute("UPDATE task_card SET accepted_at = $1, checked_in_at = $1 WHERE id = $2", begun, offer)

    await make.run(earlier)
    return offer, begun


@pytest.mark.parametrize(("told_after", "state"), [(timedelta(0), "waiting"), (timedelta(hours=21), "unverified")])
async def test_minutes_are_in_doubt_when_they_were_told_late_and_not_when_the_network_was(
    make, teacher, told_after, state
):
    task, begun = await being_served(make, teacher, timedelta(hours=24))
    left = begun + timedelta(hours=2)
    sent = operation(teacher, "task.check_out", task, {"at": left.isoformat()}, made_at=(left + told_after).isoformat())

    assert outcomes(await teacher.push(sent)) == [("applied", None)]
    [record] = (await teacher.person.client.get("/api/v1/volunteers/me/service-records")).json()["items"]
    assert (record["minutes"], record["state"]) == (120, state)


async def test_a_leaving_of_nobodys_task_is_refused(teacher):
    sent = operation(teacher, "task.check_out", uuid4(), {"at": datetime.now(UTC).isoformat()})

    assert outcomes(await teacher.push(sent)) == [("rejected", "not_found")]
