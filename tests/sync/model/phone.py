"""A phone of the model: the real store on disk, the real client and sync loop, and words for what a person does."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from mobile.device.fakes import KEY
from mobile.residents.effects import edit_resident
from mobile.store.database import Database
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.sync.client import Client
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import Syncer
from mobile.visits.effects import effects
from shared.auth import MeOut, TokenOut
from shared.residents import HouseholdOut, ResidentOut
from shared.sync import OperationKind
from shared.types import uuid7
from shared.visits import VisitIn, VisitOut, VisitOutcome
from tests.sync.model.line import Line, PhoneDied
from tests.sync.model.steps import Fate


def now() -> datetime:
    return datetime.now(UTC)


class Phone:
    """One person's phone in one folder, over its lives."""

    def __init__(self, folder: Path, me: MeOut, token: TokenOut, county: httpx.AsyncBaseTransport) -> None:
        self.folder, self.me, self._token, self._county = folder, me, token, county
        self._open()

    def _open(self) -> None:
        self._file = PhoneFile(self.folder)
        account = self.me.account_id
        self.store = Store(self._file.store_path(account), KEY, account, self._file, now)
        self.line = Line(self._county)
        self._client = Client("http://county", self._token, transport=self.line)
        self._syncer = Syncer(self.store, self._client, SyncStatus(self.store, now), now, dice=random.Random(1).random)

    async def reopen(self) -> None:
        """What was not committed is gone; the rest is as it lies on the disk."""
        await self.close()
        self._open()

    async def close(self) -> None:
        await self._client.close()
        self.store.close()
        self._file.close()

    async def sync(self, fates: tuple[Fate, ...] = (), dies_at: int | None = None) -> bool:
        """One push and pull. False: something went wrong, and if the phone died it has been started again."""
        self.line.meets(fates)
        mortal = Mortal(dies_at)
        try:
            with mortal:
                return await self._syncer.sync_once()
        except PhoneDied:
            await self.reopen()
            return False
        finally:
            self.line.meets(())

    def visit(self, household_id: UUID, word: str) -> UUID | None:
        """Write a visit down. None: this phone does not have the household."""
        home = self.store.entities.get(HouseholdOut, household_id)
        if home is None:
            return None
        visit = VisitIn(household_id=home.id, outcome=VisitOutcome.absent, visited_at=now(), note=word)
        visit_id, fields = uuid7(), visit.model_dump(mode="json")
        changed = effects(visit_id, visit, home, self.me)
        return self.store.outbox.capture(OperationKind.visit_record, visit_id, fields, changed, title=word)

    def edit(self, resident_id: UUID, word: str) -> UUID | None:
        person = self.store.entities.get(ResidentOut, resident_id)
        if person is None:
            return None
        after = person.model_copy(update={"note": word})
        return self.store.outbox.capture(
            OperationKind.resident_edit, person.id, {"note": word},
            edit_resident(self.store, person, after, ["note"]), title=word, base_rev=person.rev,
            base={"note": person.note},
        )  # fmt: skip

    def shows(self) -> dict[str, dict[UUID, tuple[Any, ...]]]:
        """What a person sees on it, in the form of the county's `truth`."""
        entities = self.store.entities
        homes = ((one.id, (one.last_visited_on, one.tries_since_seen)) for one in entities.all(HouseholdOut))
        people = ((one.id, (one.note, one.rev)) for one in entities.all(ResidentOut))
        return {
            "visits": {one.id: (one.note,) for one in entities.all(VisitOut)},
            "people": dict(people),
            "homes": dict(homes),
        }


class Mortal:
    """Within it the phone dies at its n-th SQLite statement, whatever it is in the middle of."""

    def __init__(self, dies_at: int | None) -> None:
        self._left = dies_at
        self._execute = Database.execute

    def __enter__(self) -> None:
        if self._left is None:
            return

        def execute(database: Database, sql: str, *values: object) -> int:
            assert self._left is not None
            self._left -= 1
            if self._left <= 0:
                raise PhoneDied
            return self._execute(database, sql, *values)

        Database.execute = execute  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        Database.execute = self._execute  # type: ignore[method-assign]
