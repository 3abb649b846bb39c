"""Offers and tasks: one winner, nothing shown too early, nothing left afterwards."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY

OFFERS, TASKS = "/api/v1/offers", "/api/v1/tasks"
BORN = "1948-05-04"


async def somebody_to_help(make, **request):
    """A request for a named person with a phone and a reason for care."""
    home = await make.household()
    person = await make.resident(home, name="何长顺", birth_date=BORN, phone="12600002706", care=["alone", "frail"])
    return await make.request(home, resident_id=person.id, **request)


async def offered(make, **offer):
    """A volunteer with an open offer."""
    request, person = await somebody_to_help(make), await make.volunteer()
    return request, person, await make.offer(request, person, **offer)


async def accepted(make):
    request, person, offer = await offered(make)
    answer = await person.client.post(f"{OFFERS}/{offer}/accept")
    return request, person, answer.json()


def spoken(answer):
    """What an answer tells, without the ids and times, in which any three digits may stand by chance."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+", "", answer.text)


async def in_county(make, query: str, *arguments):
    async def work(tx):
        return await tx.conn.fetch(query, *arguments)

    return await make.run(work)


async def test_of_ten_who_say_yes_at_once_one_wins(make):
    request = await somebody_to_help(make)
    people = [await make.volunteer() for _ in range(10)]
    offers = [await make.offer(request, person) for person in people]

    answers = await asyncio.gather(*(
        person.client.post(f"{OFFERS}/{offer}/accept") for person, offer in zip(people, offers, strict=True)
    ))  # fmt: skip

    won = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer.status_code != 200]
    cards = await in_county(make, "SELECT id FROM task_card")
    states = await in_county(make, "SELECT state, count(*) AS n FROM offer GROUP BY state ORDER BY state")
    assert len(won) == 1
    assert {(answer.status_code, answer.json()["code"]) for answer in lost} == {(409, "offer_taken")}
    assert [str(card["id"]) for card in cards] == [won[0].json()["id"]]
    assert [tuple(row) for row in states] == [("accepted", 1), ("recalled", 9)]


async def test_saying_yes_again_gives_the_winner_the_same(make):
    _, person, offer = await offered(make)

    answers = await asyncio.gather(*(person.client.post(f"{OFFERS}/{offer}/accept") for _ in range(4)))
    later = await person.client.post(f"{OFFERS}/{offer}/accept")

    assert {answer.status_code for answer in [*answers, later]} == {200}
    assert len({answer.text for answer in [*answers, later]}) == 1


async def test_before_a_yes_there_is_no_name_no_door_and_no_phone(make):
    _, person, offer = await offered(make)

    shown = await person.client.get(OFFERS)
    won = await person.client.post(f"{OFFERS}/{offer}/accept")

    secrets = ["何长顺", "3号楼", "302", "河滨小区", "2706", "独居"]
    assert [one["id"] for one in shown.json()["items"]] == [str(offer)]
    assert [secret for secret in secrets if secret in spoken(shown)] == []
    assert [secret for secret in secrets if secret not in spoken(won)] == []
    assert (won.json()["door"], won.json()["person_note"]) == ("河滨小区 3号楼2单元 302", "独居、腿脚不便")
    born = datetime.fromisoformat(BORN)
    today = datetime.now(UTC) + timedelta(hours=8)
    assert won.json()["person_age"] == today.year - born.year - ((today.month, today.day) < (born.month, born.day))


