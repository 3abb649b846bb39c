"""What every request passes before it reaches a room: a request id, limits, a log line and a measurement."""

import re
import time
from functools import cache
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.core.errors import Refusal, problem, render
from backend.core.logs import REQUEST_ID
from shared.errors import Code
from shared.texts import _

log = structlog.get_logger()

BODY_LIMIT = 1 << 20
SYNC_LIMIT = 4 << 20
UPLOAD_LIMIT = 256 << 20
UPLOADS = "/api/v1/imports"
PAGES = "/m/"
PICTURED = "/m/report"
"""The one form that may bring photos, as a camera made them."""
PICTURED_LIMIT = 48 << 20
"""More than the three that are taken: only who gets through is told on the page which one was too large."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CHUNKS = re.compile(r"/api/v1/attachments/[^/]+/chunks")
_SHEETS = (
    "application/octet-stream", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)  # fmt: skip
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

REQUESTS = Counter("gridhood_requests_total", "Requests by method, route and status.", ["method", "route", "status"])
SECONDS = Histogram("gridhood_request_seconds", "Time to answer, by method and route.", ["method", "route"])


class Gate:
    """ASGI middleware. Written against the protocol itself: a request costs no extra task."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        REQUEST_ID.set(request_id)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        begun = False

        async def answer(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            refusal = _refuse(scope, headers)
            if refusal:
                await render(refusal.problem())(scope, receive, answer)
            else:
                await self.app(scope, _limited(receive, _limit_of(scope["path"])), answer)
        except Exception as error:
            # Here and not in the framework's outermost layer, whose reply would carry no request id.
            log.error("unexpected", error=type(error).__name__, exc_info=error)
            if not begun:
                await render(problem(Code.server_error))(scope, receive, answer)
        finally:
            _record(scope, status, time.perf_counter() - started)


def _limit_of(path: str) -> int:
    if path == UPLOADS:
        return UPLOAD_LIMIT
    if path == PICTURED:
        return PICTURED_LIMIT
    return SYNC_LIMIT if path.startswith("/api/v1/sync/") else BODY_LIMIT


def _refuse(scope: Scope, headers: dict[bytes, str]) -> Refusal | None:
    """Refuse by the headers alone what can be refused by them."""
    length = headers.get(b"content-length", "0")
    if length.isdecimal() and int(length) > _limit_of(scope["path"]):
        return Refusal(Code.body_too_large)
    if scope["method"] in _WITH_BODY and (length != "0" or b"transfer-encoding" in headers):
        kind = headers.get(b"content-type", "").split(";")[0].strip().lower()
        if kind not in (kinds := _kinds_of(scope["path"])):
            return Refusal(Code.wrong_content_type, _("这里收 {kinds}。").format(kinds=", ".join(kinds)))
    return None


def _kinds_of(path: str) -> tuple[str, ...]:
    """Return the content types that a path takes."""
    if _CHUNKS.fullmatch(path):
        return ("application/octet-stream",)
    if path == UPLOADS:
        return _SHEETS
    if path == PICTURED:
        return ("application/x-www-form-urlencoded", "multipart/form-data")
    if path.startswith(PAGES):
        return ("application/x-www-form-urlencoded",)
    if path.endswith("/auth/token"):
        return ("application/x-www-form-urlencoded", "application/geo+json")
    return ("application/json", "application/geo+json")


def _limited(receive: Receive, limit: int) -> Receive:
    """Count the bytes that really come: a header can lie or be missing."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413)  # the one exception that FastAPI's body reading lets through
        return message

    return counted


@cache
def _meters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Their own look-up by labels costs more than counting."""
    return REQUESTS.labels(method, route, status), SECONDS.labels(method, route)


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "none")
    requests, times = _meters(scope["method"], route, status)
    requests.inc()
    times.observe(seconds)
    # The route and not the path: a path may hold what somebody searched for.
    log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
