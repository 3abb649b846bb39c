"""People as dated history: six events, what they end, counts as at a day, corrections, and taking back."""

from datetime import date, timedelta
from uuid import uuid4

import asyncpg
import pytest

from backend.core.clock import county_day
from shared.residents import Relation
from tests.factories import CELL, COMMUNITY, NEIGHBOUR, OTHER_COMMUNITY

API = "/api/v1"
LONG_AGO = date(2026, 1, 1)


@pytest.fixture
def today(make):
    return county_day(make.database.clock())


@pytest.fixture
async def worker(make):
    return await make.worker()


@pytest.fixture
async def since_long_ago(database_url):
    """Let everybody have been here for long: the days of a test then lie in the past."""

    async def work():
        owner = await asyncpg.connect(database_url)
        await owner.execute("UPDATE period SET from_day = $1 WHERE from_day > $1", LONG_AGO)
        await owner.close()

    return work


def event(kind, *people, on, **fields):
    return {"kind": kind, "on": str(on), "resident_ids": [str(person.id) for person in people], **fields}


def newcomer(kind, home, on, **fields):
    person = {"household_id": str(home.id), "name": "王新", "relation": Relation.son, **fields}
    return {"kind": kind, "on": str(on), "new_resident_id": str(uuid4()), "new_resident": person}


async def put(person, body, event_id=None):
    return await person.client.put(f"{API}/register-events/{event_id or uuid4()}", json=body)


async def names(person, **params):
    listed = await person.client.get(f"{API}/residents", params=params)
    assert listed.status_code == 200, listed.text
    return [one["name"] for one in listed.json()["items"]]


async def counts(person, **params):
    return (await person.client.get(f"{API}/register/counts", params=params)).json()


async def periods_of(person, resident_id):
    found = (await person.client.get(f"{API}/residents/{resident_id}/history")).json()["periods"]
    return {(one["track"], one["value"], one["from_day"], one["until_day"]) for one in found}


async def household(person, home):
    return (await person.client.get(f"{API}/households/{home.id}")).json()


async def test_a_birth_brings_a_person_who_belongs_here_from_that_day(make, worker, today):
    home = await make.household()
    born = today - timedelta(days=3)

    answer = await put(worker, newcomer("birth", home, born))

    assert answer.status_code == 200, answer.text
    assert answer.json()["names"] == ["王新"]
    person = (await worker.client.get(f"{API}/residents/{answer.json()['resident_ids'][0]}")).json()
    assert person["birth_date"] == str(born)
    assert (await counts(worker, as_at=str(born)))["people"] == 1
    assert (await counts(worker, as_at=str(born - timedelta(days=1))))["people"] == 0


async def test_a_birth_on_another_day_than_the_childs_is_refused(make, worker, today):
    home = await make.household()

    answer = await put(worker, newcomer("birth", home, today, birth_date=str(today - timedelta(days=1))))

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/new_resident/birth_date")


async def test_an_event_sent_again_is_answered_as_stored_and_other_content_is_refused(make, worker, today):
    person, event_id = await make.resident(), uuid4()
    body = event("float", person, on=today)

    first, again = [await put(worker, body, event_id) for _ in range(2)]
    other = await put(worker, body | {"note": "别的"}, event_id)

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "id_taken")


async def test_settling_and_floating_change_the_row_and_its_history(make, worker, today, since_long_ago):
    person = await make.resident()
    await since_long_ago()
    day = today - timedelta(days=10)

    await put(worker, event("float", person, on=day))

    row = (await worker.client.get(f"{API}/residents/{person.id}")).json()
    assert (row["residency"], row["rev"]) == ("floating", person.rev + 1)
    assert {
        ("residency", "living", str(LONG_AGO), str(day)),
        ("residency", "floating", str(day), None),
    } < await periods_of(worker, person.id)


async def test_a_late_note_of_an_earlier_day_changes_history_only(make, worker, today, since_long_ago):
    person = await make.resident()
    await since_long_ago()
    await put(worker, event("float", person, on=today - timedelta(days=5)))

    await put(worker, event("settle", person, on=today - timedelta(days=20)))
    await put(worker, event("float", person, on=today - timedelta(days=30)))

    row = (await worker.client.get(f"{API}/residents/{person.id}")).json()
    assert row["residency"] == "floating"
    days = [today - timedelta(days=ago) for ago in (40, 25, 10)]
    on = [(await counts(worker, as_at=str(day)))["by_residency"] for day in days]
    assert on == [{"living": 1}, {"floating": 1}, {"living": 1}]


