"""What every request passes before it reaches a room."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
import structlog

from backend.core.http import BODY_LIMIT, SYNC_LIMIT
from backend.core.logs import with_request_id

REFRESH = "/api/v1/auth/refresh"
PUSH = "/api/v1/sync/push"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def database_url(shared_url: str) -> str:
    return shared_url


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    with structlog.testing.capture_logs(processors=[with_request_id]) as entries:
        yield entries


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose length no header tells."""
    for _ in range(size // 65536 + 1):
        yield b" " * 65536


@pytest.mark.parametrize("way", ["by its header", "by counting", "although its header lies"])
async def test_a_body_over_the_limit_is_refused(running, way):
    headers = {**JSON, "Content-Length": "10"} if way == "although its header lies" else JSON

    for path, limit in [(REFRESH, BODY_LIMIT), (PUSH, SYNC_LIMIT)]:
        content = b" " * (limit + 1) if way == "by its header" else in_pieces(limit)
        answer = await running.client(**headers).post(path, content=content)

        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_within_the_limit_reaches_its_room(running):
    below = await running.client(**JSON).post(REFRESH, content=b" " * BODY_LIMIT)
    push = await running.client(**JSON).post(PUSH, content=in_pieces(BODY_LIMIT))

    assert below.json()["code"] == "malformed"
    assert push.json()["code"] in ("malformed", "not_signed_in")


async def test_a_wrong_content_type_is_refused(running):
    for kind in ("text/plain", "application/xml", "", "multipart/form-data; boundary=x"):
        for path in (REFRESH, "/api/v1/auth/token"):
            answer = await running.client(**{"Content-Type": kind}).post(path, content=b"{}")

            assert (answer.status_code, answer.json()["code"]) == (415, "wrong_content_type"), (kind, path)
            assert "application/" in answer.json()["detail"], "it says what would be taken"


async def test_a_content_type_with_a_charset_is_the_same_type(running):
    answer = await running.client(**{"Content-Type": "Application/JSON; charset=utf-8"}).post(REFRESH, content=b"{}")

    assert answer.json()["code"] == "malformed"


async def test_a_request_id_comes_back_in_reply_body_and_log(running, logged):
    answer = await running.client(**{"X-Request-Id": "phone-7.42"}).get("/api/v1/auth/me")

    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "phone-7.42"
    assert [entry["request_id"] for entry in logged if entry["event"] == "request"] == ["phone-7.42"]


async def test_a_request_id_that_could_spoil_a_log_is_replaced(running):
    for given in ("", "a b", "x" * 65, '"}{"'):
        answer = await running.client(**{"X-Request-Id": given}).get("/healthz")

        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_an_unknown_address_or_method_is_a_problem_in_chinese(running):
    asked = {("GET", "/api/v1/nowhere"): 404, ("GET", "/"): 404, ("DELETE", REFRESH): 405}
    answers = {place: await running.client().request(*place) for place in asked}

    assert {place: answer.status_code for place, answer in answers.items()} == asked
    for answer in answers.values():
        assert answer.json()["code"] == ("not_found" if answer.status_code == 404 else "method_not_allowed")
        assert answer.headers["content-type"] == "application/problem+json"
        assert re.search(r"[\u4e00-\u9fff]", answer.json()["title"])


async def test_an_unexpected_error_says_nothing_about_itself_and_is_logged_with_its_request_id(running, logged):
    async def broken() -> None:
        raise RuntimeError("门牌 3-201")

    running.app.add_api_route("/broken", broken)

    answer = await running.client().get("/broken")

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert "3-201" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    errors = [entry for entry in logged if entry["log_level"] == "error"]
    assert [entry["request_id"] for entry in errors] == [answer.headers["x-request-id"]]


async def test_logs_tell_the_route_and_never_what_somebody_searched_for(running, logged):
    await running.client().get("/api/v1/residents", params={"q": "李秀兰"})
    await running.client().get("/api/v1/residents/610388199001010015")

    assert [entry["status"] for entry in logged if entry["event"] == "request"] == [401, 401]
    told = json.dumps(logged, ensure_ascii=False)
    assert "李秀兰" not in told
    assert "%E6" not in told
    assert "610388199001010015" not in told


async def test_requests_are_counted_by_route_and_status(running):
    client = running.client()

    def count(metrics: str) -> float:
        line = r'^gridhood_requests_total\{.*route="/api/v1/auth/me",status="401"\} (\S+)$'
        found = re.search(line, metrics, re.MULTILINE)
        return float(found[1]) if found else 0.0

    before = count((await client.get("/metrics")).text)
    await client.get("/api/v1/auth/me", params={"q": "李秀兰"})
    metrics = (await client.get("/metrics")).text

    assert count(metrics) == before + 1
    assert "gridhood_request_seconds_bucket" in metrics
    assert "李秀兰" not in metrics


async def test_it_is_alive_and_ready(running):
    client = running.client()

    assert (await client.get("/healthz")).text == "ok"
    assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_a_database_of_another_release_is_not_ready(running, database_url):
    owner = await asyncpg.connect(database_url)
    revision = await owner.fetchval("SELECT version_num FROM alembic_version")
    await owner.execute("UPDATE alembic_version SET version_num = 'older'")

    answer = await running.client().get("/readyz")

    await owner.execute("UPDATE alembic_version SET version_num = $1", revision)
    await owner.close()
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
