"""Sealed facts, findings, coded fields and code lists, over HTTP on PostgreSQL."""

import asyncio
from datetime import date
from itertools import pairwise
from uuid import uuid4

import pytest

from backend.residents import loading
from backend.residents.following import follow
from shared.auth import Role
from shared.identifiers import is_id_number
from shared.residents import Relation, Residency, Sex
from shared.types import uuid7
from tests.api.test_residents import dump, server_log
from tests.conftest import KEYS
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY

NUMBER = "610330200001010011"
OLD_NUMBER = "610330540308271"
REASON = "核对残疾人证"
CODED = {
    "ethnicity": "01", "marital": "20", "education": "31", "employment": "27", "occupation": "50000",
    "political": "01", "registered_place": "610330100008",
}  # fmt: skip


def of(resident, kind="disability"):
    return f"/api/v1/residents/{resident.id}/sealed/{kind}"


def fact(code="64", grade=2, from_day="2024-03-01", **other):
    return {"code": code, "grade": grade, "from_day": from_day, "reason": "残疾人证年审"} | other


def why(reason=REASON):
    return {"reason": reason}


def refusal(answer):
    body = answer.json()
    return answer.status_code, body["code"], [error["pointer"] for error in body.get("errors", [])]


async def spans(reader, resident, kind="disability"):
    answer = await reader.client.get(of(resident, kind), params=why())
    assert answer.status_code == 200, answer.text
    return [(each["code"], each["from_day"], each["until_day"]) for each in answer.json()["facts"]]


