"""Rows that may be one person: found, decided, merged and taken apart again, over HTTP on PostgreSQL."""

import random
from datetime import date, timedelta

import asyncpg
import pytest

from backend.core.clock import county_day
from backend.matching.tasks import DUPLICATES, LATER_AT_NIGHT, Worker, run_duplicates
from backend.residents.queries import households_by_ids
from shared.auth import Role
from shared.types import uuid7
from tests.factories import CELL, COMMUNITY, NEIGHBOUR, OTHER_COMMUNITY, visit_to

BORN = date(1954, 3, 8)
PHONE = "13812345678"
ID_NUMBER = "610330200001010011"
OTHER_NUMBER = "610388199003070017"
OTHER_CELL = OTHER_COMMUNITY + "003"
REASON = "上门核过证件"


def at(pair_id="", more=""):
    return f"/api/v1/duplicates/{pair_id}".rstrip("/") + more


def of(resident, more=""):
    return f"/api/v1/residents/{resident.id}{more}"


def said(answer):
    body = answer.json()
    return answer.status_code, body["code"], *(error["pointer"] for error in body.get("errors", []))


async def twins(make, there=CELL, **other):
    """One person registered twice: behind one door, or in another cell by the same phone."""
    home = await make.household()
    second_home = await make.household(there, room="303")
    first = await make.resident(home, name="王小华", birth_date=BORN, phone=PHONE)
    return first, await make.resident(second_home, **{"name": "王晓华", "birth_date": BORN, "phone": PHONE} | other)