async def test_a_volunteer_sees_nothing_of_anothers_offers_and_tasks(make):
    request, one, offer = await offered(make)
    other = await make.volunteer()

    answers = [
        await other.client.post(f"{OFFERS}/{offer}/accept"),
        await other.client.post(f"{OFFERS}/{offer}/decline", json={}),
        await other.client.post(f"{OFFERS}/{uuid4()}/accept"),
    ]
    await one.client.post(f"{OFFERS}/{offer}/accept")
    answers += [
        await other.client.post(f"{TASKS}/{offer}/check-in", json={"at": datetime.now(UTC).isoformat()}),
        await other.client.post(f"{TASKS}/{offer}/hand-back", json={}),
        await other.client.post(f"{TASKS}/{offer}/late"),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert (await other.client.get(OFFERS)).json()["items"] == []
    assert (await other.client.get(TASKS)).json()["items"] == []
    assert (await other.client.get(f"/api/v1/requests/{request.id}")).status_code == 403


async def test_the_loser_is_told_kindly_and_the_invitation_goes_away(make):
    request = await somebody_to_help(make)
    winner, loser = await make.volunteer(), await make.volunteer()
    first, second = await make.offer(request, winner), await make.offer(request, loser)
    await winner.client.post(f"{OFFERS}/{first}/accept")

    late = await loser.client.post(f"{OFFERS}/{second}/accept")
    news = await in_county(
        make, "SELECT seq FROM change WHERE stream = $1 AND id = $2", f"v:{loser.volunteer_id}", second
    )

    assert (late.status_code, late.json()["title"]) == (409, "已经有人答应了，谢谢您。")
    assert (await loser.client.get(OFFERS)).json()["items"] == []
    assert news[0]["seq"] > 2  # registered, offered, and now recalled


async def test_an_offer_whose_time_is_over_is_over(make):
    _, person, offer = await offered(make, at=datetime.now(UTC) - timedelta(hours=2))

    answer = await person.client.post(f"{OFFERS}/{offer}/accept")

    assert (answer.status_code, answer.json()["code"]) == (409, "offer_over")
    assert await in_county(make, "SELECT id FROM task_card") == []


async def test_the_time_to_answer_runs_from_when_the_phone_has_the_offer(make):
    asked_at = datetime.now(UTC) - timedelta(minutes=20)
    _, person, _offer = await offered(make, at=asked_at)

    first = (await person.client.get(OFFERS)).json()["items"][0]
    again = (await person.client.get(OFFERS)).json()["items"][0]

    expires = datetime.fromisoformat(first["expires_at"])
    assert timedelta(minutes=29) < expires - datetime.now(UTC) <= timedelta(minutes=30)
    assert again == first


async def test_a_no_costs_nothing_and_asks_for_somebody_else_at_once(make):
    request, person, offer = await offered(make)

    answers = [await person.client.post(f"{OFFERS}/{offer}/decline", json={"reason": "busy"}) for _ in range(2)]
    then_yes = await person.client.post(f"{OFFERS}/{offer}/accept")
    jobs = await in_county(
        make, "SELECT entrypoint, payload FROM jobs.pgqueuer WHERE dedupe_key LIKE $1", f"%{request.id}"
    )

    assert [answer.json()["state"] for answer in answers] == ["declined"] * 2
    assert (then_yes.status_code, then_yes.json()["code"]) == (409, "offer_over")
    assert [job["entrypoint"] for job in jobs] == ["matching.tick"]
    assert b"\xe4" not in jobs[0]["payload"]  # ids only, no Chinese, so no names


async def test_a_service_from_yes_to_minutes(make):
    request, person, task = await accepted(make)
    arrived = datetime.fromisoformat(task["accepted_at"]) - timedelta(minutes=5)
    left = arrived + timedelta(minutes=4, seconds=50)

    too_soon = await person.client.post(f"{TASKS}/{task['id']}/check-out", json={"at": left.isoformat()})
    serving = [
        await person.client.post(f"{TASKS}/{task['id']}/check-in", json={"at": arrived.isoformat()}) for _ in range(2)
    ]
    late = await person.client.post(f"{TASKS}/{task['id']}/late")
    finished = [
        await person.client.post(f"{TASKS}/{task['id']}/check-out", json={"at": left.isoformat()}) for _ in range(2)
    ]
    records = (await person.client.get("/api/v1/volunteers/me/service-records")).json()["items"]
    worker = await make.worker()
    stands = (await worker.client.get(f"/api/v1/requests/{request.id}")).json()

    assert (too_soon.status_code, too_soon.json()["code"]) == (409, "check_in_first")
    assert [(answer.status_code, answer.json()["state"]) for answer in serving] == [(200, "serving")] * 2
    assert late.json()["late"] is True
    assert [answer.json()["state"] for answer in finished] == ["finished"] * 2
    assert finished[0].json() == finished[1].json()
    assert [(r["minutes"], r["state"], r["title"]) for r in records] == [(4, "waiting", "代买东西")]
    assert records[0]["community_name"].startswith("杨家坪社区")
    assert (stands["state"], stands["volunteer_id"]) == ("done", str(person.volunteer_id))


async def test_afterwards_the_door_and_the_phone_are_gone(make):
    _, person, task = await accepted(make)
    at = {"at": task["accepted_at"]}
    await person.client.post(f"{TASKS}/{task['id']}/check-in", json=at)
    await person.client.post(f"{TASKS}/{task['id']}/check-out", json=at)

    listed = await person.client.get(TASKS)
    rows = await in_county(make, "SELECT person_name || door || phone || person_note AS told, lon FROM task_card")

    assert "何长顺" in str(task)  # control: it was there
    assert "何长顺" not in listed.text
    assert [(row["told"], row["lon"]) for row in rows] == [("", None)]
    assert listed.json()["items"][0]["person_age"] is None


async def test_a_task_given_back_is_open_for_others_and_blank_for_who_gave_it_back(make):
    request, person, task = await accepted(make)
    other = await make.volunteer()

    back = [await person.client.post(f"{TASKS}/{task['id']}/hand-back", json={"reason": "孩子病了"}) for _ in range(2)]
    ended = await person.client.post(f"{TASKS}/{task['id']}/check-in", json={"at": task["accepted_at"]})
    second = await make.offer(request, other)
    won = await other.client.post(f"{OFFERS}/{second}/accept")

    assert [(answer.json()["state"], answer.json()["door"]) for answer in back] == [("handed_back", "")] * 2
    assert (ended.status_code, ended.json()["code"]) == (409, "task_over")
    assert won.status_code == 200


async def test_a_request_that_staff_cancel_takes_the_task_with_it(make):
    request, person, _task = await accepted(make)
    worker = await make.worker()

    moved = await worker.client.post(
        f"/api/v1/requests/{request.id}/move",
        json={"to": "cancelled", "reason": "家人来了"},
        headers={"If-Match": '"2"'},
    )
    shown = (await person.client.get(TASKS)).json()["items"][0]

    assert moved.status_code == 200
    assert (shown["state"], shown["person_name"], shown["door"]) == ("cancelled", "", "")


async def test_a_request_that_staff_take_over_recalls_its_offers(make):
    request, person, offer = await offered(make)
    worker = await make.worker()
    await worker.client.post(
        f"/api/v1/requests/{request.id}/move", json={"to": "handling"}, headers={"If-Match": '"1"'}
    )

    answer = await person.client.post(f"{OFFERS}/{offer}/accept")

    assert (answer.status_code, answer.json()["code"]) == (409, "offer_over")
    assert (await person.client.get(OFFERS)).json()["items"] == []


async def test_a_done_request_that_is_opened_again_finds_another_winner(make):
    request, person, task = await accepted(make)
    for step in ("check-in", "check-out"):
        await person.client.post(f"{TASKS}/{task['id']}/{step}", json={"at": task["accepted_at"]})
    worker, other = await make.worker(), await make.volunteer()

    again = await worker.client.post(
        f"/api/v1/requests/{request.id}/move", json={"to": "open", "reason": "东西买错了"}, headers={"If-Match": '"4"'}
    )
    won = await other.client.post(f"{OFFERS}/{await make.offer(request, other)}/accept")

    assert (again.status_code, won.status_code) == (200, 200)


@pytest.mark.parametrize(("hours", "code"), [(3, "in_the_future"), (-3, "too_old")])
async def test_a_phone_clock_that_is_far_off_is_told_so(make, hours, code):
    _, person, task = await accepted(make)
    at = datetime.now(UTC) + timedelta(hours=hours)

    refused = await person.client.post(f"{TASKS}/{task['id']}/check-in", json={"at": at.isoformat()})

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await person.client.get(TASKS)).json()["items"][0]["state"] == "accepted"


