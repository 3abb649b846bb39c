"""Contacts, guardians and helpers, over HTTP on PostgreSQL."""

import asyncio
from datetime import date, timedelta

import asyncpg
import pytest

from backend.core.clock import county_day, system_clock
from shared.links import LinkOut, Reach, whom_to_call
from shared.types import uuid7
from tests.core.waiting import until_blocked
from tests.factories import CELL, NEIGHBOUR, OTHER_COMMUNITY

TODAY = county_day(system_clock())
TOMORROW = TODAY + timedelta(days=1)


def of(resident, link_id=""):
    return f"/api/v1/residents/{resident.id}/links/{link_id}".rstrip("/")


def at_home(household, link_id=""):
    return f"/api/v1/households/{household.id}/contacts/{link_id}".rstrip("/")


def helper(**other):
    return {"kind": "helper", "helper": "neighbour", "name": "李秀兰", "phone": "12600003801"} | other


def said(answer):
    body = answer.json()
    return answer.status_code, body["code"], *(error["pointer"] for error in body.get("errors", []))


async def test_a_helper_with_a_stand_in_is_stored_once_and_read_back(make):
    resident, worker, link_id = await make.resident(), await make.worker(), uuid7()
    away = {
        "name": "王建国", "phone": "12600003802", "from_day": TODAY.isoformat(), "until_day": TOMORROW.isoformat(),
    }  # fmt: skip

    first, retry = [await worker.client.put(of(resident, link_id), json=helper(stand_in=away)) for _ in range(2)]
    reused = await worker.client.put(of(resident, link_id), json=helper())
    listed = await worker.client.get(of(resident))

    assert first.status_code == retry.status_code == 200, first.text
    assert [first.json()] == [retry.json()] == listed.json()
    assert first.json()["from_day"] == TODAY.isoformat()
    assert said(reused)[:2] == (409, "id_taken")
    link = LinkOut.model_validate(first.json())
    assert whom_to_call(link, TODAY) == Reach("王建国", "12600003802")
    assert whom_to_call(link, TOMORROW) == Reach("李秀兰", "12600003801")


async def test_who_to_call_first_comes_first_and_single_peoples_contacts_last(make):
    household = await make.household()
    resident = await make.resident(household)
    worker = await make.worker()
    for name, order in (("何小梅", 2), ("何建军", 1)):
        body = {"name": name, "order": order, "relation": "儿女"}
        assert (await worker.client.put(at_home(household, uuid7()), json=body)).status_code == 200
    await worker.client.put(of(resident, uuid7()), json={"kind": "contact", "name": "李秀兰"})
    await worker.client.put(of(resident, uuid7()), json=helper(name="周丽华"))

    listed = await worker.client.get(at_home(household))

    assert [row["name"] for row in listed.json()] == ["何建军", "何小梅", "李秀兰"]


async def test_a_link_is_changed_on_its_revision_and_ended_on_a_day(make):
    resident, worker, link_id = await make.resident(), await make.worker(), uuid7()
    began = TODAY - timedelta(days=9)
    body = helper(from_day=began.isoformat())
    await worker.client.put(of(resident, link_id), json=body)

    blind = await worker.client.delete(of(resident, link_id))
    changed = await worker.client.put(of(resident, link_id), json=helper(name="周丽华"), headers={"If-Match": '"1"'})
    stale = await worker.client.put(of(resident, link_id), json=body, headers={"If-Match": '"1"'})
    other_kind = await worker.client.put(
        of(resident, link_id), json={"kind": "contact", "name": "周丽华"}, headers={"If-Match": '"2"'}
    )
    ended = await worker.client.delete(of(resident, link_id), headers={"If-Match": '"2"'})
    now = await worker.client.get(of(resident))
    ever = await worker.client.get(of(resident), params={"ended": True})

    assert said(blind) == (428, "precondition_missing")
    assert (changed.json()["name"], changed.json()["from_day"]) == ("周丽华", began.isoformat())
    assert said(stale) == (412, "stale")
    assert said(other_kind) == (409, "step_not_allowed", "/kind")
    assert (ended.status_code, now.json()) == (204, [])
    assert [(row["name"], row["until_day"]) for row in ever.json()] == [("周丽华", TODAY.isoformat())]


async def test_a_link_that_began_today_is_taken_off(make):
    household, worker, link_id = await make.household(), await make.worker(), uuid7()
    await worker.client.put(at_home(household, link_id), json={"name": "何小梅"})

    ended = await worker.client.delete(at_home(household, link_id), headers={"If-Match": '"1"'})
    again = await worker.client.delete(at_home(household, link_id), headers={"If-Match": '"1"'})

    assert (ended.status_code, (await worker.client.get(at_home(household))).json()) == (204, [])
    assert said(again) == (404, "not_found")


