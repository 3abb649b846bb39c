"""What a visit leads to: requests and corrections, once each, in the visit's own transaction."""

from typing import Any
from uuid import uuid4

import pytest

from tests.factories import CELL, COMMUNITY, NEIGHBOUR, OTHER_COMMUNITY, visit_to


@pytest.fixture
async def household(make):
    return await make.household(CELL)


def wanting(category: str = "errand", **given: Any) -> dict[str, Any]:
    return {"kind": "request", "id": str(uuid4()), "category": category, **given}


def doubting(what: str = "phone", **given: Any) -> dict[str, Any]:
    return {"kind": "correction", "id": str(uuid4()), "what": what, **given}


async def visited(person, household, *follow_ups: dict[str, Any]):
    visit_id = uuid4()
    answer = await person.client.put(
        f"/api/v1/visits/{visit_id}", json=visit_to(household.id, follow_ups=list(follow_ups))
    )
    return visit_id, answer


async def follow_ups_of(person, visit_id) -> list[dict[str, Any]]:
    answer = await person.client.get(f"/api/v1/visits/{visit_id}/follow-ups")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_finding_opens_a_request_that_knows_its_visit(make, household):
    worker, asked = await make.worker(), wanting(detail="想请人买米", urgency="2")

    visit_id, answer = await visited(worker, household, asked)
    opened = (await worker.client.get(f"/api/v1/requests/{asked['id']}")).json()

    assert answer.status_code == 200
    assert opened["visit_id"] == str(visit_id)
    assert (opened["kind"], opened["category"], opened["state"]) == ("help", "errand", "open")
    assert (opened["household_id"], opened["detail"], opened["urgency"]) == (str(household.id), "想请人买米", "2")
    assert opened["owner_name"] == "张敏"
    [linked] = await follow_ups_of(worker, visit_id)
    assert linked == {"id": asked["id"], "kind": "request", "target_id": asked["id"], "attached": False}


async def test_what_is_open_already_takes_a_second_finding_up(make, household):
    worker, first, second, other = await make.worker(), wanting(), wanting(), wanting("meal")

    await visited(worker, household, first)
    visit_id, _answer = await visited(worker, household, second, other)
    listed = (await worker.client.get("/api/v1/requests")).json()["items"]

    assert {item["id"] for item in listed} == {first["id"], other["id"]}
    linked = {one["id"]: (one["target_id"], one["attached"]) for one in await follow_ups_of(worker, visit_id)}
    assert linked == {second["id"]: (first["id"], True), other["id"]: (other["id"], False)}


async def test_two_findings_of_one_push_open_one_request(make, household):
    worker = await make.worker()

    visit_id, _answer = await visited(worker, household, wanting(), wanting())

    assert len((await worker.client.get("/api/v1/requests")).json()["items"]) == 1
    assert sorted(one["attached"] for one in await follow_ups_of(worker, visit_id)) == [False, True]


async def test_a_cancelled_request_does_not_take_findings_up(make, household):
    worker, first, second = await make.worker(), wanting(), wanting()
    await visited(worker, household, first)
    headers = {"If-Match": '"1"'}
    cancelled = {"to": "cancelled", "reason": "不要了"}
    moved = await worker.client.post(f"/api/v1/requests/{first['id']}/move", json=cancelled, headers=headers)

    await visited(worker, household, second)

    assert moved.status_code == 200
    assert (await worker.client.get(f"/api/v1/requests/{second['id']}")).json()["state"] == "open"


async def test_another_households_request_takes_nothing_up(make, household):
    worker, there = await make.worker(), await make.household(CELL, room="502")
    await visited(worker, there, wanting())

    visit_id, _answer = await visited(worker, household, wanting())

    assert [one["attached"] for one in await follow_ups_of(worker, visit_id)] == [False]


async def test_a_retry_opens_nothing_twice(make, household):
    worker, url = await make.worker(), f"/api/v1/visits/{uuid4()}"
    body = visit_to(household.id, follow_ups=[wanting(), doubting()])

    first, retry = [await worker.client.put(url, json=body) for _ in range(2)]

    assert first.json() == retry.json()
    assert len((await worker.client.get("/api/v1/requests")).json()["items"]) == 1
    assert len((await worker.client.get("/api/v1/corrections")).json()["items"]) == 1


