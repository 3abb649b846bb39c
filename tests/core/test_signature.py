"""What a route asks of a request is read once: it must come to what the framework would have read."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from backend.core import errors
from backend.core.http import Gate
from backend.core.route import TxRoute


class Note(BaseModel):
    words: str = Field(max_length=5)


asked: list[str] = []


async def whose(name: Annotated[str, Query(max_length=3)]) -> str:
    asked.append(name)
    return name


async def greeting(name: Annotated[str, Depends(whose)], tone: Annotated[str, Header()] = "您好") -> str:
    return f"{tone}{name}"


def plain() -> str:
    return "在线程里"


async def put_note(
    number: int,
    body: Note,
    name: Annotated[str, Depends(whose)],
    hello: Annotated[str, Depends(greeting)],
    reply: Response,
    days: Annotated[list[int], Query()] = [],  # noqa: B006
) -> dict[str, object]:
    reply.headers["X-Name"] = str(len(name))
    reply.status_code = 202 if number == 7 else reply.status_code
    return {"number": number, "words": body.words, "hello": hello, "days": days}


def app_of(route_class: type[APIRoute]) -> FastAPI:
    app = FastAPI()
    app.add_middleware(Gate)
    errors.install(app)
    app.state.database = _NoDatabase()
    router = APIRouter(route_class=route_class)
    router.put("/notes/{number}", status_code=201)(put_note)
    app.router.routes.extend(router.routes)
    return app


class _NoDatabase:
    deadline_s = 5.0


def client_of(route_class: type[APIRoute]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app_of(route_class)), base_url="http://test")


@pytest.fixture
def client() -> httpx.AsyncClient:
    return client_of(TxRoute)


CASES = {
    "as it should be": ("/notes/7?name=张&days=1&days=2", {"words": "好"}, {"tone": "hi"}),
    "with defaults": ("/notes/8?name=张", {"words": "好"}, {}),
    "a path that is no number": ("/notes/x?name=张", {"words": "好"}, {}),
    "several mistakes at once": ("/notes/x?name=张三李四&days=x", {"words": "太长太长太长"}, {}),
    "a query that is missing": ("/notes/7", {"words": "好"}, {}),
    "a body that is no object": ("/notes/7?name=张", [1], {}),
    "a body of null": ("/notes/7?name=张", None, {}),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_signature_reads_what_the_framework_reads(case):
    path, body, headers = CASES[case]
    answers = [await client_of(kind).put(path, json=body, headers=headers) for kind in (TxRoute, APIRoute)]

    ours, theirs = ([a.status_code, a.headers.get("x-name"), a.headers["content-type"], _body(a)] for a in answers)
    assert ours == theirs


def _body(answer: httpx.Response) -> object:
    read = answer.json()
    read.pop("request_id", None)
    if "errors" in read:
        read["errors"].sort(key=lambda error: error["pointer"])
    return read


async def test_every_mistake_is_pointed_at_by_its_name_wherever_it_stood(client):
    path, body, headers = CASES["several mistakes at once"]

    answer = await client.put(path, json=body, headers=headers)

    assert {error["pointer"] for error in answer.json()["errors"]} == {"/number", "/name", "/days/0", "/words"}


async def test_what_two_ask_for_is_asked_once(client):
    asked.clear()

    await client.put("/notes/7?name=张", json={"words": "好"})

    assert asked == ["张"]


async def test_a_body_cut_short_is_a_problem_and_not_a_server_error(client):
    answer = await client.put("/notes/7?name=张", content=b'{"words":', headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


def test_a_dependency_that_would_run_in_a_thread_is_refused_when_the_route_is_made():
    router = APIRouter(route_class=TxRoute)

    with pytest.raises(TypeError, match="coroutine"):

        @router.get("/slow")
        async def slow(word: Annotated[str, Depends(plain)]) -> str:
            return word