async def open_pairs(worker, **asked):
    answer = await worker.client.get(at(), params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def the_pair(worker, **asked):
    (pair,) = await open_pairs(worker, **asked)
    return pair


def sides(pair):
    return {pair["first"]["id"], pair["second"]["id"]}


async def settle(worker, pair, keep=None):
    body = {"same": keep is not None, "keep": keep and str(keep.id), "reason": REASON}
    return await worker.client.post(at(pair["id"], "/settle"), json=body)


async def undo(worker, pair):
    return await worker.client.post(at(pair["id"], "/undo"), json={"reason": "后来发现是父子同名"})


# Finding


async def test_a_new_persons_twin_is_found_at_registration(make):
    first, second = await twins(make)
    worker = await make.worker()

    pair = await the_pair(worker, area_code=CELL)
    mine = await worker.client.get(of(second, "/duplicates"))

    assert sides(pair) == {str(first.id), str(second.id)}
    assert (pair["reasons"], pair["score"], pair["state"]) == (["phone"], 70, "open")
    assert pair["first"]["phone"] == "138****5678"
    assert mine.json() == [pair]


async def test_the_night_finds_what_no_worker_sees_and_drops_what_was_corrected(make, database):
    first, second = await twins(make, OTHER_CELL)
    nearer, _stranger = await twins(make, phone="13900000000", name="王小明")
    worker, coordinator, admin = await make.worker(), await make.worker(COMMUNITY), await make.admin()
    await run_duplicates(database)
    found = await open_pairs(admin)
    seen = [await open_pairs(one) for one in (worker, coordinator)]
    for one in (first, nearer):
        await worker.client.patch(of(one), json={"phone": None, "birth_date": None}, headers={"If-Match": '"1"'})
    await run_duplicates(database)

    assert {str(first.id), str(second.id)} in [sides(pair) for pair in found]
    assert {pair["area_code"] for pair in found if str(second.id) in sides(pair)} == {"610330100"}
    assert all(str(second.id) not in sides(pair) for pairs in seen for pair in pairs)
    assert await open_pairs(admin) == []


async def test_an_open_pair_goes_with_a_row_that_an_undone_import_takes_back(make):
    _first, second = await twins(make)
    worker = await make.worker()
    found = await open_pairs(worker)

    async def take_back(tx):
        for table, column in (("period", "resident_id"), ("resident", "id")):
            await tx.conn.execute(f"DELETE FROM {table} WHERE {column} = $1", second.id)

    await make.run(take_back)

    assert (len(found), await open_pairs(worker)) == (1, [])


async def test_it_is_looked_for_at_night(make, database_url):
    worker = Worker(make.database, database_url)
    connection = await asyncpg.connect(database_url)
    try:
        schedules = worker._prepare(connection).sm.registry
    finally:
        await connection.close()
        await worker.stop()

    assert (DUPLICATES, LATER_AT_NIGHT) in {(key.entrypoint, key.expression) for key in schedules}


async def test_of_another_areas_person_a_worker_reads_name_and_door_only(make, database):
    first, second = await twins(make, OTHER_CELL)
    worker = await make.worker()
    await run_duplicates(database)

    (pair,) = (await worker.client.get(of(first, "/duplicates"))).json()
    theirs = next(pair[side] for side in ("first", "second") if pair[side]["id"] == str(second.id))
    refused = await settle(worker, pair, first)

    shown = {name: value for name, value in theirs.items() if value is not None}
    assert shown == {
        "id": str(second.id), "area_code": OTHER_CELL, "name": "王晓华", "door": "河滨小区 3号楼 2单元 303",
        "in_scope": False,
    }  # fmt: skip
    assert said(refused) == (404, "not_found")
    assert await audited(make, "duplicate.looked") == [str(first.id)]


async def audited(make, action):
    async def read(tx):
        rows = await tx.conn.fetch("SELECT entity_id FROM audit WHERE action = $1", action)
        return [str(row["entity_id"]) for row in rows]

    return await make.run(read)


async def test_a_family_on_one_phone_is_no_pair(make, database):
    home = await make.household()
    await make.resident(home, name="王建国", birth_date=BORN, phone=PHONE)
    await make.resident(home, name="王小明", birth_date=date(1980, 1, 1), phone=PHONE, relation="20")
    await run_duplicates(database)

    assert await open_pairs(await make.admin()) == []


async def test_a_number_that_is_taken_leads_to_who_has_it(make):
    holder = await make.resident(await make.household(OTHER_CELL), id_number=ID_NUMBER)
    home, worker, owner = await make.household(), await make.worker(), await make.worker(OTHER_CELL)
    body = {"household_id": str(home.id), "name": "王小华", "id_number": ID_NUMBER}

    refused = await worker.client.put(f"/api/v1/residents/{uuid7()}", json=body)
    asked = await worker.client.post(at("holder"), json={"id_number": ID_NUMBER})
    nobody = await worker.client.post(at("holder"), json={"id_number": OTHER_NUMBER})
    wrong = await worker.client.post(at("holder"), json={"id_number": ID_NUMBER[:-1] + "2"})
    looks = await owner.client.get(of(holder, "/identity/looks"))

    assert said(refused)[:2] == (409, "id_already_registered")
    assert (asked.json()["who"]["id"], asked.json()["who"]["birth_date"]) == (str(holder.id), None)
    assert ID_NUMBER not in asked.text
    assert asked.headers["Cache-Control"] == "no-store"
    assert nobody.json() == {"who": None}
    assert said(wrong)[:2] == (422, "id_checksum")
    assert [row["look"] for row in looks.json()["items"]] == ["checked"]


# Deciding


async def test_not_the_same_is_remembered_and_never_proposed_again(make, database):
    first, _second = await twins(make)
    worker = await make.worker()
    decided = await settle(worker, await the_pair(worker))
    await run_duplicates(database)

    assert (decided.json()["state"], decided.json()["settled_by"], decided.json()["kept_id"]) == (
        "distinct", "张敏", None,
    )  # fmt: skip
    assert await open_pairs(worker) == []
    assert (await worker.client.get(of(first, "/duplicates"))).json() == []
    assert len(await open_pairs(worker, state="distinct")) == 1
    assert said(await settle(worker, decided.json(), first))[:2] == (409, "step_not_allowed")


async def test_a_merged_row_leaves_lists_search_and_sums_and_points_to_the_one_that_is_kept(make, database):
    first, second = await twins(make)
    worker = await make.worker()

    merged = await settle(worker, await the_pair(worker), first)
    gone = await worker.client.get(of(second))
    listed = await worker.client.get("/api/v1/residents", params={"q": "wangxiaohua"})
    homes = await worker.client.get("/api/v1/households", params={"q": "wangxiaohua"})
    edited = await worker.client.patch(of(second), json={"phone": None}, headers={"If-Match": '"2"'})
    await run_duplicates(database)

    assert (merged.json()["state"], merged.json()["kept_id"]) == ("merged", str(first.id))
    assert said(gone) == said(edited) == (410, "merged", f"/api/v1/residents/{first.id}")
    assert [row["id"] for row in listed.json()["items"]] == [str(first.id)]
    assert [row["id"] for row in homes.json()["items"]] == [str(first.household_id)]
    assert await open_pairs(worker) == []


async def test_who_reads_a_person_reads_what_was_written_about_the_other_row(make):
    first, second = await twins(make)
    worker = await make.worker()
    helper = {"kind": "helper", "helper": "neighbour", "name": "李秀兰"}
    await worker.client.put(of(second, f"/links/{uuid7()}"), json=helper)
    await settle(worker, await the_pair(worker), first)

    links = await worker.client.get(of(first, "/links"))
    link = links.json()[0]
    ended = await worker.client.delete(of(first, f"/links/{link['id']}"), headers={"If-Match": '"1"'})

    assert [row["resident_id"] for row in links.json()] == [str(second.id)]
    assert ended.status_code == 204


async def test_an_old_man_living_alone_is_still_looked_in_on_every_fortnight_after_a_merge(make):
    first, second = await twins(make, care=["alone"])
    worker = await make.worker()
    pair = await the_pair(worker)

    async def due_after_a_visit(ago):
        when = make.database.clock() - timedelta(hours=ago)
        body = {"household_id": str(first.household_id), "outcome": "seen", "visited_at": when.isoformat()}
        assert (await worker.client.put(f"/api/v1/visits/{uuid7()}", json=body)).status_code == 200
        home = (await worker.client.get(f"/api/v1/households/{first.household_id}")).json()
        return home["care"], (date.fromisoformat(home["due_on"]) - county_day(when)).days

    before = await due_after_a_visit(3)
    await settle(worker, pair, first)
    merged = await due_after_a_visit(2)
    await undo(worker, pair)
    undone = await due_after_a_visit(1)

    assert merged == (["alone"], 14)
    assert before == undone
    assert before[1] > 14
    assert second.household_id != first.household_id


async def test_the_kept_row_is_given_what_it_lacks_and_keeps_what_it_has(make):
    home = await make.household()
    first = await make.resident(home, name="王小华", birth_date=None, phone=PHONE, care=["frail"])
    await make.resident(home, name="王小华", birth_date=BORN, phone=PHONE, care=["alone", "frail"])
    worker = await make.worker()

    await settle(worker, await the_pair(worker), first)
    kept = (await worker.client.get(of(first))).json()

    assert (kept["care"], kept["birth_date"], kept["phone"]) == (["alone", "frail"], BORN.isoformat(), PHONE)


async def test_what_somebody_noted_since_a_merge_stays_when_it_is_undone(make):
    home = await make.household()
    first = await make.resident(home, name="王小华", birth_date=None, phone=PHONE)
    await make.resident(home, name="王小华", birth_date=BORN, phone=PHONE, care=["alone", "veteran"])
    worker = await make.worker()
    pair = await the_pair(worker)
    await settle(worker, pair, first)

    for change in ({"care": ["veteran"], "birth_date": "1954-03-09"}, {"care": ["alone", "veteran"]}):
        rev = (await worker.client.get(of(first))).json()["rev"]
        done = await worker.client.patch(of(first), json=change, headers={"If-Match": f'"{rev}"'})
        assert done.status_code == 200, done.text
    await undo(worker, pair)
    kept = (await worker.client.get(of(first))).json()

    assert (kept["care"], kept["birth_date"]) == (["alone"], "1954-03-09")


async def test_a_merge_that_is_undone_days_later_leaves_no_time_in_which_the_label_stood(make):
    first, _second = await twins(make, care=["alone"])
    worker = await make.worker()
    pair = await the_pair(worker)
    before = await dump(make)
    await settle(worker, pair, first)
    clock = make.database.clock
    make.database.clock = lambda: clock() + timedelta(days=9)
    await undo(worker, pair)

    assert await dump(make) == before


async def test_both_histories_are_one_and_counted_once(make):
    first, second = await twins(make)
    worker = await make.worker()
    counted = {"params": {"area_code": CELL}}

    before = await worker.client.get("/api/v1/register/counts", **counted)
    await settle(worker, await the_pair(worker), first)
    after = await worker.client.get("/api/v1/register/counts", **counted)
    told = await worker.client.get(of(first, "/history"))

    assert (before.json()["people"], after.json()["people"]) == (2, 1)
    homes = {row["value"] for row in told.json()["periods"] if row["track"] == "household"}
    assert homes == {str(first.household_id), str(second.household_id)}


async def test_no_event_happens_to_a_merged_row(make):
    first, second = await twins(make)
    worker = await make.worker()
    await settle(worker, await the_pair(worker), first)
    body = {"kind": "death", "on": "2026-11-01", "resident_ids": [str(second.id)]}

    answer = await worker.client.put(f"/api/v1/register-events/{uuid7()}", json=body)

    assert said(answer) == (404, "resident_not_here", "/resident_ids")


async def test_a_visit_from_a_phone_that_has_not_heard_of_it_is_not_lost(make):
    first, second = await twins(make)
    worker = await make.worker()
    await settle(worker, await the_pair(worker), first)

    body = visit_to(second.household_id, resident_id=str(second.id))
    stored = await worker.client.put(f"/api/v1/visits/{uuid7()}", json=body)

    assert stored.status_code == 200, stored.text


async def test_phones_hear_that_a_row_is_gone_and_that_it_is_back(make):
    first, second = await twins(make)
    worker = await make.worker()
    pair = await the_pair(worker)

    async def heard():
        items = (await worker.client.get("/api/v1/changes")).json()["items"]
        return next(row["gone"] for row in items if row["id"] == str(second.id))

    await settle(worker, pair, first)
    after_merge = await heard()
    await undo(worker, pair)

    assert (after_merge, await heard()) == (True, False)


async def test_the_row_with_the_number_is_kept_and_two_numbers_are_never_merged(make):
    first, second = await twins(make, id_number=ID_NUMBER)
    worker = await make.worker()
    pair = await the_pair(worker)

    without = await settle(worker, pair, first)
    put = await worker.client.put(
        of(first, "/identity"), json={"id_number": OTHER_NUMBER, "reason": REASON}, headers={"If-Match": '"1"'}
    )
    both = await settle(worker, pair, second)

    assert said(without) == (409, "step_not_allowed", "/keep")
    assert (put.status_code, said(both)[1]) == (200, "step_not_allowed")


async def leaves(worker, resident, day):
    body = {"kind": "move_out", "on": str(day), "resident_ids": [str(resident.id)], "to": {"leaves_county": True}}
    answer = await worker.client.put(f"/api/v1/register-events/{uuid7()}", json=body)
    assert answer.status_code == 200, answer.text


async def test_who_has_come_back_is_never_merged_away_into_the_row_that_left(make):
    gone, back = await twins(make, id_number=None)
    worker, today = await make.worker(), county_day(make.database.clock())
    pair = await the_pair(worker)
    await leaves(worker, gone, today)

    told = await the_pair(worker)
    refused = await settle(worker, pair, keep=gone)
    merged = await settle(worker, pair, keep=back)

    assert {told[side]["id"]: told[side]["left_on"] for side in ("first", "second")} == {
        str(gone.id): str(today), str(back.id): None,
    }  # fmt: skip
    assert said(refused) == (409, "step_not_allowed", "/keep")
    assert merged.status_code == 200, merged.text
    assert [one["id"] for one in (await worker.client.get("/api/v1/residents")).json()["items"]] == [str(back.id)]


async def test_the_number_of_a_row_that_left_goes_to_the_one_who_came_back_before_they_are_merged(make):
    home = await make.household()
    gone = await make.resident(home, name="王小华", birth_date=BORN, phone=PHONE, id_number=ID_NUMBER)
    worker = await make.worker()
    await leaves(worker, gone, county_day(make.database.clock()))
    back = await make.resident(home, name="王小华", birth_date=BORN, phone=PHONE)
    named = await worker.client.post(at(), json={"one": str(gone.id), "other": str(back.id)})
    pair, numbered = named.json(), of(gone, "/identity")

    refused = await settle(worker, pair, keep=back)
    rev = (await worker.client.get(of(gone))).headers["ETag"]
    await worker.client.delete(numbered, params={"reason": "人回来了，登记到新的一条"}, headers={"If-Match": rev})
    given = {"id_number": ID_NUMBER, "reason": "人回来了，登记到新的一条"}
    await worker.client.put(of(back, "/identity"), json=given, headers={"If-Match": '"1"'})
    merged = await settle(worker, pair, keep=back)

    assert said(refused) == (409, "step_not_allowed", "/keep")
    assert "补登到在册的这一条" in refused.json()["detail"]
    assert merged.status_code == 200, merged.text
    assert (await worker.client.get(of(back))).json()["id_on_file"]


async def test_two_rows_of_one_person_who_has_left_are_merged_once_both_say_so(make):
    first, second = await twins(make)
    worker, today = await make.worker(), county_day(make.database.clock())
    pair = await the_pair(worker)
    for one in (first, second):
        await leaves(worker, one, today)

    assert (await settle(worker, pair, keep=first)).status_code == 200


async def test_a_number_of_a_merged_row_leads_to_the_one_that_is_kept(make):
    first, second = await twins(make)
    worker = await make.worker()
    pair = await the_pair(worker)
    await settle(worker, pair, second)
    third = await make.resident(await make.household(room="304"), name="王小华", phone=PHONE, id_number=ID_NUMBER)
    (other,) = await open_pairs(worker)
    await settle(worker, other, third)

    found = await worker.client.post(at("holder"), json={"id_number": ID_NUMBER})
    chain = await worker.client.get(of(first))
    again = await undo(worker, pair)

    assert found.json()["who"]["id"] == str(third.id)
    assert said(chain)[2] == f"/api/v1/residents/{second.id}"
    assert again.json()["state"] == "open"
    assert (await worker.client.get(of(first))).status_code == 200


async def test_a_pair_across_two_areas_is_decided_by_who_covers_both(make, database):
    first, second = await twins(make, NEIGHBOUR)
    await run_duplicates(database)
    one_side, both = await make.worker(CELL), await make.worker(COMMUNITY)
    pair = await the_pair(both)

    refused = await settle(one_side, pair, first)
    decided = await settle(both, pair, first)

    assert said(refused) == (404, "not_found")
    assert decided.json()["state"] == "merged"
    assert said(await undo(one_side, pair)) == (404, "not_found")
    assert said(await (await make.worker(NEIGHBOUR)).client.get(of(second)))[1] == "merged"


async def test_somebody_who_has_moved_out_of_reach_since_is_not_decided_about(make):
    first, second = await twins(make)
    worker = await make.worker()
    pair = await the_pair(worker)
    await make.cell(NEIGHBOUR)
    await make.run(lambda tx: tx.conn.execute("UPDATE resident SET area_code = $1 WHERE id = $2", NEIGHBOUR, second.id))

    assert said(await settle(worker, pair, first)) == (403, "area_not_allowed")
    assert await open_pairs(worker) == []


async def test_what_does_not_fit_is_refused(make):
    first, _second = await twins(make)
    worker, auditor, partner = await make.worker(), await make.auditor(), await make.partner()
    pair = await the_pair(worker)
    stranger = await make.resident(await make.household(room="309"), name="李芳")

    answers = [
        await settle(worker, pair, stranger),
        await worker.client.post(at(pair["id"], "/settle"), json={"same": True, "reason": REASON}),
        await worker.client.post(at(pair["id"], "/settle"), json={"same": False, "reason": ""}),
        await undo(worker, pair),
        await settle(worker, {"id": uuid7()}, first),
    ]
    forbidden = [
        answer
        for reader in (auditor, partner)
        for answer in (
            await reader.client.get(at()),
            await settle(reader, pair, first),
            await undo(reader, pair),
            await reader.client.post(at("holder"), json={"id_number": ID_NUMBER}),
            await reader.client.get(of(first, "/duplicates")),
        )
    ]

    assert said(answers[0]) == (422, "malformed", "/keep")
    assert [answer.status_code for answer in answers] == [422, 422, 422, 409, 404]
    assert {said(answer) for answer in forbidden} == {(403, "role_not_allowed")}


# The household that a merge leaves empty


def home(household_id, more=""):
    return f"/api/v1/households/{household_id}{more}"


async def fates(worker, pair_state="open"):
    pair = await the_pair(worker, state=pair_state)
    return {pair[side]["id"]: pair[side]["home_fate"] for side in ("first", "second")}


async def test_a_household_without_anybody_after_a_merge_is_folded_into_the_kept_one(make):
    first, second = await twins(make)
    worker = await make.worker()
    pair, before = await the_pair(worker), await fates(worker)

    await settle(worker, pair, first)
    gone = await worker.client.get(home(second.household_id))
    listed = (await worker.client.get("/api/v1/households")).json()["items"]
    by_door = (await worker.client.get("/api/v1/households", params={"q": "303"})).json()["items"]
    doors = (await worker.client.get("/api/v1/dwellings")).json()["items"]
    counted = (await worker.client.get("/api/v1/compounds", params={"area_code": CELL})).json()[0]
    heard = (await worker.client.get("/api/v1/changes")).json()["items"]

    assert before == {str(first.id): "folds", str(second.id): "folds"}
    assert await fates(worker, "merged") == {str(first.id): "stays", str(second.id): "folded"}
    assert said(gone) == (410, "merged", f"/api/v1/households/{first.household_id}")
    assert [row["id"] for row in listed] == [str(first.household_id)]
    assert by_door == []
    assert sorted(len(row["occupants"]) for row in doors) == [0, 1]
    assert counted["households"] == 1
    assert [row["gone"] for row in heard if row["id"] == str(second.household_id)] == [True]


async def test_who_reads_the_kept_household_reads_visits_contacts_and_doors_of_the_folded_one(make):
    first, second = await twins(make)
    worker = await make.worker()
    visit, contact = uuid7(), uuid7()
    await worker.client.put(f"/api/v1/visits/{visit}", json=visit_to(second.household_id))
    await worker.client.put(home(second.household_id, f"/contacts/{contact}"), json={"name": "何小梅"})
    door = (await worker.client.put(f"/api/v1/dwellings/{uuid7()}", json=door_in(CELL))).json()["id"]
    move = {"dwelling_id": door, "tenure": "tenant", "on": str(county_day(make.database.clock()))}
    rev = (await worker.client.get(home(second.household_id))).headers["ETag"]
    moved = await worker.client.post(home(second.household_id, "/door"), json=move, headers={"If-Match": rev})
    await settle(worker, await the_pair(worker), first)

    visits = await worker.client.get("/api/v1/visits", params={"household_id": str(first.household_id)})
    contacts = await worker.client.get(home(first.household_id, "/contacts"))
    occupancies = await worker.client.get(home(first.household_id, "/occupancies"))
    ended = await worker.client.delete(home(first.household_id, f"/contacts/{contact}"), headers={"If-Match": '"1"'})

    assert moved.status_code == 200, moved.text
    assert [row["id"] for row in visits.json()["items"]] == [str(visit)]
    assert [row["id"] for row in contacts.json()] == [str(contact)]
    assert {row["household_id"] for row in occupancies.json()} == {str(second.household_id)}
    assert ended.status_code == 204


async def asked_for(make, house, count):
    """Requests of a household, the oldest first."""
    return [str((await make.request(house, detail=f"第{n}次")).id) for n in range(count)]


async def requests_of(person, house, **params):
    answer = await person.client.get("/api/v1/requests", params={"household_id": str(house.household_id), **params})
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["items"]], answer.json()["next_cursor"]


