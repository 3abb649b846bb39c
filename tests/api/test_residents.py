"""People, households and doors, over HTTP on PostgreSQL."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.core.postgres import pg_binary
from backend.grid.geo import to_gcj02
from backend.residents import loading
from shared.auth import Role
from shared.residents import Care, Relation, Residency, Sex
from shared.types import uuid7
from tests.conftest import KEYS
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY, middle_of

ID_NUMBER = "610330200001010011"
OTHER_NUMBER = "610388199003070017"


def home(entity_id=""):
    return f"/api/v1/households/{entity_id}".rstrip("/")


def person(entity_id="", more=""):
    return f"/api/v1/residents/{entity_id}".rstrip("/") + more


def door(**other):
    return {"cell_code": CELL, "compound": "河滨小区", "building": "3号楼", "unit": "2单元", "room": "302"} | other


def somebody(household, **other):
    return {"household_id": str(household.id), "name": "王小华", "phone": "13812345678", "relation": "02"} | other


async def found(reader, path, **params):
    answer = await reader.client.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return [item.get("name", item.get("room")) for item in answer.json()["items"]]


async def rows(make, query, *arguments):
    async def read(tx):
        return [dict(row) for row in await tx.conn.fetch(query, *arguments)]

    return await make.run(read)


# Households


async def test_a_household_is_stored_once_and_read_back(make):
    await make.cell()
    worker, household_id = await make.worker(), uuid7()
    lon, lat = middle_of(CELL)
    position = dict(zip(("lon", "lat"), to_gcj02(lon, lat), strict=True), crs="gcj02")

    first, retry = [await worker.client.put(home(household_id), json=door(position=position)) for _ in range(2)]
    read = await worker.client.get(home(household_id))
    listed = await worker.client.get(home(), params={"area_code": CELL})

    assert first.status_code == retry.status_code == 200
    assert first.headers["ETag"] == read.headers["ETag"] == '"1"'
    assert first.json() == retry.json() == read.json()
    assert listed.json()["items"] == [read.json()]
    assert (read.json()["lon"], read.json()["lat"]) == pytest.approx((lon, lat), abs=1e-8)
    assert read.json()["size"] == 0


async def test_one_household_comes_of_a_request_sent_many_times_at_once(make):
    await make.cell()
    worker, household_id = await make.worker(), uuid7()

    answers = await asyncio.gather(*(worker.client.put(home(household_id), json=door()) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(await rows(make, "SELECT 1 FROM dwelling")) == 1


async def test_an_id_is_used_for_one_household_only(make):
    for code in (CELL, NEIGHBOUR):
        await make.cell(code)
    worker, other, household_id = await make.worker(CELL), await make.worker(NEIGHBOUR), uuid7()
    await worker.client.put(home(household_id), json=door())

    changed = await worker.client.put(home(household_id), json=door(room="303"))
    invisible = await other.client.put(home(household_id), json=door(cell_code=NEIGHBOUR))

    assert (changed.status_code, changed.json()["code"]) == (409, "id_taken")
    assert (invisible.status_code, invisible.json()["code"]) == (409, "id_taken")
    assert len(await rows(make, "SELECT 1 FROM household")) == len(await rows(make, "SELECT 1 FROM dwelling")) == 1


async def test_a_door_is_changed_on_the_version_it_was_read_at(make):
    household = await make.household()
    worker = await make.worker()

    changed = await worker.client.put(home(household.id), json=door(room="401"), headers={"If-Match": '"1"'})
    same = await worker.client.put(home(household.id), json=door(room="401"), headers={"If-Match": '"2"'})
    stale = await worker.client.put(home(household.id), json=door(room="402"), headers={"If-Match": '"1"'})

    assert (changed.status_code, changed.json()["room"], changed.headers["ETag"]) == (200, "401", '"2"')
    assert same.json()["rev"] == 2
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert await found(worker, "/households", q="401") == ["401"]
    assert await found(worker, "/households", q="302") == []
    assert [row["fields"] for row in await rows(make, "SELECT fields FROM edit")] == [["room", "position"]]


async def test_two_who_change_a_door_at_once_do_not_overwrite_each_other(make):
    household = await make.household()
    worker = await make.worker()

    answers = await asyncio.gather(
        *(
            worker.client.put(home(household.id), json=door(room=room), headers={"If-Match": '"1"'})
            for room in ("401", "402", "403")
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"cell_code": "610330100008009"}, 403, "area_not_allowed"),
        ({"cell_code": NEIGHBOUR}, 403, "area_not_allowed"),
        ({"cell_code": "440305001001001"}, 422, "unknown_area"),
        ({"cell_code": "6103301000080030"}, 422, "malformed"),
        ({"room": "3\x0002"}, 422, "malformed"),
        ({"room": "3" * 101}, 422, "malformed"),
        ({"lift": True}, 422, "malformed"),
        ({"position": {"lon": 106.5, "lat": 33.9}}, 422, "malformed"),
        ({"position": {"lon": 1e308, "lat": 33.9, "crs": "wgs84"}}, 422, "malformed"),
        ({"position": {"lon": 116.4, "lat": 39.9, "crs": "wgs84"}}, 422, "outside_county"),
    ],
)
async def test_a_household_that_cannot_be_is_refused(make, change, status, code):
    await make.cell()
    worker = await make.worker()

    answer = await worker.client.put(home(uuid7()), json=door(**change))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await rows(make, "SELECT 1 FROM household") == []


async def test_a_cell_that_nobody_drew_has_no_households(make):
    answer = await (await make.admin()).client.put(home(uuid7()), json=door())

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_area")


async def test_moving_a_household_to_another_cell_is_no_change_of_door(make):
    household = await make.household()
    await make.cell(NEIGHBOUR)
    worker = await make.worker(COMMUNITY)

    body = door(cell_code=NEIGHBOUR)
    answer = await worker.client.put(home(household.id), json=body, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.json()["code"]) == (409, "step_not_allowed")


# People


async def test_a_person_is_registered_once_and_read_back(make):
    household = await make.household()
    worker, resident_id = await make.worker(), uuid7()
    body = somebody(household, sex="2", birth_date="1950-03-07", care=["frail", "alone", "frail"], note="耳背")

    first, retry = [await worker.client.put(person(resident_id), json=body) for _ in range(2)]
    read = await worker.client.get(person(resident_id))
    listed = await worker.client.get(person(), params={"household_id": str(household.id)})

    assert first.status_code == retry.status_code == 200
    assert first.json() == retry.json() == read.json()
    assert listed.json()["items"] == [read.json()]
    assert read.json()["area_code"] == CELL
    assert read.json()["care"] == ["alone", "frail"]
    assert read.json()["id_on_file"] is False


async def test_a_household_sums_its_people_up(make):
    household = await make.household()
    worker = await make.worker()

    await worker.client.put(person(uuid7()), json=somebody(household, name="李梅", relation="10", care=["medication"]))
    await worker.client.put(person(uuid7()), json=somebody(household, name="王强", care=["frail"]))
    summed = (await worker.client.get(home(household.id))).json()

    assert (summed["head_name"], summed["size"], summed["care"]) == ("王强", 2, ["frail", "medication"])
    assert summed["rev"] == 3


async def test_a_sum_counts_everybody_who_joined_at_once(make):
    household = await make.household()
    worker = await make.worker()

    others = [somebody(household, relation="97") for _ in range(5)]
    await asyncio.gather(*(worker.client.put(person(uuid7()), json=body) for body in others))

    assert (await worker.client.get(home(household.id))).json()["size"] == 5


async def test_an_edit_changes_what_it_names_and_everything_that_follows(make):
    household = await make.household()
    resident = await make.resident(household, name="单雄", phone="13812345678", care=[Care.alone])
    worker = await make.worker()

    answer = await worker.client.patch(
        person(resident.id), json={"name": "解珍", "phone": None}, headers={"If-Match": '"1"'}
    )

    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    assert answer.json() == resident.model_dump(mode="json") | {"name": "解珍", "phone": None, "rev": 2}
    assert (await worker.client.get(home(household.id))).json()["head_name"] == "解珍"
    assert await found(worker, "/residents", q="xiezhen") == ["解珍"]
    assert await found(worker, "/residents", q="单雄") == await found(worker, "/residents", q="5678") == []
    assert [sorted(row["fields"]) for row in await rows(make, "SELECT fields FROM edit")] == [["name", "phone"]]


async def test_an_edit_by_post_is_the_same_as_by_patch(make):
    resident, worker = await make.resident(), await make.worker()

    answer = await worker.client.post(person(resident.id), json={"note": "耳背"}, headers={"If-Match": '"1"'})

    assert (answer.json()["note"], answer.json()["rev"]) == ("耳背", 2)


async def test_an_edit_that_changes_nothing_is_no_new_version(make):
    resident, worker = await make.resident(), await make.worker()

    answers = [
        await worker.client.patch(person(resident.id), json=body, headers={"If-Match": '"1"'})
        for body in ({}, {"name": resident.name})
    ]

    assert [answer.json()["rev"] for answer in answers] == [1, 1]


async def test_an_edit_needs_the_version_it_was_made_on(make):
    resident, worker = await make.resident(), await make.worker()
    send = worker.client.patch

    missing = await send(person(resident.id), json={"note": "一"})
    stale = await send(person(resident.id), json={"note": "一"}, headers={"If-Match": '"9"'})
    at_once = await asyncio.gather(
        *(send(person(resident.id), json={"note": note}, headers={"If-Match": '"1"'}) for note in ("二", "三", "四"))
    )

    assert (missing.status_code, stale.status_code) == (428, 412)
    assert sorted(answer.status_code for answer in at_once) == [200, 412, 412]


@pytest.mark.parametrize(
    "body",
    [
        {"name": None}, {"name": ""}, {"name": "=1+1"}, {"care": None}, {"id_number": ID_NUMBER}, {"note": "\x00"},
        {"birth_date": "2199-01-01"},
    ],
)  # fmt: skip
async def test_an_edit_that_cannot_be_is_refused(make, body):
    resident, worker = await make.resident(), await make.worker()

    answer = await worker.client.patch(person(resident.id), json=body, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(body))}"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"household_id": "00000000-0000-0000-0000-000000000000"}, 404, "household_not_here"),
        ({"household_id": "一户"}, 422, "malformed"),
        ({"name": "王\x00"}, 422, "malformed"),
        ({"name": "王" * 61}, 422, "malformed"),
        ({"name": "@王"}, 422, "malformed"),
        ({"sex": "3"}, 422, "malformed"),
        ({"phone": "138１2345678"}, 422, "malformed"),
        ({"birth_date": "0001-01-01"}, 422, "malformed"),
        ({"birth_date": 10**30}, 422, "malformed"),
        ({"birth_date": "2199-01-01"}, 422, "malformed"),
        ({"care": ["lonely"]}, 422, "malformed"),
        ({"care": ["alone"] * 13}, 422, "malformed"),
        ({"id_number": ID_NUMBER[:-1] + "2"}, 422, "id_checksum"),
        ({"id_number": "٦" + ID_NUMBER[1:]}, 422, "malformed"),
        ({"id_number": "1" * 5000}, 422, "malformed"),
    ],
)
async def test_a_person_that_cannot_be_is_refused(make, change, status, code):
    household, worker = await make.household(), await make.worker()

    answer = await worker.client.put(person(uuid7()), json=somebody(household, **change))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await rows(make, "SELECT 1 FROM resident") == []


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"\\ud800"', '{"name": "\\ud800"}', "[" * 90_000, '{"size": 1e999}']
)
async def test_a_body_that_is_none_is_never_a_server_error(make, body):
    worker = await make.worker()

    answer = await worker.client.put(person(uuid7()), content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


@pytest.mark.parametrize("entity_id", ["1", "%00", "not-an-id", "9" * 400, "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8eff0"])
async def test_a_malformed_id_is_said_so(make, entity_id):
    worker = await make.worker()

    answers = [await worker.client.get(url(entity_id)) for url in (home, person)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "malformed")}


# Whose


async def test_what_lies_in_another_area_is_not_there(make):
    resident = await make.resident()
    stranger = await make.worker(OTHER_COMMUNITY)
    match = {"If-Match": '"1"'}

    answers = [
        await stranger.client.get(person(resident.id)),
        await stranger.client.get(home(resident.household_id)),
        await stranger.client.patch(person(resident.id), json={"note": "改"}, headers=match),
        await stranger.client.put(home(resident.household_id), json=door(), headers=match),
        await stranger.client.put(person(uuid7()), json={"household_id": str(resident.household_id), "name": "王"}),
        await stranger.client.post(person(resident.id, "/identity/reveal"), json={"reason": "办理社保"}),
        await stranger.client.post(person(resident.id, "/identity/check"), json={"id_number": ID_NUMBER}),
        await stranger.client.get(person(resident.id, "/identity/looks")),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert await found(stranger, "/residents", q="王小华") == []
    assert await found(stranger, "/residents", household_id=str(resident.household_id)) == []


async def test_an_area_of_others_cannot_be_listed(make):
    worker = await make.worker()

    answers = [await worker.client.get(url(), params={"area_code": OTHER_COMMUNITY}) for url in (home, person)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "area_not_allowed")}


async def test_only_those_who_work_there_may_write(make):
    resident = await make.resident()
    volunteer = await make.account((Role.volunteer, COMMUNITY))
    readers = [await make.auditor(), await make.partner()]
    mixed = await make.account((Role.auditor, COUNTY), (Role.grid_worker, NEIGHBOUR))
    match = {"If-Match": '"1"'}

    def attempts(client):
        return [
            client.put(home(uuid7()), json=door()),
            client.put(home(resident.household_id), json=door(), headers=match),
            client.put(person(uuid7()), json={"household_id": str(resident.household_id), "name": "王"}),
            client.patch(person(resident.id), json={"note": "改"}, headers=match),
            client.post(person(resident.id), json={"note": "改"}, headers=match),
            client.post(person(resident.id, "/identity/reveal"), json={"reason": "办理社保"}),
            client.post(person(resident.id, "/identity/check"), json={"id_number": ID_NUMBER}),
        ]

    for who in (volunteer, *readers):
        codes = {(await attempt).json()["code"] for attempt in attempts(who.client)}
        assert codes == {"role_not_allowed"}
        assert (await who.client.get(person(resident.id, "/identity/looks"))).json()["code"] == "role_not_allowed"
    assert {(await attempt).json()["code"] for attempt in attempts(mixed.client)} == {"area_not_allowed"}
    assert {(await volunteer.client.get(url())).status_code for url in (home, person)} == {403}
    assert {(await make.client().get(url())).status_code for url in (home, person)} == {401}


async def test_who_does_not_ring_people_up_reads_a_masked_number(make):
    resident = await make.resident(phone="13812345678")
    partner, worker = await make.partner(), await make.worker()

    masked = [
        (await partner.client.get(person(resident.id))).json()["phone"],
        (await partner.client.get(person())).json()["items"][0]["phone"],
    ]
    searched = [await partner.client.get(url(), params={"q": "1381234"}) for url in (home, person)]

    assert masked == ["138****5678"] * 2
    assert {answer.json()["code"] for answer in searched} == {"role_not_allowed"}
    assert (await worker.client.get(person(resident.id))).json()["phone"] == "13812345678"


# Search


async def test_people_are_found_by_name_pinyin_initials_and_phone(make):
    household = await make.household()
    await make.resident(household, name="单小花", phone="13812345678")
    await make.resident(household, name="王大力", phone=None, relation=Relation.spouse)
    worker = await make.worker()

    for typed in ("单", "小花", "shanxiao", "dan", "sxh", "XH", "1381234", "5678", "１３８", " 单 "):
        assert await found(worker, "/residents", q=typed) == ["单小花"], typed
        assert await found(worker, "/households", q=typed) == ["302"], typed
    for typed in ("李", "王%力", "_", "\U0010ffff", "'; --"):
        answer = await worker.client.get(person(), params={"q": typed})
        assert answer.json().get("items", []) == [], typed
        assert answer.status_code in (200, 422), typed


async def test_households_are_found_by_their_door(make):
    await make.household(room="302")
    worker = await make.worker()

    for typed in ("河滨", "hbxq", "3号楼2单元", "302"):
        assert await found(worker, "/households", q=typed) == ["302"]
        assert await found(worker, "/residents", q=typed) == []


@pytest.mark.parametrize("typed", ["", " ", "、。", "好" * 41, "\x00"])
async def test_a_search_for_nothing_is_said_so(make, typed):
    worker = await make.worker()

    answers = [await worker.client.get(url(), params={"q": typed}) for url in (home, person)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "malformed")}


async def test_lists_come_in_pages_without_a_gap(make):
    household = await make.household()
    for number in range(5):
        await make.resident(household, name=f"王{number}")
    worker, seen, cursor = await make.worker(), [], None

    while cursor is not None or not seen:
        params = {"limit": 2, "q": "王"} | ({"cursor": cursor} if cursor else {})
        page = (await worker.client.get(person(), params=params)).json()
        seen, cursor = seen + [item["name"] for item in page["items"]], page["next_cursor"]

    assert seen == ["王4", "王3", "王2", "王1", "王0"]


# Identity numbers


async def test_a_number_is_shown_only_for_a_reason_and_every_look_is_told(make):
    resident = await make.resident(id_number=ID_NUMBER)
    worker = await make.worker(name="赵雷")

    shown = await worker.client.post(person(resident.id, "/identity/reveal"), json={"reason": "代办社保卡"})
    right = await worker.client.post(person(resident.id, "/identity/check"), json={"id_number": ID_NUMBER})
    wrong = await worker.client.post(person(resident.id, "/identity/check"), json={"id_number": OTHER_NUMBER})
    looks = (await worker.client.get(person(resident.id, "/identity/looks"))).json()["items"]

    assert shown.json()["id_number"] == ID_NUMBER
    assert shown.headers["Cache-Control"] == "no-store"
    assert (right.json(), wrong.json()) == ({"matches": True}, {"matches": False})
    assert [(look["account_name"], look["look"], look["reason"]) for look in looks] == [
        ("赵雷", "checked", ""),
        ("赵雷", "checked", ""),
        ("赵雷", "revealed", "代办社保卡"),
    ]


async def test_a_number_is_shown_nowhere_else(make):
    household, worker, resident_id = await make.household(), await make.worker(), uuid7()

    answers = [
        await worker.client.put(person(resident_id), json=somebody(household, id_number=ID_NUMBER)),
        await worker.client.get(person(resident_id)),
        await worker.client.get(person()),
        await worker.client.patch(person(resident_id), json={"note": "一"}, headers={"If-Match": '"1"'}),
        await worker.client.get(home(household.id)),
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert answers[1].json()["id_on_file"] is True
    assert all(ID_NUMBER not in answer.text for answer in answers)


async def test_a_small_x_is_the_same_number(make):
    resident = await make.resident(id_number="61038819900101007x")
    worker = await make.worker()

    answer = await worker.client.post(person(resident.id, "/identity/reveal"), json={"reason": "代办社保卡"})

    assert answer.json()["id_number"] == "61038819900101007X"


async def test_a_number_is_registered_once_in_the_county_wherever(make):
    await make.resident(id_number=ID_NUMBER)
    household, other = await make.household(NEIGHBOUR), await make.worker(NEIGHBOUR)

    answer = await other.client.put(person(uuid7()), json=somebody(household, id_number=ID_NUMBER))

    assert (answer.status_code, answer.json()["code"]) == (409, "id_already_registered")
    assert answer.json()["errors"][0]["pointer"] == "/id_number"
    assert (await other.client.get(home(household.id))).json()["size"] == 0


async def test_without_a_number_on_file_there_is_nothing_to_show(make):
    resident, worker = await make.resident(), await make.worker()

    shown = await worker.client.post(person(resident.id, "/identity/reveal"), json={"reason": "代办社保卡"})
    checked = await worker.client.post(person(resident.id, "/identity/check"), json={"id_number": ID_NUMBER})

    assert {(answer.status_code, answer.json()["code"]) for answer in (shown, checked)} == {(404, "no_id_on_file")}


@pytest.mark.parametrize("reason", ["", "   ", "看看", "代办\x00社保", "代" * 101])
async def test_a_reason_must_be_one(make, reason):
    resident, worker = await make.resident(id_number=ID_NUMBER), await make.worker()

    answer = await worker.client.post(person(resident.id, "/identity/reveal"), json={"reason": reason})

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert (await worker.client.get(person(resident.id, "/identity/looks"))).json()["items"] == []


async def test_a_number_read_wrongly_from_a_card_is_said_so(make):
    resident, worker = await make.resident(id_number=ID_NUMBER), await make.worker()

    body = {"id_number": ID_NUMBER[:-1] + "X"}
    answer = await worker.client.post(person(resident.id, "/identity/check"), json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "id_checksum")


def number_in(resident_id):
    return person(resident_id, "/identity")


async def test_a_number_is_added_corrected_and_removed_each_for_a_reason(make):
    resident, worker = await make.resident(), await make.worker()
    url, steps = number_in(resident.id), []

    for rev, number in enumerate((OTHER_NUMBER, ID_NUMBER), start=1):
        body, headers = {"id_number": number, "reason": "拿证件来补登"}, {"If-Match": f'"{rev}"'}
        steps.append(await worker.client.put(url, json=body, headers=headers))
    shown = await worker.client.post(person(resident.id, "/identity/reveal"), json={"reason": "代办社保卡"})
    steps.append(await worker.client.delete(url, params={"reason": "不是本人的号码"}, headers={"If-Match": '"3"'}))
    again = await worker.client.delete(url, params={"reason": "不是本人的号码"}, headers={"If-Match": '"4"'})

    assert [(a.status_code, a.json()["id_on_file"], a.headers["ETag"]) for a in steps] == [
        (200, True, '"2"'), (200, True, '"3"'), (200, False, '"4"'),
    ]  # fmt: skip
    assert shown.json()["id_number"] == ID_NUMBER
    assert (again.status_code, again.json()["code"]) == (404, "no_id_on_file")
    audits = await rows(make, "SELECT action, detail FROM audit WHERE action LIKE 'identity.%' ORDER BY at")
    assert [(row["action"], json.loads(row["detail"])["reason"]) for row in audits] == [
        ("identity.added", "拿证件来补登"), ("identity.corrected", "拿证件来补登"),
        ("identity.revealed", "代办社保卡"), ("identity.removed", "不是本人的号码"),
    ]  # fmt: skip
    edits = await rows(make, "SELECT rev, fields FROM edit WHERE entity_id = $1 ORDER BY rev", resident.id)
    assert [(row["rev"], row["fields"]) for row in edits] == [
        (2, ["id_number"]),
        (3, ["id_number"]),
        (4, ["id_number"]),
    ]


async def test_a_changed_number_moves_the_feed(make):
    resident, worker = await make.resident(), await make.worker()
    [before] = await rows(make, "SELECT seq FROM feed_head WHERE stream = $1", COMMUNITY)

    await worker.client.put(
        number_in(resident.id), json={"id_number": ID_NUMBER, "reason": "拿证件来补登"}, headers={"If-Match": '"1"'}
    )

    after = await rows(make, "SELECT kind, id, gone FROM change WHERE seq > $1", before["seq"])
    assert after == [{"kind": "resident", "id": resident.id, "gone": False}]


async def test_a_number_that_was_removed_is_free_for_its_real_owner(make):
    wrong, right, worker = await make.resident(id_number=ID_NUMBER), await make.resident(), await make.worker()
    body, first = {"id_number": ID_NUMBER, "reason": "登记到别人名下了"}, {"If-Match": '"1"'}

    taken = await worker.client.put(number_in(right.id), json=body, headers=first)
    await worker.client.delete(number_in(wrong.id), params={"reason": "登记错了人"}, headers=first)
    free = await worker.client.put(number_in(right.id), json=body, headers=first)

    assert (taken.status_code, taken.json()["code"]) == (409, "id_already_registered")
    assert taken.json()["errors"][0]["pointer"] == "/id_number"
    assert free.status_code == 200


async def test_the_number_that_is_on_file_already_changes_nothing_and_is_a_look(make):
    resident, worker = await make.resident(id_number=ID_NUMBER), await make.worker()

    same = await worker.client.put(
        number_in(resident.id), json={"id_number": ID_NUMBER, "reason": "再核一遍"}, headers={"If-Match": '"1"'}
    )
    looks = (await worker.client.get(person(resident.id, "/identity/looks"))).json()["items"]

    assert (same.status_code, same.json()["rev"]) == (200, 1)
    assert [look["look"] for look in looks] == ["checked"]


@pytest.mark.parametrize(
    ("body", "if_match", "status", "code"),
    [
        ({"id_number": ID_NUMBER[:-1] + "2"}, '"1"', 422, "id_checksum"),
        ({"id_number": "٦" + ID_NUMBER[1:]}, '"1"', 422, "malformed"),
        ({"reason": "补"}, '"1"', 422, "malformed"),
        ({"reason": "补\x00登号码"}, '"1"', 422, "malformed"),
        ({}, None, 428, "precondition_missing"),
        ({}, '"7"', 412, "stale"),
    ],
)
async def test_a_number_that_may_not_be_put_on_file_is_not(make, body, if_match, status, code):
    resident, worker = await make.resident(), await make.worker()
    headers = {"If-Match": if_match} if if_match else {}

    put = {"id_number": ID_NUMBER, "reason": "拿证件来补登"} | body
    refused = await worker.client.put(number_in(resident.id), json=put, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await worker.client.get(person(resident.id))).json()["id_on_file"] is False


@pytest.mark.parametrize(
    ("params", "if_match", "status", "code"),
    [
        ({}, '"1"', 422, "malformed"),
        ({"reason": "错"}, '"1"', 422, "malformed"),
        ({"reason": "登记错了人"}, None, 428, "precondition_missing"),
        ({"reason": "登记错了人"}, '"7"', 412, "stale"),
    ],
)
async def test_a_number_stays_on_file_when_it_may_not_be_removed(make, params, if_match, status, code):
    resident, worker = await make.resident(id_number=ID_NUMBER), await make.worker()
    headers = {"If-Match": if_match} if if_match else {}

    refused = await worker.client.delete(number_in(resident.id), params=params, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await worker.client.get(person(resident.id))).json()["id_on_file"] is True


async def test_who_may_not_change_a_number_is_refused(make):
    resident, body = await make.resident(), {"id_number": ID_NUMBER, "reason": "拿证件来补登"}
    roles = [await make.partner(), await make.auditor(), await make.volunteer()]
    neighbour, headers = await make.worker(NEIGHBOUR), {"If-Match": '"1"'}

    async def both(who):
        yield await who.client.put(number_in(resident.id), json=body, headers=headers)
        yield await who.client.delete(number_in(resident.id), params={"reason": "登记错了人"}, headers=headers)

    refused = [answer for who in roles for answer in [answer async for answer in both(who)]]
    unseen = [answer async for answer in both(neighbour)]

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "role_not_allowed")}
    assert {(answer.status_code, answer.json()["code"]) for answer in unseen} == {(404, "not_found")}


def dump(url):
    """The database as pg_dump writes it."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    where = ["-h", options["host"][0], "-p", options["port"][0], "-U", parts.username, "-d", parts.path[1:]]
    done = subprocess.run(
        [pg_binary("pg_dump"), *where], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    return done.stdout


def server_log(url):
    """What PostgreSQL itself has written down; refused statements are in it."""
    return (Path(parse_qs(urlsplit(url).query)["host"][0]) / "log").read_text()


async def test_neither_a_dump_nor_the_log_holds_a_plain_number(make, database_url, capfd):
    household, worker, resident_id = await make.household(), await make.worker(), uuid7()
    body = somebody(household, name="明文对照", id_number=ID_NUMBER)
    await worker.client.put(person(resident_id), json=body)
    await worker.client.put(person(uuid7()), json=body)
    await worker.client.put(person(uuid7()), json=body | {"id_number": ID_NUMBER[:-1] + "2"})
    await worker.client.post(person(resident_id, "/identity/reveal"), json={"reason": "代办社保卡"})
    await worker.client.post(person(resident_id, "/identity/check"), json={"id_number": ID_NUMBER})
    other = await make.resident(household)
    for who, number in ((other.id, ID_NUMBER), (other.id, OTHER_NUMBER), (resident_id, ID_NUMBER)):
        put = {"id_number": number, "reason": "拿证件来补登"}
        await worker.client.put(number_in(who), json=put, headers={"If-Match": '"1"'})
    await worker.client.delete(number_in(resident_id), params={"reason": "登记错了人"}, headers={"If-Match": '"1"'})

    dumped = await asyncio.to_thread(dump, database_url)
    logged = "".join(capfd.readouterr()) + server_log(database_url)

    assert "明文对照" in dumped  # the control: what is not sealed is there to be read
    assert "/residents/{resident_id}/identity/reveal" in logged
    assert "resident_id_index" in logged
    assert "identity.added" in dumped
    assert "identity.removed" in dumped
    for number in (ID_NUMBER, OTHER_NUMBER):
        for text in (dumped, logged):
            assert number[:17] not in text
            assert number.encode().hex() not in text


# Sealed kinds


async def test_which_sealed_kinds_are_on_file_is_told_without_what_they_say(make):
    resident = await make.resident()
    coordinator = await make.worker(COMMUNITY, name="王芳")
    facts = {
        "disability": {"code": "64", "grade": 2, "from_day": "2024-03-01", "reason": "残疾人证年审"},
        "poverty": {"code": "2", "from_day": "2023-01-01", "until_day": "2024-01-01", "reason": "低保名单"},
    }
    for kind, body in facts.items():
        stored = await coordinator.client.put(person(resident.id, f"/sealed/{kind}"), json=body)
        assert stored.status_code == 200, stored.text

    listed = await coordinator.client.get(person(resident.id, "/sealed"))

    assert [(row["kind"], row["from_day"], row["until_day"], row["noted_by"]) for row in listed.json()] == [
        ("disability", "2024-03-01", None, "王芳"), ("poverty", "2023-01-01", "2024-01-01", "王芳"),
    ]  # fmt: skip
    assert all(set(row) == {"kind", "from_day", "until_day", "noted_by", "noted_at"} for row in listed.json())


async def test_sealed_kinds_of_a_merged_row_are_told_of_the_kept_one(make):
    first, second = await make.resident(), await make.resident(await make.household(room="303"))
    coordinator = await make.worker(COMMUNITY)
    body = {"code": "2", "from_day": "2023-01-01", "reason": "低保名单"}
    await coordinator.client.put(person(second.id, "/sealed/poverty"), json=body)
    pair = await coordinator.client.post("/api/v1/duplicates", json={"one": str(first.id), "other": str(second.id)})
    decided = {"same": True, "keep": str(first.id), "reason": "上门核过证件"}
    await coordinator.client.post(f"/api/v1/duplicates/{pair.json()['id']}/settle", json=decided)

    listed = await coordinator.client.get(person(first.id, "/sealed"))

    assert [row["kind"] for row in listed.json()] == ["poverty"]


async def test_which_kinds_are_on_file_is_for_those_who_coordinate_there(make):
    resident = await make.resident()
    refused = [
        await one.client.get(person(resident.id, "/sealed"))
        for one in (await make.worker(), await make.auditor(), await make.partner(), await make.volunteer())
    ]
    elsewhere = await (await make.worker(OTHER_COMMUNITY)).client.get(person(resident.id, "/sealed"))

    assert {(one.status_code, one.json()["code"]) for one in refused} == {(403, "role_not_allowed")}
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_found")


# Loading


async def test_a_loaded_county_is_as_good_as_one_that_was_registered(make):
    await make.cell()
    household_id, resident_id = uuid7(), uuid7()
    household = loading.NewHousehold(household_id, uuid7(), CELL, "河滨小区", "3号楼", "", "302", 106.52, 33.9)
    people = [
        loading.NewResident(
            resident_id, household_id, "单小花", Sex.female, None, "13812345678", Relation.head, Residency.living,
            [Care.frail, Care.alone], ID_NUMBER,
        ),
        loading.NewResident(
            uuid7(), household_id, "王小力", Sex.male, None, None, Relation.son, Residency.away, [], None
        ),
    ]  # fmt: skip
    await make.run(lambda tx: loading.load(tx, KEYS, [household], people))
    worker = await make.worker()

    read = (await worker.client.get(home(household_id))).json()
    shown = await worker.client.post(person(resident_id, "/identity/reveal"), json={"reason": "代办社保卡"})

    assert (read["head_name"], read["size"], read["care"], read["lon"]) == ("单小花", 2, ["alone", "frail"], 106.52)
    assert shown.json()["id_number"] == ID_NUMBER
    for typed in ("sxh", "5678"):
        assert await found(worker, "/residents", q=typed) == ["单小花"]
    assert await found(worker, "/households", q="河滨") == ["302"]
    assert len(await rows(make, "SELECT 1 FROM change WHERE kind IN ('household', 'resident')")) == 3


async def test_what_changes_reaches_the_feed_of_its_community(make):
    household = await make.household()
    worker = await make.worker()
    before = await rows(make, "SELECT seq FROM feed_head WHERE stream = $1", COMMUNITY)

    await worker.client.put(person(uuid7()), json=somebody(household))
    after = await rows(make, "SELECT kind, id, area_code FROM change WHERE seq > $1 ORDER BY kind", before[0]["seq"])

    assert [(row["kind"], row["area_code"]) for row in after] == [("household", CELL), ("resident", CELL)]
    audited = await rows(make, "SELECT action, detail FROM audit WHERE entity_kind = 'resident'")
    assert [(row["action"], json.loads(row["detail"])) for row in audited] == [("resident.registered", {})]
