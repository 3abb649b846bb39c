"""Rules tried, put to use and read back; warnings; today's round; the same on a phone."""

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.core import daily
from backend.core.clock import county_day, system_clock
from backend.rounds import queries
from shared import rounds
from shared.auth import Role
from shared.residents import Care, Residency
from shared.rounds import Conditions
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY, plot_of, visit_to

OLD_ALONE = {"conditions": {"age_from": 80, "care_all": ["alone"]}, "alert": "cold", "area_code": COMMUNITY}


def today() -> date:
    return county_day(system_clock())


def named(**given: Any) -> dict[str, Any]:
    return OLD_ALONE | {"name": "寒潮看独居高龄老人", "priority": 1, "state": "draft"} | given


def warning(**given: Any) -> dict[str, Any]:
    usual = {"kind": "cold", "area_code": COMMUNITY, "from_day": str(today()), "last_day": str(today())}
    return usual | {"words": "今夜降温"} | given


@pytest.fixture
async def coordinator(make):
    return await make.worker(COMMUNITY)


@pytest.fixture
async def old_home(make):
    home = await make.household(CELL)
    await make.resident(home, birth_date=date(1940, 5, 1), care=[Care.alone])
    return home


async def go_live(person, rule_id, **given: Any):
    body = {key: value for key, value in (OLD_ALONE | given).items() if key not in ("name", "priority")}
    tried = await person.client.post("/api/v1/round-rules/try", json=body)
    assert tried.status_code == 200, tried.text
    return await person.client.put(f"/api/v1/round-rules/{rule_id}", json=named(state="live", **given))


async def test_a_rule_is_tried_on_the_register_as_it_is(make, coordinator, old_home):
    await make.resident(await make.household(CELL, room="401"), birth_date=date(1990, 1, 1))

    tried = (await coordinator.client.post("/api/v1/round-rules/try", json=OLD_ALONE)).json()

    assert tried["matched"] == 1
    [entry] = tried["items"]
    assert (entry["household_id"], entry["reasons"]) == (str(old_home.id), ["80 岁以上、独居"])


async def test_a_try_counts_all_and_shows_fifty(make, coordinator, monkeypatch):
    monkeypatch.setattr("backend.rounds.service.TRIED_SHOWN", 2)
    for room in range(3):
        await make.resident(await make.household(CELL, room=str(room)), birth_date=date(1940, 5, 1), care=[Care.alone])

    tried = (await coordinator.client.post("/api/v1/round-rules/try", json=OLD_ALONE)).json()

    assert (tried["matched"], len(tried["items"])) == (3, 2)


async def test_only_what_was_tried_goes_live(make, coordinator, old_home):
    url = f"/api/v1/round-rules/{uuid4()}"

    untried = await coordinator.client.put(url, json=named(state="live"))
    draft = await coordinator.client.put(url, json=named())
    await coordinator.client.post("/api/v1/round-rules/try", json=OLD_ALONE)
    other = await coordinator.client.put(url, json=named(state="live", conditions={"age_from": 70}))
    live = await coordinator.client.put(url, json=named(state="live"))
    again = await coordinator.client.put(url, json=named(state="live"))

    assert (untried.status_code, untried.json()["code"]) == (409, "rule_not_tried")
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (409, "/state")
    assert (draft.json()["state"], draft.json()["rev"]) == ("draft", 1)
    assert (live.json()["state"], live.json()["rev"]) == ("live", 2)
    assert again.json() == live.json()


async def test_a_warning_puts_old_people_alone_on_todays_round_until_somebody_saw_them(make, coordinator, old_home):
    await go_live(coordinator, uuid4())
    worker = await make.worker()
    before = (await worker.client.get("/api/v1/rounds/today")).json()

    issued = await coordinator.client.post("/api/v1/alerts", json=warning())
    during = (await worker.client.get("/api/v1/rounds/today")).json()
    await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(old_home.id, outcome="absent"))
    absent = (await worker.client.get("/api/v1/rounds/today")).json()
    await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(old_home.id))
    after = (await worker.client.get("/api/v1/rounds/today")).json()

    assert issued.status_code == 201
    assert before["total"] == after["total"] == 0
    assert during["items"][0]["household_id"] == str(old_home.id)
    assert during["items"][0]["reasons"] == ["寒潮预警（今夜降温）：80 岁以上、独居"]
    assert absent["total"] == 1