async def test_requests_of_a_household_are_those_of_the_folded_one_too_until_the_merge_is_undone(make):
    first, second = await twins(make)
    third = await make.resident(await make.household(room="901"), name="李秀英")
    own = await asked_for(make, await home_of(make, first), 2)
    folded = await asked_for(make, await home_of(make, second), 2)
    await asked_for(make, await home_of(make, third), 1)
    worker = await make.worker()
    pair = await the_pair(worker)

    before, _ = await requests_of(worker, first)
    await settle(worker, pair, first)
    merged, _ = await requests_of(worker, first)
    page, cursor = await requests_of(worker, first, limit=3)
    rest, end = await requests_of(worker, first, limit=3, cursor=cursor)
    narrowed, _ = await requests_of(worker, first, state="closed")
    await undo(worker, pair)
    undone, _ = await requests_of(worker, first)
    apart, _ = await requests_of(worker, second)

    assert before == undone == own[::-1]
    assert merged == [*folded[::-1], *own[::-1]]
    assert ([*page, *rest], end) == (merged, None)
    assert narrowed == []
    assert apart == folded[::-1]


async def test_requests_of_a_household_are_read_by_who_works_there_and_by_nobody_else(make):
    first, _second = await twins(make)
    mine = await asked_for(make, await home_of(make, first), 1)
    await make.cell(NEIGHBOUR)
    here, elsewhere, volunteer = await make.worker(), await make.worker(NEIGHBOUR), await make.volunteer()
    url = "/api/v1/requests"

    refused = await volunteer.client.get(url, params={"household_id": str(first.household_id)})
    odd = await here.client.get(url, params={"household_id": "门牌302"})

    assert (await requests_of(here, first))[0] == mine
    assert (await requests_of(elsewhere, first))[0] == []
    assert said(refused) == (403, "role_not_allowed")
    assert said(odd)[:2] == (422, "malformed")


