"""The server's HTTP interface as the phone uses it. This is the only module that knows about HTTP."""

import asyncio
import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, RootModel, ValidationError

from mobile.sync.errors import NetworkProblem, NeverLeft, NoAnswer, Refused, SignInNeeded, TooMuch
from shared.attachments import PhotoOut, UploadOut
from shared.auth import DeviceIn, DeviceOut, MeOut, RefreshIn, TokenOut
from shared.errors import CATALOGUE, Code, Problem
from shared.grid import CellNamesOut
from shared.sync import EntityKind, PullIn, PullOut, PushIn, PushOut

TIMEOUT = httpx.Timeout(20, connect=6, pool=6)
OCTETS = "application/octet-stream"
TOO_LARGE = 413
"""In the words of a gateway, such as nginx, whose limit is 1 MiB unless somebody has raised it."""

ZIPPED_FROM = 1024
"""Bytes of a sync request from which gzip is worth its trouble."""

Reply = TypeVar("Reply", bound=BaseModel)


class Packed(NamedTuple):
    """A sync request as it goes over the line."""

    content: bytes
    zipped: bool


Body = BaseModel | Packed | bytes | None

_Photos = RootModel[list[PhotoOut]]
_WITH_PHOTOS = {EntityKind.visit: "visits", EntityKind.request: "requests"}


