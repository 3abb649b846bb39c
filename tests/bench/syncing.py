"""Sync beside PouchDB's own: a round of 1,000 visits up, 5,000 rows down, in turn, over a line that counts bytes."""

import argparse
import asyncio
import json
import random
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any, ClassVar

from mobile.core.session import Session
from mobile.store.outbox import State
from mobile.sync.client import Client, Packed
from mobile.visits.effects import effects
from shared.auth import TokenOut
from shared.grid import CellOut
from shared.residents import HouseholdOut
from shared.sync import OperationKind, PullIn, PullOut, PushIn, PushOut
from shared.types import uuid7
from shared.visits import Finding, Fix, VisitIn, VisitOut, VisitOutcome
from tests.bench import phones_county as county
from tests.bench import pouch
from tests.bench.client import Void
from tests.bench.line import Line, counted
from tests.bench.phones import county_served, phone_of

GOALS = {"up": (0.15, 0.25), "down": (0.20, 0.60)}
"""Share of PouchDB's time and of its bytes."""

OPERATION_NOTE_BYTES = 331
"""Makes an operation as JSON about 1,001 bytes long."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One replication."""

    seconds: float
    bytes: int


@dataclass(slots=True)
class Rounds:
    """Replications of both sides; number n of each ran beside number n of the other."""

    ours: dict[str, list[Sample]] = field(default_factory=lambda: {"up": [], "down": []})
    theirs: dict[str, list[Sample]] = field(default_factory=lambda: {"up": [], "down": []})
    exchange_s: list[float] = field(default_factory=list)
    """Seconds from the first push to the last row that came back after it."""
    document_bytes: dict[str, float] = field(default_factory=dict)