async def test_what_a_folded_household_asked_for_is_not_asked_for_again(make):
    first, second = await twins(make)
    [open_one] = await asked_for(make, await home_of(make, second), 1)
    worker = await make.worker()
    await settle(worker, await the_pair(worker), first)
    asked = [{"kind": "request", "id": str(uuid7()), "category": "errand"}]

    visit = await worker.client.put(f"/api/v1/visits/{uuid7()}", json=visit_to(first.household_id, follow_ups=asked))
    found, _ = await requests_of(worker, first)

    assert visit.status_code == 200, visit.text
    assert found == [open_one]


def door_in(cell):
    return {"cell_code": cell, "compound": "河滨小区", "building": "9号楼", "unit": "", "room": "101", "usage": "empty"}


async def test_a_household_in_which_others_live_stays(make):
    first, second = await twins(make)
    other = await make.resident(await home_of(make, second), name="李秀英")
    worker = await make.worker()
    before = await fates(worker)

    await settle(worker, await the_pair(worker), first)
    left = (await worker.client.get(home(other.household_id))).json()

    assert before == {str(first.id): "folds", str(second.id): "stays"}
    assert (left["head_name"], left["size"]) == ("李秀英", 1)


async def home_of(make, person):
    return (await make.run(lambda tx: households_by_ids(tx.conn, tx.county, [person.household_id])))[
        person.household_id
    ]


