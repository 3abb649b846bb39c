"""Volunteers: registering them, their own week, the minutes that count."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from backend.core.clock import county_day
from backend.matching.rules import served as served_minutes
from shared.types import uuid7
from shared.volunteers import QUIET_FROM, QUIET_UNTIL, ServiceState
from tests.api.test_matching_tick import NOON, asked, rows, tick_at
from tests.factories import CELL, COMMUNITY, COUNTY, OTHER_COMMUNITY, middle_of

URL = "/api/v1/volunteers"
MORNING = {"weekday": 2, "from_minute": 480, "until_minute": 720}


def somebody(**changes) -> dict:
    lon, lat = middle_of(CELL)
    body = {
        "name": "周丽华", "phone": "12600000001", "community_code": COMMUNITY, "skills": ["errand", "chat"],
        "home": {"lon": lon, "lat": lat, "crs": "wgs84"}, "slots": [MORNING],
    }  # fmt: skip
    return body | changes


async def test_a_coordinator_registers_a_volunteer_once(make):
    coordinator, volunteer_id = await make.worker(COMMUNITY), uuid4()
    url = f"{URL}/{volunteer_id}"

    first, again = [await coordinator.client.put(url, json=somebody()) for _ in range(2)]
    other = await coordinator.client.put(url, json=somebody(name="别人"))
    listed = (await coordinator.client.get(URL, params={"area_code": COMMUNITY})).json()

    assert first.status_code == 200
    assert first.json()["slots"] == [MORNING]
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "id_taken")
    assert listed["items"] == [first.json()]


async def test_a_home_in_gcj02_is_stored_in_wgs84(make):
    coordinator = await make.worker(COMMUNITY)
    lon, lat = middle_of(CELL)

    stored = await coordinator.client.put(
        f"{URL}/{uuid4()}", json=somebody(home={"lon": lon, "lat": lat, "crs": "gcj02"})
    )

    assert 0.001 < abs(stored.json()["lon"] - lon) < 0.01


async def test_a_changed_volunteer_needs_the_revision_that_was_seen(make):
    coordinator, volunteer_id = await make.worker(COMMUNITY), uuid4()
    url = f"{URL}/{volunteer_id}"
    await coordinator.client.put(url, json=somebody())

    changed = await coordinator.client.put(url, json=somebody(capacity=2, slots=[]), headers={"If-Match": '"1"'})
    stale = await coordinator.client.put(url, json=somebody(capacity=3), headers={"If-Match": '"1"'})

    assert (changed.json()["capacity"], changed.json()["slots"], changed.headers["etag"]) == (2, [], '"2"')
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"community_code": "610330999999"}, 422, "unknown_area"),
        ({"community_code": OTHER_COMMUNITY}, 403, "area_not_allowed"),
        ({"community_code": "61033"}, 422, "malformed"),
        ({"skills": []}, 422, "malformed"),
        ({"skills": ["flying"]}, 422, "malformed"),
        ({"slots": [{"weekday": 8, "from_minute": 0, "until_minute": 60}]}, 422, "malformed"),
        ({"slots": [{"weekday": 1, "from_minute": 600, "until_minute": 540}]}, 422, "malformed"),
        ({"home": {"lon": 500, "lat": 0, "crs": "wgs84"}}, 422, "malformed"),
    ],
)
async def test_what_is_wrong_is_said_and_nobody_is_registered(make, changes, status, code):
    coordinator = await make.worker(COMMUNITY)

    refused = await coordinator.client.put(f"{URL}/{uuid4()}", json=somebody(**changes))

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await coordinator.client.get(URL)).json()["items"] == []


async def test_who_may_not_see_or_register_volunteers_is_refused(make):
    person = await make.volunteer()
    grid_worker, partner, auditor = await make.worker(CELL), await make.partner(), await make.auditor()
    elsewhere = await make.worker(OTHER_COMMUNITY)

    refused = [await who.client.get(URL) for who in (grid_worker, partner, auditor, person)]
    written = [await who.client.put(f"{URL}/{uuid4()}", json=somebody()) for who in (grid_worker, partner, person)]

    assert {answer.status_code for answer in refused + written} == {403}
    assert (await elsewhere.client.get(f"{URL}/{person.volunteer_id}")).status_code == 404
    assert (await make.client().get(f"{URL}/me")).status_code == 401


async def test_a_volunteer_sees_and_sets_only_their_own_week(make):
    one, other = await make.volunteer(name="周丽华"), await make.volunteer(name="马建国")
    slots = [MORNING, {"weekday": 2, "from_minute": 700, "until_minute": 900}]

    put = await one.client.put(f"{URL}/me/slots", json={"slots": slots})
    mine, theirs = [(await who.client.get(f"{URL}/me")).json() for who in (one, other)]

    assert put.status_code == 200
    assert (mine["name"], mine["slots"]) == ("周丽华", [{"weekday": 2, "from_minute": 480, "until_minute": 900}])
    assert len(theirs["slots"]) == 7


async def test_a_worker_has_no_volunteers_page_of_their_own(make):
    worker = await make.worker()

    answers = [await worker.client.get(f"{URL}/me"), await worker.client.get(f"{URL}/me/service-records")]

    assert {answer.status_code for answer in answers} == {403}


async def test_registering_reaches_the_community_and_the_volunteers_own_phone(make, database):
    person = await make.volunteer()

    async with make.database.bare() as conn, conn.transaction():
        await conn.execute(
            f"SET LOCAL app.county='{COUNTY}'; SET LOCAL app.scopes='{COUNTY}'; SET LOCAL app.lo='{COUNTY}'"
        )
        await conn.execute(f"SET LOCAL app.hi='{COUNTY}:'")
        streams = await conn.fetch("SELECT stream FROM change WHERE id = $1 ORDER BY stream", person.volunteer_id)

    assert [row["stream"] for row in streams] == [COMMUNITY, f"v:{person.volunteer_id}"]


async def offers_of(make, person) -> list[str]:
    async def read(tx):
        return await tx.conn.fetch("SELECT state FROM offer WHERE volunteer_id = $1 ORDER BY id", person.volunteer_id)

    return [row["state"] for row in await make.run(read)]


async def test_a_volunteer_pauses_and_what_they_were_asked_is_asked_of_others(make):
    person, other, home = await make.volunteer(), await make.volunteer(), await make.household()
    request = await make.request(home)
    promised, asked = [await make.offer(one, person) for one in (await make.request(home), request)]
    await make.offer(request, other)
    await person.client.post(f"/api/v1/offers/{promised}/accept")

    paused = await person.client.patch(f"{URL}/me", json={"active": False}, headers={"If-Match": '"1"'})
    too_late = await person.client.post(f"/api/v1/offers/{asked}/accept")
    task = (await person.client.get("/api/v1/tasks")).json()["items"][0]

    assert (paused.status_code, paused.json()["active"], paused.headers["etag"]) == (200, False, '"2"')
    assert (too_late.status_code, too_late.json()["code"]) == (409, "offer_over")
    assert await offers_of(make, person) == ["accepted", "recalled"]
    assert await offers_of(make, other) == ["offered"]  # the control: only the offers of who pauses
    assert task["state"] == "accepted"


async def test_pausing_tells_the_phone_and_the_community_and_has_somebody_else_asked(make):
    person = await make.volunteer()
    request = await make.request()
    offer = await make.offer(request, person)
    await person.client.patch(f"{URL}/me", json={"active": False}, headers={"If-Match": '"1"'})

    async def read(tx):
        changes = await tx.conn.fetch("SELECT stream FROM change WHERE id = $1 AND seq > 2", offer)
        jobs = await tx.conn.fetch("SELECT 1 FROM jobs.pgqueuer WHERE dedupe_key LIKE $1", f"%{request.id}")
        edits = await tx.conn.fetch("SELECT rev, fields FROM edit WHERE entity_id = $1", person.volunteer_id)
        return changes, jobs, edits

    changes, jobs, edits = await make.run(read)

    assert {row["stream"] for row in changes} == {COMMUNITY, f"v:{person.volunteer_id}"}
    assert len(jobs) == 1
    assert [tuple(row) for row in edits] == [(2, ["active"])]


@pytest.mark.parametrize("method", ["PATCH", "POST"])
async def test_a_coordinator_pauses_a_volunteer_and_lets_them_take_part_again(make, method):
    person, coordinator = await make.volunteer(), await make.worker(COMMUNITY)
    url = f"{URL}/{person.volunteer_id}"

    async def say(active, rev):
        headers = {"If-Match": f'"{rev}"'} if rev else {}
        return await coordinator.client.request(method, url, json={"active": active}, headers=headers)

    answers = [await say(*order) for order in ((False, 1), (False, 2), (True, 1), (True, None), (True, 2))]

    assert [answer.status_code for answer in answers] == [200, 200, 412, 428, 200]
    assert answers[0].json() == answers[1].json()
    assert (answers[-1].json()["active"], answers[-1].json()["rev"]) == (True, 3)


async def test_who_may_not_pause_a_volunteer_is_refused(make):
    person, other = await make.volunteer(), await make.volunteer()
    grid_worker, partner, auditor = await make.worker(CELL), await make.partner(), await make.auditor()
    elsewhere, body, headers = await make.worker(OTHER_COMMUNITY), {"active": False}, {"If-Match": '"1"'}
    url = f"{URL}/{person.volunteer_id}"

    refused = [
        await who.client.request(method, url, json=body, headers=headers)
        for who in (grid_worker, partner, auditor, other)
        for method in ("PATCH", "POST")
    ]
    not_one = [
        await who.client.request(method, f"{URL}/me", json=body, headers=headers)
        for who in (grid_worker, partner, auditor)
        for method in ("PATCH", "POST")
    ]
    unseen = await elsewhere.client.patch(url, json=body, headers=headers)

    assert {(answer.status_code, answer.json()["code"]) for answer in refused + not_one} == {(403, "role_not_allowed")}
    assert unseen.status_code == 404
    assert (await person.client.get(f"{URL}/me")).json()["active"] is True


async def served(make) -> tuple:
    """A volunteer with one service behind them: the volunteer and the record's id."""
    person = await make.volunteer()
    offer = await make.offer(await make.request(), person)
    task = (await person.client.post(f"/api/v1/offers/{offer}/accept")).json()
    for step in ("check-in", "check-out"):
        await person.client.post(f"/api/v1/tasks/{offer}/{step}", json={"at": task["accepted_at"]})
    return person, UUID(task["id"])


