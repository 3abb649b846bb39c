"""The pages under /m as forms and answers: everything works without a script."""

import asyncio
import re
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from backend.auth import queries
from backend.core.clock import COUNTY_ZONE
from backend.core.scope import system_caller
from backend.web.visitor import ACCESS, FREE_A_DAY, REFRESH
from shared.types import uuid7
from tests.factories import CELL, middle_of
from tests.web.conftest import sign_in

VOLUNTEERS_ONLY = ("/m/offers", "/m/tasks")


OTHER_COUNTY = "610331"


async def somebody_there(tx):
    """Our data has one county: this one is made by hand."""
    await tx.conn.execute("INSERT INTO division VALUES ($1, 'county', '太白县', '6103')", OTHER_COUNTY)
    await tx.conn.execute(
        "INSERT INTO county (county_code, name, epoch, demo, founded_at) VALUES ($1, '太白县', 'e', true, now())",
        OTHER_COUNTY,
    )
    row = {
        "county_code": OTHER_COUNTY, "id": uuid7(), "username": "elsewhere", "display_name": "李强",
        "password_hash": None, "volunteer_id": None, "created_at": tx.now,
    }  # fmt: skip
    await queries.add_account(tx.conn, row)


def report(**fields):
    return {"id": str(uuid4()), "category": "street_lamp", "cell": CELL, "place_note": "新建路口东侧"} | fields


@pytest.fixture
async def volunteer(make, visitor):
    """A volunteer with an open offer, signed in in a browser."""
    home = await make.household()
    who = await make.resident(home, name="何长顺", birth_date="1948-05-04", phone="12600002706")
    request, person = await make.request(home, resident_id=who.id), await make.volunteer()
    offer = await make.offer(request, person)
    client = visitor()
    await sign_in(client, await make.password(person, "zhouzhiyuan"))
    return client, request, offer


async def stored(make, query, *values):
    async def work(tx):
        return await tx.conn.fetch(query, *values)

    return await make.run(work)


@pytest.mark.parametrize("path", VOLUNTEERS_ONLY)
async def test_a_stranger_is_led_to_the_sign_in_page(visitor, path):
    answer = await visitor().get(path)

    assert (answer.status_code, answer.headers["location"]) == (303, "/m/sign-in")


@pytest.mark.parametrize("step", ["offers/{}/accept", "offers/{}/decline", "tasks/{}/check-in", "tasks/{}/late"])
async def test_a_stranger_does_nothing_by_a_form(visitor, step):
    answer = await visitor().post(f"/m/{step.format(uuid4())}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/m/sign-in")


@pytest.mark.parametrize("path", VOLUNTEERS_ONLY)
async def test_who_is_no_volunteer_is_told_so_on_a_page(make, visitor, path):
    client = visitor()
    await sign_in(client, await make.password(await make.worker(), "zhangmin"))

    answer = await client.get(path)

    assert answer.status_code == 403
    assert "您的角色不能做这件事。" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/m/nothing", f"/m/offers/{uuid4()}/accept"], ids=["a typing mistake", "a form's own"]
)
async def test_an_address_that_is_no_page_is_told_on_a_page(volunteer, path):
    client, _request, _offer = volunteer

    answer = await client.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "没有找到。" in answer.text
    assert 'href="/m"' in answer.text
    assert "退出登录" in answer.text, "and one is still signed in"


async def test_who_is_signed_in_and_goes_back_is_not_asked_to_sign_in_again(volunteer, visitor):
    client, _request, _offer = volunteer

    answers = [await one.get("/m/sign-in") for one in (client, visitor())]

    assert [answer.status_code for answer in answers] == [303, 200]
    assert answers[0].headers["location"] == "/m"


async def test_a_slash_too_much_leads_to_the_start(visitor):
    answer = await visitor().get("/m/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/m")


async def test_a_wrong_password_stays_on_the_page_with_a_sentence(make, visitor):
    client, name = visitor(), await make.password(await make.volunteer(), "zhouzhiyuan")

    answer = await sign_in(client, name, "something else")

    assert answer.status_code == 401
    assert "账号或密码不对。" in answer.text
    assert 'value="zhouzhiyuan"' in answer.text
    assert ACCESS not in client.cookies


async def test_from_the_invitation_to_the_last_minute(volunteer, make):
    client, request, offer = volunteer

    before = await client.get("/m/offers")
    accepted = await client.post(f"/m/offers/{offer}/accept")
    after = await client.get(accepted.headers["location"])
    for step in ("late", "check-in", "check-out"):
        answer = await client.post(f"/m/tasks/{offer}/{step}")
        assert answer.status_code == 303, answer.text
    over = await client.get("/m/tasks")

    assert request.title in before.text
    assert "何长顺" not in before.text
    assert "何长顺" in after.text
    assert 'href="tel:12600002706"' in after.text
    assert "何长顺" not in over.text
    assert "已完成" in over.text
    assert [row["state"] for row in await stored(make, "SELECT state FROM request")] == ["done"]