async def test_two_rows_in_one_household_leave_it_as_it_is(make):
    house = await make.household()
    first = await make.resident(house, name="王小华", birth_date=BORN, phone=PHONE)
    await make.resident(house, name="王小华", birth_date=BORN, phone=PHONE)
    worker = await make.worker()
    before = await fates(worker)

    await settle(worker, await the_pair(worker), first)

    assert set(before.values()) == {"shared"}
    assert (await worker.client.get(home(house.id))).json()["size"] == 1


async def test_a_folded_household_stands_for_itself_again_when_the_merge_is_undone_or_somebody_is_born_there(make):
    first, second = await twins(make)
    worker = await make.worker()
    pair = await the_pair(worker)
    newborn = {"household_id": str(second.household_id), "name": "王小宝", "relation": "20"}

    await settle(worker, pair, first)
    await undo(worker, pair)
    undone = await worker.client.get(home(second.household_id))
    await settle(worker, pair, first)
    await worker.client.put(f"/api/v1/residents/{uuid7()}", json=newborn)
    born = await worker.client.get(home(second.household_id))
    found = (await worker.client.get("/api/v1/households", params={"q": "303"})).json()["items"]

    assert (undone.json()["head_name"], born.json()["head_name"]) == ("王晓华", "王小宝")
    assert [row["id"] for row in found] == [str(second.household_id)]