async def test_a_guardian_is_a_minors_or_has_a_reason(make):
    home, worker = await make.household(), await make.worker()
    child = await make.resident(home, name="王小明", relation="20", birth_date=TODAY - timedelta(days=4000))
    grown = await make.resident(home, name="王建国", birth_date=date(1954, 3, 8))
    unknown = await make.resident(home, name="王小华", relation="10")
    guardian = {"kind": "guardian", "name": "王建国", "relation": "祖父"}

    answers = [await worker.client.put(of(one, uuid7()), json=guardian) for one in (child, grown, unknown)]
    with_reason = await worker.client.put(of(grown, uuid7()), json=guardian | {"note": "法院指定"})

    assert [answer.status_code for answer in answers] == [200, 422, 422]
    assert said(answers[1]) == (422, "reason_missing", "/note")
    assert with_reason.status_code == 200


async def test_what_cannot_be_is_refused_with_the_place(make):
    resident, worker = await make.resident(), await make.worker()

    answers = [
        await worker.client.put(of(resident, uuid7()), json=body)
        for body in (
            helper(person_id=str(resident.id)), helper(person_id=str(uuid7())),
            helper(from_day=TOMORROW.isoformat(), until_day=TODAY.isoformat()), helper(until_day=TODAY.isoformat()),
            helper(helper=None), {"kind": "contact", "name": "李秀兰", "helper": "worker"},
        )
    ]  # fmt: skip

    assert [said(answer) for answer in answers[:2]] == [
        (422, "malformed", "/person_id"), (404, "resident_not_here", "/person_id"),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers[2:]} == {422}


async def test_somebody_elses_link_is_not_found_under_this_person(make):
    home = await make.household()
    one, other = await make.resident(home), await make.resident(home, name="李芳", relation="10")
    worker, link_id = await make.worker(), uuid7()
    await worker.client.put(of(one, link_id), json=helper())

    answers = [
        await worker.client.delete(of(other, link_id), headers={"If-Match": '"1"'}),
        await worker.client.put(of(other, link_id), json=helper(), headers={"If-Match": '"1"'}),
        await worker.client.delete(at_home(home, link_id), headers={"If-Match": '"1"'}),
    ]

    assert {said(answer) for answer in answers} == {(404, "not_found")}


async def test_links_are_read_and_written_where_one_may(make):
    home = await make.household()
    resident = await make.resident(home)
    worker, other, auditor = await make.worker(), await make.worker(OTHER_COMMUNITY), await make.auditor()
    await worker.client.put(of(resident, uuid7()), json=helper())
    await worker.client.put(at_home(home, uuid7()), json={"name": "何小梅", "phone": "12600002706"})

    unseen = [await other.client.get(path) for path in (of(resident), at_home(home))]
    unseen.append(await other.client.put(of(resident, uuid7()), json=helper()))
    masked = [(await auditor.client.get(path)).json()[0]["phone"] for path in (of(resident), at_home(home))]
    written = [
        await auditor.client.put(of(resident, uuid7()), json=helper()),
        await auditor.client.delete(of(resident, uuid7())),
        await auditor.client.put(at_home(home, uuid7()), json={"name": "何小梅"}),
        await auditor.client.delete(at_home(home, uuid7())),
    ]

    assert {said(answer) for answer in unseen} == {(404, "not_found")}
    assert masked == ["126****3801", "126****2706"]
    assert {said(answer) for answer in written} == {(403, "role_not_allowed")}


async def fed(person):
    answer = await person.client.get("/api/v1/changes")
    return [(row["gone"], row["body"]) for row in answer.json()["items"] if row["kind"] == "link"]


async def test_links_travel_to_the_phones_and_leave_them_when_they_end(make):
    resident, worker, link_id = await make.resident(), await make.worker(), uuid7()
    partner = await make.partner()
    put = await worker.client.put(of(resident, link_id), json=helper())

    before, masked = await fed(worker), await fed(partner)
    await worker.client.delete(of(resident, link_id), headers={"If-Match": '"1"'})

    assert before == [(False, put.json())]
    assert masked[0][1]["phone"] == "126****3801"
    assert await fed(worker) == [(True, None)]


