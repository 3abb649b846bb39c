"""A county's server at the network's edge: small, but it keeps its promises, and its faults are scripted."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from shared.auth import DeviceOut, MeOut, TokenOut
from shared.errors import CATALOGUE, Code, Problem
from shared.grid import CellName, CellNamesOut
from shared.sync import Answer, Change, Outcome, PullOut, PushOut
from tests.mobile.phone_parts import MORNING

Fault = Callable[[httpx.Request], httpx.Response | None]


@dataclass
class County:
    """Answers like the API. `faults` are asked first, each once: a reply, an exception, or None for the usual way."""

    me: MeOut
    password: str = "demo"
    epoch: str = "first"
    rows: list[Change] = field(default_factory=list)
    page_size: int = 100
    refuses: dict[str, str] = field(default_factory=dict)
    behind_for: set[str] = field(default_factory=set)
    rescued: list[dict[str, Any]] = field(default_factory=list)
    applied: dict[str, dict[str, Any]] = field(default_factory=dict)
    settled_seq: int = 0
    token: str = "access-1"
    refresh: str = "refresh-token-number-1"
    devices: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    cursors: list[str | None] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    cell_names: list[CellName] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def tokens(self) -> TokenOut:
        return TokenOut(access_token=self.token, expires_in=900, refresh_token=self.refresh)

    def fails(self, path: str, *faults: Fault) -> None:
        self.faults.setdefault(path, []).extend(faults)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        self.asked.append(path)
        waiting = self.faults.get(path, [])
        scripted = waiting.pop(0)(request) if waiting else None
        return scripted or self._route(path, request)

    def _route(self, path: str, request: httpx.Request) -> httpx.Response:
        if path == "/auth/token":
            return self._sign_in(request)
        if path == "/auth/refresh":
            return self._refresh(request)
        if path == "/auth/sign-out":
            self.refresh = "ended"
            return httpx.Response(204)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return problem(Code.not_signed_in)
        if path == "/auth/me":
            return reply(self.me)
        if path == "/cells/names":
            return reply(CellNamesOut(cells=self.cell_names))
        if path.startswith("/devices/"):
            self.devices.add(path.removeprefix("/devices/"))
            return reply(self._device(UUID(path.removeprefix("/devices/"))))
        body = sent(request)
        if body["device_id"] not in self.devices:
            return problem(Code.device_unknown)
        if path == "/sync/rescue":
            return reply(self.rescue(body))
        return reply(self.push(body) if path == "/sync/push" else self._pull(body))

    def _sign_in(self, request: httpx.Request) -> httpx.Response:
        if f"password={self.password}" not in request.content.decode():
            return problem(Code.wrong_password)
        return reply(self.tokens())

    def _refresh(self, request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["refresh_token"] != self.refresh:
            return problem(Code.session_ended)
        self.token, self.refresh = self.token + "+", self.refresh + "+"
        return reply(self.tokens())

    def _device(self, device_id: UUID) -> DeviceOut:
        return DeviceOut(id=device_id, name="", settled_seq=self.settled_seq, registered_at=MORNING)

    def push(self, body: dict[str, Any]) -> PushOut:
        answers = [self._one(index, operation) for index, operation in enumerate(body["operations"])]
        seqs = [operation["device_seq"] for operation in body["operations"]]
        self.settled_seq = max([self.settled_seq, *seqs])
        return PushOut(epoch=self.epoch, settled_seq=self.settled_seq, answers=answers, server_time=MORNING)

    def rescue(self, body: dict[str, Any]) -> PushOut:
        self.rescued += body["operations"]
        answers = [
            Answer(op_id=operation["op_id"], index=index, outcome=Outcome.conflict, code=Code.rescued)
            for index, operation in enumerate(body["operations"])
        ]
        return PushOut(epoch=self.epoch, settled_seq=self.settled_seq, answers=answers, server_time=MORNING)

    def _one(self, index: int, operation: dict[str, Any]) -> Answer:
        op_id, refused = operation["op_id"], self.refuses.get(operation["entity_id"])
        if refused:
            sentence = CATALOGUE[Code(refused)].sentence
            return Answer(op_id=op_id, index=index, outcome=Outcome.rejected, code=refused, sentence=sentence)
        if operation["entity_id"] in self.behind_for:
            return Answer(op_id=op_id, index=index, outcome=Outcome.held, code=Code.server_behind)
        known = op_id in self.applied
        self.applied[op_id] = operation
        return Answer(op_id=op_id, index=index, outcome=Outcome.duplicate if known else Outcome.applied)

    def _pull(self, body: dict[str, Any]) -> PullOut:
        self.cursors.append(body["cursor"])
        start = int(body["cursor"] or 0)
        items = self.rows[start : start + self.page_size]
        end = start + len(items)
        return PullOut(
            epoch=self.epoch,
            items=items,
            scope_removed=[],
            cursor=str(end),
            more=end < len(self.rows),
            settled_seq=self.settled_seq,
            server_time=MORNING,
        )


def sent(request: httpx.Request) -> Any:
    """The body of a request, as the server reads it."""
    zipped = request.headers.get("Content-Encoding") == "gzip"
    return json.loads(gzip.decompress(request.content) if zipped else request.content)


def reply(model: Any) -> httpx.Response:
    return httpx.Response(200, content=model.model_dump_json(), headers={"Content-Type": "application/json"})


def problem(code: Code) -> httpx.Response:
    entry = CATALOGUE[code]
    body = Problem(type=f"urn:gridhood:problem:{code}", title=entry.sentence, status=entry.status, code=code)
    return httpx.Response(
        entry.status, content=body.model_dump_json(), headers={"Content-Type": "application/problem+json"}
    )


def refuse(code: Code) -> Fault:
    return lambda _request: problem(code)


def no_network(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


def cut_off(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("connection reset", request=request)
