"""Volunteers: registering them, their own week, the minutes that count."""

from uuid import UUID, uuid4

import pytest

from shared.types import uuid7
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