class Client:
    """One connection pool to one server, made at first use and away from the screen's thread, where it would stutter.

    `on_tokens` keeps each new pair of tokens before anything else happens: a refresh token works only once.
    """

    def __init__(
        self,
        server: str,
        tokens: TokenOut | None = None,
        on_tokens: Callable[[TokenOut], None] = lambda _tokens: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base, self._transport = server.rstrip("/") + "/api/v1", transport
        self._tokens, self.on_tokens = tokens, on_tokens
        self._http: httpx.AsyncClient | None = None
        self._opening, self._refreshing = asyncio.Lock(), asyncio.Lock()

    @property
    def tokens(self) -> TokenOut | None:
        return self._tokens

    async def sign_in(self, username: str, password: str, device_id: UUID) -> MeOut:
        """The tokens are this phone's: they end when it is revoked."""
        form = {"username": username, "password": password, "device_id": str(device_id)}
        self._keep(await self._parsed(TokenOut, await self._send("POST", "/auth/token", data=form)))
        return await self._authorised(MeOut, "GET", "/auth/me")

    async def sign_out(self) -> None:
        """End the tokens on the server too. Without a network they run out there by themselves."""
        if self._tokens is not None:
            with suppress(NetworkProblem):
                await self._send("POST", "/auth/sign-out", body=RefreshIn(refresh_token=self._tokens.refresh_token))
            self._tokens = None

    async def register(self, device_id: UUID, name: str) -> DeviceOut:
        """Tell the server about this phone and that this account has signed in on it."""
        return await self._authorised(DeviceOut, "PUT", f"/devices/{device_id}", DeviceIn(name=name))

    async def push(self, push: PushIn, packed: Packed | None = None) -> PushOut:
        """Send a push; `packed` is the same when it was made ready before."""
        return await self._authorised(PushOut, "POST", "/sync/push", packed or push)

    async def pull(self, pull: PullIn) -> PullOut:
        return await self._authorised(PullOut, "POST", "/sync/pull", pull)

    async def rescue(self, push: PushIn) -> PushOut:
        """Hand in what a phone that was shut out still holds."""
        return await self._authorised(PushOut, "POST", "/sync/rescue", push)

    async def cell_names(self) -> CellNamesOut:
        return await self._authorised(CellNamesOut, "GET", "/cells/names")

    async def photo_status(self, sha256: str) -> UploadOut:
        return await self._authorised(UploadOut, "GET", f"/attachments/{sha256}/status")

    async def send_chunk(self, sha256: str, offset: int, chunk: bytes) -> UploadOut:
        return await self._authorised(UploadOut, "PUT", f"/attachments/{sha256}/chunks?offset={offset}", chunk)

    async def photos_of(self, kind: EntityKind, entity_id: UUID) -> list[PhotoOut]:
        """What photos a visit or a request has, and how far each has come."""
        path = f"/{_WITH_PHOTOS[kind]}/{entity_id}/photos"
        return (await self._authorised(_Photos, "GET", path)).root

    async def photo(self, sha256: str) -> bytes:
        """A photo as JPEG. A page that a portal puts in its place is none."""
        response = await self._answered("GET", f"/attachments/{sha256}")
        if response.status_code >= 400:
            raise _refusal(response)
        if response.headers.get("Content-Type") != "image/jpeg":
            raise NoAnswer("the answer is no picture")
        return response.content

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _authorised(self, reply: type[Reply], method: str, path: str, body: Body = None) -> Reply:
        return await self._parsed(reply, await self._answered(method, path, body))

    async def _answered(self, method: str, path: str, body: Body = None) -> httpx.Response:
        used = self._tokens
        if used is None:
            raise SignInNeeded
        response = await self._send(method, path, body=body, token=used.access_token)
        if response.status_code == 401:
            fresh = await self._refreshed(used)
            response = await self._send(method, path, body=body, token=fresh.access_token)
            if response.status_code == 401:
                raise SignInNeeded
        return response

    async def _refreshed(self, used: TokenOut) -> TokenOut:
        """Exchange the refresh token once, also when several requests met a 401 together."""
        async with self._refreshing:
            if self._tokens is used:
                body = RefreshIn(refresh_token=used.refresh_token)
                response = await self._send("POST", "/auth/refresh", body=body)
                if response.status_code in (401, 403, 422):
                    raise _ended(response)
                self._keep(await self._parsed(TokenOut, response))
            if self._tokens is None:
                raise SignInNeeded
            return self._tokens

    def _keep(self, tokens: TokenOut) -> None:
        self._tokens = tokens
        self.on_tokens(tokens)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Body = None,
        data: dict[str, str] | None = None,
        token: str | None = None,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if isinstance(body, BaseModel):
            zip_it = path.startswith("/sync/")
            body = await asyncio.to_thread(pack, body) if zip_it else Packed(body.model_dump_json().encode(), False)
        content = body.content if isinstance(body, Packed) else body
        if body is not None:
            headers["Content-Type"] = OCTETS if isinstance(body, bytes) else "application/json"
        if isinstance(body, Packed) and body.zipped:
            headers["Content-Encoding"] = "gzip"
        http = await self._opened()
        try:
            return await http.request(method, self._base + path, content=content, data=data, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NeverLeft(str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(str(error)) from error

    async def _opened(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._http is None:
                self._http = await asyncio.to_thread(httpx.AsyncClient, timeout=TIMEOUT, transport=self._transport)
            return self._http

    async def _parsed(self, reply: type[Reply], response: httpx.Response) -> Reply:
        if response.status_code >= 400:
            raise _refusal(response)
        try:
            # A page of hundreds of rows takes long enough to be seen as a stutter.
            return await asyncio.to_thread(_read, reply, response.content)
        except (ValidationError, ValueError, RecursionError) as error:
            raise NoAnswer("the answer is not one of this server's") from error


def pack(body: BaseModel) -> Packed:
    """Make a sync request ready: a full push takes some hundredths of a second."""
    content = body.model_dump_json().encode()
    if len(content) <= ZIPPED_FROM:
        return Packed(content, False)
    return Packed(gzip.compress(content, 6, mtime=0), True)


def _read(reply: type[Reply], content: bytes) -> Reply:
    try:
        return reply.model_validate_json(content)
    except ValidationError:
        if reply is not PullOut:
            raise
        return reply.model_validate(_with_known_rows(json.loads(content)))


def _with_known_rows(page: Any) -> Any:
    """A newer server may bring kinds of rows that this phone has no screen for: the others must not wait for them."""
    if isinstance(page, dict) and isinstance(page.get("items"), list):
        return {**page, "items": [one for one in page["items"] if not _is_newer(one)]}
    return page


def _is_newer(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("kind"), str) and row["kind"] not in set(EntityKind)


def _ended(response: httpx.Response) -> Exception:
    """Why tokens are not renewed: they have run out, or this phone was revoked and has to leave."""
    refusal = _refusal(response)
    ended = isinstance(refusal, Refused) and refusal.code != Code.device_revoked
    return SignInNeeded() if ended else refusal


def _refusal(response: httpx.Response) -> Exception:
    problem = _problem(response)
    if problem is None and response.status_code == TOO_LARGE:
        return TooMuch(f"status {response.status_code}")
    if problem is None or problem.code is Code.outcome_unknown or response.status_code in (502, 504):
        # Something between us and the server spoke, or the server itself does not know.
        return NoAnswer(f"status {response.status_code}")
    return Refused(response.status_code, problem.code, problem.title)


def _problem(response: httpx.Response) -> Problem | None:
    try:
        return Problem.model_validate(_with_known_code(response.json(), response.status_code))
    except (ValueError, ValidationError, RecursionError):
        return None


def _with_known_code(values: Any, status: int) -> Any:
    """A newer server may know codes that this phone does not: its sentence is what counts."""
    if isinstance(values, dict) and values.get("code") not in list(CATALOGUE):
        return {**values, "code": Code.server_error if status >= 500 else Code.malformed}
    return values
