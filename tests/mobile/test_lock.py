"""The lock of a shared phone: nobody writes under another's name, and nobody loses what they wrote."""

from pathlib import Path

import pytest

from mobile.auth.lock import AWAY, PinForm
from mobile.auth.pins import FREE_TRIES, Pins
from mobile.core.session import AppContext
from mobile.store.phone import PhoneFile
from mobile.sync.rescue import Left
from shared.auth import MeOut
from shared.residents import HouseholdOut
from shared.types import uuid7
from tests.mobile.app_parts import an_app, shown, signed_in
from tests.mobile.county import County
from tests.mobile.phone_parts import Hands, cell, household, me, resident
from tests.mobile.test_common_screens import record

PIN, OTHER_PIN = "2580", "1379"


def pins(folder: Path) -> tuple[Pins, Hands]:
    now = Hands()
    return Pins(PhoneFile(folder), now), now


def test_only_the_pin_itself_opens(tmp_path: Path) -> None:
    kept, _now = pins(tmp_path)
    me, other = uuid7(), uuid7()
    kept.put(me, "张敏", PIN)

    assert kept.opens(me, PIN)
    assert not kept.opens(me, OTHER_PIN)
    assert not kept.opens(me, "")
    assert not kept.opens(other, PIN)


def test_the_pin_itself_is_nowhere_on_the_phone(tmp_path: Path) -> None:
    kept, _now = pins(tmp_path)
    kept.put(uuid7(), "张敏", "258014")

    assert all(b"258014" not in file.read_bytes() for file in tmp_path.iterdir())


def test_wrong_tries_cost_time_and_the_right_one_does_not_count_meanwhile(tmp_path: Path) -> None:
    kept, now = pins(tmp_path)
    me = uuid7()
    kept.put(me, "张敏", PIN)

    for _ in range(FREE_TRIES):
        assert not kept.opens(me, OTHER_PIN)
    first = kept.wait(me)
    assert not kept.opens(me, PIN)
    now.move(seconds=first.total_seconds())
    assert not kept.opens(me, OTHER_PIN)
    second = kept.wait(me)
    now.move(seconds=second.total_seconds())

    assert second == 2 * first
    assert kept.opens(me, PIN)
    assert not kept.wait(me)


@pytest.mark.parametrize("pin", ["", "123", "1234567", "12a4", "１２３４"])
def test_what_is_no_pin_is_refused(tmp_path: Path, pin: str) -> None:
    kept, _now = pins(tmp_path)

    with pytest.raises(ValueError, match="digits"):
        kept.put(uuid7(), "张敏", pin)


async def two_on_one_phone(folder: Path) -> tuple[AppContext, County, MeOut, MeOut]:
    """张敏 has signed in, then 李强 on the same phone; both have a PIN."""
    county, home = County(me()), household()
    ctx = await signed_in(folder, county, cell(), home, resident(home))
    first = ctx.session.me
    ctx.lock.set_pin(PIN)
    county.me = first.model_copy(update={"account_id": uuid7(), "username": "liqiang", "display_name": "李强"})
    ctx.login.username, ctx.login.password, ctx.login.consent = "liqiang", county.password, True
    assert await ctx.login.sign_in(), ctx.login.error
    assert await ctx.session.syncer.sync_once()
    ctx.lock.set_pin(OTHER_PIN)
    return ctx, county, first, county.me


async def test_whoever_types_their_pin_is_the_author_of_what_follows(tmp_path: Path) -> None:
    ctx, _county, first, second = await two_on_one_phone(tmp_path)

    ctx.lock.lock()
    ctx.lock.choose(str(first.account_id))
    for digit in PIN:
        ctx.lock.digit(digit)
    assert ctx.lock.open()
    record(ctx)
    [mine] = ctx.session.store.outbox.take_batch(10)
    ctx.lock.lock()
    ctx.lock.choose(str(second.account_id))
    for digit in OTHER_PIN:
        ctx.lock.digit(digit)
    assert ctx.lock.open()
    record(ctx)
    [theirs] = ctx.session.store.outbox.take_batch(10)

    assert (mine["author_id"], theirs["author_id"]) == (str(first.account_id), str(second.account_id))
    assert mine["device_seq"] < theirs["device_seq"]
    await ctx.close()


async def test_anothers_pin_opens_only_their_own_place(tmp_path: Path) -> None:
    ctx, _county, first, second = await two_on_one_phone(tmp_path)

    ctx.lock.lock()
    ctx.lock.choose(str(first.account_id))
    for digit in OTHER_PIN:
        ctx.lock.digit(digit)

    assert not ctx.lock.open()
    assert ctx.lock.locked
    assert ctx.session.me.account_id == second.account_id
    await ctx.close()


async def test_a_phone_put_down_locks_and_a_short_look_away_does_not(tmp_path: Path) -> None:
    ctx, *_ = await two_on_one_phone(tmp_path)

    ctx.lock.left()
    ctx.now.move(seconds=AWAY.total_seconds() - 1)
    ctx.lock.came_back()
    short = ctx.lock.locked
    ctx.lock.left()
    ctx.now.move(seconds=AWAY.total_seconds())
    ctx.lock.came_back()

    assert (short, ctx.lock.locked) == (False, True)
    await ctx.close()


