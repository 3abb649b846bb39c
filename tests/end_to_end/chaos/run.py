"""One chaos run: work in portions, something killed in the middle of each, then peace, and the count."""

import asyncio
import json
import random
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic

from backend.core.postgres import EmbeddedPostgres
from backend.core.settings import load_keys
from tests.core.postgres_processes import kill_postmaster_9
from tests.end_to_end.chaos import county
from tests.end_to_end.chaos.holders import Holder
from tests.end_to_end.chaos.proxy import FaultProxy
from tests.end_to_end.chaos.wire import Held, Task, captured, read_journal
from tests.end_to_end.server import Server

STUCK_S = 180
"""So long nothing may have been answered before a run is given up: far more than any recovery takes."""


class Stuck(Exception):
    """Nothing moves any more."""


@dataclass(frozen=True)
class Plan:
    """How much of everything. A seed gives the same faults in the same order; clocks say where they strike."""

    seed: int
    operations: int = 1000
    phones: int = 20
    processes: int = 3
    api_kills: int = 2
    database_kills: int = 2
    phone_kills: int = 3
    fault_rate: float = 0.2
    faults: int = 0
    """At least so many requests with a fault; the phones go on writing until there were."""
    burst: int = 4

    def kills(self) -> list[str]:
        kills = ["api"] * self.api_kills + ["database"] * self.database_kills + ["phones"] * self.phone_kills
        random.Random(self.seed).shuffle(kills)
        return kills


@dataclass
class Report:
    """What came of it."""

    seed: int
    operations: int = 0
    applied: int = 0
    returned: int = 0
    """Answered with a reason instead: the other worker of the cell had been faster."""
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    diverged: list[str] = field(default_factory=list)
    naive_missed: int = 0
    kills: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        fates = ", ".join(f"{name} {times}" for name, times in sorted(self.fates.items()))
        return (
            f"seed {self.seed}: {self.operations} operations ({self.applied} applied, {self.returned} returned with a "
            f"reason), {self.kills} kills, requests: {fates}; lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"diverged {len(self.diverged)}; the naive cursor missed {self.naive_missed}; {self.seconds:.0f} s"
        )


