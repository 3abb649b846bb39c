"""Who answers for a cell, leaving a post, and what nobody answers for."""

from datetime import timedelta
from uuid import uuid4

import pytest

from backend.core.clock import county_day
from backend.duties import gaps
from shared.auth import Role
from shared.types import uuid7
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY, visit_to


@pytest.fixture
def today(make):
    return county_day(make.database.clock())


@pytest.fixture
async def coordinator(make):
    await make.cell(CELL)
    return await make.worker(COMMUNITY, name="李建国")


@pytest.fixture
async def zhang(make):
    return await make.worker(CELL)


def duty(person, today, role="in_charge", **other):
    return {"role": role, "account_id": str(person.account_id), "from_day": str(today), **other}


async def assign(by, body, duty_id=None, code=CELL, **how):
    return await by.client.put(f"/api/v1/cells/{code}/duties/{duty_id or uuid7()}", json=body, **how)


async def duties_of(reader, code=CELL, **params):
    return await reader.client.get(f"/api/v1/cells/{code}/duties", params=params)


def code_of(answer):
    return answer.status_code, answer.json().get("code")


# Roles


async def test_three_roles_with_a_stand_in_are_assigned_and_read(make, coordinator, zhang, today):
    wang = await make.worker(CELL, name="王芳")
    stand_in = {"account_id": str(wang.account_id), "from_day": str(today), "until_day": str(today + timedelta(9))}
    await assign(coordinator, duty(zhang, today, stand_in=stand_in))
    await assign(coordinator, duty(wang, today, "informed"))
    await assign(coordinator, duty(wang, today, "serving", until_day=str(today + timedelta(1))))

    now, later = [(await duties_of(zhang, on=str(day))).json() for day in (today, today + timedelta(2))]

    assert [(one["role"], one["name"]) for one in now["duties"]] == [
        ("in_charge", "张敏"), ("informed", "王芳"), ("serving", "王芳"),
    ]  # fmt: skip
    assert now["duties"][0]["stand_in"] == {**stand_in, "name": "王芳"}
    assert [one["role"] for one in later["duties"]] == ["in_charge", "informed"]


async def test_other_systems_learn_names_only(make, coordinator, zhang, today):
    home = await make.household()
    await assign(coordinator, duty(zhang, today))
    await give_households(coordinator, zhang, home)

    seen = (await duties_of(await make.partner())).json()

    assert [(one["name"], one["account_id"]) for one in seen["duties"]] == [("张敏", None)]
    assert seen["households"] == []
    assert (await duties_of(await make.partner(OTHER_COMMUNITY))).status_code == 404


async def test_naming_somebody_gives_no_rights_so_a_grant_must_be_there_first(make, coordinator, zhang, today):
    stranger, auditor = await make.worker(NEIGHBOUR), await make.auditor()
    stand_in = {"account_id": str(stranger.account_id), "from_day": str(today), "until_day": str(today + timedelta(9))}

    answers = [
        await assign(coordinator, body)
        for body in (
            duty(stranger, today), duty(auditor, today), duty(zhang, today, stand_in=stand_in),
            {**duty(zhang, today), "account_id": str(uuid4())},
        )
    ]  # fmt: skip

    assert [code_of(answer) for answer in answers] == [(409, "no_grant_here")] * 3 + [(404, "not_found")]
    assert (await duties_of(zhang)).json()["duties"] == []


async def test_one_is_in_charge_at_a_time(make, coordinator, zhang, today):
    wang = await make.worker(CELL, name="王芳")
    until = today + timedelta(5)
    first = await assign(coordinator, duty(zhang, today, until_day=str(until)))

    meanwhile = await assign(coordinator, duty(wang, today + timedelta(3)))
    after = await assign(coordinator, duty(wang, until))

    assert (first.status_code, after.status_code) == (200, 200)
    assert code_of(meanwhile) == (409, "duty_taken")


async def test_an_assignment_is_made_once_and_changed_on_what_was_read(coordinator, zhang, today):
    duty_id, body = uuid7(), duty(zhang, today)
    first, again = [await assign(coordinator, body, duty_id) for _ in range(2)]
    ended = {**body, "until_day": str(today)}

    other = await assign(coordinator, ended, duty_id)
    stale = await assign(coordinator, ended, duty_id, headers={"If-Match": '"9"'})
    changed = await assign(coordinator, ended, duty_id, headers={"If-Match": first.headers["ETag"]})

    assert first.json() == again.json()
    assert code_of(other) == (409, "id_taken")
    assert code_of(stale) == (412, "stale")
    assert (changed.json()["until_day"], changed.json()["rev"]) == (str(today), 2)
    assert (await duties_of(zhang)).json()["duties"] == []


