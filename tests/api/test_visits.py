"""Visits over HTTP: recorded once, seen by those who may."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from shared.visiting import DueDaysOut
from tests.factories import CELL, COMMUNITY, NEIGHBOUR, OTHER_COMMUNITY, visit_to

AT_THE_DOOR = {"accuracy_m": 8, "age_s": 2, "crs": "wgs84"}


@pytest.fixture
async def household(make):
    await make.cell(CELL)
    return await make.household(CELL)


async def test_a_retry_stores_one_visit(make, household):
    worker = await make.worker()
    url, body = f"/api/v1/visits/{uuid4()}", visit_to(household.id)

    first, retry = [await worker.client.put(url, json=body) for _ in range(2)]
    listed = await worker.client.get("/api/v1/visits", params={"household_id": str(household.id)})

    assert first.status_code == retry.status_code == 200
    assert listed.json()["items"] == [first.json()] == [retry.json()]


async def test_the_same_id_with_other_content_is_refused_and_changes_nothing(make, household):
    worker = await make.worker()
    url = f"/api/v1/visits/{uuid4()}"
    first = await worker.client.put(url, json=visit_to(household.id))

    other = await worker.client.put(url, json=visit_to(household.id, outcome="absent"))

    assert other.status_code == 409
    assert other.json()["code"] == "id_taken"
    assert (await worker.client.get(url)).json() == first.json()


async def test_a_visit_keeps_its_households_cell_and_notes_where_the_phone_stood(make, household):
    await make.cell(NEIGHBOUR)
    there = await make.household(NEIGHBOUR)
    worker = await make.worker()
    fix = {"lon": there.lon, "lat": there.lat, **AT_THE_DOOR}

    stored = (await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(household.id, fix=fix))).json()

    assert stored["area_code"] == stored["happened_in"] == CELL
    assert stored["fix_area_code"] == NEIGHBOUR
    assert stored["evidence"] in ("near", "far")
    assert stored["distance_m"] > 50


async def test_a_gcj02_fix_is_stored_as_wgs84(make, household):
    worker = await make.worker()
    fix = {"lon": household.lon, "lat": household.lat, **AT_THE_DOOR, "crs": "gcj02"}

    stored = (await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(household.id, fix=fix))).json()

    assert 200 < stored["distance_m"] < 1000
    assert stored["lon"] != household.lon


async def test_nobody_home_leaves_the_last_seen_day_and_says_when_to_go_again(make, household):
    worker = await make.worker()
    now = datetime.now(UTC)
    for days, outcome in ((20, "seen"), (0, "absent")):
        body = visit_to(household.id, outcome=outcome, visited_at=(now - timedelta(days=days)).isoformat())
        await worker.client.put(f"/api/v1/visits/{uuid4()}", json=body)

    seen = (await worker.client.get(f"/api/v1/households/{household.id}")).json()

    assert seen["last_seen_on"] < seen["last_visited_on"] < seen["due_on"]
    assert seen["tries_since_seen"] == 1
    assert seen["due_reason"] == "上次家中无人，再去一次"


async def test_somebody_very_old_who_lives_alone_is_due_again_within_a_week(make, household):
    worker, long_ago = await make.worker(), datetime(1940, 5, 1).date()
    await make.resident(household, birth_date=long_ago, care=["alone"])
    young = await make.household(CELL, room="401")
    await make.resident(young, birth_date=datetime(1990, 5, 1).date(), care=["alone"])

    for home in (household, young):
        await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(home.id))

    reasons = [(await worker.client.get(f"/api/v1/households/{h.id}")).json()["due_reason"] for h in (household, young)]
    assert reasons == ["80 岁以上，独居，每 7 天看一次", "独居，每 14 天看一次"]


async def test_a_neighbours_worker_cannot_record_or_read_it(make, household):
    worker, neighbour = await make.worker(), await make.worker(NEIGHBOUR)
    url = f"/api/v1/visits/{uuid4()}"
    await worker.client.put(url, json=visit_to(household.id))

    refused = await neighbour.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(household.id))
    unseen = await neighbour.client.get(url)
    listed = await neighbour.client.get("/api/v1/visits", params={"area_code": CELL})

    assert (refused.status_code, refused.json()["code"]) == (404, "household_not_here")
    assert unseen.status_code == 404
    assert (listed.status_code, listed.json()["code"]) == (403, "area_not_allowed")


async def test_an_id_that_an_unseen_visit_holds_is_refused(make, household):
    await make.cell(NEIGHBOUR)
    theirs = await make.household(NEIGHBOUR)
    worker, neighbour = await make.worker(), await make.worker(NEIGHBOUR)
    url = f"/api/v1/visits/{uuid4()}"
    await worker.client.put(url, json=visit_to(household.id))

    taken = await neighbour.client.put(url, json=visit_to(theirs.id))

    assert (taken.status_code, taken.json()["code"]) == (409, "id_taken")


async def test_auditors_partners_and_volunteers_do_not_record_visits(make, household):
    for person in (await make.auditor(), await make.partner()):
        refused = await person.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(household.id))
        assert (refused.status_code, refused.json()["code"]) == (403, "role_not_allowed")


async def test_a_community_key_reads_its_own_visits_only(make, household):
    worker = await make.worker()
    stored = (await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(household.id))).json()
    inside, outside = await make.partner(CELL[:12]), await make.partner(OTHER_COMMUNITY)

    assert (await inside.client.get("/api/v1/visits")).json()["items"] == [stored]
    assert (await outside.client.get("/api/v1/visits")).json()["items"] == []


async def test_pages_follow_each_other_without_gap_or_overlap(make, household):
    worker = await make.worker()
    sent = [str(uuid4()) for _ in range(7)]
    for visit_id in sent:
        await worker.client.put(f"/api/v1/visits/{visit_id}", json=visit_to(household.id))

    found, cursor = [], None
    while True:
        page = await worker.client.get("/api/v1/visits", params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        found += [item["id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break

    assert found == sent[::-1]


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "vanished"},
        {"household_id": "not-an-id"},
        {"note": "nul\x00"},
        {"visited_at": "2026-11-20T09:00:00"},
        {"visited_at": "9999-12-31T23:59:59Z"},
        {"fix": {"lon": 181, "lat": 33.9, "accuracy_m": 8}},
        {"fix": {"lon": 1e400, "lat": 33.9, "accuracy_m": 8}},
        {"return_on": "2026-02-30"},
        {"surprise": 1},
    ],
    ids=str,
)
async def test_what_cannot_be_is_a_problem_with_a_pointer_and_nothing_is_stored(make, household, change):
    worker = await make.worker()

    answer = await worker.client.put(
        f"/api/v1/visits/{uuid4()}", content=_json({**visit_to(household.id), **change}),
        headers={"Content-Type": "application/json"},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"].startswith("/")
    assert (await worker.client.get("/api/v1/visits")).json()["items"] == []


def _json(body):
    """JSON as a careless caller writes it: Infinity is let through."""
    import json

    return json.dumps(body)


async def test_a_cursor_from_nowhere_is_refused(make, household):
    worker = await make.worker()

    answer = await worker.client.get("/api/v1/visits", params={"cursor": "bm93aGVyZQ"})

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


# How often


async def days_of(person):
    answer = await person.client.get("/api/v1/due-days")
    assert answer.status_code == 200, answer.text
    return answer.json(), answer.headers["ETag"]


async def test_a_county_sets_its_own_intervals_and_the_next_visit_follows_from_them(make, household):
    await make.resident(household, care=["alone"])
    admin, worker = await make.admin(), await make.worker()
    before, tag = await days_of(admin)
    own = {"usual": 90, "retry": 2, "care": {"alone": 5}}

    async def due_after(outcome):
        body = visit_to(household.id, outcome=outcome)
        await worker.client.put(f"/api/v1/visits/{uuid4()}", json=body)
        home = (await worker.client.get(f"/api/v1/households/{household.id}")).json()
        due = date.fromisoformat(home["due_on"]) - date.fromisoformat(home["last_visited_on"])
        return due.days, home["due_reason"]

    usual = await due_after("seen")
    put = await admin.client.put("/api/v1/due-days", json=own, headers={"If-Match": tag})
    again = await admin.client.put("/api/v1/due-days", json=own, headers={"If-Match": tag})
    audited = await make.run(lambda tx: tx.conn.fetchval("SELECT count(*) FROM audit WHERE action = 'due_days.set'"))

    assert (before["usual"], before["care"]["alone"], before["rev"], tag) == (60, 14, 0, '"0"')
    assert (put.status_code, put.json()["usual"], put.headers["ETag"]) == (200, 90, '"1"')
    assert (put.json()["care"]["alone"], put.json()["care"]["empty_nest"]) == (5, 30)
    assert (again.json(), audited) == (put.json(), 1)
    assert usual == (14, "独居，每 14 天看一次")
    assert await due_after("seen") == (5, "独居，每 5 天看一次")
    assert (await due_after("absent"))[0] == 2


async def test_phones_get_the_intervals_and_so_does_a_cell_that_is_founded_later(make, household):
    admin = await make.admin()
    await admin.client.put("/api/v1/due-days", json={"usual": 45}, headers={"If-Match": '"0"'})
    await make.cell(NEIGHBOUR)

    heard = []
    for cell in (CELL, NEIGHBOUR):
        items = (await (await make.worker(cell)).client.get("/api/v1/changes")).json()["items"]
        heard += [row["body"] for row in items if row["kind"] == "due_days"]

    assert heard == [(await days_of(admin))[0]] * 2
    assert DueDaysOut.model_validate(heard[0]).usual == 45


@pytest.mark.parametrize(
    "wrong",
    [{"usual": 0}, {"usual": 367}, {"care": {"alone": 0}}, {"care": {"hobby": 3}}, {"usual": "soon"}, {"sometimes": 3}],
    ids=["zero", "over a year", "a label's zero", "unknown label", "no number", "unknown interval"],
)
async def test_an_absurd_interval_is_refused(make, wrong):
    admin = await make.admin()

    answer = await admin.client.put("/api/v1/due-days", json=wrong, headers={"If-Match": '"0"'})

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert (await days_of(admin))[0]["rev"] == 0


async def test_intervals_are_set_by_the_county_on_what_was_read(make):
    admin, worker, coordinator = await make.admin(), await make.worker(), await make.worker(COMMUNITY)
    await admin.client.put("/api/v1/due-days", json={"usual": 45}, headers={"If-Match": '"0"'})

    refused = [
        await worker.client.put("/api/v1/due-days", json={"usual": 30}, headers={"If-Match": '"1"'}),
        await coordinator.client.put("/api/v1/due-days", json={"usual": 30}, headers={"If-Match": '"1"'}),
        await admin.client.put("/api/v1/due-days", json={"usual": 30}),
        await admin.client.put("/api/v1/due-days", json={"usual": 30}, headers={"If-Match": '"0"'}),
    ]
    stranger = await (await make.volunteer()).client.get("/api/v1/due-days")

    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (403, "role_not_allowed"), (403, "role_not_allowed"), (428, "precondition_missing"), (412, "stale"),
    ]  # fmt: skip
    assert stranger.status_code == 403
    assert (await days_of(worker))[0]["usual"] == 45