async def test_a_due_visit_stands_on_the_round_beside_what_rules_find(make, coordinator, old_home):
    other = await make.household(CELL, room="401")
    worker = await make.worker()
    long_ago = f"{today() - timedelta(days=70)}T02:00:00Z"
    await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(other.id, visited_at=long_ago))
    await go_live(coordinator, uuid4())
    await coordinator.client.post("/api/v1/alerts", json=warning())

    found = (await worker.client.get("/api/v1/rounds/today", params={"area_code": CELL})).json()

    assert [item["household_id"] for item in found["items"]] == [str(old_home.id), str(other.id)]
    assert found["items"][1]["reasons"] == ["每 60 天走一遍"]


async def test_a_warning_ended_early_sends_nobody_tomorrow(make, coordinator, old_home):
    later = warning(last_day=str(today() + timedelta(days=3)))
    issued = (await coordinator.client.post("/api/v1/alerts", json=later)).json()

    ended = await coordinator.client.post(f"/api/v1/alerts/{issued['id']}/end")
    again = await coordinator.client.post(f"/api/v1/alerts/{issued['id']}/end")

    assert (ended.json()["last_day"], ended.json()["rev"]) == (str(today()), 2)
    assert again.json() == ended.json()


async def test_a_warning_sent_twice_under_one_key_is_one(make, coordinator, old_home):
    headers = {"Idempotency-Key": uuid4().hex}

    first, retry = [await coordinator.client.post("/api/v1/alerts", json=warning(), headers=headers) for _ in range(2)]
    other = await coordinator.client.post("/api/v1/alerts", json=warning(kind="heat"), headers=headers)

    assert first.json() == retry.json()
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert len((await coordinator.client.get("/api/v1/alerts")).json()) == 1


async def test_every_phone_below_pulls_rules_and_warnings_and_computes_the_servers_round(make, old_home):
    admin = await make.account((Role.county_admin, COUNTY))
    await make.household(NEIGHBOUR)
    await go_live(admin, uuid4(), area_code=COUNTY)
    await admin.client.post("/api/v1/alerts", json=warning(area_code=COUNTY))

    for cell in (CELL, NEIGHBOUR):
        worker = await make.worker(cell)
        feed = (await worker.client.get("/api/v1/changes")).json()["items"]
        bodies: dict[str, list[Any]] = {}
        for item in feed:
            bodies.setdefault(item["kind"], []).append(item["body"])
        served = (await worker.client.get("/api/v1/rounds/today")).json()

        assert (len(bodies["round_rule"]), len(bodies["alert"])) == (1, 1)
        assert on_the_phone(bodies) == served["items"]
        assert served["total"] == (1 if cell == CELL else 0)