async def test_a_follow_up_that_cannot_be_leaves_no_visit_behind(make, household):
    worker, taken = await make.worker(), wanting()
    await visited(worker, household, taken)
    elsewhere = await make.household(CELL, room="502")

    visit_id, answer = await visited(worker, elsewhere, {**wanting("meal"), "id": taken["id"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "id_taken")
    assert (await worker.client.get(f"/api/v1/visits/{visit_id}")).status_code == 404


@pytest.mark.parametrize(
    "broken",
    [wanting("elder_allowance"), wanting("no_such_thing"), doubting("colour"), {"kind": "wish", "id": str(uuid4())}],
    ids=["a matter", "no category", "no such doubt", "no such kind"],
)
async def test_a_follow_up_of_no_known_kind_is_malformed(make, household, broken):
    _visit, answer = await visited(await make.worker(), household, broken)

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_somebody_out_of_sight_is_not_followed_up(make, household):
    stranger = await make.resident(await make.household(NEIGHBOUR))
    worker = await make.worker()

    _visit, answer = await visited(worker, household, doubting(resident_id=str(stranger.id)))

    assert (answer.status_code, answer.json()["code"]) == (404, "resident_not_here")
    assert answer.json()["errors"][0]["pointer"] == "/follow_ups"


async def test_a_doubt_about_the_register_is_listed_and_settled_once(make, household):
    worker, who = await make.worker(), await make.resident(household)
    doubt = doubting(resident_id=str(who.id), said="12600009999")
    visit_id, _answer = await visited(worker, household, doubt)
    url = f"/api/v1/corrections/{doubt['id']}/settle"

    [listed] = (await worker.client.get("/api/v1/corrections", params={"state": "open"})).json()["items"]
    unsaid = await worker.client.post(url, json={"state": "refused"})
    done = await worker.client.post(url, json={"state": "done"})
    again = await worker.client.post(url, json={"state": "done"})
    otherwise = await worker.client.post(url, json={"state": "refused", "reason": "电话没变"})

    assert (listed["visit_id"], listed["said"], listed["noted_by"]) == (str(visit_id), "12600009999", "张敏")
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "reason_missing")
    assert (done.json()["state"], done.json()["settled_by"], done.json()["rev"]) == ("done", "张敏", 2)
    assert again.json() == done.json()
    assert (otherwise.status_code, otherwise.json()["code"]) == (409, "step_not_allowed")
    assert (await worker.client.get("/api/v1/corrections", params={"state": "open"})).json()["items"] == []


async def test_the_same_doubt_is_noted_once_while_it_is_open(make, household):
    worker, who = await make.worker(), await make.resident(household)
    doubt = {"resident_id": str(who.id), "said": "12600009999"}

    await visited(worker, household, doubting(**doubt))
    visit_id, _answer = await visited(worker, household, doubting(**doubt), doubting(said="另一个号码", **{}))

    assert len((await worker.client.get("/api/v1/corrections")).json()["items"]) == 2
    assert sorted(one["attached"] for one in await follow_ups_of(worker, visit_id)) == [False, True]


async def test_corrections_stay_in_their_area_and_with_those_who_work_there(make, household):
    worker, neighbour = await make.worker(), await make.worker(NEIGHBOUR)
    partner, auditor = await make.partner(OTHER_COMMUNITY), await make.auditor()
    doubt = doubting()
    await visited(worker, household, doubt)
    url = f"/api/v1/corrections/{doubt['id']}/settle"

    unseen = await neighbour.client.post(url, json={"state": "done"})
    refused = await auditor.client.post(url, json={"state": "done"})
    asked = await neighbour.client.get("/api/v1/corrections", params={"area_code": CELL})

    assert (unseen.status_code, refused.status_code) == (404, 403)
    assert (asked.status_code, asked.json()["code"]) == (403, "area_not_allowed")
    assert (await partner.client.get("/api/v1/corrections")).json()["items"] == []
    assert len((await auditor.client.get("/api/v1/corrections")).json()["items"]) == 1


async def test_a_neighbour_does_not_read_what_a_visit_led_to(make, household):
    worker, neighbour = await make.worker(), await make.worker(NEIGHBOUR)
    visit_id, _answer = await visited(worker, household, wanting())

    for part in ("follow-ups", "photos"):
        assert (await neighbour.client.get(f"/api/v1/visits/{visit_id}/{part}")).status_code == 404


async def test_visits_are_narrowed_by_outcome_finding_worker_and_day(make, household):
    one, two = await make.worker(), await make.worker(name="李强")
    coordinator = await make.worker(COMMUNITY)
    sent = {
        "first": (one, {"outcome": "seen", "findings": ["unwell"], "visited_at": "2026-11-19T15:59:59Z"}),
        "second": (one, {"outcome": "absent", "visited_at": "2026-11-19T16:00:00Z"}),
        "third": (two, {"outcome": "seen", "findings": ["fine"], "visited_at": "2026-11-20T15:59:59Z"}),
    }
    named = {}
    for name, (person, body) in sent.items():
        visit_id = str(uuid4())
        await person.client.put(f"/api/v1/visits/{visit_id}", json=visit_to(household.id, **body))
        named[visit_id] = name

    async def found(**params: object) -> set[str]:
        answer = await coordinator.client.get("/api/v1/visits", params=params)
        return {named[item["id"]] for item in answer.json()["items"]}

    assert await found(outcome="seen") == {"first", "third"}
    assert await found(finding="unwell") == {"first"}
    assert await found(worker_id=str(two.account_id)) == {"third"}
    assert await found(from_day="2026-11-20", last_day="2026-11-20") == {"second", "third"}
    assert await found(last_day="2026-11-19") == {"first"}
    assert await found(outcome="seen", from_day="2026-11-20", household_id=str(household.id)) == {"third"}
    assert await found() == set(sent)


async def test_a_narrowed_list_still_pages_without_gap(make, household):
    worker, sent = await make.worker(), []
    for number in range(6):
        sent.append(str(uuid4()))
        outcome = "seen" if number % 2 else "absent"
        await worker.client.put(f"/api/v1/visits/{sent[-1]}", json=visit_to(household.id, outcome=outcome))

    found, cursor = [], None
    while not found or cursor:
        params = {"limit": 2, "outcome": "seen", **({"cursor": cursor} if cursor else {})}
        page = (await worker.client.get("/api/v1/visits", params=params)).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert found == sent[1::2][::-1]