async def test_a_persons_links_go_with_them_and_a_households_stay(make):
    home, there = await make.household(), await make.household(NEIGHBOUR)
    resident = await make.resident(home)
    worker, receiving = await make.worker(CELL), await make.worker(NEIGHBOUR)
    own, shared, move = uuid7(), uuid7(), uuid7()
    await worker.client.put(of(resident, own), json=helper())
    await worker.client.put(at_home(home, shared), json={"name": "何小梅"})

    out = {
        "kind": "move_out",
        "on": TODAY.isoformat(),
        "resident_ids": [str(resident.id)],
        "to": {"cell_code": NEIGHBOUR},
    }
    left = await worker.client.put(f"/api/v1/register-events/{move}", json=out)
    found = {"arrived": True, "on": TODAY.isoformat(), "household_id": str(there.id)}
    settled = await receiving.client.post(f"/api/v1/moves/{move}/settle", json=found, headers={"If-Match": '"1"'})

    assert (left.status_code, settled.status_code) == (200, 200), settled.text
    assert [(gone, body and body["id"]) for gone, body in await fed(worker)] == [(False, str(shared)), (True, None)]
    assert [(body["id"], body["household_id"]) for _gone, body in await fed(receiving)] == [(str(own), str(there.id))]


async def leave(make, resident, kind="death"):
    event = {"kind": kind, "on": TODAY.isoformat(), "resident_ids": [str(resident.id)]}
    if kind == "move_out":
        event["to"] = {"words": "西安", "leaves_county": True}
    answer = await (await make.worker()).client.put(f"/api/v1/register-events/{uuid7()}", json=event)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind", ["death", "move_out"])
async def test_nobody_is_written_down_for_or_as_somebody_who_has_left(make, kind):
    home = await make.household()
    gone = await make.resident(home, birth_date=date(1950, 1, 1))
    stays = await make.resident(home, name="王小华", relation="10", birth_date=date(1990, 1, 1))
    beyond = await make.resident(await make.household(NEIGHBOUR), name="何安安", birth_date=date(2000, 1, 1))
    worker, neighbour = await make.worker(), await make.worker(NEIGHBOUR)
    about, naming, named_none = uuid7(), uuid7(), uuid7()
    await worker.client.put(of(gone, about), json=helper())
    await worker.client.put(of(stays, named_none), json=helper())
    await leave(make, gone, kind)

    for_them = await worker.client.put(of(gone, uuid7()), json=helper())
    changed = await worker.client.put(of(gone, about), json=helper(name="周丽华"), headers={"If-Match": '"1"'})
    repeated = await worker.client.put(of(gone, about), json=helper())
    body = helper(person_id=str(gone.id))
    as_them = [
        await worker.client.put(of(stays, naming), json=body),
        await worker.client.put(of(stays, named_none), json=body, headers={"If-Match": '"1"'}),
        await worker.client.put(at_home(home, uuid7()), json={"name": "何长顺", "person_id": str(gone.id)}),
        await neighbour.client.put(of(beyond, uuid7()), json=body),
    ]

    assert said(for_them) == said(changed) == (409, "has_left")
    assert repeated.status_code == 200
    assert {said(answer) for answer in as_them} == {(409, "has_left", "/person_id")}
    assert as_them[0].json()["detail"] == "写的这个人已经去世或迁出。还找得到的，只写姓名和电话。"
    kept = (await worker.client.get(of(stays))).json()
    assert [(one["id"], one["person_id"]) for one in kept] == [(str(named_none), None)]
    ended = await worker.client.delete(of(gone, about), headers={"If-Match": '"1"'})
    assert ended.status_code == 204


async def test_a_death_of_this_very_moment_is_waited_for(make, database_url):
    home = await make.household()
    dying = await make.resident(home, birth_date=date(1950, 1, 1))
    stays = await make.resident(home, name="王小华", relation="10", birth_date=date(1990, 1, 1))
    worker, other = await make.worker(), await asyncpg.connect(database_url)
    body = {"kind": "contact", "name": "何长顺", "person_id": str(dying.id)}

    async with other.transaction():
        await other.execute("UPDATE resident SET left_on = current_date, left_by = 'death' WHERE id = $1", dying.id)
        naming = asyncio.create_task(worker.client.put(of(stays, uuid7()), json=body))
        await until_blocked(make.database)
    await other.close()

    assert said(await naming) == (409, "has_left", "/person_id")


