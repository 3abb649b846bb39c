"""Two phones change the same thing without network: a person decides on one of them, and nothing is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from backend.auth import tokens
from backend.core.clock import county_day
from mobile.device import fakes
from mobile.device.fakes import KEY
from mobile.residents.checks import Checks
from mobile.residents.person_form import PersonForm
from mobile.store.outbox import State
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.sync.client import Client
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import Syncer
from shared.auth import GrantOut, MeOut, Role, TokenOut
from shared.residents import ResidentOut
from tests.factories import CELL, COUNTY, NEIGHBOUR, Factory
from tests.mobile.phone_parts import Hands
from tests.sync.test_conflicts import items, moved_away

UNDONE = timedelta(seconds=11)
"""After this nothing can be taken back and everything is sent."""


@dataclass
class WorkerPhone:
    """A worker's real store, sync loop and 待核对, talking to the real server; the clock is moved by hand."""

    folder: Path
    me: MeOut
    client: Client
    clock: Hands

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """As the app does each time it is opened."""
        self.file = PhoneFile(self.folder)
        path = self.file.store_path(self.me.account_id)
        self.store = Store(path, KEY, self.me.account_id, self.file, self.clock)
        self.store.keep_me(self.me)
        self.syncer = Syncer(self.store, self.client, SyncStatus(self.store, self.clock), self.clock)
        self.checks = Checks(self.store, fakes.ports(), self.clock)
        self.store.on_change = self.checks.refresh

    def stop(self) -> None:
        self.store.close()
        self.file.close()

    async def sync(self) -> None:
        assert await self.syncer.sync_once()

    def write(self, person, **values):
        """改资料 of somebody, as their page does it."""
        form = PersonForm(self.store, self.clock, person.household_id, person.id)
        for name, value in values.items():
            setattr(form, name, value)
        assert form.save()

    def reads(self, person):
        return self.store.entities.get(ResidentOut, person.id)

    def settle(self, choice):
        [item] = self.checks.queue.items
        said = self.checks.queue.settle(item.id, choice)
        self.clock.at += UNDONE
        return said

    def back(self):
        return [entry.kind for entry in self.store.outbox.entries(State.refused)]


async def phone_of(make: Factory, area: str, folder: Path, name: str) -> WorkerPhone:
    person = await make.worker(area, name=name)
    signed = TokenOut(
        access_token=tokens.issue(make.app.state.keys.token, COUNTY, person.account_id, make.database.clock()),
        expires_in=900, refresh_token="no-refresh-token-needed",
    )  # fmt: skip
    me = MeOut(
        account_id=person.account_id, username=name, display_name=name, county_code=COUNTY, county_name="凤县",
        grants=[GrantOut(role=Role.grid_worker, area_code=area)],
    )  # fmt: skip
    client = Client("http://county", signed, transport=httpx.ASGITransport(make.app))
    return WorkerPhone(folder, me, client, Hands(datetime.now(UTC) - timedelta(minutes=2)))


@asynccontextmanager
async def phones_in(make: Factory, folder: Path, *names: str) -> AsyncIterator[list[WorkerPhone]]:
    """Phones of workers of one cell, who have all read it."""
    found = [await phone_of(make, CELL, folder / name, name) for name in names]
    for phone in found:
        await phone.sync()
    yield found
    for phone in found:
        phone.stop()


@pytest.fixture
async def person(make):
    return await make.resident(await make.household(CELL), phone="12600000001")


@pytest.fixture
async def phones(make, person, tmp_path):
    """张敏 and 王芳 work in the same cell; both have read it and gone into a stairwell."""
    async with phones_in(make, tmp_path, "张敏", "王芳") as found:
        yield found


async def both_wrote(phones, person):
    first, second = phones
    first.write(person, phone="12600000002")
    second.write(person, phone="12600000003")
    for phone in (first, second, first):
        await phone.sync()


def values(phone):
    [item] = phone.checks.queue.items
    return [(side.own, side.lines[0].value, side.who, side.button) for side in item.sides]