async def findings(reader, **params):
    answer = await reader.client.get("/api/v1/findings", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


# Code lists


async def test_the_code_lists_are_served_and_a_known_one_is_not_sent_again(make):
    partner = await make.partner()

    heads = await partner.client.get("/api/v1/code-lists")
    ethnic = await partner.client.get("/api/v1/code-lists/ethnicity")
    again = await partner.client.get("/api/v1/code-lists/ethnicity", headers={"If-None-Match": ethnic.headers["ETag"]})

    assert {"name": "political", "standard": "GB/T 4762"}.items() <= heads.json()[8].items()
    assert {"code": "01", "name": "汉族", "parent": None} in ethnic.json()["entries"]
    assert (again.status_code, again.content) == (304, b"")


async def test_a_code_list_that_there_is_not_or_a_volunteer_is_refused(make):
    worker, volunteer = await make.worker(), await make.volunteer()

    assert (await worker.client.get("/api/v1/code-lists/hobbies")).status_code == 422
    assert (await volunteer.client.get("/api/v1/code-lists")).status_code == 403


# Coded fields


async def test_coded_fields_are_stored_changed_and_emptied(make):
    home, worker, resident_id = await make.household(), await make.worker(), uuid7()
    url = f"/api/v1/residents/{resident_id}"
    body = {"household_id": str(home.id), "name": "王小华", "relation": "22"} | CODED

    stored = (await worker.client.put(url, json=body)).json()
    edited = await worker.client.patch(url, json={"marital": "40", "political": None}, headers={"If-Match": '"1"'})

    assert {name: stored[name] for name in CODED} == CODED
    assert stored["relation"] == "22"
    assert (edited.json()["marital"], edited.json()["political"], edited.json()["education"]) == ("40", None, "31")


@pytest.mark.parametrize("field", ["ethnicity", "marital", "education", "employment", "occupation", "political"])
async def test_a_code_that_its_list_does_not_have_is_refused_by_name(make, field):
    home, worker = await make.household(), await make.worker()
    resident = await make.resident(home)
    body = {"household_id": str(home.id), "name": "王小华", field: "88"}

    put = await worker.client.put(f"/api/v1/residents/{uuid7()}", json=body)
    patch = await worker.client.patch(
        f"/api/v1/residents/{resident.id}", json={field: "88"}, headers={"If-Match": '"1"'}
    )

    assert refusal(put) == refusal(patch) == (422, "unknown_code", [f"/{field}"])
    assert put.json()["errors"][0]["detail"] == "代码表里没有这个代码。"


async def test_a_relation_that_the_standard_does_not_have_is_refused(make):
    home, worker = await make.household(), await make.worker()
    body = {"household_id": str(home.id), "name": "王小华", "relation": "03"}

    answer = await worker.client.put(f"/api/v1/residents/{uuid7()}", json=body)

    assert refusal(answer) == (422, "malformed", ["/relation"])


async def test_political_status_is_read_by_staff_only(make):
    resident = await make.resident(**CODED)
    url, feed = f"/api/v1/residents/{resident.id}", "/api/v1/changes"
    worker, others = await make.worker(), [await make.auditor(), await make.partner()]

    assert (await worker.client.get(url)).json()["political"] == "01"
    for reader in others:
        listed = (await reader.client.get("/api/v1/residents")).json()["items"]
        assert [each["political"] for each in (*listed, (await reader.client.get(url)).json())] == [None, None]
        assert listed[0]["ethnicity"] == "01"
    changes = (await others[1].client.get(feed)).json()["items"]
    assert [each["body"]["political"] for each in changes if each["kind"] == "resident"] == [None]


# Findings


async def test_what_a_number_contradicts_is_found_and_settled_by_a_person(make):
    resident = await make.resident(id_number=NUMBER, sex=Sex.female, birth_date=date(2000, 1, 2))
    worker = await make.worker(name="张敏")

    found = await findings(worker, area_code=CELL)
    url = f"/api/v1/findings/{found[0]['id']}/settle"
    settled, again = [await worker.client.post(url, json={"reason": "对着身份证核过"}) for _ in range(2)]
    other_word = await worker.client.post(url, json={"reason": "再写一次别的"})

    assert sorted((each["kind"], each["resident_id"]) for each in found) == [
        ("birth_differs", str(resident.id)), ("sex_differs", str(resident.id)),
    ]  # fmt: skip
    assert not any(NUMBER[6:14] in str(each) for each in found)
    assert (settled.json()["state"], settled.json()["settled_by"]) == ("settled", "张敏")
    assert settled.json()["settled_at"] == again.json()["settled_at"]
    assert refusal(other_word) == (409, "step_not_allowed", [])
    assert len(await findings(worker, state="open")) == 1


async def test_a_number_that_agrees_is_no_finding(make):
    await make.resident(id_number=NUMBER, sex=Sex.male, birth_date=date(2000, 1, 1))

    assert await findings(await make.worker()) == []


async def test_findings_are_seen_and_settled_where_one_works(make):
    await make.resident(id_number=NUMBER, sex=Sex.female)
    near, far, auditor = await make.worker(), await make.worker(OTHER_COMMUNITY), await make.auditor()
    [found] = await findings(near)
    url, word = f"/api/v1/findings/{found['id']}/settle", {"reason": "对着身份证核过"}

    assert await findings(far) == []
    assert refusal(await far.client.post(url, json=word)) == (404, "not_found", [])
    assert (await auditor.client.get("/api/v1/findings")).status_code == 403
    assert (await auditor.client.post(url, json=word)).status_code == 403
    assert refusal(await near.client.post(url, json={"reason": "好"}))[:2] == (422, "malformed")


async def test_findings_come_in_pages_of_the_state_asked_for(make):
    await make.resident(id_number=NUMBER, sex=Sex.female, birth_date=date(2000, 1, 2))
    worker = await make.worker()
    first = (await worker.client.get("/api/v1/findings", params={"limit": 1, "state": "open"})).json()
    further = {"limit": 1, "state": "open", "cursor": first["next_cursor"]}
    second = (await worker.client.get("/api/v1/findings", params=further)).json()

    assert {first["items"][0]["kind"], second["items"][0]["kind"]} == {"sex_differs", "birth_differs"}
    assert second["next_cursor"] is None
    assert await findings(worker, state="settled") == []


async def test_the_same_person_found_twice_is_one_finding(make):
    resident = await make.resident(sex=Sex.female)
    worker = await make.worker()
    url = f"/api/v1/residents/{resident.id}/identity"
    for rev, number in ((1, NUMBER), (2, "610388199003070033"), (3, NUMBER)):
        put = await worker.client.put(
            url, json={"id_number": number, "reason": "拿证件来补登"}, headers={"If-Match": f'"{rev}"'}
        )
        assert put.status_code == 200, put.text

    states = [(each["kind"], each["state"]) for each in await findings(worker)]

    assert states == [("sex_differs", "open"), ("sex_differs", "settled"), ("sex_differs", "settled")]


async def test_an_old_number_is_stored_with_eighteen_and_the_form_it_was_given_in_is_a_finding(make):
    resident = await make.resident(id_number=OLD_NUMBER, sex=Sex.male)
    worker = await make.worker()
    url = f"/api/v1/residents/{resident.id}/identity"

    shown = (await worker.client.post(f"{url}/reveal", json={"reason": "代办社保卡"})).json()["id_number"]
    same = await worker.client.post(f"{url}/check", json={"id_number": OLD_NUMBER})

    assert (shown[:17], len(shown)) == ("61033019540308271", 18)
    assert same.json() == {"matches": True}
    assert [each["kind"] for each in await findings(worker)] == ["old_number"]


async def test_an_old_number_with_an_impossible_day_is_refused(make):
    home, worker = await make.household(), await make.worker()
    body = {"household_id": str(home.id), "name": "王小华", "id_number": "610330541308271"}

    answer = await worker.client.put(f"/api/v1/residents/{uuid7()}", json=body)

    assert refusal(answer) == (422, "id_checksum", ["/id_number"])


async def test_loaded_people_have_their_codes_and_their_findings(make):
    home, resident_id = await make.household(), uuid7()
    household = loading.NewHousehold(uuid7(), uuid7(), CELL, "河滨小区", "4号楼", "", "101", None, None)
    person = loading.NewResident(
        resident_id, household.id, "单小花", Sex.female, None, None, Relation("38"), Residency.living, [], NUMBER,
        **CODED,
    )  # fmt: skip
    await make.run(lambda tx: loading.load(tx, KEYS, [household], [person]))
    worker = await make.worker()

    read = (await worker.client.get(f"/api/v1/residents/{resident_id}")).json()

    assert home.area_code == read["area_code"]
    assert {name: read[name] for name in CODED} == CODED
    assert [each["kind"] for each in await findings(worker)] == ["sex_differs"]


# Sealed facts


async def test_a_sealed_fact_is_opened_for_a_reason_and_the_look_is_told(make):
    resident, coordinator = await make.resident(), await make.worker(COMMUNITY, name="李主任")

    put = await coordinator.client.put(of(resident), json=fact())
    opened = await coordinator.client.get(of(resident), params=why())
    looks = await coordinator.client.get(f"/api/v1/residents/{resident.id}/identity/looks")

    assert put.json() == {"kind": "disability", "from_day": "2024-03-01", "until_day": None}
    [read] = opened.json()["facts"]
    assert (read["code"], read["name"], read["grade"], read["noted_by"]) == ("64", "肢体残疾", 2, "李主任")
    assert opened.headers["Cache-Control"] == "no-store"
    [look] = looks.json()["items"]
    assert (look["what"], look["look"], look["reason"], look["account_name"]) == (
        "disability", "revealed", REASON, "李主任",
    )  # fmt: skip


async def test_a_later_fact_ends_the_one_before_and_the_same_day_puts_it_right(make):
    resident, admin = await make.resident(), await make.admin()
    for body in (fact("64", 3, "2020-01-01"), fact("64", 2, "2024-03-01"), fact("67", 1, "2024-03-01")):
        assert (await admin.client.put(of(resident), json=body)).status_code == 200

    assert await spans(admin, resident) == [("67", "2024-03-01", None), ("64", "2020-01-01", "2024-03-01")]


async def test_facts_of_a_kind_do_not_overlap_and_those_of_another_may(make):
    resident, admin = await make.resident(), await make.admin()
    await admin.client.put(of(resident), json=fact(from_day="2020-01-01", until_day="2022-01-01"))
    within = await admin.client.put(of(resident), json=fact(from_day="2021-01-01"))
    across = await admin.client.put(of(resident), json=fact(from_day="2019-01-01"))
    before = await admin.client.put(of(resident), json=fact(from_day="2019-01-01", until_day="2020-01-01"))
    poverty = await admin.client.put(of(resident, "poverty"), json=fact("2", None, "2021-01-01"))

    assert refusal(within) == refusal(across) == (409, "sealed_overlap", ["/from_day"])
    assert (before.status_code, poverty.status_code) == (200, 200)


async def test_facts_written_at_once_do_not_overlap_either(make):
    resident, admin = await make.resident(), await make.admin()
    bodies = [fact(from_day=f"20{year}-01-01", until_day=f"20{year + 2}-01-01") for year in range(10, 20)]

    await asyncio.gather(*(admin.client.put(of(resident), json=body) for body in bodies))
    found = sorted((start, end) for _code, start, end in await spans(admin, resident))

    assert found
    assert all(end <= start for (_, end), (start, _) in pairwise(found))


async def test_a_fact_written_in_error_is_removed_for_a_reason(make):
    resident, admin = await make.resident(), await make.admin()
    await admin.client.put(of(resident, "health"), json=fact("31", None))
    wrong = {"from_day": "2024-03-01", "reason": "登记错了人"}

    unreasoned = await admin.client.delete(of(resident, "health"), params={"from_day": "2024-03-01"})
    removed = await admin.client.delete(of(resident, "health"), params=wrong)
    again = await admin.client.delete(of(resident, "health"), params=wrong)
    opened = await admin.client.get(of(resident, "health"), params=why())

    assert refusal(unreasoned)[:2] == (422, "malformed")
    assert (removed.status_code, removed.content) == (204, b"")
    assert refusal(again)[:2] == refusal(opened)[:2] == (404, "nothing_sealed")


@pytest.mark.parametrize(
    ("kind", "body", "status", "code", "pointer"),
    [
        ("disability", fact("31"), 422, "unknown_code", "/code"),
        ("health", fact("99", None), 422, "unknown_code", "/code"),
        ("disability", fact(grade=None), 422, "malformed", "/grade"),
        ("health", fact("31", 2), 422, "malformed", "/grade"),
        ("disability", fact(grade=5), 422, "malformed", "/grade"),
        ("disability", fact(from_day="2199-01-01"), 422, "in_the_future", "/from_day"),
        ("disability", fact(until_day="2024-03-01"), 422, "malformed", "/until_day"),
        ("disability", fact(reason="无"), 422, "malformed", "/reason"),
    ],
)
async def test_a_fact_that_cannot_be_is_refused(make, kind, body, status, code, pointer):
    resident, admin = await make.resident(), await make.admin()

    assert refusal(await admin.client.put(of(resident, kind), json=body)) == (status, code, [pointer])


async def test_without_a_reason_or_a_kind_nothing_is_opened(make):
    resident, admin = await make.resident(), await make.admin()
    await admin.client.put(of(resident), json=fact())

    assert refusal(await admin.client.get(of(resident)))[:2] == (422, "malformed")
    assert refusal(await admin.client.get(of(resident), params=why("看看")))[:2] == (422, "malformed")
    assert (await admin.client.get(of(resident, "religion"), params=why())).status_code == 422


async def test_only_who_coordinates_the_place_writes_and_reads(make):
    resident, admin = await make.resident(), await make.admin()
    await admin.client.put(of(resident), json=fact())
    far = await make.worker(OTHER_COMMUNITY)
    both = await make.account((Role.grid_worker, CELL), (Role.community_worker, OTHER_COMMUNITY))
    wrong = {"from_day": "2024-03-01", "reason": "登记错了人"}

    for reader, code in (
        (await make.worker(), (403, "role_not_allowed")), (both, (403, "role_not_allowed")),
        (await make.auditor(), (403, "role_not_allowed")), (await make.partner(), (403, "role_not_allowed")),
        (far, (404, "not_found")), (await make.worker(NEIGHBOUR), (404, "not_found")),
    ):  # fmt: skip
        answers = [
            await reader.client.put(of(resident), json=fact(needs_care=True)),
            await reader.client.get(of(resident), params=why()),
            await reader.client.delete(of(resident), params=wrong),
        ]
        assert {refusal(answer)[:2] for answer in answers} == {code}
    refused = await both.client.get(of(resident), params=why())
    assert refused.json()["detail"] == "这一项只有社区工作者和县级管理员能看、能改，请找他们。"
    assert await spans(admin, resident) == [("64", "2024-03-01", None)]


async def test_a_grid_worker_sees_that_somebody_needs_care_and_not_why(make):
    resident, coordinator, worker = await make.resident(), await make.worker(COMMUNITY), await make.worker()
    for _ in range(2):
        assert (await coordinator.client.put(of(resident), json=fact(needs_care=True))).status_code == 200

    seen = (await worker.client.get(f"/api/v1/residents/{resident.id}")).json()

    assert seen["care"] == ["needs_care"]
    assert not {"disability", "health", "poverty", "sealed"} & set(seen)


async def test_a_fact_about_somebody_who_is_not_there_is_not_found(make):
    admin = await make.admin()
    nobody = f"/api/v1/residents/{uuid4()}/sealed/health"

    for body in (fact("31", None), fact("31", None, needs_care=True)):
        assert refusal(await admin.client.put(nobody, json=body))[:2] == (404, "not_found")


async def test_nothing_is_written_about_who_was_merged_into_another_and_what_was_stays_readable(make):
    gone, kept, admin = await make.resident(), await make.resident(), await make.admin()
    await admin.client.put(of(gone), json=fact())
    await make.run(lambda tx: tx.conn.execute("UPDATE resident SET merged_into = $2 WHERE id = $1", gone.id, kept.id))

    put = await admin.client.put(of(gone), json=fact("67", 1))
    removed = await admin.client.delete(of(gone), params={"from_day": "2024-03-01", "reason": "登记错了人"})
    of_the_kept = await admin.client.get(of(kept), params=why())

    assert put.json()["code"] == removed.json()["code"] == "merged"
    assert await spans(admin, gone) == [("64", "2024-03-01", None)]
    assert refusal(of_the_kept)[:2] == (404, "nothing_sealed")


async def test_the_number_and_the_facts_of_a_person_open_with_one_key(make):
    resident, admin = await make.resident(), await make.admin()
    url = f"/api/v1/residents/{resident.id}/identity"
    await admin.client.put(of(resident), json=fact())

    stale = await admin.client.put(
        url, json={"id_number": NUMBER, "reason": "本人拿证件来"}, headers={"If-Match": '"1"'}
    )
    put = await admin.client.put(url, json={"id_number": NUMBER, "reason": "本人拿证件来"}, headers={"If-Match": '"2"'})

    assert (stale.status_code, put.status_code) == (412, 200)
    assert (await admin.client.post(f"{url}/reveal", json={"reason": "代办社保卡"})).json()["id_number"] == NUMBER
    assert await spans(admin, resident) == [("64", "2024-03-01", None)]


async def test_a_sealed_value_that_was_moved_to_another_person_does_not_open(make):
    one, two, admin = await make.resident(), await make.resident(), await make.admin()
    for resident in (one, two):
        await admin.client.put(of(resident), json=fact())

    await make.run(lambda tx: tx.conn.execute(
        "UPDATE sealed_fact SET sealed = (SELECT sealed FROM sealed_fact WHERE resident_id = $2)"
        " WHERE resident_id = $1",
        one.id, two.id,
    ))  # fmt: skip

    moved = await admin.client.get(of(one), params=why())
    assert (moved.status_code, moved.json()["code"]) == (500, "server_error")
    assert await spans(admin, two) == [("64", "2024-03-01", None)]


async def test_neither_a_dump_nor_the_log_holds_a_plain_fact(make, database_url, capfd):
    resident, admin, worker = await make.resident(name="明文对照"), await make.admin(), await make.worker()
    body = {"code": "64", "grade": 3, "from_day": "2024-03-01", "reason": "残疾人证年审"}
    await admin.client.put(of(resident), json=body)
    await admin.client.put(of(resident), json=body | {"from_day": "2023-01-01"})
    await admin.client.get(of(resident), params=why())
    await worker.client.put(of(resident), json=body)

    dumped = await asyncio.to_thread(dump, database_url)
    logged = "".join(capfd.readouterr()) + server_log(database_url)

    assert "明文对照" in dumped  # the control: what is not sealed is there to be read
    assert "sealed.revealed" in dumped
    assert "/residents/{resident_id}/sealed/{kind}" in logged
    for text in (dumped, logged):
        for plain in ('"code": "64"', '"grade": 3', "肢体", '{"code"'):
            assert plain not in text
            assert plain.encode().hex() not in text


async def test_what_is_written_about_a_person_follows_them_to_another_cell(make):
    resident, admin = await make.resident(id_number=NUMBER, sex=Sex.female), await make.admin()
    await admin.client.put(of(resident), json=fact())

    async def move(tx):
        await tx.conn.execute("UPDATE resident SET area_code = $2 WHERE id = $1", resident.id, NEIGHBOUR)
        await follow(tx.conn, COUNTY, [resident.id])

    await make.run(move)

    assert await findings(await make.worker()) == []
    assert [each["area_code"] for each in await findings(await make.worker(NEIGHBOUR))] == [NEIGHBOUR]
    assert await spans(admin, resident) == [("64", "2024-03-01", None)]


# Under eighteen


@pytest.mark.parametrize("known", [{"birth_date": date(2015, 5, 1)}, {}], ids=["by the register", "by the number"])
async def test_the_number_of_a_minor_is_opened_by_who_coordinates(make, known):
    minors = "61033020150501001"
    number = minors + next(c for c in "0123456789X" if is_id_number(minors + c))
    resident = await make.resident(id_number=number, sex=Sex.male, **known)
    url, body = f"/api/v1/residents/{resident.id}/identity", {"reason": "办理入学手续"}

    refused = await (await make.worker()).client.post(f"{url}/reveal", json=body)
    shown = await (await make.worker(COMMUNITY)).client.post(f"{url}/reveal", json=body)
    looks = (await (await make.admin()).client.get(f"{url}/looks")).json()["items"]

    assert refusal(refused) == (403, "minor_protected", [])
    assert "请社区工作者或县级管理员" in refused.json()["title"]
    assert shown.json()["id_number"] == number
    assert len(looks) == 1