async def test_minutes_count_once_the_other_side_has_confirmed_them(make):
    person, record = await served(make)
    worker = await make.worker()
    url, asked = f"/api/v1/service-records/{record}/confirm", {"confirmed": True, "way": "call_back"}

    before = (await person.client.get(f"{URL}/me/service-records")).json()["items"]
    confirmed = [await worker.client.post(url, json=asked) for _ in range(2)]
    taken_back = await worker.client.post(url, json={"confirmed": False, "way": "proxy"})
    after = (await person.client.get(f"{URL}/me/service-records")).json()["items"]

    assert [one["state"] for one in before] == ["waiting"]
    assert [answer.json()["state"] for answer in confirmed] == ["confirmed"] * 2
    assert confirmed[0].json() == confirmed[1].json()
    assert (taken_back.status_code, taken_back.json()["code"]) == (409, "step_not_allowed")
    assert [one["state"] for one in after] == ["confirmed"]


async def test_minutes_that_the_other_side_denies_wait_for_somebody_to_look(make):
    _, record = await served(make)
    worker = await make.worker()

    denied = await worker.client.post(
        f"/api/v1/service-records/{record}/confirm", json={"confirmed": False, "way": "proxy"}
    )

    assert denied.json()["state"] == "unverified"


async def test_nobody_confirms_their_own_minutes_or_those_of_another_area(make):
    person, record = await served(make)
    elsewhere = await make.worker(OTHER_COMMUNITY)
    asked = {"confirmed": True, "way": "proxy"}

    own = await person.client.post(f"/api/v1/service-records/{record}/confirm", json=asked)
    other = await elsewhere.client.post(f"/api/v1/service-records/{record}/confirm", json=asked)
    nowhere = await elsewhere.client.post(f"/api/v1/service-records/{uuid7()}/confirm", json=asked)

    assert (own.status_code, other.status_code, nowhere.status_code) == (403, 404, 404)