class Chaos:
    """Everything that runs, and the hand that kills it."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self._folder = plan, folder
        self._dice = random.Random(plan.seed)
        self._database = EmbeddedPostgres(folder / "database")
        self._started = monotonic()

    async def run(self) -> Report:
        dsn = await asyncio.to_thread(self._database.start)
        try:
            return await self._with_database(dsn)
        finally:
            await asyncio.to_thread(self._database.stop)

    async def _with_database(self, dsn: str) -> Report:
        held = await county.founded(dsn, load_keys(self._folder / "server"), self.plan.phones)
        api = Server(self._folder / "server", "--no-worker", env={"GRIDHOOD_DATABASE_URL": dsn})
        api.port = _port()
        api.address = f"http://127.0.0.1:{api.port}"
        proxy = FaultProxy(api.port, self.plan.seed, self.plan.fault_rate)
        port = await proxy.start()
        (self._folder / "phones").mkdir()
        holders = [self._holder(port, held[first :: self.plan.processes]) for first in range(self.plan.processes)]
        naive = county.NaiveReader(dsn)
        proxy.when_answered = naive.tell
        try:
            await asyncio.to_thread(api.start)
            for holder in holders:
                await holder.start()
            await self._watched(proxy, naive, self._live(api, proxy, holders))
            naive.close()  # its connection may have died unnoticed
            await naive.read()
            return await self._count(dsn, held, proxy, naive)
        finally:
            for holder in holders:
                with suppress(ProcessLookupError, AssertionError):
                    await holder.kill()
            naive.close()
            await proxy.stop()
            await asyncio.to_thread(api.stop)

    def _holder(self, port: int, phones: list[Held]) -> Holder:
        server, folder = f"http://127.0.0.1:{port}", str(self._folder / "phones")
        return Holder(Task(folder, server, self.plan.seed, 0, self.plan.burst, 0, tuple(phones)))

    async def _watched(self, proxy: FaultProxy, naive: county.NaiveReader, life: Awaitable[None]) -> None:
        """Live until it ends by itself, fails, or nothing has come through for very long."""
        following = asyncio.create_task(naive.follow())
        living = asyncio.ensure_future(life)
        seen, since = -1, monotonic()
        while not (await asyncio.wait({living, following}, timeout=1, return_when="FIRST_COMPLETED"))[0]:
            if proxy.answered != seen:
                seen, since = proxy.answered, monotonic()
            elif monotonic() - since > STUCK_S:
                living.cancel()
                raise Stuck(f"seed {self.plan.seed}: nothing has been answered for {STUCK_S} s")
        following.cancel()
        await living
        with suppress(asyncio.CancelledError):
            await following

    async def _live(self, api: Server, proxy: FaultProxy, holders: list[Holder]) -> None:
        kills = self.plan.kills()
        each = -(-self.plan.operations // self.plan.phones)
        for number, kind in enumerate(kills, 1):
            await self._write(holders, each * number // (len(kills) + 1))
            await self._kill(kind, api, holders)
        while proxy.faults < self.plan.faults:
            each += 1
            await self._write(holders, each)
        await self._write(holders, each, share=1.0)
        await asyncio.gather(*(holder.finish() for holder in holders))
        proxy.heal()
        await asyncio.gather(*(holder.settle() for holder in holders))

    async def _write(self, holders: list[Holder], quota: int, share: float = 0.7) -> None:
        """Let the phones write up to a quota, and go on when most of it is written."""
        for holder in holders:
            holder.allow(quota)
        wanted = share * quota * self.plan.phones
        await until(lambda: all(h.lives() for h in holders) and captured(self._folder / "phones") >= wanted)

    async def _kill(self, kind: str, api: Server, holders: list[Holder]) -> None:
        if kind == "api":
            await asyncio.to_thread(api.kill)
            await asyncio.to_thread(api.start)
        elif kind == "database":
            await asyncio.to_thread(kill_postmaster_9, self._database.folder)
            await asyncio.to_thread(self._database.start)
        else:
            holder = self._dice.choice(holders)
            await holder.kill()
            await holder.start()

    async def _count(self, dsn: str, held: list[Held], proxy: FaultProxy, naive: county.NaiveReader) -> Report:
        truth, report = await county.Truth.read(dsn), Report(self.plan.seed)
        for one in held:
            shown = json.loads((self._folder / "phones" / f"{one.number}.shown").read_text())
            self._count_phone(one, shown, truth, report)
        report.doubled += [what for what, times in truth.done.items() if times > 1]
        report.naive_missed = len(truth.visits - naive.seen)
        report.kills = len(self.plan.kills())
        report.fates = {fate.value: times for fate, times in proxy.fates.items()}
        report.seconds = monotonic() - self._started
        return report

    def _count_phone(self, one: Held, shown: dict, truth: county.Truth, report: Report) -> None:
        for op_id, word in read_journal(self._folder / "phones", one.number).items():
            state, outcome, code = shown["answers"].get(op_id, (None, None, None))
            times = truth.done.get(word, 0) or truth.done.get(op_id, 0)
            report.operations += 1
            report.applied += times > 0
            report.returned += times == 0 and outcome is not None and code is not None
            if (times == 0) == (state == "accepted") or (times == 0 and code is None):
                report.lost.append(f"{word}: {state}, {outcome}, {code}, done {times} times")
        expected = truth.shown_in(one.me["grants"][0]["area_code"])
        report.diverged += [f"phone {one.number}: {what}" for what in expected if expected[what] != shown[what]]


async def until(holds: Callable[[], bool]) -> None:
    """Without a limit: the run as a whole has one, and it counts from the last thing that happened."""
    for _attempt in count():
        if holds():
            return
        await asyncio.sleep(0.02)


def _port() -> int:
    """A free port that the kernel gives to no outgoing connection while the server is dead: it could not come back."""
    for port in random.Random().sample(range(20000, 30000), 100):
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")