async def test_only_a_coordinator_of_the_cell_assigns(make, coordinator, zhang, today):
    elsewhere = await make.worker(OTHER_COMMUNITY)
    lists = f"/api/v1/cells/{CELL}/household-duties/{zhang.account_id}"

    assert code_of(await assign(zhang, duty(zhang, today))) == (403, "role_not_allowed")
    assert code_of(await assign(elsewhere, duty(zhang, today))) == (403, "area_not_allowed")
    assert code_of(await assign(coordinator, duty(zhang, today), code=NEIGHBOUR)) == (404, "not_found")
    assert code_of(await zhang.client.put(lists, json={"household_ids": []})) == (403, "role_not_allowed")
    assert code_of(await elsewhere.client.put(lists, json={"household_ids": []})) == (403, "area_not_allowed")
    volunteer = await make.volunteer()
    assert code_of(await duties_of(volunteer)) == (403, "role_not_allowed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "boss"}, {"until_day": "2020-01-01"},
        {"stand_in": {"account_id": str(uuid4()), "from_day": "2026-12-01", "until_day": "2026-12-01"}},
    ],
)  # fmt: skip
async def test_a_role_that_cannot_be_is_refused(coordinator, zhang, today, wrong):
    assert code_of(await assign(coordinator, {**duty(zhang, today), **wrong})) == (422, "malformed")


async def test_somebody_else_stands_in_on_days_of_the_role(make, coordinator, zhang, today):
    wang = await make.worker(name="王芳")
    week = {"from_day": str(today + timedelta(days=1)), "until_day": str(today + timedelta(days=8))}
    by_zhang, by_wang = [{"account_id": str(one.account_id), **week} for one in (zhang, wang)]
    ends = {"until_day": str(today + timedelta(days=7))}

    answers = [
        await assign(coordinator, {**duty(zhang, today), **fields})
        for fields in (
            {"stand_in": by_zhang},
            {"stand_in": by_wang, **ends},
            {"stand_in": {**by_wang, "from_day": str(today - timedelta(days=1))}},
            {"stand_in": by_wang},
        )
    ]

    assert [one.status_code for one in answers] == [422, 422, 422, 200]
    assert [one.json()["detail"] for one in answers[:2]] == ["代班的要是另一个人。", "代班的日期要在任期里面。"]


# Households


async def give_households(by, person, *homes, code=CELL):
    url = f"/api/v1/cells/{code}/household-duties/{person.account_id}"
    return await by.client.put(url, json={"household_ids": [str(home.id) for home in homes]})


async def test_a_household_has_one_worker_and_a_list_is_put_whole(make, coordinator, zhang):
    wang = await make.worker(CELL, name="王芳")
    homes = sorted([await make.household(room=str(n)) for n in range(3)], key=lambda home: home.id)
    await give_households(coordinator, zhang, *homes)

    taken = await give_households(coordinator, wang, homes[0])
    await give_households(coordinator, zhang, homes[1])
    lists = (await duties_of(zhang)).json()["households"]

    assert taken.json() == {
        "account_id": str(wang.account_id), "name": "王芳", "household_ids": [str(homes[0].id)],
    }  # fmt: skip
    assert {one["name"]: one["household_ids"] for one in lists} == {
        "张敏": [str(homes[1].id)], "王芳": [str(homes[0].id)],
    }  # fmt: skip


async def test_a_household_of_another_cell_or_a_worker_without_a_grant_is_refused(make, coordinator, zhang):
    here, there = await make.household(), await make.household(NEIGHBOUR)
    stranger = await make.worker(NEIGHBOUR)

    answers = [
        await give_households(coordinator, zhang, here, there),
        await give_households(coordinator, stranger, here),
    ]

    assert [code_of(answer) for answer in answers] == [(404, "household_not_here"), (409, "no_grant_here")]
    assert answers[0].json()["errors"][0]["pointer"] == "/household_ids/1"
    assert (await duties_of(zhang)).json()["households"] == []


# Leaving a post


async def leave(by, person, to, today, **other):
    body = {"to_account_id": str(to.account_id), "on": str(today), "reason": "调往县民政局", **other}
    return await by.client.post(f"/api/v1/accounts/{person.account_id}/hand-over", json=body)


