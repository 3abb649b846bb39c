"""An account's store: entities, outbox, drafts, tokens and how far the server's feed has been read."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from mobile.core.clock import Clock
from mobile.store.database import Database
from mobile.store.entities import Changed, Entities
from mobile.store.errors import NoRoom
from mobile.store.outbox import Outbox
from mobile.store.phone import PhoneFile
from mobile.store.photos import Photos
from shared.auth import MeOut, TokenOut
from shared.grid import CellName
from shared.sync import EntityKind, PullOut, PushOut

PERSONAL = ("tokens", "me", "cursor", "inbox")


class Store:
    """Everything one account has on this phone."""

    def __init__(self, path: Path, key: bytes, account_id: UUID, phone: PhoneFile, now: Clock) -> None:
        self._db = Database(path, key)
        self.account_id, self.device_id = account_id, phone.device_id
        self.entities = Entities(self._db)
        self.outbox = Outbox(self._db, account_id, phone.device_id, phone.next_seq, now)
        self.photos = Photos(self._db, path.parent / "photos", now)
        self._retired = False
        self._now, self.clock_ahead = now, timedelta()
        phone.count_from(self.outbox.last_seq())
        self._read_again_with_new_kinds()
        self.on_change: Callable[[], None] = lambda: None
        self.on_pause: Callable[[], None] = lambda: None
        self.on_capture: Callable[[], None] = lambda: None
        self.watched: frozenset[EntityKind] = frozenset()
        self.on_news: Callable[[list[Changed]], None] = lambda _changed: None

    def changed(self) -> None:
        """Tell whoever shows this store. To be called on the screen's thread."""
        self.on_change()

    def unchanged(self) -> None:
        """A sync is over and nothing in here looks different; time has gone by."""
        self.on_pause()

    @property
    def written(self) -> int:
        """A number that differs whenever something that is shown may differ."""
        return self._db.written

    def captured(self) -> None:
        """Something new is in the outbox, or was taken back: show it, and see whether it can be sent."""
        self.on_change()
        self.on_capture()

    def me(self) -> MeOut | None:
        kept = self._db.meta("me")
        return None if kept is None else MeOut.model_validate(kept)

    def keep_me(self, me: MeOut) -> None:
        self._db.put_meta("me", me.model_dump(mode="json"))

    def tokens(self) -> TokenOut | None:
        kept = self._db.meta("tokens")
        return None if kept is None else TokenOut.model_validate(kept)

    def keep_tokens(self, tokens: TokenOut) -> None:
        self._db.put_meta("tokens", tokens.model_dump(mode="json"))

    def draft(self, key: str) -> Any:
        return (self._db.meta("drafts") or {}).get(key)

    def keep_draft(self, key: str, value: object) -> None:
        """Keep an unfinished form, or with None forget it.

        On a full phone neither is done, and nobody is told: what comes before it has been stored, or says so itself.
        """
        with suppress(NoRoom), self._db.transaction():
            drafts = self._db.meta("drafts") or {}
            drafts.pop(key, None)
            self._db.put_meta("drafts", drafts if value is None else {**drafts, key: value})

    def inbox(self) -> dict[str, Any]:
        """What was noticed on this phone for whoever is signed in."""
        return self._db.meta("inbox") or {}

    def keep_inbox(self, inbox: dict[str, Any]) -> None:
        self._db.put_meta("inbox", inbox)

    def cell_names(self) -> list[CellName]:
        """All cells of the county by their names, as they were told last."""
        kept = self._db.meta("cell_names") or {"cells": []}
        return [CellName.model_validate(one) for one in kept["cells"]]

    def knows_cell_names(self, day: date) -> bool:
        """Whether they were told on this day."""
        return (self._db.meta("cell_names") or {}).get("day") == day.isoformat()

    def keep_cell_names(self, cells: Sequence[CellName], day: date) -> None:
        told = [one.model_dump(mode="json") for one in cells]
        self._db.put_meta("cell_names", {"day": day.isoformat(), "cells": told})

    def together(self) -> AbstractContextManager[None]:
        """All or nothing, and nobody else between."""
        return self._db.transaction()

    def loss(self) -> str:
        """What was put aside when this store began, in a sentence; '' when nothing was, or when it has been read."""
        return self._db.meta("loss") or ""

    def keep_loss(self, sentence: str) -> None:
        """Until somebody has read it: then it is kept as ''."""
        self._db.put_meta("loss", sentence)

    def last_talk(self) -> datetime | None:
        """When the server last answered this account."""
        kept = self._db.meta("last_talk")
        return None if kept is None else datetime.fromisoformat(kept)

    def keep_last_talk(self, at: datetime) -> None:
        self._db.put_meta("last_talk", at.isoformat())

    def cursor(self) -> str | None:
        kept: str | None = self._db.meta("cursor")
        return kept

    def drop_cursor(self) -> None:
        """Read everything again. Rows of the present reading stay on the screen until the new one is complete."""
        with self._db.transaction():
            self._db.drop_meta("cursor")
            self._db.put_meta("round", self._round() + 1)

    def _read_again_with_new_kinds(self) -> None:
        """An app that knew fewer kinds of rows dropped the others, and its cursor is behind them."""
        kinds = sorted(EntityKind)
        with self._db.transaction():
            if self._db.meta("kinds") == kinds:
                return
            if self.cursor() is not None:
                self.drop_cursor()
            self._db.put_meta("kinds", kinds)

    def first_pull_done(self) -> bool:
        return bool(self._db.meta("complete"))

    def take_page(self, page: PullOut, seen: list[int]) -> bool:
        """Store a page of the feed and the cursor behind it, together. Returns False when the server's past changed:
        then nothing of the page is kept, since its cursor belongs to another history.

        `seen` are the operations that had their receipt before this pull began; a complete pull contains them.
        """
        self._compare_clocks(page.server_time)
        with self._db.transaction():
            if self._retired:
                return True
            if self._server_went_back(page.epoch, page.settled_seq):
                return False
            # The first pull brings what there is, which is no news.
            news = self.entities.changed(page.items, self.watched) if self.first_pull_done() else []
            self.entities.put(page.items, self._round())
            self.entities.remove_areas(page.scope_removed)
            self._db.put_meta("cursor", page.cursor)
            self.on_news(news)
            if not page.more:
                self._complete(seen, page.server_time)
        return True

    def _complete(self, seen: list[int], server_time: datetime) -> None:
        self.entities.sweep(self._round())
        self.outbox.hide_effects(seen)
        self.outbox.forget_old(server_time)
        self.photos.forget_old(self._db.meta("drafts"))
        self._db.put_meta("complete", True)

    def take_receipt(self, operations: list[dict[str, Any]], receipt: PushOut) -> None:
        """Store the answers of a push. If the server was restored from a backup, older receipts are void."""
        self._compare_clocks(receipt.server_time)
        with self._db.transaction():
            self._server_went_back(receipt.epoch, receipt.settled_seq)
            self.outbox.settle(operations, receipt.answers, receipt.server_time)

    def _compare_clocks(self, server_time: datetime) -> None:
        """Nothing is ordered by this phone's clock, but people read the days that it writes down."""
        self.clock_ahead = self._now() - server_time

    def _server_went_back(self, epoch: str, settled_seq: int) -> bool:
        known_epoch, known_seq = self._db.meta("epoch"), self._db.meta("settled_seq") or 0
        went_back = known_epoch is not None and (epoch != known_epoch or settled_seq < known_seq)
        self._db.put_meta("epoch", epoch)
        self._db.put_meta("settled_seq", settled_seq)
        if went_back:
            self.outbox.send_again()
            self.drop_cursor()
        return went_back

    def _round(self) -> int:
        return int(self._db.meta("round") or 0)

    def retire(self) -> None:
        """A page that is still on its way must not come into a store that was signed out or opened anew."""
        with self._db.transaction():
            self._retired = True

    def sign_out(self) -> None:
        """Forget who was signed in and what they could see. Operations and unfinished forms stay."""
        with self._db.transaction():
            self._retired = True
            for key in PERSONAL:
                self._db.drop_meta(key)
            self._db.put_meta("complete", False)
            self.entities.sweep(self._round() + 1)

    def wipe(self, *, keep_unsent: bool) -> None:
        """Forget everything of this account. What nobody has taken yet may stay, sealed, until somebody does."""
        with self._db.transaction():
            self.sign_out()
            for key in ("drafts", "last_talk", "loss", "cell_names"):
                self._db.drop_meta(key)
            self._db.execute("DELETE FROM entity")
            self._db.execute("DELETE FROM effect")
            self._db.execute("DELETE FROM outbox" + (" WHERE state IN ('accepted', 'refused')" if keep_unsent else ""))
        for (sha256,) in self._db.rows("SELECT sha256 FROM photo WHERE sha256 NOT IN (SELECT sha256 FROM photo_of)"):
            self.photos.drop(sha256)
        self._db.row("PRAGMA wal_checkpoint(TRUNCATE)")  # the log still holds what the tables no longer do

    def close(self) -> None:
        self._db.close()
