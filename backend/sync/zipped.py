"""gzip on the way in and out of the sync routes: a month without network is a few hundred kilobytes instead of
megabytes, on a line that may be cut at any time."""

import asyncio
import gzip
import zlib

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Message, Receive, Scope, Send

from backend.core.errors import Refusal
from backend.core.http import SYNC_LIMIT
from backend.core.route import TxRoute
from shared.errors import Code
from shared.texts import _

WORTH_IT = 1024
LONG = 64 << 10
"""From here on compressing takes long enough for others to wait; zlib lets them go on from another thread."""
LEVEL = 4
_WITH_HEADER = 16 + zlib.MAX_WBITS


class SyncRoute(TxRoute):
    """A route that reads gzip and answers with it when asked."""

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding == b"gzip":
            receive = _inflated(receive)
        elif encoding != b"identity":
            raise Refusal(Code.wrong_content_type, _("Content-Encoding 只认 gzip。"))
        response = await self._transact(Request(scope, receive, send))
        if takes_gzip(headers.get(b"accept-encoding", b"")):
            await _deflate(response)
        response.headers["Vary"] = "Accept-Encoding"
        await response(scope, receive, send)


def takes_gzip(header: bytes) -> bool:
    """Say whether a client asks for gzip, and does not rule it out with a weight of nothing."""
    for offered in header.decode("latin-1").lower().split(","):
        name, _, weight = offered.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def _deflate(response: Response) -> None:
    body = bytes(response.body)
    if len(body) < WORTH_IT:
        return
    if len(body) < LONG:
        response.body = gzip.compress(body, LEVEL, mtime=0)
    else:
        response.body = await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Encoding"] = "gzip"


def _inflated(receive: Receive) -> Receive:
    """Inflate a body as it comes, never by more than the limit: what is a bomb is refused after its first megabytes.

    The compressed bytes have their own limit, at the gate.
    """
    inflate = zlib.decompressobj(_WITH_HEADER)
    left = SYNC_LIMIT

    async def inflated() -> Message:
        nonlocal left
        message = await receive()
        if message["type"] != "http.request":
            return message
        try:
            plain = inflate.decompress(message.get("body", b""), left + 1)
        except zlib.error as error:
            raise Refusal(Code.malformed, _("gzip 内容坏了，请原样再送一次。")) from error
        left -= len(plain)
        if left < 0:
            raise Refusal(Code.body_too_large)
        if inflate.unused_data or not (message.get("more_body") or inflate.eof):
            raise Refusal(Code.malformed, _("gzip 内容坏了，请原样再送一次。"))
        return {**message, "body": plain}

    return inflated