async def test_what_began_before_the_register_knew_the_person_begins_with_it(make, worker, today):
    person = await make.resident()

    await put(worker, event("float", person, on=today - timedelta(days=100)))

    assert ("residency", "floating", str(today), None) in await periods_of(worker, person.id)


async def test_death_ends_periods_lists_search_and_sums_and_leaves_the_row_readable(
    make, worker, today, since_long_ago
):
    home = await make.household()
    person = await make.resident(home, name="何长顺", care=["alone"])
    await make.resident(await make.household(room="402"), name="王小华")
    await since_long_ago()
    day = today - timedelta(days=2)

    answer = await put(worker, event("death", person, on=day))

    assert answer.status_code == 200, answer.text
    assert await names(worker) == ["王小华"]
    assert await names(worker, q="何长顺") == []
    row = (await worker.client.get(f"{API}/residents/{person.id}")).json()
    assert (row["left_on"], row["name"]) == (str(day), "何长顺")
    assert {until for *_rest, until in await periods_of(worker, person.id)} == {str(day)}
    found = await household(worker, home)
    assert (found["size"], found["head_name"], found["care"]) == (0, "", [])


async def test_death_ends_help_offers_and_the_due_visit_in_one_go(make, worker, today, database_url):
    home = await make.household()
    person = await make.resident(home)
    request = await make.request(home, resident_id=person.id)
    volunteer = await make.volunteer()
    offer = await make.offer(request, volunteer)
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE household SET due_on = current_date, due_reason = '该去了'")

    await put(worker, event("death", person, on=today))

    read = (await worker.client.get(f"{API}/requests/{request.id}")).json()
    assert read["state"] == "cancelled"
    steps = (await worker.client.get(f"{API}/requests/{request.id}/events")).json()
    assert steps[-1]["reason"] == "本人已去世"
    assert await owner.fetchval("SELECT state FROM offer WHERE id = $1", offer) == "recalled"
    assert (await household(worker, home))["due_on"] is None
    await owner.close()


async def test_a_household_with_somebody_left_is_still_visited(make, worker, today, database_url):
    home = await make.household()
    person, _widow = await make.resident(home), await make.resident(home, name="李秀兰", relation=Relation.spouse)
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE household SET due_on = current_date, due_reason = '该去了'")
    await owner.close()

    await put(worker, event("death", person, on=today))

    found = await household(worker, home)
    assert (found["size"], found["head_name"], found["due_on"] is None) == (1, "李秀兰", False)


@pytest.mark.parametrize("kind", ["death", "settle", "move_out"])
async def test_who_has_left_takes_part_in_no_more_events_or_edits(make, worker, today, kind):
    person = await make.resident()
    await put(worker, event("death", person, on=today))
    to = {"to": {"words": "外地"}} if kind == "move_out" else {}

    answer = await put(worker, event(kind, person, on=today, **to))
    edited = await worker.client.patch(
        f"{API}/residents/{person.id}", json={"name": "别人"}, headers={"If-Match": '"2"'}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "has_left")
    assert (edited.status_code, edited.json()["code"]) == (409, "has_left")


async def test_an_event_of_the_future_is_refused(make, worker, today):
    answer = await put(worker, event("float", await make.resident(), on=today + timedelta(days=1)))

    assert (answer.status_code, answer.json()["code"]) == (422, "in_the_future")


@pytest.mark.parametrize("kind", ["death", "move_out", "float"])
async def test_an_event_from_before_somebodys_birth_is_refused_and_says_so(make, worker, today, kind):
    born = today - timedelta(days=5)
    child = await make.resident(birth_date=born)
    to = {"to": {"words": "外地"}} if kind == "move_out" else {}

    before = await put(worker, event(kind, child, on=born - timedelta(days=1), **to))
    on_the_day = await put(worker, event(kind, child, on=born, **to))

    assert (before.status_code, before.json()["errors"][0]["pointer"]) == (422, "/on")
    assert "出生日期" in before.json()["detail"]
    assert on_the_day.status_code == 200, on_the_day.text