async def test_a_no_with_its_reason_is_written_down(volunteer, make):
    client, _request, offer = volunteer

    answer = await client.post(f"/m/offers/{offer}/decline", data={"reason": "too_far"})
    told = await client.get(answer.headers["location"])

    assert "不影响以后" in told.text
    [row] = await stored(make, "SELECT state, decline_reason FROM offer")
    assert tuple(row) == ("declined", "too_far")


async def forget_to_leave(make, client, offer) -> datetime:
    """Accept, sign in, and let a day go by; returns when they came."""
    for step in (f"offers/{offer}/accept", f"tasks/{offer}/check-in"):
        assert (await client.post(f"/m/{step}")).status_code == 303
    came = make.database.clock() - timedelta(days=1)

    async def work(tx):
        await tx.conn.execute("UPDATE task_card SET accepted_at = $2, checked_in_at = $2 WHERE id = $1", offer, came)

    await make.run(work)
    return came


async def test_a_forgotten_sign_out_is_asked_about_on_a_later_day(volunteer, make):
    client, _request, offer = volunteer
    came = await forget_to_leave(make, client, offer)
    left = (came + timedelta(minutes=90)).astimezone(COUNTY_ZONE)

    asked = await client.get("/m/tasks")
    early = await client.post(f"/m/tasks/{offer}/check-out", data={"left": "2020-01-01T09:00"})
    told = await client.get(early.headers["location"])
    answer = await client.post(f"/m/tasks/{offer}/check-out", data={"left": f"{left:%Y-%m-%dT%H:%M}"})

    assert "好像忘了签退" in asked.text
    assert "这个时间不对" in told.text
    assert answer.headers["location"] == "/m/tasks?told=checked-out"
    [row] = await stored(make, "SELECT minutes, state FROM service_record")
    assert row["minutes"] in (89, 90)
    assert row["state"] == "unverified"


async def test_who_signs_out_the_same_day_is_not_asked_when(volunteer):
    client, _request, offer = volunteer
    for step in (f"offers/{offer}/accept", f"tasks/{offer}/check-in"):
        await client.post(f"/m/{step}")

    shown = await client.get("/m/tasks")

    assert 'name="left"' not in shown.text


@pytest.mark.parametrize("step", ["accept", "check-in", "check-out"])
async def test_a_button_pressed_twice_does_the_same_as_once(volunteer, make, step):
    client, _request, offer = volunteer
    steps = [f"/m/offers/{offer}/accept", f"/m/tasks/{offer}/check-in", f"/m/tasks/{offer}/check-out"]

    for one in steps:
        answers = [await client.post(one) for _ in range(2 if one.endswith(step) else 1)]

    assert {answer.status_code for answer in answers} == {303}
    assert len(await stored(make, "SELECT id FROM service_record")) == 1


async def test_a_task_given_back_is_asked_of_others_again(volunteer, make):
    client, _request, offer = volunteer
    await client.post(f"/m/offers/{offer}/accept")

    await client.post(f"/m/tasks/{offer}/hand-back", data={"reason": "家里有事"})

    assert [row["state"] for row in await stored(make, "SELECT state FROM request")] == ["open"]


async def test_a_lost_race_is_told_on_a_page(volunteer, make):
    client, request, offer = volunteer
    faster = await make.volunteer()
    await faster.client.post(f"/api/v1/offers/{await make.offer(request, faster)}/accept")

    answer = await client.post(f"/m/offers/{offer}/accept")

    assert answer.status_code == 409
    assert "已经有人答应了" in answer.text


async def test_a_form_on_another_site_does_nothing(volunteer, make):
    client, _request, offer = volunteer

    forged = await client.post(f"/m/offers/{offer}/accept", headers={"origin": "http://elsewhere"})
    unsaid = await client.post(f"/m/offers/{offer}/accept", headers={"origin": ""})
    before = await stored(make, "SELECT state FROM offer")
    own = await client.post(f"/m/offers/{offer}/accept")

    assert forged.status_code == unsaid.status_code == 403
    assert [row["state"] for row in before] == ["offered"]
    assert own.status_code == 303


async def test_the_cookies_reach_neither_a_script_nor_the_api(volunteer):
    client, _request, _offer = volunteer

    cookies = {cookie.name: cookie for cookie in client.cookies.jar}
    api = await client.get("/api/v1/offers")

    assert {cookie.path for cookie in cookies.values()} == {"/m"}
    assert all(cookie.has_nonstandard_attr("HttpOnly") for cookie in cookies.values())
    assert api.status_code == 401


