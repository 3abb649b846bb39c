"""A full phone, or one whose clock is wrong, in somebody's hand: the screen says so, and goes on once it is well."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kivy.base import ExceptionManager

from mobile.core.session import AppContext
from mobile.store.errors import NoRoom
from mobile.store.outbox import State
from tests.mobile.app_parts import shown, signed_in, stands_all_sizes
from tests.mobile.county import County
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import cell, household, me

pytestmark = pytest.mark.display


def no_room(ctx: AppContext) -> None:
    """Fill the file to the last byte and let it grow no more."""
    connection = ctx.session.store._db._connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0]}")
    for size in (2000, 200, 20):
        with suppress(sqlite3.OperationalError):
            for number in range(1000):
                values = f"filler-{size}-{number}", ctx.session.store._db.seal("x" * size, "meta")
                connection.execute("INSERT INTO meta VALUES(?, ?)", values)


def room(ctx: AppContext) -> None:
    ctx.session.store._db._connection.execute("PRAGMA max_page_count=100000")


async def tap(p: Phone, word: str) -> None:
    """Tap as Kivy's own loop takes a touch: what it raises goes to whoever handles exceptions."""
    try:
        await p.tap(word)
    except Exception as raised:
        if ExceptionManager.handle_exception(raised) == ExceptionManager.RAISE:
            raise
        await p.settle()


@pytest.mark.parametrize("word", ["家中无人", "见到本人"])
async def test_a_visit_that_does_not_fit_is_said_and_stands_once_there_is_room(
    phone: Callable[..., Any], tmp_path: Path, word: str
) -> None:
    ctx = await signed_in(tmp_path, County(me()), cell(), household())
    async with shown(phone, ctx) as p:
        await p.tap("记走访")
        ctx.session._form.note = "看" * 1900  # what is short may still find room in a page that is there
        no_room(ctx)
        await tap(p, word)
        if word == "见到本人":
            await tap(p, "保存")
        said, unsent = p.shows(NoRoom.sentence), ctx.session.store.outbox.counts()[State.unsent]
        p.picture(f"full-phone-{word}")
        room(ctx)
        await p.tap("保存" if word == "见到本人" else word)

        assert (said, unsent) == (True, 0)
        assert ctx.session.store.outbox.counts()[State.unsent] == 1
        assert p.shows(f"已记：{word}")


async def test_the_words_for_a_full_phone_fit_at_every_size(phone: Callable[..., Any], tmp_path: Path) -> None:
    ctx = await signed_in(tmp_path, County(me()), cell(), household())
    async with shown(phone, ctx) as p:
        p.root.snack(NoRoom.sentence)
        await stands_all_sizes(p, ctx, "full-phone")


async def test_leaving_a_full_phone_ends_nothing(phone: Callable[..., Any], tmp_path: Path) -> None:
    ctx = await signed_in(tmp_path, County(me()), cell(), household())
    async with shown(phone, ctx) as p:
        await p.tap("记走访")
        form = ctx.session._form
        no_room(ctx)
        form.note = "很长的话" * 5000
        ctx.keep()

        assert p.shows("记走访")


async def test_a_visit_that_was_stored_is_said_to_be_when_the_last_room_went_to_it(
    phone: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said to be lost, it would be written down twice."""
    ctx = await signed_in(tmp_path, County(me()), cell(), household())
    capture = ctx.session.store.outbox.capture

    def then_full(*args: Any, **kwargs: Any) -> Any:
        made = capture(*args, **kwargs)
        no_room(ctx)
        return made

    monkeypatch.setattr(ctx.session.store.outbox, "capture", then_full)
    async with shown(phone, ctx) as p:
        await p.tap("记走访")
        await tap(p, "家中无人")

        assert p.shows("已记：家中无人")
        assert ctx.session.store.outbox.counts()[State.unsent] == 1


async def test_a_wrong_clock_is_said_where_sending_is_looked_at(phone: Callable[..., Any], tmp_path: Path) -> None:
    ctx = await signed_in(tmp_path, County(me()), cell(), household())
    ctx.now.move(days=-3650)
    await ctx.session.syncer.sync_once()
    async with shown(phone, ctx) as p:
        p.root.push("sync")
        await p.settle()

        assert p.shows("慢了 3650 天")
        await stands_all_sizes(p, ctx, "wrong-clock")