async def test_whom_no_phone_reaches_is_rung_and_their_word_is_written_down(make):
    request = await somebody_to_help(make)
    silent, reached = await make.volunteer(account=False, name="马建国"), await make.volunteer()
    to_ring, _ = await make.offer(request, silent), await make.offer(request, reached)
    await reached.client.get(OFFERS)
    worker = await make.worker()

    calls = (await worker.client.get(f"{OFFERS}/calls", params={"area_code": COMMUNITY})).json()["items"]
    yes = [await worker.client.post(f"{OFFERS}/{to_ring}/spoken", json={"accepts": True}) for _ in range(2)]
    row = (await in_county(make, "SELECT answered_by, volunteer_id FROM offer WHERE id = $1", to_ring))[0]
    audit = await in_county(make, "SELECT account_id FROM audit WHERE action = 'offer.accepted'")

    assert [(call["offer_id"], call["volunteer_name"]) for call in calls] == [(str(to_ring), "马建国")]
    assert [answer.json()["state"] for answer in yes] == ["accepted"] * 2
    assert (row["answered_by"], row["volunteer_id"]) == (worker.account_id, silent.volunteer_id)
    assert [one["account_id"] for one in audit] == [worker.account_id]
    assert (await worker.client.get(f"{OFFERS}/calls")).json()["items"] == []


