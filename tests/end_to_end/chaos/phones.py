"""A process that holds a few phones: people who write things down, and the real store and sync loop under them.

It is killed with -9 and started again on the same folder. `python -m tests.end_to_end.chaos.phones` reads its task and
then orders from its standard input, a line each.
"""

import asyncio
import json
import random
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mobile.device.fakes import KEY
from mobile.residents.effects import edit_resident
from mobile.store.outbox import State
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.sync import syncer
from mobile.sync.client import Client
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import Syncer
from mobile.visits.effects import effects
from shared.auth import MeOut, TokenOut
from shared.residents import HouseholdOut, ResidentOut
from shared.sync import OperationKind
from shared.types import uuid7
from shared.visits import VisitIn, VisitOut, VisitOutcome
from tests.end_to_end.chaos.wire import Held, Journal, Task, decode

PAGE = 100
"""Small, so that many pages are there to be cut."""

LONGEST_LINE = 1 << 20
PATIENCE = 100
"""Exchanges that may bring no answer, or fail in a healed network, before the count is left to say so."""
EDITS = 0.15
BURSTS_WAITING = 8
"""Nobody writes more than this while nothing can be sent."""


def now() -> datetime:
    return datetime.now(UTC)


class Person:
    """One phone in the hands of somebody who never stops."""

    def __init__(self, task: Task, held: Held) -> None:
        self.number, self._task = held.number, task
        self._dice = random.Random(f"{task.seed} {held.number} {task.life}")
        self._me, folder = MeOut.model_validate(held.me), Path(task.folder)
        self._journal, self._written = Journal(folder, held.number), 0
        self._file = PhoneFile(folder / f"phone-{held.number}")
        account = self._me.account_id
        self.store = Store(self._file.store_path(account), KEY, account, self._file, now)
        tokens = self.store.tokens() or TokenOut.model_validate(held.tokens)
        self._client = Client(task.server, tokens, self.store.keep_tokens)
        status = SyncStatus(self.store, now)
        self._syncer = Syncer(self.store, self._client, status, now, dice=self._dice.random)

    async def work(self, orders: "Orders") -> None:
        """Write and sync until told to finish; then sync until nothing waits."""
        patience = PATIENCE
        while not orders.finish or (patience and self.store.outbox.waiting()):
            wrote = 0 if orders.finish else self._write_some(orders.quota)
            clean = await self._syncer.sync_once()
            patience -= orders.finish and clean
            await self._pause(orders, wrote > 0 and clean)

    async def _pause(self, orders: "Orders", busy: bool) -> None:
        """Who has nothing to do leaves the machine to the others until there is news."""
        if busy:
            await asyncio.sleep(self._dice.uniform(0.01, 0.06))
        elif self.store.outbox.waiting():
            await asyncio.sleep(self._dice.uniform(0.2, 0.8))
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(orders.news.wait(), self._dice.uniform(1, 3))

    async def settle(self) -> None:
        """Everybody's operations have arrived: one whole exchange shows them all."""
        for _attempt in range(PATIENCE):
            if await self._syncer.sync_once():
                return
            await asyncio.sleep(0.2)

    def _write_some(self, quota: int) -> int:
        counts, burst = self.store.outbox.counts(), self._task.burst
        room = min(BURSTS_WAITING * burst - counts[State.unsent] - counts[State.sent], quota - len(self._journal))
        number = max(0, min(room, self._dice.randint(1, burst)))
        for _ in range(number):
            self._write_one()
        return number

    def _write_one(self) -> None:
        word = f"{self.number:02}{self._task.life:02}{self._written:04}"
        self._written += 1
        edits = self._dice.random() < EDITS
        op_id = self._edit(word) if edits else self._visit(word)
        if op_id is not None:
            self._journal.write(op_id, word)

    def _visit(self, word: str) -> Any:
        homes = self.store.entities.all(HouseholdOut)
        if not homes:
            return None  # nothing has been pulled yet
        home = self._dice.choice(sorted(homes, key=lambda one: one.id))
        visit = VisitIn(household_id=home.id, outcome=VisitOutcome.absent, visited_at=now(), note=word)
        visit_id, fields = uuid7(), visit.model_dump(mode="json")
        changed = effects(visit_id, visit, home, self._me)
        return self.store.outbox.capture(OperationKind.visit_record, visit_id, fields, changed, title=word)

    def _edit(self, word: str) -> Any:
        people = self.store.entities.all(ResidentOut)
        if not people:
            return None
        person = self._dice.choice(sorted(people, key=lambda one: one.id))
        after = person.model_copy(update={"note": word})
        return self.store.outbox.capture(
            OperationKind.resident_edit, person.id, {"note": word},
            edit_resident(self.store, person, after, ["note"]), title=word, base_rev=person.rev,
            base={"note": person.note},
        )  # fmt: skip

    def shows(self) -> dict[str, Any]:
        """What a person reads on it, and what became of everything written on it."""
        entities, entries = self.store.entities, self.store.outbox.entries(*State)
        return {
            "answers": {str(one.op_id): [one.state, one.outcome, one.code] for one in entries},
            "visits": {str(one.id): one.note for one in entities.all(VisitOut)},
            "people": {str(one.id): [one.note, one.rev] for one in entities.all(ResidentOut)},
        }

    async def close(self) -> None:
        await self._client.close()
        self.store.close()
        self._file.close()
        self._journal.close()


class Orders:
    """What the driver has said last."""

    def __init__(self, quota: int) -> None:
        self.quota, self.finish = quota, False
        self.settle, self.news = asyncio.Event(), asyncio.Event()

    async def follow(self, lines: asyncio.StreamReader) -> None:
        while line := (await lines.readline()).decode().strip():
            if line == "finish":
                self.finish = True
            elif line == "settle":
                self.settle.set()
            else:
                self.quota = int(line)
            self.news.set()
            self.news = asyncio.Event()
        sys.exit(1)  # the driver is gone


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main() -> None:
    lines = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    task = decode((await lines.readline()).decode())
    syncer.BATCH, syncer.PAGE = 3 * task.burst, PAGE
    orders, people = Orders(task.quota), [Person(task, held) for held in task.phones]
    following = asyncio.create_task(orders.follow(lines))
    await asyncio.gather(*(person.work(orders) for person in people))
    say("finished")
    await orders.settle.wait()
    await asyncio.gather(*(person.settle() for person in people))
    for person in people:
        (Path(task.folder) / f"{person.number}.shown").write_text(json.dumps(person.shows()))
        await person.close()
    following.cancel()
    say("settled")


if __name__ == "__main__":
    asyncio.run(main())
