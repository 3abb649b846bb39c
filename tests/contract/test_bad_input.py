"""Whatever is sent to any route, the answer is a refusal and never a server error."""

import json
import re
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import pytest

from backend.core.settings import Settings
from backend.main import build
from shared.auth import Role
from tests.conftest import KEYS
from tests.factories import CELL, COUNTY

DESCRIBED = build(Settings("", KEYS)).openapi()

LEAVES: tuple[Any, ...] = (
    "\0", "\ud800", "x" * 10_000, "", "९", 10**400, 2**31, 1e308, None, [], {}, "9999-12-31T23:59:59-12:00",
    "610330999999999", "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
"""Put in the place of the values of each example."""
_TURNS = cycle(LEAVES)

BODIES = (
    b"", b"null", b"[]", b"{}", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5000, b"1e999", b"NaN",
    b"9" * 5000, b'{"a": 1, "a": 2}',
)  # fmt: skip
WORDS = ("\0", "\ud800".encode("utf-8", "surrogatepass"), "x" * 5000, "", "9" * 40, "९")


@pytest.fixture
def database_url(shared_url: str) -> str:
    return shared_url


@pytest.fixture
async def everybody(make):
    """Who may call something, each as wide as can be."""
    return [
        await make.account((Role.county_admin, COUNTY)),
        await make.account((Role.volunteer, COUNTY), volunteer_id=uuid4()),
    ]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda named: CELL if named[1] == "code" else str(uuid4()), path)


def example_of(operation: dict[str, Any]) -> Any:
    schema = operation["requestBody"]["content"].get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    return next(iter(DESCRIBED["components"]["schemas"].get(name, {}).get("examples", [])), None)


def spoiled(value: Any) -> Iterator[Any]:
    """Yield the value with each of its parts replaced by some of the leaves, in turn."""
    yield from islice(_TURNS, 5)
    if isinstance(value, dict):
        yield from ({**value, key: bad} for key, inner in value.items() for bad in spoiled(inner))
    elif isinstance(value, list) and value:
        yield from ([bad, *value[1:]] for bad in spoiled(value[0]))


def writing() -> list[tuple[str, str]]:
    return [(method, path) for method, path, operation in operations() if "requestBody" in operation]


async def test_no_body_makes_a_server_error(everybody):
    failed = []
    for person in everybody:
        for method, path in writing():
            for body in BODIES:
                headers = {"Content-Type": "application/json", "If-Match": '"1"', "Idempotency-Key": uuid4().hex}
                answer = await person.client.request(method, filled(path), content=body, headers=headers)
                failed += [(method, path, body[:20], answer.text[:99])] if answer.status_code >= 500 else []

    assert failed == []


async def test_no_value_in_a_good_body_makes_a_server_error(everybody):
    failed = []
    for method, path, operation in operations():
        good = example_of(operation) if "requestBody" in operation else None
        for bad in spoiled(good) if good else ():
            for person in everybody:
                headers = {"Content-Type": "application/json", "If-Match": '"1"'}
                answer = await person.client.request(method, filled(path), content=json.dumps(bad), headers=headers)
                if answer.status_code == 403:
                    continue
                failed += [(method, path, str(bad)[:200], answer.text[:99])] if answer.status_code >= 500 else []
                break

    assert failed == []


async def test_no_parameter_makes_a_server_error(everybody):
    failed = []
    for method, path, operation in operations():
        for parameter in operation.get("parameters", []):
            for word in WORDS:
                found = await _spoil(everybody[0], method, path, parameter, word)
                failed += [found] if found else []

    assert failed == []


async def _spoil(
    person, method: str, path: str, parameter: dict[str, Any], word: str | bytes
) -> tuple[Any, ...] | None:
    """Ask with one parameter spoiled; return what happened when it was a server error."""
    where, name = parameter["in"], parameter["name"]
    raw = word if isinstance(word, bytes) else word.encode()
    address, headers = filled(path), {b"Content-Type": b"application/json"}
    if where == "path":
        quoted = "".join(f"%{byte:02x}" for byte in raw) or "%20"
        address = filled(path.replace(f"{{{name}}}", quoted))
    elif where == "query":
        address += f"?{name}=" + "".join(f"%{byte:02x}" for byte in raw)
    else:
        headers[name.encode()] = raw.replace(b"\0", b"")
    answer = await person.client.request(method, address, headers=list(headers.items()))
    return (method, path, name, word[:20], answer.text[:99]) if answer.status_code >= 500 else None


async def test_a_server_error_would_be_found(running, everybody):
    """The control: a route that trusts what it is sent."""

    async def trusting(number: int) -> int:
        return 1 // number

    running.app.add_api_route("/trusting", trusting)

    found = await _spoil(everybody[0], "get", "/trusting", {"in": "query", "name": "number"}, "0")

    assert found is not None