async def test_leaving_hands_over_everything_open_and_ends_what_was_granted(make, coordinator, zhang, today):
    wang = await make.worker(CELL, name="王芳")
    home = await make.household()
    body = {"kind": "help", "category": "errand", "household_id": str(home.id)}
    asked = (await zhang.client.post("/api/v1/requests", json=body)).json()
    await assign(coordinator, duty(zhang, today))
    await give_households(coordinator, zhang, home)
    device = str(uuid4())
    await zhang.client.put(f"/api/v1/devices/{device}", json={"name": "张敏的手机"})

    out = await leave(coordinator, zhang, wang, today)
    after = (await wang.client.get(f"/api/v1/requests/{asked['id']}")).json()
    steps = (await wang.client.get(f"/api/v1/requests/{asked['id']}/events")).json()
    duties = (await duties_of(wang)).json()
    again = await leave(await make.admin(), zhang, wang, today)

    assert out.status_code == 200, out.text
    assert out.json() == {
        "requests": [asked["id"]], "owned": [asked["id"]], "duties": [duties["duties"][0]["id"]], "households": 1,
        "grants_ended": 1, "devices_revoked": [device], "still_open": [],
    }  # fmt: skip
    assert (after["owner_name"], after["handler_name"], after["rev"]) == ("王芳", "王芳", 2)
    assert "张敏交给王芳" in str(steps)
    assert [(one["role"], one["name"]) for one in duties["duties"]] == [("in_charge", "王芳")]
    assert [(one["name"], one["household_ids"]) for one in duties["households"]] == [("王芳", [str(home.id)])]
    assert again.json() == {
        "requests": [], "owned": [], "duties": [], "households": 0, "grants_ended": 0, "devices_revoked": [],
        "still_open": [],
    }  # fmt: skip


async def test_who_has_left_may_do_nothing_at_the_very_next_request(make, coordinator, zhang, today):
    wang, home, device = await make.worker(CELL, name="王芳"), await make.household(), str(uuid4())
    await zhang.client.put(f"/api/v1/devices/{device}", json={"name": "手机"})
    before = await zhang.client.get("/api/v1/households")
    sent = {
        "op_id": str(uuid4()), "kind": "visit.record", "entity_id": str(uuid4()), "author_id": str(zhang.account_id),
        "device_id": device, "device_seq": 1, "fields": visit_to(home.id), "made_at": "2026-11-22T10:00:00+08:00",
    }  # fmt: skip

    await leave(coordinator, zhang, wang, today)
    after = await zhang.client.get("/api/v1/households")
    push = await zhang.client.post("/api/v1/sync/push", json={"device_id": device, "operations": [sent]})

    assert before.status_code == 200
    assert code_of(after) == (403, "role_not_allowed")
    # Refused as a whole and without a receipt for any operation: the phone keeps what it has not sent.
    assert code_of(push) == (403, "device_revoked")


async def test_who_hands_a_post_over_once_more_is_told_that_it_may_be_done(make, coordinator, zhang, today):
    wang = await make.worker(CELL, name="王芳")
    await leave(coordinator, zhang, wang, today)

    again = await leave(coordinator, zhang, wang, today)

    assert code_of(again) == (403, "area_not_allowed")
    assert again.json()["detail"] == "这个人现在没有岗位，可能已经交接过了。"


async def test_what_the_successor_may_not_take_is_listed_and_nobody_elses_phone_stops(make, today):
    admin, wang = await make.admin(), await make.worker(CELL, name="王芳")
    await make.cell(CELL)
    there = await make.household(NEIGHBOUR)
    zhang = await make.account((Role.grid_worker, CELL), (Role.grid_worker, NEIGHBOUR))
    body = {"kind": "help", "category": "errand", "household_id": str(there.id)}
    asked = (await zhang.client.post("/api/v1/requests", json=body)).json()
    await assign(admin, duty(zhang, today), code=NEIGHBOUR)
    await give_households(admin, zhang, there, code=NEIGHBOUR)
    stand_in = {"account_id": str(zhang.account_id), "from_day": str(today), "until_day": str(today + timedelta(9))}
    await assign(admin, duty(wang, today, stand_in=stand_in))
    shared = str(uuid4())
    for person in (zhang, wang):
        await person.client.put(f"/api/v1/devices/{shared}", json={"name": "值班手机"})

    out = (await leave(admin, zhang, wang, today)).json()

    assert (out["requests"], out["duties"], out["households"], out["devices_revoked"]) == ([], [], 0, [])
    assert out["grants_ended"] == 2
    assert sorted((one["kind"], one["area_code"], one["words"]) for one in out["still_open"]) == [
        ("duty", CELL, "管事的代班人"), ("duty", NEIGHBOUR, "管事"), ("households", NEIGHBOUR, "包户 1 户"),
        ("request", NEIGHBOUR, f"求助或事件 {asked['number']}"),
    ]  # fmt: skip
    gone = (await admin.client.get("/api/v1/grid/gaps")).json()
    assert [one["id"] for one in gone["requests_without_person"]] == [asked["id"]]
    assert (await wang.client.put(f"/api/v1/devices/{shared}", json={"name": "值班手机"})).status_code == 200


