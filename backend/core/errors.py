"""One exception for every refusal, and the handlers that turn it into problem+json."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from backend.core.logs import REQUEST_ID
from shared.errors import CATALOGUE, Code, FieldProblem, Problem
from shared.texts import _

log = structlog.get_logger()

_BY_STATUS = {404: Code.not_found, 405: Code.method_not_allowed, 413: Code.body_too_large}

_WORDS = {
    "missing": _("缺少这一项。"),
    "extra_forbidden": _("没有这一项，请检查名称。"),
    "string_too_short": _("太短了。"),
    "string_too_long": _("太长了。"),
    "too_long": _("太多了。"),
    "too_short": _("太少了。"),
    "string_pattern_mismatch": _("格式不对。"),
    "enum": _("不在可选的范围内。"),
    "literal_error": _("不在可选的范围内。"),
    "timezone_aware": _("时间要带时区，例如 2026-11-23T09:00:00+08:00。"),
    "json_invalid": _("不是有效的 JSON。"),
    "greater_than_equal": _("太小了。"),
    "less_than_equal": _("太大了。"),
    "finite_number": _("要是一个有限的数。"),
    "credit_code": _("统一社会信用代码对不上，请对着证书再核一遍：18 位，没有字母 I、O、S、V、Z。"),
    "unit_of_basic_cell": _("基础网格不写单位，专属网格才有统一社会信用代码。"),
}


_UNSTORABLE = frozenset({
    asyncpg.DataError,  # the driver's own: out of the range of a parameter, or not to be encoded
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
    asyncpg.NumericValueOutOfRangeError,
    asyncpg.DatetimeFieldOverflowError,
})  # fmt: skip
"""Other data errors, a division by zero for one, are mistakes of ours."""


class Refusal(Exception):
    """The answer is no, with a stable code from shared/errors.py."""

    def __init__(self, code: Code, detail: str | None = None, *, pointer: str | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.detail = detail
        self.pointer = pointer

    def problem(self) -> Problem:
        errors = [FieldProblem(pointer=self.pointer, detail=CATALOGUE[self.code].sentence)] if self.pointer else []
        return problem(self.code, detail=self.detail, errors=errors)


def problem(code: Code, *, detail: str | None = None, errors: Sequence[FieldProblem] = ()) -> Problem:
    """Build the RFC 9457 body of a code."""
    status, sentence = CATALOGUE[code]
    return Problem(
        type=f"urn:gridhood:problem:{code.value}", title=sentence, status=status, code=code,
        detail=detail, errors=list(errors), request_id=REQUEST_ID.get(None),
    )  # fmt: skip


def field_problems(errors: Sequence[Any]) -> list[FieldProblem]:
    """Say in Chinese what pydantic found, with a JSON pointer per field."""
    return [
        FieldProblem(
            pointer="".join(f"/{_escaped(step)}" for step in _inside(error["loc"])) or "/",
            detail=_WORDS.get(error["type"], _("填得不对。")),
        )
        for error in errors[:20]
    ]


def _inside(loc: Sequence[str | int]) -> Sequence[str | int]:
    """Leave out where it stood: a field has one name for its caller, in a body or in an address."""
    return loc[1:] if loc and loc[0] in ("body", "query", "path", "header") else loc


def _escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def render(body: Problem) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if body.status == 401 else {}
    if body.status in (429, 503):
        headers["Retry-After"] = "5"
    return Response(
        body.model_dump_json(exclude_none=True), body.status, headers, media_type="application/problem+json"
    )


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return render(error.problem())


async def _malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return render(problem(Code.malformed, errors=field_problems(error.errors())))


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reply = render(problem(_BY_STATUS.get(error.status_code, Code.malformed)))
    if error.status_code == 405:
        named = (error.headers or {}).get("Allow", "").split(", ")
        reply.headers["Allow"] = ", ".join(sorted(_methods_at(request).union(named)))
    return reply


def _methods_at(request: Request) -> set[str]:
    """Return what any of the rooms' routes answers here: the framework names the methods of the first one only."""
    routes = [route for route in request.app.router.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in routes for method in getattr(route, "methods", None) or ()}


async def _unstorable(_request: Request, error: Exception) -> Response:
    """A value that a wire model let through and PostgreSQL cannot hold. The value itself is not logged."""
    if type(error) not in _UNSTORABLE:
        raise error
    log.warning("unstorable_value", error=type(error).__name__)
    return render(problem(Code.malformed))


def install(app: FastAPI) -> None:
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(asyncpg.DataError, _unstorable)
