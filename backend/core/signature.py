"""What a route's signature asks of a request, read once.

FastAPI walks the tree of dependencies anew for every request, which costs more than the query of a small read. This
plan is made when the route is; parameters and bodies are still checked by FastAPI's own functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.security.base import SecurityBase
from pydantic_core import PydanticUndefined
from starlette.requests import ClientDisconnect

from backend.core.errors import Refusal
from shared.errors import Code

Check = Callable[[Mapping[str, Any]], tuple[dict[str, Any], list[Any]]]

_PLACES = ("path", "query", "header")


@dataclass(frozen=True, slots=True)
class Need:
    """A callable to be awaited before the endpoint: its name there, and what it asks for itself."""

    name: str | None
    call: Callable[..., Any]
    asks: "Signature"


class Asking:
    """One request being asked: what is known of it so far."""

    __slots__ = ("body", "errors", "known", "request", "response")

    def __init__(self, request: Request, body: Any) -> None:
        self.request = request
        self.body = body
        self.errors: list[Any] = []
        self.known: dict[Callable[..., Any], Any] = {}
        self.response: Response | None = None


class Signature:
    """The arguments of one callable, and how each is got."""

    def __init__(self, dependant: Dependant, *, embed: bool = False, status: int = 200) -> None:
        self._status = status
        self._needs = [Need(one.name, _call_of(one), Signature(one, status=status)) for one in dependant.dependencies]
        self._checks: list[tuple[str, Check]] = [
            (place, partial(request_params_to_args, fields))
            for place in _PLACES
            if (fields := getattr(dependant, f"{place}_params"))
        ]
        self._body = dependant.body_params
        self._embed = embed
        self._request = dependant.request_param_name or dependant.http_connection_param_name
        self._response = dependant.response_param_name
        _refuse_what_is_not_read(dependant)

    async def arguments(self, request: Request, body: Any) -> tuple[dict[str, Any], Response | None]:
        """Return the arguments, and the response whose headers the endpoint may set, if it asked for one."""
        asking = Asking(request, body)
        values = await self._values(asking)
        if asking.errors:
            raise RequestValidationError(asking.errors, body=None)
        return values, asking.response

    async def _values(self, asking: Asking) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for need in self._needs:
            if need.call not in asking.known:
                before = len(asking.errors)
                asked = await need.asks._values(asking)
                if len(asking.errors) > before:
                    continue
                asking.known[need.call] = await need.call(**asked)
            if need.name is not None:
                values[need.name] = asking.known[need.call]
        for place, check in self._checks:
            found, errors = check(_received(asking.request, place))
            values.update(found)
            asking.errors += errors
        if self._body:
            found, errors = await request_body_to_args(self._body, asking.body, self._embed)
            values.update(found)
            asking.errors += errors
        if self._request:
            values[self._request] = asking.request
        if self._response:
            if asking.response is None:
                asking.response = Response(status_code=self._status)
                del asking.response.headers["content-length"]
            values[self._response] = asking.response
        return values


def _received(request: Request, place: str) -> Mapping[str, Any]:
    if place == "path":
        return request.path_params
    return request.query_params if place == "query" else request.headers


def _call_of(dependant: Dependant) -> Callable[..., Any]:
    call = dependant.call
    if call is None or not (iscoroutinefunction(call) or isinstance(call, SecurityBase)):
        # FastAPI would send a plain function to a thread and run a generator's end after the reply.
        raise TypeError(f"a dependency must be a coroutine function: {call!r}")
    return call


def _refuse_what_is_not_read(dependant: Dependant) -> None:
    unread = (dependant.cookie_params, dependant.background_tasks_param_name, dependant.websocket_param_name)
    if any(unread) or dependant.security_scopes_param_name:
        raise TypeError(f"{dependant.call!r} asks for something that no route here has")


async def json_body(request: Request) -> Any:
    """Read a body. A pushed batch is half a megabyte: the standard parser takes five times as long."""
    try:
        sent = await request.body()
        return orjson.loads(sent) if sent else PydanticUndefined
    except ClientDisconnect as error:
        raise Refusal(Code.malformed) from error  # which nobody reads any more
    except orjson.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": ("body",), "msg": "", "input": {}}
        raise RequestValidationError([wrong], body=None) from error