async def test_a_post_is_ended_by_whoever_stands_above_it_only(make, coordinator, zhang, today):
    wang, peer = await make.worker(CELL, name="王芳"), await make.worker(COMMUNITY)
    elsewhere, admin = await make.worker(OTHER_COMMUNITY), await make.admin()

    assert code_of(await leave(zhang, wang, zhang, today)) == (403, "role_not_allowed")
    assert code_of(await leave(elsewhere, zhang, wang, today)) == (403, "area_not_allowed")
    assert code_of(await leave(coordinator, peer, wang, today)) == (403, "area_not_allowed")
    assert code_of(await leave(coordinator, zhang, zhang, today)) == (422, "malformed")
    assert code_of(await leave(coordinator, zhang, wang, today + timedelta(1))) == (422, "in_the_future")
    assert code_of(await leave(coordinator, zhang, wang, today - timedelta(400))) == (422, "too_old")
    assert code_of(await leave(coordinator, zhang, wang, today, to_account_id=str(uuid4()))) == (404, "not_found")
    assert code_of(await leave(coordinator, zhang, wang, today, reason=" ")) == (422, "malformed")
    assert code_of(await leave(admin, admin, wang, today)) == (409, "last_admin")


# What nobody answers for


async def test_what_nobody_answers_for_is_named_and_counted_every_day(make, coordinator, zhang, today):
    await make.cell(NEIGHBOUR)
    home = await make.household()
    nobodys = await make.request(home)
    await assign(coordinator, duty(zhang, today - timedelta(5), until_day=str(today)))

    before = (await coordinator.client.get("/api/v1/grid/gaps")).json()
    await gaps.check(make.database, COUNTY)
    mine = (await zhang.client.get("/api/v1/grid/gaps", params={"area_code": CELL})).json()
    await assign(coordinator, duty(zhang, today))
    after = (await coordinator.client.get("/api/v1/grid/gaps")).json()

    assert [one["id"] for one in before["requests_without_person"]] == [str(nobodys.id)]
    assert [one["code"] for one in before["cells_without_in_charge"]] == [CELL, NEIGHBOUR]
    assert [one["name"] for one in before["duties_expired"]] == ["张敏"]
    assert [one["code"] for one in mine["cells_without_in_charge"]] == [CELL]
    assert [one["code"] for one in after["cells_without_in_charge"]] == [NEIGHBOUR]
    assert after["duties_expired"] == []

    async def counted(tx):
        return await tx.conn.fetchval("SELECT detail FROM audit WHERE action = 'grid.checked'")

    assert '"cells_without_in_charge": 2' in await make.run(counted)


async def test_people_on_their_way_to_no_cell_are_named_until_one_expects_them(make, coordinator, zhang, today):
    person, admin, move = await make.resident(name="何长顺"), await make.admin(), uuid7()
    to = {"words": "县城老街，儿子家"}
    body = {"kind": "move_out", "on": str(today), "resident_ids": [str(person.id)], "to": to}
    written = await zhang.client.put(f"/api/v1/register-events/{move}", json=body)
    assert written.status_code == 200, written.text

    named = (await admin.client.get("/api/v1/grid/gaps")).json()["moves_without_cell"]
    passed = await admin.client.post(
        f"/api/v1/moves/{move}/forward", json={"cell_code": CELL}, headers={"If-Match": '"1"'}
    )
    after = (await admin.client.get("/api/v1/grid/gaps")).json()["moves_without_cell"]

    assert [(one["id"], one["names"], one["words"]) for one in named] == [(str(move), ["何长顺"], "县城老街，儿子家")]
    assert passed.status_code == 200, passed.text
    assert after == []


async def test_a_request_without_a_cell_is_named(make, coordinator, today):
    admin = await make.admin()
    place = {"lon": 106.9, "lat": 33.99, "crs": "wgs84"}
    body = {"kind": "incident", "category": "street_lamp", "place": place}
    made = await admin.client.post("/api/v1/requests", json=body)
    assert made.status_code in (200, 201), made.text

    named = (await admin.client.get("/api/v1/grid/gaps")).json()

    assert [one["id"] for one in named["requests_without_cell"]] == [made.json()["id"]]
    assert named["requests_without_person"] == []


async def test_a_household_without_a_cell_is_named(make, coordinator):
    placed, lost = await make.household(), await make.household(room="1")

    async def close(tx):
        await tx.conn.execute("UPDATE household SET area_code = $1 WHERE id = $2", NEIGHBOUR, lost.id)

    await make.run(close)

    named = (await coordinator.client.get("/api/v1/grid/gaps")).json()["households_without_cell"]

    assert [(one["id"], one["area_code"]) for one in named] == [(str(lost.id), NEIGHBOUR)]
    assert placed.area_code == CELL


async def test_gaps_are_for_staff_of_the_area(make, coordinator):
    partner, zhang = await make.partner(), await make.worker(CELL)

    assert code_of(await partner.client.get("/api/v1/grid/gaps")) == (403, "role_not_allowed")
    elsewhere = await zhang.client.get("/api/v1/grid/gaps", params={"area_code": OTHER_COMMUNITY})
    assert code_of(elsewhere) == (403, "area_not_allowed")
