"""One request, one transaction, committed after the handler and before the reply leaves.

A dependency with `yield` would commit outside the retry loop, and by default only after the reply: a phone that empties
its outbox on 200 would lose data.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import asyncpg
import structlog
from fastapi import Request, params
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from backend.core.db import ATTEMPTS, RETRYABLE, Database, Unit, last_word
from backend.core.errors import Refusal
from backend.core.signature import Signature, json_body
from shared.errors import Code

log = structlog.get_logger()

_SAFE = frozenset({"GET", "HEAD"})

Read = Callable[[Request], Awaitable[Any]]


class TxRoute(APIRoute):
    """A route whose handler runs in the request's transaction, and again when it lost a race."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **described: Any) -> None:
        super().__init__(path, endpoint, **described)
        # Without the framework's layers around a handler: they serve generators and background tasks, of which no
        # route has any, and what they do about exceptions the application's own layer does again.
        self.app = self._serve
        self._signature = Signature(self.dependant, embed=self._embed_body_fields, status=self.status_code or 200)
        self._read = _reader_of(self.body_field.field_info if self.body_field else None)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What a router that is included, and not taken over route by route, calls."""
        return self._transact

    async def _handle(self, request: Request) -> Response:
        body = await self._read(request)
        arguments, described = await self._signature.arguments(request, body)
        answer = await self.endpoint(**arguments)
        return answer if isinstance(answer, Response) else self._render(answer, described)

    def _render(self, answer: Any, described: Response | None) -> Response:
        status = described.status_code if described else self.status_code or 200
        if self.response_field is None:
            response: Response = JSONResponse(answer, status)
        else:
            content = self.response_field.serialize_json(answer)
            response = Response(content, status, media_type="application/json")
        if described:
            response.headers.raw.extend(described.headers.raw)
        return response

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self._transact(request)
        await response(scope, receive, send)

    async def _transact(self, request: Request) -> Response:
        database: Database = request.app.state.database
        for attempt in range(1, ATTEMPTS + 1):
            unit = request.state.unit = Unit(database, request.state.request_id, attempt)
            try:
                async with asyncio.timeout(database.deadline_s):
                    response = await self._handle(request)
                    await unit.flush()
                await unit.commit(wrote=request.method not in _SAFE)
                return response
            except RETRYABLE as error:
                await unit.rollback()
                if attempt == ATTEMPTS:
                    raise Refusal(last_word(error)) from error
            except (TimeoutError, asyncpg.QueryCanceledError) as error:
                await unit.rollback()
                raise Refusal(Code.outcome_unknown) from error
            except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as error:
                await unit.rollback()
                log.warning("database_away", error=type(error).__name__)
                raise Refusal(Code.busy) from error
            except BaseException:
                await unit.rollback()
                raise
        raise AssertionError("unreachable")


def _reader_of(field: object) -> Read:
    if field is None:
        return _nothing
    return Request.form if isinstance(field, params.Form) else json_body


async def _nothing(_request: Request) -> None:
    """A route without a body leaves unread what is sent to it."""