async def test_nobody_moves_in_before_they_were_born(make, worker, today):
    home = await make.household()

    answer = await put(worker, newcomer("move_in", home, today - timedelta(days=2), birth_date=str(today)))

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/on")
    assert await names(worker) == []


async def test_people_of_another_cell_are_not_found_and_people_of_two_cells_need_two_events(make, worker, today):
    here = await make.resident()
    there = await make.resident(await make.household(NEIGHBOUR))
    community = await make.worker(COMMUNITY)

    foreign = await put(worker, event("float", there, on=today))
    both = await put(community, event("float", here, there, on=today))

    assert (foreign.status_code, foreign.json()["code"]) == (404, "resident_not_here")
    assert (both.status_code, both.json()["code"]) == (409, "step_not_allowed")


async def test_a_wrong_death_is_taken_back_while_nothing_has_changed(make, worker, today, since_long_ago):
    person = await make.resident(care=["alone"])
    await since_long_ago()
    before = await periods_of(worker, person.id)
    event_id = uuid4()
    await put(worker, event("death", person, on=today), event_id)

    url = f"{API}/register-events/{event_id}/withdraw"
    answer = await worker.client.post(url, json={"reason": "记错了人"})
    again = await worker.client.post(url, json={"reason": "记错了人"})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["withdrawn"], again.json()) == (True, answer.json())
    assert await periods_of(worker, person.id) == before
    assert await names(worker) == [person.name]
    assert await names(worker, q=person.name) == [person.name]
    assert (await counts(worker))["people"] == 1


async def test_an_event_is_not_taken_back_over_what_came_after_it(make, worker, today, since_long_ago):
    person, event_id = await make.resident(), uuid4()
    await since_long_ago()
    await put(worker, event("float", person, on=today - timedelta(days=5)), event_id)
    await put(worker, event("settle", person, on=today))

    answer = await worker.client.post(f"{API}/register-events/{event_id}/withdraw", json={"reason": "记错了人"})

    assert (answer.status_code, answer.json()["code"]) == (409, "step_not_allowed")


async def test_a_registration_in_error_leaves_no_day_behind(make, worker, today):
    event_id = uuid4()
    stored = await put(worker, newcomer("move_in", await make.household(), today - timedelta(days=5)), event_id)

    await worker.client.post(f"{API}/register-events/{event_id}/withdraw", json={"reason": "同名同姓"})

    assert await names(worker) == []
    assert (await counts(worker, as_at=str(today - timedelta(days=2))))["people"] == 0
    assert await periods_of(worker, stored.json()["resident_ids"][0]) == set()


async def test_an_edit_is_dated_history_too(make, worker, today, since_long_ago):
    person = await make.resident(care=["alone"])
    await since_long_ago()

    await worker.client.patch(
        f"{API}/residents/{person.id}", json={"residency": "away", "care": ["frail"]}, headers={"If-Match": '"1"'}
    )

    assert {
        ("residency", "living", str(LONG_AGO), str(today)), ("residency", "away", str(today), None),
        ("care:alone", "yes", str(LONG_AGO), str(today)), ("care:frail", "yes", str(today), None),
    } < await periods_of(worker, person.id)  # fmt: skip


async def test_a_past_day_is_listed_with_the_values_of_that_day(make, worker, today, since_long_ago):
    person = await make.resident(care=["alone"])
    await since_long_ago()
    await worker.client.patch(f"{API}/residents/{person.id}", json={"care": []}, headers={"If-Match": '"1"'})
    await put(worker, event("death", person, on=today))

    yesterday = str(today - timedelta(days=1))
    then = (await worker.client.get(f"{API}/residents", params={"as_at": yesterday})).json()["items"]

    assert [(one["id"], one["care"], one["left_on"]) for one in then] == [(str(person.id), ["alone"], None)]
    of_home = {"as_at": yesterday, "household_id": str(person.household_id)}
    assert await names(worker, **of_home) == [person.name]
    assert await names(worker, as_at=yesterday, household_id=str(uuid4())) == []
    assert await names(worker, as_at=str(LONG_AGO - timedelta(days=1))) == []
    assert await names(worker, as_at=str(today)) == []