NO_QUIET = {"from_minute": 0, "until_minute": 0}


async def test_who_says_nothing_has_the_countys_quiet_hours_and_may_set_their_own(make):
    one, other = await make.volunteer(), await make.volunteer()

    put = await one.client.put(f"{URL}/me/quiet", json={"from_minute": 1320, "until_minute": 360})
    mine, theirs = [(await who.client.get(f"{URL}/me")).json() for who in (one, other)]

    assert put.json() == mine
    assert (mine["quiet_from"], mine["quiet_until"]) == (1320, 360)
    assert (theirs["quiet_from"], theirs["quiet_until"]) == (QUIET_FROM, QUIET_UNTIL)


async def test_nobody_is_asked_in_their_own_quiet_hours_unless_a_life_is_at_risk(make):
    person = await make.volunteer()
    owl = await make.volunteer()
    await person.client.put(f"{URL}/me/quiet", json={"from_minute": 720, "until_minute": 840})
    await owl.client.put(f"{URL}/me/quiet", json=NO_QUIET)
    home, night = await make.household(), NOON.replace(hour=23)
    await make.request(home, at=NOON, urgency="2")
    await tick_at(make, NOON)
    at_noon = await asked(make)
    await make.request(home, at=NOON, urgency="3")

    await tick_at(make, NOON + timedelta(minutes=1))

    assert at_noon == {owl.volunteer_id}
    assert await asked(make) >= {person.volunteer_id}
    await rows(make, "DELETE FROM offer")
    await tick_at(make, night)
    assert owl.volunteer_id in await asked(make)