async def test_nobody_is_sent_to_a_folded_household(make):
    first, second = await twins(make)
    worker = await make.worker()
    when = make.database.clock() - timedelta(days=100)
    await make.run(lambda tx: tx.conn.execute("UPDATE household SET due_on = $1", county_day(when)))

    due = (await worker.client.get("/api/v1/rounds/today")).json()["items"]
    await settle(worker, await the_pair(worker), first)
    after = (await worker.client.get("/api/v1/rounds/today")).json()["items"]

    assert {row["household_id"] for row in due} == {str(first.household_id), str(second.household_id)}
    assert {row["household_id"] for row in after} == {str(first.household_id)}


# Named by somebody


async def propose(worker, one, other):
    return await worker.client.post(at(), json={"one": str(one.id), "other": str(other.id)})


async def test_a_pair_that_somebody_names_is_a_pair_like_any_other_and_stays_overnight(make, database):
    first = await make.resident(name="王小华")
    second = await make.resident(await make.household(room="303"), name="王华华")
    worker = await make.worker()

    named, again = [await propose(worker, first, second) for _ in range(2)]
    await run_duplicates(database)
    pair = await the_pair(worker)
    merged = await settle(worker, pair, first)

    assert (named.status_code, named.json()["reasons"], named.json()["state"]) == (201, ["by_hand"], "open")
    assert named.json() == again.json() == pair
    assert merged.json()["state"] == "merged"