async def test_a_visit_goes_on_when_the_quarter_of_an_hour_is_over(volunteer):
    client, _request, _offer = volunteer
    first = client.cookies[REFRESH]
    client.cookies.delete(ACCESS)

    answer = await client.get("/m/offers")

    assert answer.status_code == 200
    assert client.cookies[REFRESH] != first
    assert client.cookies[ACCESS]


async def test_after_signing_out_the_old_cookies_open_nothing(volunteer, visitor):
    client, _request, _offer = volunteer
    thief = visitor()
    thief.cookies.set(REFRESH, client.cookies[REFRESH], path="/m")

    gone = await client.post("/m/sign-out")
    answers = [await client.get("/m/offers"), await thief.get("/m/offers")]

    assert gone.status_code == 303
    assert [(answer.status_code, answer.headers["location"]) for answer in answers] == [(303, "/m/sign-in")] * 2


async def test_anybody_reports_a_street_lamp_and_the_worker_there_has_it(make, visitor):
    worker = await make.worker()
    await make.cell()
    body = report()

    answers = [await visitor().post("/m/report", data=body) for _ in range(2)]
    sent = await visitor().get(answers[0].headers["location"])
    [found] = (await worker.client.get("/api/v1/requests")).json()["items"]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert found["number"] in sent.text
    assert (found["category"], found["area_code"], found["place_note"]) == ("street_lamp", CELL, "新建路口东侧")
    assert found["owner_name"] == "社区"


async def test_where_the_browser_stands_counts_before_the_chosen_cell(make, visitor):
    worker = await make.worker()
    await make.cell()
    lon, lat = middle_of(CELL)

    await visitor().post("/m/report", data=report(cell="", lon=str(lon), lat=str(lat)))

    [found] = (await worker.client.get("/api/v1/requests")).json()["items"]
    assert (found["lon"], found["lat"]) == (lon, lat)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"category": "escort_hospital"}, "请选一种。"),
        ({"cell": ""}, "请选大概在哪里"),
        ({"cell": "", "lon": "nan", "lat": "33.9"}, "请选大概在哪里"),
        ({"lon": "116.4", "lat": "39.9"}, "这个位置不在本县范围内。"),
        ({"place_note": "很" * 101}, "太长了"),
        ({"contact_phone": "找我"}, "电话号码不对"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_written_is_kept(make, visitor, fields, sentence):
    await make.worker()
    await make.cell()

    answer = await visitor().post("/m/report", data=report(detail="从昨晚起不亮") | fields)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert "从昨晚起不亮" in answer.text
    assert await stored(make, "SELECT id FROM request") == []


async def test_where_several_counties_share_a_server_one_is_chosen_first(make, running, visitor):
    await make.worker()
    await running.app.state.database.run(system_caller(OTHER_COUNTY), somebody_there)

    unsaid, unknown = [await visitor().get("/m/report", params=params) for params in ({}, {"county": "999999"})]
    chosen = await visitor().get("/m/report", params={"county": OTHER_COUNTY})

    assert unsaid.status_code == unknown.status_code == 404
    assert 'href="/m/report?county=610330"' in unsaid.text
    assert 'href="/m/report?county=610331"' in unsaid.text
    assert chosen.status_code == 200
    assert 'action="/m/report?county=610331"' in chosen.text


async def test_what_strangers_write_is_shown_as_text(make, visitor):
    await make.worker()
    await make.cell()

    answer = await visitor().post("/m/report", data=report(category="", detail="<script>alert(1)</script>"))

    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


async def test_many_who_report_at_once_do_not_hold_each_other_up(make, running, visitor):
    await make.worker()
    await make.cell()
    pool = running.app.state.database.pool

    answers = await asyncio.gather(
        *(visitor().post("/m/report", data=report()) for _ in range(pool.get_max_size() * 2))
    )

    assert {answer.status_code for answer in answers} == {303}


async def test_who_reports_without_end_has_to_wait(make, visitor):
    await make.worker()
    await make.cell()
    client = visitor()

    answers = [await client.post("/m/report", data=report()) for _ in range(FREE_A_DAY + 1)]

    assert [answer.status_code for answer in answers] == [303] * FREE_A_DAY + [429]
    assert "请过一会儿再试" in answers[-1].text


@pytest.mark.parametrize("path", ["/m/sign-in", "/m/report"])
async def test_a_page_loads_from_nowhere_else_and_stays_in_no_cache(make, visitor, path):
    await make.worker()
    answer = await visitor().get(path)

    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert re.findall(r'(?:src|href|action)="(?!/m[/"]|#|tel:)([^"]*)"', answer.text) == []
    assert re.findall(r"\son[a-z]+=|<script>|style=", answer.text) == []
