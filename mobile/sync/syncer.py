"""Push what waits, pull what changed, try again later: the loop that never disturbs whoever is writing."""

import asyncio
import logging
import platform
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from mobile.attachments.uploads import Uploads
from mobile.core.clock import Clock, local_day
from mobile.store.store import Store
from mobile.sync import pace, rescue
from mobile.sync.client import Client, Packed, pack
from mobile.sync.errors import NetworkProblem, NeverLeft, NoAnswer, Refused, SignInNeeded, TooMuch
from mobile.sync.status import SyncStatus
from shared.auth import STAFF
from shared.conflicts import ConflictChoice, ConflictOut, ConflictState
from shared.errors import Code
from shared.sync import PUSH_LIMIT, SCHEMA, Answer, Outcome, PullIn, PullOut, PushIn

BATCH = PUSH_LIMIT
PAGE = 500
POISON = (413, 422)
DEVICE_NAME = platform.node()[:60]
log = logging.getLogger(__name__)
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """Operations taken from the outbox, and the push that carries them, ready to be sent."""

    operations: list[dict[str, Any]]
    packed: Packed


class Syncer:
    """Keeps one account's store and its server in step. Call everything on the screen's event loop."""

    def __init__(
        self,
        store: Store,
        client: Client,
        status: SyncStatus,
        now: Clock,
        sleep: Sleep = asyncio.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._client, self._status = store, client, status
        self._uploads = Uploads(store, client)
        self._now, self._sleep, self._dice = now, sleep, dice
        self._woken, self._one_at_a_time = asyncio.Event(), asyncio.Lock()
        self._failures = 0
        self._left = False
        self._asked_names_on: date | None = None
        self.on_revoked: Callable[[rescue.Left], None] = lambda _left: None

    def wake(self) -> None:
        """Something was captured, or somebody pressed 现在送出."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled, or shut out. A failure only changes how long the next pause is."""
        while not self._left:
            self._woken.clear()
            try:
                await self.sync_once()
            except Exception:  # in what shows it: sending must go on
                log.exception("what a sync brought could not be shown")
            if not self._left:
                await self._pause(self._next_wait())

    async def sync_once(self) -> bool:
        """One push and pull. Returns whether everything due was settled; never raises into the screen."""
        async with self._one_at_a_time:
            self._status.begin()
            before = self._store.written
            problem = await self._tried()
            self._failures = 0 if problem is None else self._failures + 1
            self._status.end(problem, self._now())
            if self._store.written != before:
                self._store.changed()
            else:
                self._store.unchanged()
            return problem is None

    async def _tried(self) -> Exception | None:
        try:
            await self._exchange()
        except (NetworkProblem, Refused) as problem:
            return problem
        except Exception as problem:
            # Whatever it is, it must not stop the next attempt nor the person who is writing.
            log.exception("sync failed")
            return problem
        return None

    async def _exchange(self) -> None:
        try:
            await self._push_and_pull()
        except Refused as refusal:
            if refusal.code in (Code.device_revoked, Code.grant_ended):
                await self._hand_in(refusal.code)
            if refusal.code != Code.device_unknown:
                raise
            await self._client.register(self._store.device_id, DEVICE_NAME)
            await self._push_and_pull()
        await self._learn_cell_names()
        await self._send_photos()

    async def _learn_cell_names(self) -> None:
        """Once a day for staff: where somebody may move to lies beyond what a phone is told of. It can wait a day."""
        today = local_day(self._now())
        if self._asked_names_on == today:
            return
        self._asked_names_on, me = today, self._store.me()
        if me is None or not any(grant.role in STAFF for grant in me.grants) or self._store.knows_cell_names(today):
            return
        with suppress(Refused, NetworkProblem):
            self._store.keep_cell_names((await self._client.cell_names()).cells, today)

    async def _hand_in(self, code: str) -> None:
        """Shut out with this phone, or not working here any more: what waits is for a person to decide."""
        if code == Code.device_revoked:
            left = await rescue.leave(self._store, self._client)
            if left is not None:
                self._left = True
                self.on_revoked(left)
        else:
            await rescue.hand_in(self._store, self._client)
            await self._pull_all()

    async def _push_and_pull(self) -> None:
        await self._push_all()
        if not await self._pull_all():
            # The server was restored from a backup: give back what it lost, then read its history from the start.
            await self._push_all()
            await self._pull_all()

    async def _send_photos(self) -> None:
        """Photos give way to whatever somebody writes down meanwhile."""
        while not await self._uploads.send(self._store.outbox.is_due):
            await self._push_all()

    async def _push_all(self) -> None:
        answered: set[str] = set()
        load = await asyncio.to_thread(self._load)
        while load:
            if all(operation["op_id"] in answered for operation in load.operations):
                return  # The server holds these for a person to decide; asking again at once would not help.
            answered.update(operation["op_id"] for operation in load.operations)
            load = await self._push_and_load(load)
            self._store.changed()

    def _load(self, after: int = 0) -> Load | None:
        operations = self._store.outbox.take_batch(BATCH, after)
        return Load(operations, pack(self._carrying(operations))) if operations else None

    def _carrying(self, operations: list[dict[str, Any]]) -> PushIn:
        return PushIn(schema_version=SCHEMA, device_id=self._store.device_id, operations=operations)

    async def _push_and_load(self, load: Load) -> Load | None:
        """Push, and return what comes next. That is made ready while the server works, and put back if the receipt
        says that something else goes before it: what is held, what waited for it, what a restored server has lost."""
        loading = asyncio.ensure_future(asyncio.to_thread(self._load, load.operations[-1]["device_seq"]))
        try:
            await self._push(load.operations, load.packed)
        except BaseException:
            self._put_back(await loading)
            raise
        following = await loading
        if following and not self._store.outbox.waiting(before=following.operations[0]["device_seq"]):
            return following
        self._put_back(following)
        return await asyncio.to_thread(self._load)

    def _put_back(self, load: Load | None) -> None:
        if load:
            self._store.outbox.never_left(load.operations)

    async def _push(self, batch: list[dict[str, Any]], packed: Packed | None = None) -> None:
        try:
            receipt = await self._client.push(self._carrying(batch), packed)
        except (NeverLeft, SignInNeeded):
            self._store.outbox.never_left(batch)
            raise
        except Refused as refusal:
            await self._push_in_parts(batch, refusal)
            return
        except TooMuch:
            if len(batch) == 1:
                raise
            await self._push_halves(batch)
            return
        await asyncio.to_thread(self._store.take_receipt, batch, receipt)

    async def _push_in_parts(self, batch: list[dict[str, Any]], refusal: Refused) -> None:
        """A push that is refused as a whole holds one bad operation: find it, so that it does not block the others."""
        if refusal.status not in POISON:
            if refusal.code != Code.server_error:  # which may have come after a commit
                self._store.outbox.never_left(batch)
            raise refusal
        if len(batch) == 1:
            answer = Answer(
                op_id=batch[0]["op_id"],
                index=0,
                outcome=Outcome.rejected,
                code=refusal.code,
                sentence=refusal.sentence,
            )
            self._store.outbox.settle(batch, [answer])
            return
        await self._push_halves(batch)

    async def _push_halves(self, batch: list[dict[str, Any]]) -> None:
        middle = len(batch) // 2
        await self._push(batch[:middle])
        await self._push(batch[middle:])

    async def _pull_all(self) -> bool:
        """Read to the end of the feed. False: the server's history changed and the reading was given up."""
        seen = self._store.outbox.accepted_seqs()
        page = await self._page(self._client.pull(self._asking(self._store.cursor())))
        while True:
            # The next page is on its way while this one is stored; until it is, nothing is done with the next.
            following = asyncio.ensure_future(self._client.pull(self._asking(page.cursor))) if page.more else None
            try:
                kept = await asyncio.to_thread(self._store.take_page, page, seen)
                if kept and following is not None:
                    before, page = page.cursor, await self._page(following)
                    if page.more and page.cursor == before:
                        raise NoAnswer("the feed does not go on")
            finally:
                if following is not None:
                    following.cancel()
            if not kept:
                return False
            if following is None:
                break
        await asyncio.to_thread(self._let_go_of_settled)
        return True

    async def _page(self, asked: Awaitable[PullOut]) -> PullOut:
        """What was asked for, or the first page when the server no longer knows the cursor."""
        try:
            return await asked
        except Refused as refusal:
            if refusal.status != 410 and refusal.code != Code.bad_cursor:
                raise
            self._store.drop_cursor()
            return await self._client.pull(self._asking(None))

    def _let_go_of_settled(self) -> None:
        """What came back to this phone and somebody has decided elsewhere waits here no longer."""
        for item in self._store.entities.all(ConflictOut):
            if item.state is ConflictState.settled:
                self._store.outbox.let_go(item.op_id, done=item.choice is ConflictChoice.mine)

    def _asking(self, cursor: str | None) -> PullIn:
        return PullIn(schema_version=SCHEMA, device_id=self._store.device_id, cursor=cursor, limit=PAGE)

    def _next_wait(self) -> float:
        """Idle or backing off, but no longer than until an operation can no longer be taken back."""
        wait = pace.retry_after(self._failures, self._dice) if self._failures else pace.IDLE_SECONDS
        held = self._store.outbox.next_hold()
        return wait if held is None else min(wait, max(0.05, (held - self._now()).total_seconds()))

    async def _pause(self, seconds: float) -> None:
        pause, woken = asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({pause, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            woken.cancel()
