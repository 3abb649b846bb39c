"""Requests: taking them down, numbering them, moving them on, refusing what is wrong."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from backend.core.db import _no_reset
from backend.requests.numbers import is_sound
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY, middle_of

URL = "/api/v1/requests"


def at_a_place(code: str = CELL, crs: str = "wgs84", **changes) -> dict:
    lon, lat = middle_of(code)
    body = {"kind": "incident", "category": "street_lamp", "place": {"lon": lon, "lat": lat, "crs": crs}}
    return body | changes


def for_household(household, **changes) -> dict:
    return {"kind": "help", "category": "errand", "household_id": str(household.id)} | changes


async def test_a_request_belongs_to_its_household_and_to_who_was_asked_first(make):
    home, worker = await make.household(), await make.worker(name="李娟")
    request_id = uuid4()

    made = await worker.client.put(f"{URL}/{request_id}", json=for_household(home))

    body = made.json()
    assert made.status_code == 200
    assert (body["area_code"], body["state"], body["owner_name"], body["title"]) == (CELL, "open", "李娟", "代买东西")
    assert (body["lon"], body["minutes"]) == (home.lon, 60)
    assert is_sound(body["number"])
    assert (await worker.client.get(f"{URL}/{request_id}")).json() == body


async def test_sending_again_stores_one_and_other_content_is_refused(make):
    home, worker = await make.household(), await make.worker()
    url, body = f"{URL}/{uuid4()}", for_household(home)

    first, again = [await worker.client.put(url, json=body) for _ in range(2)]
    other = await worker.client.put(url, json=for_household(home, detail="别的"))
    listed = await worker.client.get(URL)

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "id_taken")
    assert listed.json()["items"] == [first.json()]


async def test_one_idempotency_key_stores_one_request_even_at_the_same_moment(make):
    partner = await make.partner()
    await make.cell()
    headers = {"Idempotency-Key": "lamp-7"}

    answers = await asyncio.gather(*(partner.client.post(URL, json=at_a_place(), headers=headers) for _ in range(6)))
    other = await partner.client.post(URL, json=at_a_place(detail="另一盏"), headers=headers)
    listed = await partner.client.get(URL)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert len(listed.json()["items"]) == 1


async def test_without_a_key_every_post_is_a_request_of_its_own(make):
    partner = await make.partner()
    await make.cell()

    made = [(await partner.client.post(URL, json=at_a_place())).json() for _ in range(3)]

    assert len({one["number"] for one in made}) == 3
    assert {one["owner_name"] for one in made} == {"社区"}


async def test_numbers_are_dense_though_many_ask_at_once(make):
    partner = await make.partner()
    await make.cell()

    answers = await asyncio.gather(*(partner.client.post(URL, json=at_a_place()) for _ in range(8)))

    numbers = sorted(answer.json()["number"] for answer in answers)
    assert [number.split("-")[2] for number in numbers] == [f"{n:03d}" for n in range(1, 9)]
    assert {number.split("-")[0] for number in numbers} == {COMMUNITY[9:]}


async def test_a_number_finds_its_request_and_a_misheard_one_is_told_so(make):
    worker, made = await make.worker(), await make.request()

    found = await worker.client.get(URL, params={"number": made.number})
    wrong = made.number[:-1] + str((int(made.number[-1]) + 1) % 10)
    misheard = await worker.client.get(URL, params={"number": wrong})

    assert [one["id"] for one in found.json()["items"]] == [str(made.id)]
    assert (misheard.status_code, misheard.json()["errors"][0]["pointer"]) == (422, "/number")


async def test_a_place_in_the_county_without_a_cell_belongs_to_the_county(make):
    admin = await make.admin()

    made = await admin.client.post(URL, json=at_a_place(NEIGHBOUR))

    assert made.json()["area_code"] == COUNTY
    assert made.json()["number"].startswith("000-")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"place": {"lon": 116.4, "lat": 39.9, "crs": "wgs84"}}, 422, "outside_county"),
        ({"place": {"lon": 200, "lat": 39.9, "crs": "wgs84"}}, 422, "malformed"),
        ({"place": {"lon": 106.5, "lat": 33.9}}, 422, "malformed"),
        ({"place": None}, 422, "malformed"),
        ({"category": "flying_saucer"}, 422, "malformed"),
        ({"category": "errand"}, 422, "malformed"),
        ({"kind": "help", "category": "errand"}, 422, "malformed"),
        ({"urgency": "9"}, 422, "malformed"),
        ({"detail": "x\x00y"}, 422, "malformed"),
        ({"minutes": 10**30}, 422, "malformed"),
        ({"colour": "red"}, 422, "malformed"),
        ({"household_id": str(uuid4())}, 404, "household_not_here"),
        ({"starts_at": "2026-11-24T09:00:00"}, 422, "malformed"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_stored(make, changes, status, code):
    admin = await make.admin()
    await make.cell()

    refused = await admin.client.post(URL, json=at_a_place() | changes)
    listed = await admin.client.get(URL)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert listed.json()["items"] == []


async def test_somebody_of_another_household_is_not_the_person_to_help(make):
    home, stranger = await make.household(), await make.resident(await make.household(room="401"))
    worker = await make.worker()

    refused = await worker.client.post(URL, json=for_household(home, resident_id=str(stranger.id)))

    assert (refused.status_code, refused.json()["code"]) == (404, "resident_not_here")


async def test_nobody_asks_outside_their_area(make):
    await make.cell()
    elsewhere = await make.partner(OTHER_COMMUNITY)
    neighbour = await make.worker(NEIGHBOUR)
    matter = at_a_place(kind="matter", category="housing_letter")

    refused = [await elsewhere.client.post(URL, json=at_a_place()), await neighbour.client.post(URL, json=matter)]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "area_not_allowed")] * 2


async def test_a_broken_lamp_across_the_street_is_reported_to_whom_it_belongs(make):
    await make.cell(CELL)
    neighbour, local = await make.worker(NEIGHBOUR, name="赵雷"), await make.worker(CELL)
    request_id = uuid4()

    first, again = [await neighbour.client.put(f"{URL}/{request_id}", json=at_a_place()) for _ in range(2)]
    own = await neighbour.client.get(f"{URL}/{request_id}")
    there = (await local.client.get(URL)).json()["items"]

    assert (first.status_code, first.json()["area_code"], first.json()["owner_name"]) == (200, CELL, "赵雷")
    assert is_sound(first.json()["number"])
    assert again.json() == own.json() == first.json()
    assert there == [first.json()]


async def test_a_posted_report_from_elsewhere_is_one_however_often_it_is_sent(make):
    await make.cell(CELL)
    neighbour, headers = await make.worker(NEIGHBOUR), {"Idempotency-Key": "lamp-9"}

    answers = [await neighbour.client.post(URL, json=at_a_place(), headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_a_report_where_no_cell_is_goes_to_the_county_and_can_be_read_by_who_made_it(make):
    worker, admin = await make.worker(CELL), await make.admin()

    made = (await worker.client.post(URL, json=at_a_place(NEIGHBOUR))).json()

    assert (made["area_code"], made["number"][:4]) == (COUNTY, "000-")
    assert (await worker.client.get(f"{URL}/{made['id']}")).json() == made
    assert [one["id"] for one in (await admin.client.get(URL)).json()["items"]] == [made["id"]]


async def test_a_report_elsewhere_is_read_by_its_reporter_and_moved_by_neither_them_nor_read_by_others(make):
    await make.cell(CELL)
    neighbour, colleague = await make.worker(NEIGHBOUR), await make.worker(NEIGHBOUR)
    made = (await neighbour.client.post(URL, json=at_a_place())).json()
    url = f"{URL}/{made['id']}"

    moved = await neighbour.client.post(f"{url}/move", json={"to": "handling"}, headers={"If-Match": '"1"'})
    seen = await colleague.client.get(url)

    assert {(answer.status_code, answer.json()["code"]) for answer in (moved, seen)} == {(404, "not_found")}
    assert (await neighbour.client.get(URL)).json()["items"] == []


async def test_what_was_handed_over_and_read_is_on_record(make):
    await make.cell(CELL)
    neighbour = await make.worker(NEIGHBOUR)
    made = (await neighbour.client.post(URL, json=at_a_place())).json()
    await neighbour.client.get(f"{URL}/{made['id']}")

    async def read(tx):
        return await tx.conn.fetch(
            "SELECT action, account_id FROM audit WHERE entity_kind = 'request' ORDER BY at, action"
        )

    audits = await make.run(read)
    assert [(row["action"], row["account_id"]) for row in audits] == [
        (action, neighbour.account_id) for action in ("request.handed_over", "request.made", "request.read")
    ]


async def test_who_may_not_ask_is_refused(make):
    auditor, volunteer, stranger = await make.auditor(), await make.volunteer(), make.client()

    answers = [await client.post(URL, json=at_a_place()) for client in (auditor.client, volunteer.client, stranger)]
    reads = [await client.get(URL) for client in (volunteer.client, stranger)]

    assert [answer.status_code for answer in answers] == [403, 403, 401]
    assert [answer.status_code for answer in reads] == [403, 401]


async def test_another_scope_finds_nothing(make):
    made, neighbour = await make.request(), await make.worker(NEIGHBOUR)

    answers = [
        await neighbour.client.get(f"{URL}/{made.id}"),
        await neighbour.client.get(f"{URL}/{made.id}/events"),
        await neighbour.client.post(f"{URL}/{made.id}/move", json={"to": "handling"}, headers={"If-Match": '"1"'}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 3
    assert (await neighbour.client.get(URL)).json()["items"] == []
    assert (await neighbour.client.get(URL, params={"area_code": CELL})).status_code == 403


async def test_an_id_of_another_scope_is_taken_and_not_shown(make):
    made = await make.request()
    neighbour, home = await make.worker(NEIGHBOUR), await make.household(NEIGHBOUR)

    refused = await neighbour.client.put(f"{URL}/{made.id}", json=for_household(home))

    assert (refused.status_code, refused.json()["code"]) == (409, "id_taken")


async def test_a_request_goes_its_way_and_every_step_is_on_record(make):
    worker = await make.worker(name="李娟")
    url = f"{URL}/{(await make.request()).id}"

    for rev, (to, reason) in enumerate([("handling", ""), ("open", "记错了"), ("cancelled", "家人回来了")], start=1):
        moved = await worker.client.post(
            f"{url}/move", json={"to": to, "reason": reason}, headers={"If-Match": f'"{rev}"'}
        )
        assert (moved.status_code, moved.json()["state"], moved.headers["etag"]) == (200, to, f'"{rev + 1}"')

    events = (await worker.client.get(f"{url}/events")).json()
    assert [(e["from_state"], e["to_state"], e["reason"]) for e in events] == [
        (None, "open", ""), ("open", "handling", ""), ("handling", "open", "记错了"),
        ("open", "cancelled", "家人回来了"),
    ]  # fmt: skip
    assert events[-1]["by"] == "李娟"


@pytest.mark.parametrize(
    ("move", "if_match", "status", "code"),
    [
        ({"to": "handling"}, None, 428, "precondition_missing"),
        ({"to": "handling"}, '"7"', 412, "stale"),
        ({"to": "handling"}, "nonsense", 412, "stale"),
        ({"to": "closed"}, '"1"', 409, "step_not_allowed"),
        ({"to": "taken"}, '"1"', 409, "step_not_allowed"),
        ({"to": "cancelled"}, '"1"', 422, "reason_missing"),
        ({"to": "somewhere"}, '"1"', 422, "malformed"),
    ],
)
async def test_a_step_that_is_not_allowed_changes_nothing(make, move, if_match, status, code):
    worker, made = await make.worker(), await make.request()

    refused = await worker.client.post(
        f"{URL}/{made.id}/move", json=move, headers={"If-Match": if_match} if if_match else {}
    )
    now = await worker.client.get(f"{URL}/{made.id}")

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (now.json()["state"], now.json()["rev"]) == ("open", 1)


async def test_of_two_steps_from_the_same_sight_one_counts(make):
    worker, made = await make.worker(), await make.request()

    answers = await asyncio.gather(*(
        worker.client.post(f"{URL}/{made.id}/move", json={"to": "handling"}, headers={"If-Match": '"1"'})
        for _ in range(5)
    ))  # fmt: skip

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


async def test_a_partner_reads_and_does_not_move(make):
    made, partner = await make.request(), await make.partner()

    read = await partner.client.get(f"{URL}/{made.id}")
    refused = await partner.client.post(f"{URL}/{made.id}/move", json={"to": "handling"}, headers={"If-Match": '"1"'})

    assert (read.status_code, read.headers["etag"]) == (200, '"1"')
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_allowed")


async def _as_app(database_url: str, statement: str) -> None:
    """Run one statement as the application role with the whole county in scope."""
    pool = await asyncpg.create_pool(
        database_url, min_size=1, max_size=1, reset=_no_reset, server_settings={"role": "gridhood_app"}
    )
    scope = f"SET LOCAL app.county='{COUNTY}'; SET LOCAL app.scopes='{COUNTY}'; SET LOCAL app.lo='{COUNTY}'"
    try:
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute(f"{scope}; SET LOCAL app.hi='{COUNTY}:'")
            assert await conn.execute(statement) == "UPDATE 1"
    finally:
        await pool.close()


async def test_the_database_itself_refuses_a_step_that_is_not_in_the_table(make, database_url):
    made = await make.request()
    step = "UPDATE request SET prev_state = state, state = '{}' WHERE id = '" + str(made.id) + "'"

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await _as_app(database_url, step.format("closed"))
    with pytest.raises(asyncpg.CheckViolationError):
        await _as_app(database_url, f"UPDATE request SET volunteer_id = '{uuid4()}' WHERE id = '{made.id}'")
    await _as_app(database_url, step.format("handling"))  # control: a step of the table goes through


async def test_pages_come_newest_first_and_filters_hold(make):
    home, worker = await make.household(), await make.worker()
    made = [await make.request(home) for _ in range(3)]
    await worker.client.post(f"{URL}/{made[0].id}/move", json={"to": "handling"}, headers={"If-Match": '"1"'})

    first = (await worker.client.get(URL, params={"limit": 2, "area_code": CELL})).json()
    rest = (await worker.client.get(URL, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    handling = (await worker.client.get(URL, params={"state": "handling", "kind": "help"})).json()

    shown = [one["id"] for one in first["items"] + rest["items"]]
    assert shown == [str(one.id) for one in reversed(made)]
    assert rest["next_cursor"] is None
    assert [one["id"] for one in handling["items"]] == [str(made[0].id)]


@pytest.mark.parametrize("query", [{"cursor": "nowhere"}, {"limit": 0}, {"area_code": "61x"}, {"state": "asleep"}])
async def test_a_list_refuses_what_it_cannot_read(make, query):
    worker = await make.worker()

    assert (await worker.client.get(URL, params=query)).status_code == 422