def on_the_phone(bodies: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The round from what a phone has pulled, and nothing else."""
    people: dict[str, list[rounds.Person]] = {}
    for body in bodies.get("resident", []):
        born = date.fromisoformat(body["birth_date"]) if body["birth_date"] else None
        person = rounds.Person(born, [Care(c) for c in body["care"]], Residency(body["residency"]))
        people.setdefault(body["household_id"], []).append(person)
    homes = [
        rounds.Home(
            body["id"], body["area_code"], body["size"], _day(body["last_visited_on"]), _day(body["last_seen_on"]),
            _day(body["due_on"]), body["due_reason"], people.get(body["id"], []),
        )
        for body in bodies["household"]
    ]  # fmt: skip
    rules = [rounds.RoundRuleOut.model_validate(body) for body in bodies["round_rule"]]
    alerts = [rounds.AlertOut.model_validate(body) for body in bodies["alert"]]
    return [entry.model_dump(mode="json") for entry in rounds.round_of(homes, rules, alerts, today())]


def _day(word: str | None) -> date | None:
    return date.fromisoformat(word) if word else None


async def test_a_cell_founded_later_hears_of_rules_and_warnings_that_hold_in_it(make, coordinator, old_home):
    await go_live(coordinator, uuid4())
    await coordinator.client.post("/api/v1/alerts", json=warning())
    over = warning(kind="heat", from_day=str(today() - timedelta(days=3)), last_day=str(today()))
    over_id = (await coordinator.client.post("/api/v1/alerts", json=over)).json()["id"]
    await make.run(lambda tx: tx.conn.execute("UPDATE alert SET last_day = from_day WHERE id = $1", UUID(over_id)))
    elsewhere = await make.worker(OTHER_COMMUNITY)
    await elsewhere.client.post("/api/v1/alerts", json=warning(area_code=OTHER_COMMUNITY))

    await make.cell(NEIGHBOUR)
    heard = (await (await make.worker(NEIGHBOUR)).client.get("/api/v1/changes")).json()["items"]

    assert sorted(row["kind"] for row in heard if row["kind"] in ("round_rule", "alert")) == ["alert", "round_rule"]
    assert over_id not in {row["id"] for row in heard}


async def test_a_cell_founded_by_a_plan_hears_of_them_too(make, coordinator, old_home):
    await go_live(coordinator, uuid4())
    plan = {
        "community_code": COMMUNITY, "effective_on": str(today()), "reason": "新楼入住",
        "cells": [{"code": NEIGHBOUR, "name": "第四网格", "geometry": plot_of(NEIGHBOUR)}],
    }  # fmt: skip
    made = (await coordinator.client.put(f"/api/v1/grid/plans/{uuid4()}", json=plan)).json()
    applied = await coordinator.client.post(f"/api/v1/grid/plans/{made['id']}/apply")

    heard = (await (await make.worker(NEIGHBOUR)).client.get("/api/v1/changes")).json()["items"]

    assert applied.status_code == 200, applied.text
    assert [row["kind"] for row in heard if row["kind"] == "round_rule"] == ["round_rule"]


async def test_a_trial_is_forgotten_after_thirty_days_and_no_sooner(make, coordinator, old_home):
    clock, kept = make.database.clock, []
    await coordinator.client.post("/api/v1/round-rules/try", json=OLD_ALONE)
    for days in (29, 2):
        make.database.clock = lambda now=make.database.clock, days=days: now() + timedelta(days=days)
        await daily.run(make.database, COUNTY)
        kept.append(await make.run(lambda tx: tx.conn.fetchval("SELECT count(*) FROM round_trial")))
    make.database.clock = clock

    refused = await coordinator.client.put(f"/api/v1/round-rules/{uuid4()}", json=named(state="live"))

    assert kept == [1, 0]
    assert (refused.status_code, refused.json()["code"]) == (409, "rule_not_tried")


async def test_what_the_database_leaves_out_no_condition_holds_of(make, monkeypatch):
    """Random households and conditions: reading narrowed by SQL, and reading everything, find the same."""
    monkeypatch.setattr(queries, "SLICE", 7)
    dice = random.Random(20261122)
    worker = await make.worker()
    for number in range(24):
        home = await make.household(CELL, room=str(number))
        for _ in range(dice.randint(0, 3)):
            await make.resident(
                home, name=f"人{number}", care=dice.sample(list(Care), dice.randint(0, 2)),
                birth_date=dice.choice([None, date(dice.randint(1930, 2024), 11, dice.randint(18, 26))]),
                residency=dice.choice(list(Residency)),
            )  # fmt: skip
        if dice.random() < 0.7:
            at = f"{today() - timedelta(days=dice.choice([0, 1, 29, 30, 31, 90]))}T02:00:00Z"
            outcome = dice.choice(["seen", "absent"])
            await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(home.id, outcome=outcome, visited_at=at))
    asked = [random_conditions(dice) for _ in range(150)]

    async def compare(tx) -> int:
        day, found = today(), 0
        everybody = [one async for one in queries.homes(tx.conn, tx.county, CELL, day, [Conditions(size_to=50)])]
        everybody += [one async for one in queries.homes(tx.conn, tx.county, CELL, day, [Conditions(size_from=1)])]
        by_id = {one.id: one for one in everybody}
        for conditions in asked:
            read = [one async for one in queries.homes(tx.conn, tx.county, CELL, day, [conditions])]
            narrowed = {one.id for one in read if rounds.holds(conditions, one, day)}
            assert narrowed == {key for key, one in by_id.items() if rounds.holds(conditions, one, day)}, conditions
            found += len(narrowed)
        return found

    assert await make.run(compare) > 100


def random_conditions(dice: random.Random) -> Conditions:
    chosen: dict[str, Any] = {
        "age_from": dice.choice([None, 0, 60, 80]), "age_below": dice.choice([None, None, 18, 90]),
        "care_all": dice.sample(list(Care), dice.choice([0, 0, 1])),
        "care_any": dice.sample(list(Care), dice.choice([0, 0, 3])),
        "residency": dice.sample(list(Residency), dice.choice([0, 0, 2])),
        "days_unseen": dice.choice([None, None, 1, 30]), "size_from": dice.choice([None, 1, 2]),
        "size_to": dice.choice([None, 2]),
    }  # fmt: skip
    return Conditions(**chosen) if any(chosen.values()) else Conditions(size_from=1)


async def test_rules_and_warnings_are_for_coordinators_of_the_area(make, coordinator, old_home):
    worker, partner = await make.worker(), await make.partner()
    issued = (await coordinator.client.post("/api/v1/alerts", json=warning())).json()
    rule_id = uuid4()
    await coordinator.client.put(f"/api/v1/round-rules/{rule_id}", json=named())
    asked = [
        ("POST", "/api/v1/round-rules/try", OLD_ALONE), ("PUT", f"/api/v1/round-rules/{rule_id}", named(priority=2)),
        ("POST", "/api/v1/alerts", warning()), ("POST", f"/api/v1/alerts/{issued['id']}/end", None),
    ]  # fmt: skip

    for method, path, body in asked:
        for person in (worker, partner):
            answer = await person.client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    wider = [(method, path, body | {"area_code": COUNTY}) for method, path, body in asked[:3]]
    for method, path, body in wider:
        answer = await coordinator.client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "area_not_allowed")
    assert (await partner.client.get("/api/v1/rounds/today")).status_code == 403


async def test_a_rule_or_warning_of_the_county_is_not_for_a_community_to_change(make, coordinator, old_home):
    admin, rule_id = await make.account((Role.county_admin, COUNTY)), uuid4()
    await admin.client.put(f"/api/v1/round-rules/{rule_id}", json=named(area_code=COUNTY))
    issued = (await admin.client.post("/api/v1/alerts", json=warning(area_code=COUNTY))).json()

    changed = await coordinator.client.put(f"/api/v1/round-rules/{rule_id}", json=named())
    ended = await coordinator.client.post(f"/api/v1/alerts/{issued['id']}/end")

    assert (changed.status_code, changed.json()["code"]) == (403, "area_not_allowed")
    assert (ended.status_code, ended.json()["code"]) == (403, "area_not_allowed")
    assert [rule["area_code"] for rule in (await coordinator.client.get("/api/v1/round-rules")).json()] == [COUNTY]


async def test_a_round_is_no_wider_than_a_community_and_no_further_than_ones_own(make, old_home):
    admin, neighbour = await make.account((Role.county_admin, COUNTY)), await make.worker(NEIGHBOUR)

    wide = await admin.client.get("/api/v1/rounds/today")
    narrow = await admin.client.get("/api/v1/rounds/today", params={"area_code": CELL})
    foreign = await neighbour.client.get("/api/v1/rounds/today", params={"area_code": CELL})

    assert (wide.status_code, wide.json()["code"]) == (422, "malformed")
    assert narrow.status_code == 200
    assert (foreign.status_code, foreign.json()["code"]) == (403, "area_not_allowed")
