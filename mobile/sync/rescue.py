"""Leaving a county with this phone: what was not sent is handed in for a person to decide, then everything goes."""

from contextlib import suppress
from dataclasses import dataclass

from mobile.attachments.uploads import Uploads
from mobile.store.outbox import State
from mobile.store.store import Store
from mobile.sync.client import Client
from mobile.sync.errors import NetworkProblem, NeverLeft, NoAnswer, Refused
from shared.sync import SCHEMA, Outcome, PushIn
from shared.texts import _

BATCH = 200


@dataclass(frozen=True, slots=True)
class Left:
    """How a phone that was shut out parted: how many operations were handed in, how many still lie on it, and how many
    photos of accepted ones nobody has."""

    handed: int
    kept: int
    photos: int = 0

    @property
    def sentence(self) -> str:
        return self._records + (
            _("有 {photos} 张照片没来得及送出，也清掉了。").format(photos=self.photos) if self.photos else ""
        )

    @property
    def _records(self) -> str:
        if self.kept:
            return _("这台手机已停用。没送出的 {kept} 条还锁在手机里，有网时再登录一次，就会交给社区核对。").format(
                kept=self.kept
            )
        if self.handed:
            return _("这台手机已停用，没送出的 {handed} 条已交给社区核对。").format(handed=self.handed)
        return _("这台手机已停用，里面的资料已清空。")


async def leave(store: Store, client: Client) -> Left | None:
    """Hand in what waits and wipe the account. None: something may still be taken back, so this comes again in a
    moment.

    Whatever becomes of the handing in, what this account could see is gone at once.
    """
    try:
        handed = await hand_in(store, client)
    except NetworkProblem:
        return _wiped(store, 0, keep_unsent=True)
    except Refused:
        await _send_photos(store, client)
        return _wiped(store, 0, keep_unsent=True)
    await _send_photos(store, client)
    if _waiting(store):
        return None
    return _wiped(store, handed, keep_unsent=False)


async def _send_photos(store: Store, client: Client) -> None:
    """Once: what announces them was accepted, so the server takes them from whoever it knows."""
    with suppress(NetworkProblem, Refused):
        await Uploads(store, client).send(store.outbox.is_due)


def _wiped(store: Store, handed: int, *, keep_unsent: bool) -> Left:
    left = len(store.photos.due())
    store.wipe(keep_unsent=keep_unsent)
    return Left(handed, _waiting(store), left)


async def hand_in(store: Store, client: Client) -> int:
    """Give everything that is due and has no answer to the community; return how many it took to decide about."""
    handed = 0
    answered: set[str] = set()
    while batch := store.outbox.take_batch(BATCH):
        if any(operation["op_id"] in answered for operation in batch):
            raise NoAnswer("the server takes some of them neither now nor later")
        answered.update(operation["op_id"] for operation in batch)
        try:
            receipt = await client.rescue(PushIn(schema_version=SCHEMA, device_id=store.device_id, operations=batch))
        except NeverLeft:
            store.outbox.never_left(batch)
            raise
        store.outbox.settle(batch, receipt.answers, receipt.server_time)
        handed += sum(answer.outcome is Outcome.conflict for answer in receipt.answers)
    return handed


def _waiting(store: Store) -> int:
    counts = store.outbox.counts()
    return counts[State.unsent] + counts[State.sent]