async def test_households_of_a_past_day_are_listed_as_they_were(make, worker, today, since_long_ago):
    home, other = await make.household(room="302"), await make.household(room="402")
    head = await make.resident(home, name="何长顺", relation=Relation.head, care=["alone"])
    await make.resident(home, name="李秀英", relation=Relation.spouse)
    later = await make.resident(other, name="王小华")
    await since_long_ago()
    door = (await worker.client.get(f"{API}/dwellings", params={"area_code": CELL})).json()["items"]
    free = next(one["id"] for one in door if one["room"] == "402")
    present = await worker.client.get(f"{API}/households/{home.id}")
    moved = await worker.client.post(
        f"{API}/households/{home.id}/door", json={"dwelling_id": free, "tenure": "tenant", "on": str(today)},
        headers={"If-Match": present.headers["ETag"]},
    )  # fmt: skip
    assert moved.status_code == 200, moved.text
    await put(worker, event("death", head, on=today))
    await put(worker, event("move_out", later, on=today, to={"words": "外地"}))

    async def homes(day):
        answer = await worker.client.get(f"{API}/households", params={"as_at": str(day)})
        assert answer.status_code == 200, answer.text
        return {(one["room"], one["head_name"], one["size"], tuple(one["care"])) for one in answer.json()["items"]}

    assert await homes(today - timedelta(days=1)) == {("302", "何长顺", 2, ("alone",)), ("402", "王小华", 1, ())}
    assert await homes(today) == {("402", "李秀英", 1, ())}
    assert await homes(LONG_AGO - timedelta(days=1)) == set()


async def test_households_of_a_past_day_come_in_pages_without_a_gap(make, worker, today):
    homes = [await make.household(room=str(room)) for room in range(5)]
    for home in homes:
        await make.resident(home)

    seen, cursor = [], None
    while True:
        params = {"as_at": str(today), "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await worker.client.get(f"{API}/households", params=params)).json()
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert sorted(seen) == sorted(str(home.id) for home in homes)


@pytest.mark.parametrize("what", ["residents", "households"])
async def test_a_past_day_is_not_searched_by_words(worker, today, what):
    answer = await worker.client.get(f"{API}/{what}", params={"as_at": str(today), "q": "王"})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/q")


@pytest.mark.parametrize("path", ["residents", "households", "register/counts"])
async def test_a_day_to_come_cannot_be_asked_for(worker, today, path):
    answer = await worker.client.get(f"{API}/{path}", params={"as_at": str(today + timedelta(days=1))})

    assert (answer.status_code, answer.json()["code"]) == (422, "in_the_future")


def correction(**fields):
    return {"track": "residency", "value": "away", "from_day": "2026-03-01", "until_day": "2026-06-01",
            "reason": "当时在外打工"} | fields  # fmt: skip


@pytest.fixture
async def coordinator(make):
    return await make.worker(COMMUNITY)


async def test_a_coordinator_corrects_an_interval_of_the_past(make, coordinator, since_long_ago):
    person = await make.resident()
    await since_long_ago()

    answer = await coordinator.client.put(f"{API}/residents/{person.id}/periods", json=correction())

    assert answer.status_code == 200, answer.text
    assert {
        ("residency", "living", str(LONG_AGO), "2026-03-01"), ("residency", "away", "2026-03-01", "2026-06-01"),
        ("residency", "living", "2026-06-01", None),
    } < await periods_of(coordinator, person.id)  # fmt: skip


async def test_a_correction_up_to_now_changes_the_row(make, coordinator, since_long_ago):
    person = await make.resident()
    await since_long_ago()
    bodies = [correction(until_day=None), correction(track="care:alone", value="yes", until_day=None)]

    for body in bodies:
        await coordinator.client.put(f"{API}/residents/{person.id}/periods", json=body)

    row = (await coordinator.client.get(f"{API}/residents/{person.id}")).json()
    assert (row["residency"], row["care"]) == ("away", ["alone"])


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"value": None, "until_day": None}, 409, "step_not_allowed"),
        ({"value": "unheard_of"}, 422, "malformed"),
        ({"track": "care:unheard_of", "value": "yes"}, 422, "malformed"),
        ({"track": "care:alone", "value": "no"}, 422, "malformed"),
        ({"track": "household", "value": str(uuid4())}, 404, "household_not_here"),
        ({"track": "household", "value": "no-number"}, 422, "malformed"),
        ({"from_day": "2026-06-01", "until_day": "2026-06-01"}, 422, "malformed"),
        ({"until_day": "2199-01-01"}, 422, "in_the_future"),
    ],
)  # fmt: skip
async def test_a_correction_that_cannot_be_is_refused(make, coordinator, since_long_ago, fields, status, code):
    person = await make.resident()
    await since_long_ago()

    answer = await coordinator.client.put(f"{API}/residents/{person.id}/periods", json=correction(**fields))

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_two_periods_of_a_track_cannot_overlap_whatever_the_code_does(make, database_url):
    person = await make.resident()
    owner = await asyncpg.connect(database_url)

    with pytest.raises(asyncpg.ExclusionViolationError):
        await owner.execute(
            "INSERT INTO period SELECT county_code, $2, area_code, resident_id, track, 'away', from_day - 5, until_day,"
            " noted_by, noted_at FROM period WHERE resident_id = $1 AND track = 'residency'",
            person.id, uuid4(),
        )  # fmt: skip

    await owner.close()


