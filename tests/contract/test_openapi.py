"""The committed API description is the app's own, in Chinese, with an example for every body."""

import json
from pathlib import Path

import pytest

from backend.core import docs
from backend.core.settings import Settings, derive_keys
from backend.main import build

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi.json"
DOCUMENT = json.loads(COMMITTED.read_text(encoding="utf-8"))
FORM = "application/x-www-form-urlencoded"


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield pytest.param(operation, id=f"{method.upper()} {path}")


def schema(part):
    """Follow a reference."""
    return DOCUMENT["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part


def is_chinese(words):
    return any("一" <= letter <= "鿿" for letter in words)


def test_the_committed_description_is_what_the_app_says():
    app = build(Settings("", derive_keys(bytes(range(32)))))

    assert COMMITTED.read_text(encoding="utf-8") == docs.describe(app), "run `make openapi` and commit the result"


def test_it_is_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1")


@pytest.mark.parametrize("operation", list(operations()))
def test_an_operation_is_described_in_chinese_and_every_body_has_an_example(operation):
    assert is_chinese(operation["description"])
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        if kind != FORM:
            assert schema(media["schema"]).get("examples") or media.get("examples")


@pytest.mark.parametrize("operation", list(operations()))
def test_every_refusal_is_a_problem(operation):
    assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
    assert not [status for status in operation["responses"] if status.startswith("4")]


def fields():
    for name, found in DOCUMENT["components"]["schemas"].items():
        for field, part in found.get("properties", {}).items():
            yield pytest.param(part, id=f"{name}.{field}")


@pytest.mark.parametrize("part", list(fields()))
def test_a_field_is_described_in_chinese(part):
    assert is_chinese(part.get("description", "") or schema(part).get("description", ""))
