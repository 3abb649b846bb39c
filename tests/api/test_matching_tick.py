"""A tick: who is asked, when, how often, and what happens when nobody answers."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg

from backend.core.clock import COUNTY_ZONE
from backend.core.scope import system_caller
from backend.core.settings import Settings
from backend.grid.geo import distance_m
from backend.main import build
from backend.matching.tasks import APPLICATION, TICK_LOCK, run_tick, start_worker
from backend.matching.tick import tick
from tests.conftest import KEYS
from tests.factories import CELL, COUNTY, middle_of

NOON = datetime.now(COUNTY_ZONE).replace(hour=12, minute=0, second=0, microsecond=0)
"""Today at noon in the county, whatever the hour of the test."""


async def tick_at(make, moment=NOON):
    async def work(tx):
        tx.now = moment.astimezone(UTC)
        return await tick(tx, budget_ms=10_000)

    return await make.run(work)


async def rows(make, query: str, *arguments):
    async def work(tx):
        return await tx.conn.fetch(query, *arguments)

    return await make.run(work)


async def offers(make, columns: str = "volunteer_id, state"):
    return await rows(make, f"SELECT {columns} FROM offer ORDER BY made_at, id")


async def asked(make):
    return {row["volunteer_id"] for row in await offers(make)}


async def test_a_tick_asks_as_many_as_make_one_yes_likely_and_no_more(make):
    people = [await make.volunteer() for _ in range(6)]
    request = await make.request(at=NOON)

    report = await tick_at(make)
    again = await tick_at(make)

    # One in four says yes, and two rounds fit the time: two at once make .44 in each, which is short of .50 by one.
    assert (report.open, report.made, report.unasked) == (1, 3, 0)
    assert again.made == 0
    assert len(people) > 3  # control: more could have been asked
    assert {row["request_id"] for row in await offers(make, "request_id")} == {request.id}


async def test_urgent_help_asks_more_people_than_an_errand(make):
    for _ in range(12):
        await make.volunteer()
    home = await make.household()
    await make.request(home, at=NOON, urgency="0")
    calm = (await tick_at(make)).made
    await make.request(home, at=NOON, urgency="3")

    urgent = (await tick_at(make)).made

    assert calm < urgent <= 10


async def test_one_open_offer_for_each_volunteer(make):
    await make.volunteer(capacity=5)
    home = await make.household()
    for _ in range(3):
        await make.request(home, at=NOON)

    reports = [await tick_at(make), await tick_at(make, NOON + timedelta(minutes=1))]

    assert [report.made for report in reports] == [1, 0]


async def test_only_who_can_help_is_asked(make):
    east = {"lon": 106.70, "lat": 33.91, "crs": "wgs84"}
    able = await make.volunteer()
    await make.volunteer(skills=["repair"])
    await make.volunteer(home=east)
    await make.volunteer(slots=[{"weekday": NOON.isoweekday() % 7 + 1, "from_minute": 0, "until_minute": 60}])
    await make.volunteer(languages=["zh"])
    starts = NOON + timedelta(hours=2)
    await make.request(at=NOON, language="sign", starts_at=starts, ends_at=starts + timedelta(hours=1))

    await tick_at(make)

    assert await asked(make) == {able.volunteer_id}


async def test_who_has_a_task_is_asked_only_within_what_they_said_they_can_do(make):
    one, two = await make.volunteer(capacity=1), await make.volunteer(capacity=2)
    home = await make.household()
    for person in (one, two):
        offer = await make.offer(await make.request(home), person)
        await person.client.post(f"/api/v1/offers/{offer}/accept")
    wanted = await make.request(home, at=NOON)

    await tick_at(make)

    made = await rows(make, "SELECT volunteer_id FROM offer WHERE request_id = $1", wanted.id)
    assert {row["volunteer_id"] for row in made} == {two.volunteer_id}


async def test_who_said_no_is_replaced_by_the_next_tick_and_not_asked_again(make):
    people = [await make.volunteer() for _ in range(8)]
    await make.request(at=NOON)
    await tick_at(make)
    first = await asked(make)
    decliner = next(person for person in people if person.volunteer_id in first)
    [offer] = await rows(make, "SELECT id FROM offer WHERE volunteer_id = $1", decliner.volunteer_id)
    await decliner.client.post(f"/api/v1/offers/{offer['id']}/decline", json={})

    report = await tick_at(make)

    added = await asked(make) - first
    assert report.made == len(added) == 1
    assert decliner.volunteer_id not in added


async def test_an_offer_that_nobody_answers_expires_and_others_are_asked(make):
    for _ in range(8):
        await make.volunteer()
    await make.request(at=NOON, urgency="2")
    first = await tick_at(make)
    before = await asked(make)

    later = await tick_at(make, NOON + timedelta(minutes=11))

    states = [row["state"] for row in await offers(make)]
    assert later.expired == first.made == states.count("expired")
    assert later.made > 0
    assert len(await asked(make)) == len(before) + later.made


async def test_who_no_phone_reached_may_be_asked_again_after_a_rest(make):
    await make.volunteer()
    await make.request(at=NOON, urgency="2")

    made = [(await tick_at(make, NOON + timedelta(minutes=m))).made for m in (0, 11, 60, 121)]

    assert made == [1, 0, 0, 1]


async def test_at_night_only_lives_at_risk_wake_people(make):
    night = NOON.replace(hour=23)
    for _ in range(4):
        await make.volunteer()
    home = await make.household()
    await make.request(home, at=night, urgency="2")

    quiet = await tick_at(make, night)
    danger = await make.request(home, at=night, urgency="3")
    alarm = await tick_at(make, night)
    morning = await tick_at(make, NOON.replace(hour=7, minute=30) + timedelta(days=1))

    made = await offers(make, "request_id")
    assert quiet.made == 0
    assert alarm.made == 4
    assert {row["request_id"] for row in made[:4]} == {danger.id}
    assert morning.made > 0


async def test_who_has_paused_is_not_asked_and_who_takes_part_again_is(make):
    person = await make.volunteer()
    await make.request(at=NOON)
    made = []

    for rev, active in enumerate((False, True), start=1):
        await person.client.patch("/api/v1/volunteers/me", json={"active": active}, headers={"If-Match": f'"{rev}"'})
        made.append((await tick_at(make, NOON + timedelta(minutes=rev))).made)

    assert made == [0, 1]


async def test_who_pauses_while_a_tick_is_at_it_is_left_with_no_offer(make):
    people, home = [await make.volunteer() for _ in range(8)], await make.household()
    for _ in range(4):
        await make.request(home, at=NOON, urgency="3")
    pause = {"json": {"active": False}, "headers": {"If-Match": '"1"'}}

    await asyncio.gather(
        tick_at(make), *(person.client.patch("/api/v1/volunteers/me", **pause) for person in people), tick_at(make)
    )

    assert await rows(make, "SELECT 1 FROM volunteer WHERE active") == []
    assert await rows(make, "SELECT 1 FROM offer WHERE state = 'offered'") == []


async def test_an_offer_made_from_an_old_look_does_not_reach_who_has_paused_since(make):
    person, request = await make.volunteer(), await make.request()
    await person.client.patch("/api/v1/volunteers/me", json={"active": False}, headers={"If-Match": '"1"'})
    await make.offer(request, person)

    assert await offers(make) == []


async def test_help_at_a_door_without_a_position_is_offered_from_within_its_cell(make):
    lon, lat = middle_of(CELL)
    person = await make.volunteer()
    home = await make.household(position=None)
    request = await make.request(home, at=NOON)

    report = await tick_at(make)
    card = json.loads((await offers(make, "card::text"))[0]["card"])
    # The round was at noon, and the answer comes at whatever hour this runs.
    [offer] = await rows(make, "UPDATE offer SET expires_at = now() + interval '1 hour' RETURNING id")
    task = (await person.client.post(f"/api/v1/offers/{offer['id']}/accept")).json()

    assert (request.lon, report.made) == (None, 1)
    assert distance_m(lon, lat, card["coarse_lon"], card["coarse_lat"]) <= card["coarse_radius_m"]
    assert card["place_label"].startswith("杨家坪社区")
    assert (task["lon"], task["lat"]) == (None, None)  # a point of the cell is not the door


async def test_five_offers_a_day_are_enough_unless_a_life_is_at_risk(make):
    person, home = await make.volunteer(), await make.household()
    for hour in range(5):
        request = await make.request(home, at=NOON - timedelta(hours=hour + 1))
        offer = await make.offer(request, person, at=NOON - timedelta(hours=hour + 1))
        await person.client.post(f"/api/v1/offers/{offer}/decline", json={})
    await make.request(home, at=NOON)

    spared = await tick_at(make)
    await make.request(home, at=NOON, urgency="3")
    needed = await tick_at(make)
    tomorrow = await tick_at(make, NOON + timedelta(days=1, hours=1))

    assert (spared.made, needed.made) == (0, 1)
    assert tomorrow.made == 1


async def test_help_whose_hour_has_passed_is_left_to_people(make):
    await make.volunteer()
    await make.request(at=NOON - timedelta(days=2), starts_at=NOON - timedelta(hours=1))

    report = await tick_at(make)

    assert (report.open, report.made, report.unasked) == (1, 0, 1)


async def test_nobody_has_longer_to_answer_than_until_the_help_begins(make):
    await make.volunteer()
    starts = NOON + timedelta(minutes=5)
    await make.request(at=NOON, starts_at=starts)

    await tick_at(make)

    assert [row["expires_at"] for row in await offers(make, "expires_at")] == [starts]


async def test_only_help_is_offered(make):
    await make.volunteer()
    lon, lat = middle_of(CELL)
    home = await make.household()
    place = {"lon": lon, "lat": lat, "crs": "wgs84"}
    await make.request(home, kind="incident", category="rubbish", place=place, household_id=None, at=NOON)
    await make.request(home, kind="matter", category="elder_allowance", at=NOON)

    assert (await tick_at(make)).open == 0


async def test_the_card_tells_a_coarse_place_and_why_and_its_parts_add_up(make):
    lon, lat = middle_of(CELL)
    await make.volunteer()
    homes = [await make.household(room=str(room)) for room in range(22)]
    starts = (NOON + timedelta(days=1)).replace(hour=9)
    await make.request(homes[0], at=NOON, starts_at=starts, ends_at=starts + timedelta(hours=1))

    await tick_at(make)

    row = (await offers(make, "card::text, score"))[0]
    card = json.loads(row["card"])
    total = await rows(
        make, "SELECT sum(value::float) AS n FROM offer, jsonb_each_text(contributions) WHERE key <> 'multiplier'"
    )
    weekday = "一二三四五六日"[starts.weekday()]
    assert card["place_label"].startswith("杨家坪社区")
    assert card["coarse_radius_m"] >= 150
    assert card["reasons"][0]["text"] == f"周{weekday}上午您正好有空"
    assert (card["coarse_lon"], card["coarse_lat"]) != (lon, lat)
    assert abs(total[0]["n"] - row["score"]) < 1e-9


async def test_who_helped_here_before_is_asked_first_and_told_so(make):
    home, known = await make.household(), await make.volunteer()
    offer = await make.offer(await make.request(home), known)
    task = (await known.client.post(f"/api/v1/offers/{offer}/accept")).json()
    for step in ("check-in", "check-out"):
        await known.client.post(f"/api/v1/tasks/{offer}/{step}", json={"at": task["accepted_at"]})
    await make.volunteer()
    second = await make.request(home, at=NOON)

    await tick_at(make)

    made = await rows(
        make, "SELECT volunteer_id, card::text FROM offer WHERE request_id = $1 ORDER BY score DESC", second.id
    )
    assert made[0]["volunteer_id"] == known.volunteer_id
    assert "您以前帮过这位邻居" in made[0]["card"]
    assert "您帮人买过 1 次东西" in made[0]["card"]
    assert "您以前帮过" not in "".join(row["card"] for row in made[1:])


async def test_a_tick_reaches_the_volunteers_own_phone(make):
    person = await make.volunteer()
    await make.request(at=NOON)

    await tick_at(make)

    news = await rows(make, "SELECT kind FROM change WHERE stream = $1 ORDER BY seq", f"v:{person.volunteer_id}")
    assert [row["kind"] for row in news] == ["volunteer", "offer"]


async def test_two_ticks_of_a_county_do_not_run_at_once(make):
    await make.volunteer()

    async def work(tx):
        await tx.conn.fetchval("SELECT pg_advisory_xact_lock($1, $2)", TICK_LOCK, int(COUNTY))
        return await run_tick(make.database, COUNTY)

    assert await make.database.run(system_caller(COUNTY), work) is False
    assert await run_tick(make.database, COUNTY) is True


async def until(condition, attempts: int = 200) -> bool:
    for _ in range(attempts):
        if await condition():
            return True
        await asyncio.sleep(0.1)
    return False


async def test_the_worker_asks_as_soon_as_somebody_is_in_danger(make, database_url):
    person, home, staff = await make.volunteer(), await make.household(), await make.worker()
    worker = await start_worker(make.database, database_url)
    try:
        body = {"kind": "help", "category": "errand", "household_id": str(home.id), "urgency": "3"}
        await staff.client.post("/api/v1/requests", json=body)

        async def has_offer():
            return bool((await person.client.get("/api/v1/offers")).json()["items"])

        assert await until(has_offer)
    finally:
        await worker.stop()


async def test_the_worker_begins_again_when_its_connection_is_lost(make, database_url):
    person, home = await make.volunteer(), await make.household()
    worker = await start_worker(make.database, database_url)
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = current_database() AND application_name = '{APPLICATION}'"
    )
    try:
        admin = await asyncpg.connect(database_url)

        async def connection_was_cut():
            return bool(await admin.fetch(cut))

        assert await until(connection_was_cut)
        await admin.close()
        await make.request(home, urgency="3")

        async def has_offer():
            return bool((await person.client.get("/api/v1/offers")).json()["items"])

        assert await until(has_offer)
    finally:
        await worker.stop()


async def test_a_server_that_works_lets_go_when_it_stops(database_url):
    app = build(Settings(database_url, KEYS, work=True))
    admin = await asyncpg.connect(database_url)

    async def worker_is_there():
        query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1"
        return bool(await admin.fetch(query, APPLICATION))

    async def worker_is_gone():
        return not await worker_is_there()

    async with app.router.lifespan_context(app):
        assert await until(worker_is_there)

    assert await until(worker_is_gone)
    await admin.close()


async def test_answers_and_ticks_at_the_same_moment_leave_one_winner_each(make):
    home = await make.household()
    requests = [await make.request(home, urgency="3") for _ in range(3)]
    people = [await make.volunteer() for _ in range(12)]
    offers_made = [(person, await make.offer(requests[n % 3], person)) for n, person in enumerate(people)]

    answers = await asyncio.gather(
        *(person.client.post(f"/api/v1/offers/{offer}/accept") for person, offer in offers_made[:9]),
        *(person.client.post(f"/api/v1/offers/{offer}/decline", json={}) for person, offer in offers_made[9:]),
        *(tick_at(make, datetime.now(UTC)) for _ in range(3)),
    )

    winners = await rows(
        make, "SELECT request_id, count(*) AS n FROM offer WHERE state = 'accepted' GROUP BY request_id"
    )
    left = await rows(
        make,
        "SELECT 1 FROM offer o JOIN request r ON r.id = o.request_id WHERE o.state = 'offered' AND r.state <> 'open'",
    )
    assert {answer.status_code for answer in answers[:12]} <= {200, 409}
    assert [row["n"] for row in winners] == [1, 1, 1]
    assert left == []