NOBODY = "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8eff"
"""An id of no row. The same in every process that collects these tests."""

REFUSED = [
    ("PUT", f"register-events/{NOBODY}", {"kind": "death", "on": "2026-01-01", "resident_ids": [str(uuid4())]}),
    ("POST", f"register-events/{NOBODY}/withdraw", {"reason": "记错了人"}),
    ("PUT", f"residents/{NOBODY}/periods", correction()),
    ("POST", f"moves/{NOBODY}/settle", {"arrived": False, "on": "2026-01-01"}),
    ("POST", f"moves/{NOBODY}/forward", {"cell_code": NEIGHBOUR}),
    ("GET", f"moves/{NOBODY}/document", None),
    ("POST", "moves/documents", {"payload": "{}", "signature": "x"}),
    ("PUT", "register/trusted-counties/610331", {"public_key": "A" * 43 + "="}),
    ("GET", "register/trusted-counties", None),
]
READ = ["register-events", f"register-events/{NOBODY}", f"residents/{NOBODY}/history", "register/counts", "moves",
        f"moves/{NOBODY}", "register/handover-key"]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), REFUSED)
async def test_an_auditor_changes_nothing(make, method, path, body):
    auditor = await make.auditor()

    answer = await auditor.client.request(method, f"{API}/{path}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


@pytest.mark.parametrize("path", READ)
async def test_a_volunteer_reads_nothing_of_the_register(make, path):
    volunteer = await make.volunteer()

    answer = await volunteer.client.get(f"{API}/{path}")

    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


async def test_a_grid_worker_corrects_no_history_and_trusts_no_county(worker):
    correct = await worker.client.put(f"{API}/residents/{uuid4()}/periods", json=correction())
    trust = await worker.client.put(f"{API}/register/trusted-counties/610331", json={"public_key": "A" * 43 + "="})

    assert [correct.status_code, trust.status_code] == [403, 403]


async def test_events_and_history_of_another_scope_are_not_found(make, worker, today):
    person, event_id = await make.resident(), uuid4()
    await put(worker, event("float", person, on=today), event_id)
    stranger = await make.worker(OTHER_COMMUNITY + "003")

    paths = [f"register-events/{event_id}", f"residents/{person.id}/history"]
    answers = [await stranger.client.get(f"{API}/{path}") for path in paths]
    withdrawn = await stranger.client.post(f"{API}/register-events/{event_id}/withdraw", json={"reason": "记错了人"})

    assert [one.status_code for one in (*answers, withdrawn)] == [404, 404, 404]
    assert (await stranger.client.get(f"{API}/register-events")).json()["items"] == []
    assert (await stranger.client.get(f"{API}/register/counts", params={"area_code": CELL})).status_code == 403
    assert (await counts(stranger))["people"] == 0
    listed = (await worker.client.get(f"{API}/register-events", params={"resident_id": str(person.id)})).json()
    assert [one["id"] for one in listed["items"]] == [str(event_id)]