async def test_the_quiet_hour_ends_on_its_minute(make):
    person = await make.volunteer()
    await person.client.put(f"{URL}/me/quiet", json={"from_minute": 720, "until_minute": 840})
    await make.request(at=NOON, urgency="2")

    made = [(await tick_at(make, NOON + timedelta(minutes=minutes))).made for minutes in (119, 120)]

    assert made == [0, 1]


async def said(person, *skills):
    return await person.client.put(f"{URL}/me/skills", json={"skills": list(skills)})


def certificate(**changes):
    return {"skill": "electric", "note": "低压电工证，后四位 4417", **changes}


async def checked(worker, person, skill="electric", **changes):
    url = f"{URL}/{person.volunteer_id}/skills/{skill}/check"
    return await worker.client.post(url, json={"seen": True, **changes})


def evidence(answer):
    return [
        (one["skill"], one["note"], one["valid_until"], one["checked_by"], bool(one["checked_on"]))
        for one in answer.json()["evidence"]
    ]


async def test_a_skill_is_said_then_seen_and_other_words_are_unseen_again(make):
    person, coordinator = await make.volunteer(), await make.worker(COMMUNITY, name="王芳")

    first = await said(person, {"skill": "escort"}, certificate())
    seen = await checked(coordinator, person, valid_until="2099-06-30")
    same = await said(person, {"skill": "meal"}, certificate())
    other = await said(person, certificate(note="高压电工证"))
    none = await said(person, {"skill": "meal"})

    assert first.json()["skills"] == ["escort", "electric"]
    assert evidence(first) == [("electric", "低压电工证，后四位 4417", None, "", False)]
    assert evidence(seen) == evidence(same) == [("electric", "低压电工证，后四位 4417", "2099-06-30", "王芳", True)]
    assert evidence(other) == [("electric", "高压电工证", None, "", False)]
    assert (none.json()["skills"], evidence(none)) == (["meal"], [])
    [audit] = await rows(make, "SELECT account_id FROM audit WHERE action = 'volunteer.skill_checked'")
    assert audit["account_id"] == coordinator.account_id


async def test_what_was_seen_can_be_taken_back(make):
    person, coordinator = await make.volunteer(), await make.worker(COMMUNITY)
    await checked(coordinator, person)

    taken_back = await checked(coordinator, person, seen=False)

    assert evidence(taken_back) == [("electric", "", None, "", False)]


async def test_what_needs_a_certificate_is_offered_only_to_whose_was_seen_and_is_good(make):
    seen, unseen, expired = [await make.volunteer() for _ in range(3)]
    coordinator = await make.worker(COMMUNITY)
    for person in (seen, expired):
        await checked(coordinator, person)
    yesterday = county_day(NOON.astimezone(UTC)) - timedelta(days=1)
    await rows(
        make, "UPDATE volunteer_skill SET valid_until = $1 WHERE volunteer_id = $2", yesterday, expired.volunteer_id
    )
    home = await make.household()
    await make.request(home, at=NOON, category="electric_repair", urgency="2")

    await tick_at(make)

    assert await asked(make) == {seen.volunteer_id}
    await make.request(home, at=NOON, category="repair", urgency="2")  # the control: what needs none goes to the others
    await tick_at(make)
    assert await asked(make) & {unseen.volunteer_id, expired.volunteer_id}


@pytest.mark.parametrize(
    "skills",
    [
        [],
        [{"skill": "flying"}],
        [{"skill": "meal"}, {"skill": "meal"}],
        [certificate(note="T610330 19540301 1234")],
        [certificate(note="证号 610330-19540301-123X")],
    ],
)
async def test_a_skill_that_cannot_be_and_an_identity_number_are_refused(make, skills):
    person = await make.volunteer()
    before = (await person.client.get(f"{URL}/me")).json()

    refused = await said(person, *skills)

    assert (refused.status_code, refused.json()["code"]) == (422, "malformed")
    assert (await person.client.get(f"{URL}/me")).json() == before


