"""Refusals as people and programs read them."""

import re
from uuid import uuid4

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, ValidationError

from backend.auth.deps import Anyone, Tx
from backend.core.errors import Refusal, field_problems, problem, render
from backend.core.route import TxRoute
from shared.errors import CATALOGUE, Code
from shared.types import AreaCode, Utc, WireIn
from tests.factories import COMMUNITY

CHINESE = re.compile(r"[\u4e00-\u9fff].*[。？！]$")


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_status_and_a_chinese_sentence(code):
    assert 400 <= CATALOGUE[code].status < 600
    assert CHINESE.search(CATALOGUE[code].sentence)


def test_no_sentence_says_two_things():
    sentences = [entry.sentence for entry in CATALOGUE.values()]

    assert len(set(sentences)) == len(sentences)


def test_a_problem_names_its_type_status_and_field():
    body = Refusal(Code.unknown_area, pointer="/area_code").problem()

    assert body.type == "urn:gridhood:problem:unknown_area"
    assert body.status == 422
    assert [(error.pointer, error.detail) for error in body.errors] == [("/area_code", "没有这个区域编码。")]


@pytest.mark.parametrize(
    ("code", "header"), [(Code.not_signed_in, "www-authenticate"), (Code.busy, "retry-after"), (Code.stale, None)]
)
def test_a_reply_carries_the_headers_its_status_asks_for(code, header):
    reply = render(problem(code))

    assert reply.media_type == "application/problem+json"
    assert {"www-authenticate", "retry-after"} & set(reply.headers) == ({header} if header else set())


class Inner(WireIn):
    at: Utc


class Body(WireIn):
    area: AreaCode
    visits: list[Inner]


def test_what_pydantic_found_is_said_in_chinese_with_a_pointer_for_each_field():
    with pytest.raises(ValidationError) as found:
        Body.model_validate({"area": "61x", "visits": [{"at": "2026-11-23T09:00:00"}], "extra": 1})

    said = {problem.pointer: problem.detail for problem in field_problems(found.value.errors())}

    assert said == {
        "/area": "格式不对。",
        "/visits/0/at": "时间要带时区，例如 2026-11-23T09:00:00+08:00。",
        "/extra": "没有这一项，请检查名称。",
    }


def test_a_pointer_escapes_what_a_json_pointer_must():
    class Odd(BaseModel):
        model_config = {"extra": "forbid"}

    with pytest.raises(ValidationError) as found:
        Odd.model_validate({"a/b~c": 1})

    assert field_problems(found.value.errors())[0].pointer == "/a~1b~0c"


async def test_a_method_that_is_not_answered_here_is_told_which_ones_are(running):
    client = running.client()

    answers = [await client.delete(path) for path in ("/healthz", f"/api/v1/residents/{uuid4()}", "/api/v1/visits")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(405, "method_not_allowed")}
    assert [answer.headers["allow"] for answer in answers] == ["GET", "GET, PATCH, POST, PUT", "GET"]


def route_that_stores(sql: str):
    async def store(value: str, caller: Anyone, tx: Tx) -> None:
        await tx.conn.fetchval(sql, int(value) if value.isdigit() else value)

    return store


@pytest.mark.parametrize(
    ("sql", "value", "status"),
    [
        ("SELECT $1::text", "张\0敏", 422),
        ("SELECT jsonb_build_object('name', $1::text)->>'name'", "张\0敏", 422),
        ("SELECT $1::int", str(2**31), 422),
        ("SELECT $1::bigint", str(2**63), 422),
        ("SELECT ($1::bigint)::int", str(2**40), 422),
        ("SELECT date '2026-01-01' + $1::int", str(2**31 - 1), 422),
        ("SELECT 1 / $1::int", "0", 500),
    ],
)
async def test_a_value_that_cannot_be_stored_is_the_senders_and_a_division_by_zero_ours(
    running, make, sql, value, status
):
    person = await make.worker()
    router = APIRouter(route_class=TxRoute)
    router.add_api_route("/trusting", route_that_stores(sql))
    running.app.router.routes.extend(router.routes)

    answer = await person.client.get("/trusting", params={"value": value})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == ("内容填得不对，请看标出的地方。" if status == 422 else answer.json()["title"])


async def test_values_that_cannot_be_stored_are_refused_by_the_rooms_themselves(running, make):
    admin, home = await make.admin(), await make.household()
    resident = {"household_id": str(home.id), "name": "王\0华"}
    volunteer = {
        "name": "周\0华", "phone": "12600000001", "community_code": COMMUNITY, "skills": ["errand"],
        "home": {"lon": home.lon, "lat": home.lat, "crs": "wgs84"},
    }  # fmt: skip

    answers = [
        await admin.client.put(f"/api/v1/residents/{uuid4()}", json=resident),
        await admin.client.put(f"/api/v1/volunteers/{uuid4()}", json=volunteer),
    ]
    for path in ("residents", "households", "visits", "requests", "volunteers", "cells", "changes"):
        for number in (2**31, 2**63, 10**30, -(2**63)):
            answers.append(await admin.client.get(f"/api/v1/{path}", params={"limit": number}))

    assert {(str(answer.url), answer.text) for answer in answers if answer.status_code != 422} == set()
    assert {answer.json()["code"] for answer in answers} == {"malformed"}


def test_a_body_full_of_mistakes_is_answered_in_short():
    with pytest.raises(ValidationError) as found:
        Body.model_validate({"area": "61", "visits": [{}] * 500})

    assert len(field_problems(found.value.errors())) == 20