async def test_a_phone_that_stays_silent_comes_on_the_list_after_a_third_of_the_time(make):
    request, person = await somebody_to_help(make), await make.volunteer()
    worker, now = await make.worker(), datetime.now(UTC)
    await make.offer(request, person, at=now - timedelta(minutes=9))
    before = (await worker.client.get(f"{OFFERS}/calls")).json()["items"]
    other = await make.volunteer()
    await make.offer(request, other, at=now - timedelta(minutes=11))

    after = (await worker.client.get(f"{OFFERS}/calls")).json()["items"]

    assert before == []
    assert [call["volunteer_id"] for call in after] == [str(other.volunteer_id)]


async def test_a_spoken_no_is_a_no(make):
    _, _, offer = await offered(make)
    worker = await make.worker()

    answer = await worker.client.post(f"{OFFERS}/{offer}/spoken", json={"accepts": False, "reason": "unwell"})
    late_yes = await worker.client.post(f"{OFFERS}/{offer}/spoken", json={"accepts": True})

    assert answer.json()["state"] == "declined"
    assert (late_yes.status_code, late_yes.json()["code"]) == (409, "offer_over")


async def test_who_may_not_ring_or_answer_is_refused(make):
    request, person, offer = await offered(make)
    elsewhere, neighbour = await make.worker(OTHER_COMMUNITY), await make.worker(NEIGHBOUR)
    partner, auditor, worker = await make.partner(), await make.auditor(), await make.worker()

    lists = [await who.client.get(f"{OFFERS}/calls") for who in (person, partner, auditor)]
    spoken = [
        await who.client.post(f"{OFFERS}/{offer}/spoken", json={"accepts": True}) for who in (person, partner, auditor)
    ]
    outside = [
        await who.client.post(f"{OFFERS}/{offer}/spoken", json={"accepts": True}) for who in (elsewhere, neighbour)
    ]
    staff = [await worker.client.post(f"{OFFERS}/{offer}/accept"), await worker.client.get(OFFERS)]
    staff += [await worker.client.get(TASKS), await worker.client.post(f"{TASKS}/{offer}/late")]

    assert {answer.status_code for answer in lists + spoken + staff} == {403}
    assert {answer.status_code for answer in outside} == {404}
    assert (await elsewhere.client.get(f"{OFFERS}/calls", params={"area_code": CELL})).status_code == 403
    assert (await make.client().post(f"{OFFERS}/{offer}/accept")).status_code == 401
    assert (await in_county(make, "SELECT state FROM request WHERE id = $1", request.id))[0]["state"] == "open"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("offers/{}/decline", {"reason": "bored"}),
        ("offers/{}/decline", []),
        ("tasks/{}/check-in", {"at": "yesterday"}),
        ("tasks/{}/check-in", {"at": "2026-11-23T09:00:00"}),
        ("tasks/{}/check-out", {}),
        ("tasks/{}/hand-back", {"reason": "x" * 101}),
        ("tasks/not-an-id/late", {}),
    ],
)
async def test_a_malformed_answer_is_a_problem_and_no_server_error(make, path, body):
    _, person, offer = await offered(make)

    answer = await person.client.post(f"/api/v1/{path.format(offer)}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_a_yes_reaches_the_community_and_everybody_who_was_asked(make):
    request, person, task = await accepted(make)

    rows = await in_county(make, "SELECT stream, kind FROM change WHERE id = $1 OR id = $2", request.id, task["id"])

    own = f"v:{person.volunteer_id}"
    assert {(row["stream"], row["kind"]) for row in rows} == {
        (COMMUNITY, "request"), (COMMUNITY, "offer"), (COMMUNITY, "task"), (own, "offer"), (own, "task"),
    }  # fmt: skip
    assert not [row for row in rows if row["stream"] == COUNTY]


async def on_paper(make):
    """A volunteer without an account, whose yes a worker has written down: the worker, the volunteer, the task."""
    request = await somebody_to_help(make)
    silent, worker = await make.volunteer(account=False, name="马建国"), await make.worker()
    offer = await make.offer(request, silent)
    await worker.client.post(f"{OFFERS}/{offer}/spoken", json={"accepts": True})
    return worker, request, silent, offer


def told(step: str, at: datetime) -> dict:
    return {"step": step, "at": at.isoformat()}


async def accepted_some_time_ago(make, offer, ago=timedelta(hours=2)):
    """Move a yes into the past, so that there is time between it and now."""
    await in_county(make, "UPDATE task_card SET accepted_at = $2 WHERE id = $1", offer, datetime.now(UTC) - ago)


async def test_what_a_volunteer_without_a_phone_app_tells_is_written_down_and_waits_to_be_verified(make):
    worker, request, silent, offer = await on_paper(make)
    await accepted_some_time_ago(make, offer)
    came = datetime.now(UTC) - timedelta(minutes=90)
    left = came + timedelta(minutes=50)
    url = f"{TASKS}/{offer}/spoken"

    too_soon = await worker.client.post(url, json=told("check_out", left))
    arrived = [await worker.client.post(url, json=told("check_in", came)) for _ in range(2)]
    finished = [await worker.client.post(url, json=told("check_out", left)) for _ in range(2)]
    record = (await in_county(make, "SELECT volunteer_id, minutes, state FROM service_record"))[0]
    audits = await in_county(
        make, "SELECT action, account_id, detail->>'spoken' AS spoken FROM audit WHERE action LIKE 'task.%' ORDER BY at"
    )
    stands = (await worker.client.get(f"/api/v1/requests/{request.id}")).json()["state"]
    confirmed = await worker.client.post(
        f"/api/v1/service-records/{offer}/confirm", json={"confirmed": True, "way": "call_back"}
    )

    assert (too_soon.status_code, too_soon.json()["code"]) == (409, "check_in_first")
    assert [(answer.status_code, answer.json()["state"]) for answer in arrived] == [(200, "serving")] * 2
    assert [(answer.status_code, answer.json()["state"]) for answer in finished] == [(200, "finished")] * 2
    assert finished[0].json()["door"] == ""
    assert tuple(record) == (silent.volunteer_id, 50, "unverified")
    assert [tuple(one) for one in audits] == [
        ("task.checked_in", worker.account_id, "true"), ("task.checked_out", worker.account_id, "true"),
    ]  # fmt: skip
    assert stands == "done"
    assert confirmed.json()["state"] == "confirmed"


@pytest.mark.parametrize(
    ("accepted", "told_at", "code"),
    [
        (timedelta(hours=2), timedelta(minutes=1), "in_the_future"),
        (timedelta(hours=2), -timedelta(hours=3), "too_old"),
        (timedelta(days=9), -timedelta(days=8), "too_old"),
    ],
)
async def test_a_time_told_that_cannot_be_is_refused(make, accepted, told_at, code):
    worker, _, _, offer = await on_paper(make)
    await accepted_some_time_ago(make, offer, accepted)

    refused = await worker.client.post(f"{TASKS}/{offer}/spoken", json=told("check_in", datetime.now(UTC) + told_at))

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["errors"][0]["pointer"] == "/at"
    assert (await in_county(make, "SELECT state FROM task_card"))[0]["state"] == "accepted"


async def test_who_leaves_before_they_came_is_refused(make):
    worker, _, _, offer = await on_paper(make)
    await accepted_some_time_ago(make, offer)
    came, url = datetime.now(UTC) - timedelta(hours=1), f"{TASKS}/{offer}/spoken"
    await worker.client.post(url, json=told("check_in", came))

    refused = await worker.client.post(url, json=told("check_out", came - timedelta(minutes=5)))

    assert (refused.status_code, refused.json()["code"]) == (422, "too_old")


async def test_nobody_but_a_worker_of_the_area_writes_down_what_was_told(make):
    _, _, _, offer = await on_paper(make)
    person, partner, auditor = await make.volunteer(), await make.partner(), await make.auditor()
    elsewhere, body = await make.worker(NEIGHBOUR), told("check_in", datetime.now(UTC))

    refused = [await who.client.post(f"{TASKS}/{offer}/spoken", json=body) for who in (person, partner, auditor)]
    unseen = await elsewhere.client.post(f"{TASKS}/{offer}/spoken", json=body)

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "role_not_allowed")}
    assert (unseen.status_code, unseen.json()["code"]) == (404, "not_found")
    assert (await in_county(make, "SELECT state FROM task_card"))[0]["state"] == "accepted"


async def head_of(make, person) -> int:
    stream = f"v:{person.volunteer_id}"
    return (await in_county(make, "SELECT seq FROM feed_head WHERE stream = $1", stream))[0]["seq"]


async def test_a_cell_worker_who_closes_a_request_takes_the_offer_from_the_volunteers_phone(make):
    request, person, offer = await offered(make)
    worker, before = await make.worker(CELL), await head_of(make, person)

    closed = await worker.client.post(
        f"/api/v1/requests/{request.id}/move",
        json={"to": "cancelled", "reason": "家人来了"},
        headers={"If-Match": '"1"'},
    )
    news = await in_county(
        make, "SELECT id FROM change WHERE stream = $1 AND seq > $2", f"v:{person.volunteer_id}", before
    )

    assert closed.status_code == 200
    assert (await in_county(make, "SELECT state FROM offer"))[0]["state"] == "recalled"
    assert (await person.client.get(OFFERS)).json()["items"] == []
    assert [row["id"] for row in news] == [offer]
    assert await head_of(make, person) == before + 1