async def test_who_may_not_check_a_certificate_is_refused(make):
    person = await make.volunteer(skills=["electric"])
    grid_worker, partner, auditor = await make.worker(CELL), await make.partner(), await make.auditor()
    elsewhere, coordinator = await make.worker(OTHER_COMMUNITY), await make.worker(COMMUNITY)

    refused = [await checked(who, person) for who in (grid_worker, partner, auditor, person)]
    unseen, not_theirs = await checked(elsewhere, person), await checked(coordinator, person, "meal")
    run_out = await checked(coordinator, person, valid_until="2020-01-01")

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "role_not_allowed")}
    assert (unseen.status_code, not_theirs.status_code) == (404, 404)
    assert (run_out.status_code, run_out.json()["code"]) == (409, "certificate_expired")
    assert (await person.client.get(f"{URL}/me")).json()["evidence"] == []


async def test_only_a_volunteer_sets_a_volunteers_own(make):
    worker = await make.worker(COMMUNITY)

    answers = [
        await worker.client.put(f"{URL}/me/quiet", json=NO_QUIET),
        await worker.client.put(f"{URL}/me/skills", json={"skills": [{"skill": "meal"}]}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "role_not_allowed")}


async def test_a_volunteer_who_moves_takes_what_was_seen_along(make):
    person, admin = await make.volunteer(skills=["electric", "meal"]), await make.admin()
    await checked(admin, person)
    body = somebody(community_code=OTHER_COMMUNITY, skills=["electric"])

    moved = await admin.client.put(f"{URL}/{person.volunteer_id}", json=body, headers={"If-Match": '"2"'})

    assert (moved.status_code, [one["skill"] for one in moved.json()["evidence"]]) == (200, ["electric"])
    [row] = await rows(make, "SELECT area_code FROM volunteer_skill")
    assert row["area_code"] == OTHER_COMMUNITY


async def being_served(make, days):
    """A task that was begun some days ago and never ended."""
    person = await make.volunteer()
    offer = await make.offer(await make.request(), person)
    task = (await person.client.post(f"/api/v1/offers/{offer}/accept")).json()
    await person.client.post(f"/api/v1/tasks/{offer}/check-in", json={"at": task["accepted_at"]})
    begun = datetime.now(UTC) - timedelta(days=days)
    await rows(make, "UPDATE task_card SET accepted_at = $1, checked_in_at = $1 WHERE id = $2", begun, offer)
    return person, offer, begun


async def test_minutes_told_long_after_wait_for_somebody_to_look(make):
    (late, first, begun), (prompt, second, _) = await being_served(make, 1), await being_served(make, 0.2)
    just_now = datetime.now(UTC) - timedelta(minutes=1)

    for person, task, at in ((late, first, begun + timedelta(hours=2)), (prompt, second, just_now)):
        await person.client.post(f"/api/v1/tasks/{task}/check-out", json={"at": at.isoformat()})

    told = [(await who.client.get(f"{URL}/me/service-records")).json()["items"] for who in (late, prompt)]
    assert [(one["minutes"], one["state"]) for [one] in told] == [(120, "unverified"), (287, "waiting")]


def test_a_leaving_remembered_the_next_day_without_being_asked_is_looked_at():
    came = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    found = [served_minutes(came, came + timedelta(hours=hours)) for hours in (12, 22)]

    assert found == [(720, ServiceState.waiting), (1320, ServiceState.unverified)]


async def test_a_task_that_nobody_ended_is_on_the_list_after_two_days_until_somebody_writes_its_end(make):
    person, task, begun = await being_served(make, 2.1)
    await being_served(make, 1.9)
    worker, elsewhere = await make.worker(), await make.worker(OTHER_COMMUNITY)
    url = "/api/v1/tasks/forgotten"

    listed = (await worker.client.get(url)).json()["items"]
    others = (await elsewhere.client.get(url)).json()["items"]
    told = {"step": "check_out", "at": (begun + timedelta(hours=1)).isoformat()}
    ended = await worker.client.post(f"/api/v1/tasks/{task}/spoken", json=told)

    assert [(one["task_id"], one["volunteer_id"], one["volunteer_phone"]) for one in listed] == [
        (str(task), str(person.volunteer_id), "12600000001")
    ]
    assert others == []
    assert ended.json()["state"] == "finished"
    assert (await worker.client.get(url)).json()["items"] == []
    refused = await worker.client.get(url, params={"area_code": OTHER_COMMUNITY})
    not_theirs = await person.client.get(url)
    assert (refused.status_code, refused.json()["code"]) == (403, "area_not_allowed")
    assert (not_theirs.status_code, not_theirs.json()["code"]) == (403, "role_not_allowed")
