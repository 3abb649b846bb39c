"""Refusals as people and programs read them."""

import re

import pytest
from pydantic import BaseModel, ValidationError

from backend.core.errors import Refusal, field_problems, problem, render
from shared.errors import CATALOGUE, Code
from shared.types import AreaCode, Utc, WireIn

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


def test_a_body_full_of_mistakes_is_answered_in_short():
    with pytest.raises(ValidationError) as found:
        Body.model_validate({"area": "61", "visits": [{}] * 500})

    assert len(field_problems(found.value.errors())) == 20
