"""What every route of the app keeps to, read from the app itself."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from backend.auth.deps import current_caller, transaction
from backend.core.http import PAGES
from backend.core.route import TxRoute
from backend.core.settings import Settings
from backend.main import build
from backend.web.visitor import visiting_volunteer
from tests.conftest import KEYS
from tests.factories import CELL

OPEN_TO_ALL = {
    "/openapi.json", "/docs", "/docs/assets", "/healthz", "/readyz", "/metrics",
    "/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/auth/sign-out",
    "/m", "/m/static", "/m/sign-in", "/m/sign-out", "/m/report", "/m/report/sent", "/m/{rest:path}",
}  # fmt: skip


def app() -> FastAPI:
    return build(Settings("", KEYS))


def routes(of: FastAPI) -> list[RouteContext]:
    return list(iter_route_contexts(of.routes))


def guarded(of: FastAPI) -> list[RouteContext]:
    return [route for route in routes(of) if route.path not in OPEN_TO_ALL]


WHO_IT_IS = frozenset({current_caller, visiting_volunteer})


def unasked(of: FastAPI) -> set[str]:
    """Return the addresses that answer without asking who is calling."""
    return {str(route.path) for route in guarded(of) if WHO_IT_IS.isdisjoint(calls(route.dependant))}


def late(of: FastAPI) -> set[str]:
    """Return the addresses whose reply could leave before its transaction is committed."""
    return {str(route.path) for route in guarded(of) if not isinstance(route.original_route, TxRoute)}


def calls(dependant: Dependant) -> Iterator[Any]:
    """Yield everything that is called before the handler."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda named: CELL if named[1] == "code" else str(uuid4()), path)


def test_a_route_is_open_to_all_only_by_name():
    assert unasked(app()) == set()
    assert {route.path for route in routes(app())} >= OPEN_TO_ALL


def test_every_route_commits_before_its_reply():
    assert late(app()) == set()


def test_a_forgotten_guard_or_route_class_is_found():
    careless = app()
    careless.add_api_route("/api/v1/everything", lambda: [])

    assert unasked(careless) == late(careless) == {"/api/v1/everything"}


async def test_a_stranger_is_refused_everywhere_else(running):
    stranger = running.client()

    answers = {
        (method, route.path): await stranger.request(method, filled(route.path))
        for route in guarded(running.app)
        if not route.path.startswith(PAGES)  # tests/web: they lead to the page for signing in
        for method in route.methods
    }

    assert {place: answer.status_code for place, answer in answers.items() if answer.status_code != 401} == {}
    assert {answer.json()["code"] for answer in answers.values()} == {"not_signed_in"}
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {"Bearer"}


def too_early(dependant: Dependant) -> bool:
    """Say whether a signature asks for its transaction before its caller."""
    asked = [{one.call, *calls(one)} for one in dependant.dependencies]
    begins = next((place for place, found in enumerate(asked) if transaction in found), None)
    return begins is not None and not any(WHO_IT_IS & found for found in asked[:begins])


def test_every_signature_names_its_caller_before_its_transaction():
    assert [route.path for route in guarded(app()) if too_early(route.dependant)] == []


def test_a_transaction_before_its_caller_is_found():
    caller, begun = Dependant(call=current_caller), Dependant(call=transaction)

    assert too_early(Dependant(dependencies=[begun, caller]))
    assert not too_early(Dependant(dependencies=[caller, begun]))