class Watched(Client):
    """The phone's client, which keeps what it sends, and notes when, and at how many bytes, reading begins."""

    def __init__(self, server: str, tokens: TokenOut | None, line: Line) -> None:
        super().__init__(server, tokens)
        self._line = line
        self.forget()

    def forget(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.reads_at: tuple[float, int] | None = None

    async def push(self, push: PushIn, packed: Packed | None = None) -> PushOut:
        self.sent += push.operations
        return await super().push(push, packed)

    async def pull(self, pull: PullIn) -> PullOut:
        self.reads_at = self.reads_at or (time.perf_counter(), sum(self._line.counts()))
        return await super().pull(pull)


class Keeping(Client):
    """The phone's client, which keeps the rows that come."""

    came: ClassVar[list[dict[str, Any]]] = []

    async def pull(self, pull: PullIn) -> PullOut:
        page = await super().pull(pull)
        self.came += [change.model_dump(mode="json") for change in page.items]
        return page


class Worker:
    """The phone of the round: it writes 1,000 visits down, and then there is a network."""

    def __init__(self, session: Session, line: Line) -> None:
        self._session, self._line, self._chance = session, line, random.Random(3)
        self._homes = session.store.entities.all(HouseholdOut)
        self.operations: list[dict[str, Any]] = []

    def write_down(self) -> None:
        """Once the visits are captured they lie sealed in the outbox, as hours before the network comes."""
        store = self._session.store
        for home in self._chance.sample(self._homes, county.VISITS):
            visit_id, visit = uuid7(), self._visit(home)
            fields, changed = visit.model_dump(mode="json"), effects(visit_id, visit, home, self._session.me)
            store.outbox.capture(OperationKind.visit_record, visit_id, fields, changed, title="走访")

    def _visit(self, home: HouseholdOut) -> VisitIn:
        assert home.lon is not None
        assert home.lat is not None
        near = self._chance.uniform(-1e-4, 1e-4), self._chance.uniform(-1e-4, 1e-4)
        return VisitIn(
            household_id=home.id, outcome=VisitOutcome.seen, visited_at=datetime.now(UTC), findings=[Finding.fine],
            fix=Fix(lon=home.lon + near[0], lat=home.lat + near[1], accuracy_m=12.0, age_s=2),
            note=county.note(self._chance, OPERATION_NOTE_BYTES),
        )  # fmt: skip

    async def send(self) -> tuple[Sample, float]:
        """Exchange; return what sending took, and the seconds of the whole exchange."""
        client, store = self._session.client, self._session.store
        assert isinstance(client, Watched)
        client.forget()
        accepted, before, started = store.outbox.counts()[State.accepted], sum(self._line.counts()), time.perf_counter()
        done = await self._session.syncer.sync_once()
        ended = time.perf_counter()
        if not done or store.outbox.counts()[State.accepted] != accepted + county.VISITS or client.reads_at is None:
            raise Void(f"of {county.VISITS} visits not all were accepted: {store.outbox.counts()}")
        self.operations = client.sent
        at, counted_bytes = client.reads_at
        return Sample(at - started, counted_bytes - before), ended - started


async def _read(folder: Path, line: Line, make_client: Any = Client) -> Sample:
    """A new phone reads everything its worker may see."""
    async with phone_of("reading", folder, line.address, make_client) as session:
        before, started = sum(line.counts()), time.perf_counter()
        done = await session.syncer.sync_once()
        seconds = time.perf_counter() - started
        rows = sum(len(session.store.entities.stamps(kind)) for kind in (CellOut, HouseholdOut, VisitOut))
        if not done or rows != county.ROWS:
            raise Void(f"{rows} of {county.ROWS} rows came")
        return Sample(seconds, sum(line.counts()) - before)


class Beside:
    """The same documents through PouchDB, each time into a database that is new."""

    def __init__(self, client: pouch.Pouch, line: Line, port: int, folder: Path) -> None:
        self._client, self._line, self._direct = client, line, f"http://127.0.0.1:{port}"
        self._folder, self._made = folder, 0

    def _local(self) -> str:
        self._made += 1
        return str(self._folder / f"phone-{self._made}")

    def hold(self, documents: list[dict[str, Any]]) -> None:
        """Put the rows to be read on its server."""
        self._store(f"{self._direct}/rows", documents)

    def up(self, documents: list[dict[str, Any]]) -> Sample:
        local = self._local()
        self._store(local, documents)
        return self._replicate(local, f"{self._line.address}/visits-{self._made}", len(documents))

    def down(self) -> Sample:
        return self._replicate(f"{self._line.address}/rows", self._local(), county.ROWS)

    def _store(self, where: str, documents: list[dict[str, Any]]) -> None:
        file = self._folder / "documents.json"
        file.write_text(json.dumps(documents, ensure_ascii=False), encoding="utf-8")
        if (stored := self._client.do("store", at=where, documents=str(file))["stored"]) != len(documents):
            raise Void(f"PouchDB stored {stored} of {len(documents)} documents")

    def _replicate(self, source: str, target: str, wanted: int) -> Sample:
        before = sum(self._line.counts())
        told = self._client.do("replicate", **{"from": source, "to": target})
        if (told["written"], told["failures"], told["there"]) != (wanted, 0, wanted):
            raise Void(f"PouchDB replicated {told}, not {wanted}")
        return Sample(told["seconds"], sum(self._line.counts()) - before)


def _documents(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The same JSON with the name that Pouch has for an id."""
    return [{"_id": row[key], **{name: value for name, value in row.items() if name != key}} for row in rows]


def _bytes_each(documents: list[dict[str, Any]]) -> float:
    lines = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in documents)
    return mean(len(line.encode()) for line in lines)


async def _measure(folder: Path, ours: Line, beside: Beside, rounds: int) -> Rounds:
    """Take turns: up and down, the phone and PouchDB. The first turn only warms up."""
    found = Rounds()
    await _read(folder / "keeping", ours, Keeping)
    rows = _documents(Keeping.came, "id")
    beside.hold(rows)
    watched = partial(Watched, line=ours)
    async with phone_of("round", folder / "round", ours.address, watched) as session:
        await session.syncer.sync_once()
        worker = Worker(session, ours)
        for turn in range(rounds + 1):
            worker.write_down()
            sent, whole = await worker.send()
            theirs = beside.up(_documents(worker.operations, "op_id"))
            read, theirs_read = await _read(folder / f"reading-{turn}", ours), beside.down()
            if turn:
                found.exchange_s.append(whole)
                for name, mine, other in (("up", sent, theirs), ("down", read, theirs_read)):
                    found.ours[name].append(mine)
                    found.theirs[name].append(other)
        found.document_bytes = {"up": _bytes_each(_documents(worker.operations, "op_id")), "down": _bytes_each(rows)}
    return found


def report(rounds: int) -> None:
    """Print the table, or in a sentence why there is none."""
    try:
        pouch.install()
        found = _run(rounds)
    except pouch.Missing as why:
        print(why)
        return
    print(_table(found))


def _run(rounds: int) -> Rounds:
    folder = Path(tempfile.mkdtemp(prefix="gridhood-sync-"))
    folder.chmod(0o711)  # the database's unprivileged account must reach its own folder in it
    try:
        with (
            county_served(folder) as server,
            pouch.server(folder / "pouch") as port,
            pouch.client(folder / "client") as client,
            counted(server.port) as ours,
            counted(port) as theirs,
        ):
            beside = Beside(client, theirs, port, folder / "client")
            return asyncio.run(_measure(folder, ours, beside, rounds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _table(found: Rounds) -> str:
    lines = [
        f"| sync, {len(found.ours['up'])} rounds | phone | PouchDB | of its time | goal | | phone | PouchDB"
        " | of its bytes | goal | |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_line(name, title, found) for name, title in (("up", "1,000 visits up"), ("down", "5,000 rows down"))),
    ]
    each = ", ".join(f"{name} {bytes_:,.0f}" for name, bytes_ in found.document_bytes.items())
    exchange = f"The visits up and what they changed back again: {median(found.exchange_s):.2f} s. "
    return "\n".join([*lines, "", f"{exchange}Bytes of a document: {each}."])


def _line(name: str, title: str, found: Rounds) -> str:
    ours, theirs = found.ours[name], found.theirs[name]
    cells = [title]
    for what, form, goal in (("seconds", "{:.2f} s", GOALS[name][0]), ("bytes", "{:,.0f}", GOALS[name][1])):
        mine, other = ([getattr(one, what) for one in side] for side in (ours, theirs))
        ratios = [one / two for one, two in zip(mine, other, strict=True)]
        share = f"**{median(ratios):.3f}** ({min(ratios):.3f}-{max(ratios):.3f})"
        met = "met" if median(ratios) <= goal else "**not met**"
        cells += [form.format(median(mine)), form.format(median(other)), share, f"≤ {goal:.2f}", met]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.syncing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    report(max(3, parser.parse_args().rounds))


if __name__ == "__main__":
    main()
