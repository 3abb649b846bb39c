"""Lives one run: does its steps, lets the network heal, and looks whether everybody was told the truth."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from backend.core.scope import Caller
from mobile.store.outbox import State
from shared.auth import MeOut
from tests.factories import CELL, COMMUNITY, NEIGHBOUR
from tests.sync.model import steps
from tests.sync.model.county import COPY, PRISTINE, County
from tests.sync.model.phone import Phone

CELLS = (CELL, NEIGHBOUR)
HEALING_ROUNDS = 8


class Broken(AssertionError):
    """Something was lost, doubled, or shown otherwise than it is."""


@dataclass(frozen=True)
class Stage:
    """What every run begins with."""

    county: County
    owners: Sequence[MeOut]
    folders: Sequence[Path]
    homes: Sequence[UUID]
    people: Sequence[UUID]
    desk: Caller


@dataclass
class World:
    """One run on a stage, in a folder of its own."""

    stage: Stage
    folder: Path
    phones: list[Phone] = field(default_factory=list)
    captured: list[tuple[Phone, UUID, str]] = field(default_factory=list)
    """Whose, which operation, and how the county counts it."""
    words: int = 0
    copied: bool = False
    cells: set[str] = field(default_factory=lambda: set(CELLS))

    async def live(self, run: Sequence[steps.Step]) -> None:
        await self._begin()
        try:
            for step in run:
                await self._do(step)
            await self._heal()
            await self._check()
        finally:
            for phone in self.phones:
                await phone.close()
            shutil.rmtree(self.folder)

    async def _begin(self) -> None:
        await self.stage.county.put_back(PRISTINE)
        county = self.stage.county
        for number, (me, kept) in enumerate(zip(self.stage.owners, self.stage.folders, strict=True)):
            folder = shutil.copytree(kept, self.folder / str(number))
            self.phones.append(Phone(folder, me, county.token(me.account_id), county.carrier()))

    async def _do(self, step: steps.Step) -> None:
        match step:
            case steps.Visit(phone, door):
                word = self._word()
                op_id = self.phones[phone].visit(self.stage.homes[door], word)
                self._note(phone, op_id, word)
            case steps.Edit(phone, door):
                op_id = self.phones[phone].edit(self.stage.people[door], self._word())
                self._note(phone, op_id, str(op_id))
            case steps.Sync(phone, fates, dies_at):
                if await self.phones[phone].sync(fates, dies_at):
                    await self._believe(self.phones[phone])
            case steps.Reopen(phone):
                await self.phones[phone].reopen()
            case steps.Overtaking(door, writer, reader):
                await self._overtake(door, self.phones[writer], self.phones[reader])
            case steps.Backup():
                await self.stage.county.keep(COPY)
                self.copied = True
            case steps.Restore():
                await self.stage.county.restore(COPY if self.copied else PRISTINE)
                self.cells = await self.stage.county.cells_of(self.stage.owners[0].account_id)
            case steps.Grant(cell, held):
                await self.stage.county.grant(self.stage.owners[0].account_id, CELLS[cell], held)
                self.cells = self.cells | {CELLS[cell]} if held else self.cells - {CELLS[cell]}

    def _word(self) -> str:
        self.words += 1
        return f"第{self.words}次"

    def _note(self, phone: int, op_id: UUID | None, counted_as: str) -> None:
        if op_id is not None:
            self.captured.append((self.phones[phone], op_id, counted_as))

    async def _overtake(self, door: int, writer: Phone, reader: Phone) -> None:
        """The slow one takes its place in the feed first and commits last."""
        await reader.sync()  # so that it has nothing to push, for which it would have to wait
        slow = await self.stage.county.begin_slowly(self.stage.desk, self.stage.homes[door], self._word())
        pushing = asyncio.create_task(writer.sync())
        try:
            await self.stage.county.until_somebody_waits(pushing)
            if reader is not writer and not reader.store.outbox.waiting():
                await reader.sync()
        finally:
            await slow.commit()
            await pushing

    async def _heal(self) -> None:
        """The network is back and stays: a few exchanges are enough for everybody."""
        for _ in range(HEALING_ROUNDS):
            clean = [await phone.sync() for phone in self.phones]
            waiting = [phone.store.outbox.waiting() for phone in self.phones]
            if all(clean) and not any(waiting):
                break
        else:
            raise Broken(f"it does not come to rest: synced {clean}, waiting {waiting}")
        for phone in self.phones:
            await phone.sync()

    async def _check(self) -> None:
        done = await self.stage.county.done()
        for phone, op_id, counted_as in self.captured:
            self._check_answer(phone, op_id, done.get(counted_as, 0))
        for what, times in done.items():
            if times > 1:
                raise Broken(f"{what} was done {times} times")
        for number, phone in enumerate(self.phones):
            await self._check_sight(number, phone)

    def _check_answer(self, phone: Phone, op_id: UUID, times: int) -> None:
        entry = phone.store.outbox.entry(op_id)
        if entry is None:
            raise Broken(f"the phone has forgotten {op_id}")
        if entry.state is State.accepted and times == 0:
            raise Broken(f"{entry.title} is shown as accepted, and the county has not got it")
        if entry.state is State.refused and (times or not entry.code or not entry.sentence):
            raise Broken(f"{entry.title} came back ({entry.code}) though it was done {times} times")
        if entry.state not in (State.accepted, State.refused) and not entry.outcome:
            raise Broken(f"{entry.title} was never answered")

    async def _believe(self, phone: Phone) -> None:
        """After an exchange without a fault, what the phone shows as accepted is there."""
        done = await self.stage.county.done()
        accepted = {entry.op_id for entry in phone.store.outbox.entries(State.accepted)}
        for owner, op_id, counted_as in self.captured:
            if owner is phone and op_id in accepted and not done.get(counted_as):
                raise Broken(f"{counted_as} is shown as accepted, and the county has not got it")

    async def _check_sight(self, number: int, phone: Phone) -> None:
        scopes = sorted(self.cells) if phone.me is self.stage.owners[0] else [COMMUNITY]
        truth, shown = await self.stage.county.truth(scopes), phone.shows()
        for what, rows in truth.items():
            if rows != shown[what]:
                wrong = {key: (rows.get(key), shown[what].get(key)) for key in rows.keys() | shown[what].keys()}
                differing = {str(key): pair for key, pair in wrong.items() if pair[0] != pair[1]}
                raise Broken(f"phone {number} shows other {what} (the county's, the phone's): {differing}")