async def test_a_pair_that_was_found_keeps_that_somebody_named_it_too(make, database):
    first, second = await twins(make)
    worker = await make.worker()

    named = await propose(worker, second, first)
    await run_duplicates(database)

    assert named.json()["reasons"] == ["phone", "by_hand"]
    assert (await the_pair(worker))["reasons"] == ["phone", "by_hand"]


async def test_a_pair_that_cannot_be_one_person_or_was_decided_is_not_named(make):
    first, second = await twins(make)
    stranger = await make.resident(await make.household(NEIGHBOUR), name="李芳")
    worker, coordinator, auditor = await make.worker(), await make.worker(COMMUNITY), await make.auditor()
    two_cells = await make.account((Role.grid_worker, CELL), (Role.grid_worker, NEIGHBOUR))
    pair = await the_pair(worker)
    await settle(worker, pair)

    answers = [
        await propose(worker, first, first),
        await propose(worker, first, stranger),
        await propose(two_cells, first, stranger),
        await propose(auditor, first, stranger),
        await propose(worker, first, second),
    ]
    await undo(worker, pair)
    await settle(worker, pair, first)
    merged = await propose(coordinator, second, stranger)

    assert [said(answer) for answer in answers] == [
        (422, "malformed", "/other"), (404, "resident_not_here", "/other"), (403, "area_not_allowed"),
        (403, "role_not_allowed"), (409, "step_not_allowed"),
    ]  # fmt: skip
    assert said(merged) == (410, "merged", f"/api/v1/residents/{first.id}")