async def test_a_link_that_names_somebody_who_moved_away_since_may_still_be_changed(make):
    home = await make.household()
    son = await make.resident(home, birth_date=date(1980, 1, 1))
    mother = await make.resident(home, name="王小华", relation="50", birth_date=date(1950, 1, 1))
    worker, link_id = await make.worker(), uuid7()
    body = {"kind": "contact", "name": "何长顺", "person_id": str(son.id)}
    await worker.client.put(of(mother, link_id), json=body)
    await leave(make, son, "move_out")

    answer = await worker.client.put(
        of(mother, link_id), json=body | {"phone": "12600003805"}, headers={"If-Match": '"1"'}
    )

    assert (answer.status_code, answer.json()["phone"]) == (200, "12600003805")


async def test_who_has_died_is_nobodys_guardian_and_nobody_to_call_whatever_the_cell(make, database_url):
    home, there = await make.household(), await make.household(NEIGHBOUR)
    grandfather = await make.resident(home, birth_date=date(1950, 1, 1))
    mother = await make.resident(home, name="王小华", birth_date=date(1990, 1, 1))
    child = await make.resident(there, name="何安安", birth_date=date(2020, 1, 1))
    worker, neighbour = await make.worker(CELL), await make.worker(NEIGHBOUR)
    guardian, other = uuid7(), uuid7()
    body = {"kind": "guardian", "name": "何长顺", "relation": "祖父"}
    await neighbour.client.put(of(child, guardian), json=body | {"person_id": str(grandfather.id)})
    await neighbour.client.put(of(child, other), json=body | {"name": "王小华", "person_id": str(mother.id)})
    await worker.client.put(at_home(home, uuid7()), json={"name": "何长顺", "person_id": str(grandfather.id)})
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE link SET from_day = from_day - 9")
    await owner.close()

    died = {"kind": "death", "on": TODAY.isoformat(), "resident_ids": [str(grandfather.id)]}
    answer = await worker.client.put(f"/api/v1/register-events/{uuid7()}", json=died)

    assert answer.status_code == 200, answer.text
    standing = (await neighbour.client.get(f"/api/v1/residents/{child.id}/links")).json()
    assert [one["id"] for one in standing] == [str(other)]
    assert (await worker.client.get(f"/api/v1/households/{home.id}/contacts")).json() == []
    all_of_them = await neighbour.client.get(f"/api/v1/residents/{child.id}/links", params={"ended": True})
    until = {one["id"]: one["until_day"] for one in all_of_them.json()}
    assert until == {str(guardian): TODAY.isoformat(), str(other): None}
    assert [gone for gone, body in await fed(neighbour) if body is None or body["id"] == str(other)] == [False, True]


async def test_a_stand_in_whose_days_cannot_be_is_refused_in_words(make):
    resident, worker, link_id = await make.resident(), await make.worker(), uuid7()
    yesterday = TODAY - timedelta(days=1)

    def days(first, until):
        return {"name": "王建国", "phone": None, "from_day": first.isoformat(), "until_day": until.isoformat()}

    wrong = [days(TOMORROW, TODAY), days(TOMORROW, TOMORROW), days(yesterday, TODAY)]

    answers = [await worker.client.put(of(resident, uuid7()), json=helper(stand_in=one)) for one in wrong]
    written = await worker.client.put(of(resident, link_id), json=helper(stand_in=days(yesterday, TOMORROW)))
    later = [
        await worker.client.put(of(resident, link_id), json=helper(stand_in=one), headers={"If-Match": '"1"'})
        for one in wrong
    ]

    assert [said(one) for one in answers + later] == [(422, "malformed", "/stand_in/until_day")] * 6
    said_why = [one.text for one in answers]
    assert [("写反" in one, "已经过了" in one) for one in said_why] == [(True, False), (True, False), (False, True)]
    assert written.status_code == 200


async def test_a_stand_in_whose_days_have_passed_does_not_stop_another_change(make, database_url):
    resident, worker, link_id = await make.resident(), await make.worker(), uuid7()
    away = {"name": "王建国", "phone": None, "from_day": TODAY.isoformat(), "until_day": TOMORROW.isoformat()}
    await worker.client.put(of(resident, link_id), json=helper(stand_in=away))
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE link SET stand_in_from = stand_in_from - 9, stand_in_until = stand_in_until - 9")
    await owner.close()
    passed = {name: (date.fromisoformat(away[name]) - timedelta(days=9)).isoformat() for name in away if "day" in name}

    changed = await worker.client.put(
        of(resident, link_id), json=helper(phone="12600009999", stand_in=away | passed), headers={"If-Match": '"1"'}
    )

    assert (changed.status_code, changed.json()["phone"]) == (200, "12600009999"), changed.text
