"""A request on its way out of this phone, as long as it can still be taken back."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from mobile.core.clock import Clock
from mobile.requests.effects import asked
from mobile.store.entities import Effect, as_json
from mobile.store.store import Store
from shared.auth import MeOut
from shared.requests import RequestIn
from shared.residents import HouseholdOut
from shared.sync import OperationKind
from shared.types import uuid7

UNDO_SECONDS = 10


class Asking:
    """Keeps the latest request of a form, for the time of 撤销 and for a position that comes late."""

    def __init__(self, store: Store, me: MeOut, now: Clock) -> None:
        self._store, self._me, self._now = store, me, now
        self._kept: UUID | None = None
        self._effects: Callable[..., list[Effect]] = lambda _body: []

    def send(self, body: RequestIn, title: str, *, cell: str = "", household: HouseholdOut | None = None) -> None:
        """Keep it on the phone, under an id minted here: however often it is sent, it is one."""
        request_id = uuid7()
        self._effects = partial(asked, request_id, me=self._me, now=self._now(), household=household)
        self._kept = self._store.outbox.capture(
            OperationKind.request_report,
            request_id,
            as_json(body),
            self._effects(body, cell=cell),
            title=title,
            hold=timedelta(seconds=UNDO_SECONDS),
        )
        self._store.captured()

    def amend(self, body: RequestIn, cell: str) -> None:
        """Complete what has not left yet."""
        if self._kept is not None:
            self._store.outbox.amend(self._kept, as_json(body), self._effects(body, cell=cell))
            self._store.changed()

    def take_back(self) -> bool:
        """False: it has already left the phone."""
        if self._kept is None or not self._store.outbox.take_back(self._kept):
            return False
        self._kept = None
        self._store.captured()
        return True