async def test_who_looked_at_the_number_of_a_merged_row_is_told_of_the_kept_one(make):
    first, second = await twins(make, id_number=ID_NUMBER)
    worker = await make.worker()
    pair = await the_pair(worker)
    for one, number in ((second, ID_NUMBER), (first, OTHER_NUMBER)):
        await worker.client.put(
            of(one, "/identity"), json={"id_number": number, "reason": REASON}, headers={"If-Match": '"1"'}
        )
    await worker.client.post(of(first, "/identity/reveal"), json={"reason": REASON})
    rev = (await worker.client.get(of(first))).headers["ETag"]
    await worker.client.delete(of(first, "/identity"), params={"reason": REASON}, headers={"If-Match": rev})
    await settle(worker, pair, second)

    looks = (await worker.client.get(of(second, "/identity/looks"))).json()["items"]

    assert [row["look"] for row in looks] == ["revealed", "checked"]


# Merging and undoing is nothing

DUMPED = ("resident", "household", "dwelling", "search_key", "period", "link", "occupancy", "duplicate", "visit")


async def dump(make):
    """Everything the register holds, but for revisions, which only ever go up, and when the pair was last looked at."""

    async def read(tx):
        return {
            table: sorted(
                row["one"]
                for row in await tx.conn.fetch(f"SELECT (to_jsonb(t) - 'rev' - 'seen_at')::text AS one FROM {table} t")
            )
            for table in DUMPED
        }

    return await make.run(read)


def made_up(dice):
    return {
        "name": dice.choice(["王小华", "王晓华"]), "birth_date": dice.choice([BORN, None]),
        "phone": dice.choice([PHONE, PHONE, PHONE, None]), "relation": dice.choice(["10", "20", "97"]),
        "note": dice.choice(["", "听力不太好"]),
        "care": dice.sample(["alone", "medication", "veteran", "frail"], dice.randint(0, 3)),
        "residency": dice.choice(["registered", "living", "floating", "away"]),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
async def test_a_merge_that_is_undone_leaves_everything_as_it_was(make, seed):
    dice = random.Random(seed)
    coordinator = await make.worker(COMMUNITY)
    homes = [await make.household(dice.choice([CELL, NEIGHBOUR]), room=str(300 + at)) for at in range(3)]
    people = [await make.resident(dice.choice(homes), **made_up(dice)) for _ in range(4)]
    for one in dice.sample(people, 2):
        body = {"kind": "contact", "name": "何小梅"}
        await coordinator.client.put(of(one, f"/links/{uuid7()}"), json=body)
        await coordinator.client.put(
            f"/api/v1/visits/{uuid7()}", json=visit_to(one.household_id, resident_id=str(one.id))
        )
    await run_duplicates(make.database)
    before = await dump(make)
    by_id = {str(one.id): one for one in people}
    done = []
    for pair in await open_pairs(coordinator):
        keep = by_id[dice.choice(sorted(sides(pair)))] if dice.random() < 0.8 else None
        if (await settle(coordinator, pair, keep)).status_code == 200:
            done.append(pair)
    during = await dump(make)
    for pair in dice.sample(done, len(done)):
        assert (await undo(coordinator, pair)).status_code == 200

    assert done
    assert during != before
    assert await dump(make) == before