async def test_an_app_that_was_ended_starts_locked_and_without_a_pin_it_does_not(tmp_path: Path) -> None:
    ctx, county, *_ = await two_on_one_phone(tmp_path)
    await ctx.close()

    again = an_app(tmp_path, county)
    again.resume()
    locked = again.lock.locked
    again.lock.locked = False
    again.lock.remove_pin()
    await again.close()
    free = an_app(tmp_path, county)
    free.resume()

    assert (locked, free.lock.locked) == (True, False)
    await free.close()


async def test_who_forgot_signs_in_with_the_password_and_finds_what_was_not_sent(tmp_path: Path) -> None:
    ctx, county, _first, second = await two_on_one_phone(tmp_path)
    record(ctx)

    ctx.lock.lock()
    ctx.lock.give_up()
    ctx.sign_out()
    out = ctx.session
    ctx.lock.give_up()
    ctx.login.username, ctx.login.password = "liqiang", county.password
    assert await ctx.login.sign_in(), ctx.login.error

    assert out is None
    assert not ctx.lock.has_pin
    [kept] = ctx.session.store.outbox.take_batch(10)
    assert kept["author_id"] == str(second.account_id)
    await ctx.close()


async def test_a_colleagues_forgotten_pin_signs_nobody_out(tmp_path: Path) -> None:
    ctx, _county, first, second = await two_on_one_phone(tmp_path)

    ctx.lock.lock()
    mine = ctx.lock.may_give_up()
    ctx.lock.choose(str(first.account_id))

    assert (mine, ctx.lock.may_give_up()) == (True, False)
    assert ctx.session.me.account_id == second.account_id
    await ctx.close()


async def test_after_somebody_signs_out_the_others_go_on_without_a_network(tmp_path: Path) -> None:
    ctx, county, first, _second = await two_on_one_phone(tmp_path)

    ctx.sign_out()
    waiting = ctx.lock.locked, [holder.name for holder in ctx.lock.holders]
    await ctx.close()
    again = an_app(tmp_path, county)
    again.resume()
    for digit in PIN:
        again.lock.digit(digit)

    assert waiting == (True, [first.display_name])
    assert again.lock.open()
    assert again.session.me.account_id == first.account_id
    await again.close()


async def test_who_has_no_store_to_go_on_with_is_told_and_the_other_stays(tmp_path: Path) -> None:
    ctx, _county, first, second = await two_on_one_phone(tmp_path)
    ctx.phone.store_path(first.account_id).write_bytes(b"not a database" * 100)

    ctx.lock.lock()
    ctx.lock.choose(str(first.account_id))
    for digit in PIN:
        ctx.lock.digit(digit)

    assert not ctx.lock.open()
    assert ctx.lock.message
    assert ctx.session.me.account_id == second.account_id
    assert ctx.phone.get("account") == str(second.account_id)
    await ctx.close()


async def test_a_revoked_phone_keeps_nothing_of_the_others_either(tmp_path: Path) -> None:
    ctx, _county, first, second = await two_on_one_phone(tmp_path)
    ctx.lock.lock()

    ctx.shut_out(ctx.session, Left(0, 0))
    locked = ctx.lock.locked
    ctx.login.username = "zhangmin"
    reopened = ctx._open_store(first.account_id)
    left = reopened.entities.all(HouseholdOut), reopened.me(), reopened.tokens()
    reopened.close()

    assert not locked
    assert left == ([], None, None)
    assert ctx.phone.starting_with("pin:") == []
    assert ctx.session is None
    assert second.account_id in ctx.phone.accounts()
    await ctx.close()


@pytest.mark.parametrize(
    ("first", "second", "said"), [("12", "12", "4 到 6 位"), ("2580", "2581", "不一样"), ("2580", "2580", "")]
)
async def test_choosing_a_pin(tmp_path: Path, first: str, second: str, said: str) -> None:
    ctx = await signed_in(tmp_path, County(me()), cell())
    form = PinForm(ctx.lock)
    form.first, form.second = first, second

    saved = form.save()

    assert saved is (said == "")
    assert said in form.message
    assert ctx.lock.has_pin is saved
    await ctx.close()


@pytest.mark.display
async def test_behind_the_cover_nothing_is_seen_or_left(phone, tmp_path: Path) -> None:
    ctx, *_ = await two_on_one_phone(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("我的")
        await p.settle()
        await p.scroll_to("现在锁上")
        await p.tap("现在锁上")
        await p.settle()
        p.picture("common-lock-1.0")
        p.assert_nothing_clipped()
        p.assert_touch_targets()
        await p.press_back()
        covered = (p.shows("今日"), p.shows("退出登录"), ctx.lock.locked)
        for digit in OTHER_PIN:
            await p.tap(digit)
        await p.tap("打开")
        await p.settle()
        ctx.settings.large = True
        ctx.lock.lock()
        await p.settle()
        p.picture("common-lock-1.0-large")
        p.assert_nothing_clipped()
        ctx.lock.locked = False
        await p.settle()

        assert covered == (False, False, True)
        assert p.root.at == "me"
        assert p.shows("退出登录")