async def test_two_phones_differ_both_see_it_one_settles_and_all_are_the_same_again(phones, person):
    first, second = phones
    await both_wrote(phones, person)
    assert (second.back(), second.checks.returned, second.checks.count) == (["resident.edit"], [], 1), "one card"
    seen = [values(phone) for phone in phones]
    item = first.checks.queue.items[0]

    said = first.settle("mine")
    at_once = first.reads(person).phone
    await first.sync()
    await second.sync()

    assert seen[0] == [(False, "126 0000 0003", "王芳", "用这个"), (False, "126 0000 0002", "张敏", "用这个")]
    assert [one[0] for one in seen[1]] == [True, False], "whoever wrote the late one is told so"
    assert (item.title, [line.value for line in item.base]) == (f"{person.name}的电话", ["126 0000 0001"])
    assert "用晚送来的那个" in said
    assert at_once == "12600000003"
    assert [phone.reads(person).phone for phone in phones] == ["12600000003"] * 2
    assert [(phone.checks.count, phone.back()) for phone in phones] == [(0, [])] * 2


async def test_who_settles_second_reads_who_was_first_and_the_value_that_lost_is_kept(make, phones, person):
    first, second = phones
    await both_wrote(phones, person)

    first.settle("mine")
    second.settle("theirs")
    await first.sync()
    await second.sync()

    assert second.checks.queue.items == []
    [notice] = second.checks.queue.notices
    assert notice.sentence.startswith("张敏先定了：用晚送来的那个。")
    assert second.reads(person).phone == "12600000003"
    [kept] = await items(await make.worker(CELL))
    assert (kept["state"], kept["settled_by"], kept["fields"][0]["theirs"]) == ("settled", "张敏", "12600000002")
    second.checks.queue.read(notice.op_id)
    assert (second.checks.count, second.back()) == (0, [])


async def test_a_decision_survives_a_restart_and_one_taken_back_was_never_made(phones, person):
    first, second = phones
    await both_wrote(phones, person)
    queue = second.checks.queue
    queue.settle(queue.items[0].id, "mine")
    hidden = second.checks.count
    assert queue.undo()
    await second.sync()
    assert (hidden, second.checks.count) == (0, 1)
    assert second.reads(person).phone == "12600000002"

    second.settle("mine")
    second.stop()
    second.start()
    assert (second.checks.count, second.reads(person).phone) == (0, "12600000003")
    await second.sync()
    await first.sync()

    assert [phone.reads(person).phone for phone in phones] == ["12600000003"] * 2
    assert [phone.checks.count for phone in phones] == [0, 0]


async def test_who_cannot_decide_hands_it_on_and_is_not_asked_again(make, phones, person):
    first, second = phones
    await both_wrote(phones, person)

    second.settle("unsure")
    await second.sync()
    await first.sync()

    office = await make.worker(CELL[:12])
    [there] = await items(office, state="open")
    assert (there["area_code"], there["choice"]) == (CELL[:12], "unsure")
    assert [(phone.checks.count, phone.back()) for phone in phones] == [(0, [])] * 2


async def test_three_edits_of_one_field_by_one_phone_make_no_card(phones, person):
    first, second = phones
    for number in ("12600000004", "12600000005", "12600000006"):
        first.write(person, phone=number)

    await first.sync()
    await second.sync()

    assert [phone.checks.count for phone in phones] == [0, 0]
    assert [phone.reads(person).phone for phone in phones] == ["12600000006"] * 2


async def test_a_late_edit_of_who_has_moved_is_decided_where_they_live_now(make, phones, person, tmp_path):
    first = phones[0]
    first.write(person, phone="12600000004")
    await moved_away(make, None, person, str(county_day(datetime.now(UTC))))
    there = await phone_of(make, NEIGHBOUR, tmp_path / "there", "李建国")

    await first.sync()
    await there.sync()
    [item] = there.checks.queue.items
    [mine] = first.checks.returned
    there.settle("mine")
    await there.sync()

    assert (mine.elsewhere, first.checks.queue.items) == (True, [])
    assert item.line.endswith("写的人已经不管这一户")
    assert item.sides[0].who == "张敏"
    assert there.reads(person).phone == "12600000004"
    there.stop()
