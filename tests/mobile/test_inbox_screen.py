"""消息 on the screen: the bell that counts, the row that leads there, and a voice for whom letters are hard."""

from datetime import date
from pathlib import Path

import pytest

from mobile.core.session import AppContext
from mobile.device.fakes import RecordedSpeech
from shared.auth import Role
from shared.requests import Urgency
from shared.residents import Care
from shared.rounds import AlertKind, AlertOut
from shared.types import uuid7
from tests.mobile.app_parts import Reach, Shown, shown, signed_in, stands_all_sizes
from tests.mobile.county import County
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import (
    CELL,
    MONDAY,
    MORNING,
    cell,
    change,
    household,
    me,
    offer,
    resident,
    service,
    task,
    volunteer,
)
from tests.mobile.request_parts import request

pytestmark = pytest.mark.display

HOME = household(care=[Care.alone])
COLD = AlertOut(
    id=uuid7(),
    area_code=CELL[:6],
    kind=AlertKind.cold,
    from_day=date(2026, 11, 24),
    last_day=date(2026, 11, 26),
    words="夜里降到零下 8 度",
    issued_by="县气象台",
    rev=1,
    received_at=MORNING,
)
ERRAND = request(HOME)
SMOKE = request(None, "fire_hazard", place_note="3号楼楼道", urgency=Urgency.danger)


async def come(ctx: AppContext, county: County) -> None:
    for row in (COLD, ERRAND, SMOKE):
        ctx.now.move(minutes=1)
        county.rows.append(change(row))
        assert await ctx.session.syncer.sync_once()


async def a_worker(folder: Path) -> AppContext:
    """Three things came since the phone was last looked at; one of them was read."""
    county = County(me())
    ctx = await signed_in(folder, county, cell(), HOME, resident(HOME))
    await come(ctx, county)
    ctx.session.inbox.read(ctx.session.inbox.lines[-1].key)
    return ctx


async def show_inbox(folder: Path) -> tuple[AppContext, Reach]:
    ctx = await a_worker(folder)

    async def show(p: Phone) -> None:
        p.root.push("inbox")
        await p.settle()

    return ctx, show


SCREENS: dict[str, Shown] = {"inbox": show_inbox}


@pytest.mark.parametrize("name", SCREENS)
async def test_no_word_is_cut_at_any_letter_size(phone, tmp_path: Path, name: str) -> None:
    ctx, show = await SCREENS[name](tmp_path)
    async with shown(phone, ctx) as p:
        await show(p)

        await stands_all_sizes(p, ctx, name)


async def test_the_bell_counts_and_a_row_leads_to_what_it_is_about(phone, tmp_path: Path) -> None:
    county = County(me())
    ctx = await signed_in(tmp_path, county, cell(), HOME, resident(HOME))
    async with shown(phone, ctx) as p:
        await p.tap("我的")
        await p.tap("消息")
        p.picture("inbox-empty")
        p.assert_nothing_clipped()
        empty = p.shows("没有新的消息")
        await come(ctx, county)
        p.root.tab("today")
        await p.settle()
        p.picture("inbox-today-1.0")
        counted, quiet = p.shows("3 条没看"), not p.shows("念给我听")
        await p.tap("消息")
        await p.tap("来了一件求助：代买东西，何长顺家 3号楼2单元 302")
        there = p.root.at, p.root.screen.vm.title
        p.root.back()
        await p.settle()
        left = ctx.session.inbox.unread_text
        await p.tap("都看过了")
        marks = p.shows("没看过")
        await p.tap("寒潮预警，11月24日到11月26日：夜里降到零下 8 度")

        assert empty
        assert counted
        assert quiet
        assert there == ("request", "代买东西")
        assert (left, ctx.session.inbox.unread_text) == ("2 条没看", "")
        assert not marks
        assert p.root.at == "today"
        assert not p.shows("消息")


async def test_the_reason_and_the_task_are_read_aloud_where_there_is_a_voice(phone, tmp_path: Path) -> None:
    ctx = await a_worker(tmp_path)
    voice = ctx.ports.speech
    assert isinstance(voice, RecordedSpeech)
    async with shown(phone, ctx, large=True) as p:
        p.picture("inbox-today")
        p.assert_nothing_clipped()
        p.assert_touch_targets()
        await p.tap("念给我听")
        voice.available = False
        ctx.session.today.refresh()
        await p.settle()

        assert voice.spoken == ["何长顺一家，3 口人。40 天没见到本人。"]
        assert not p.shows("念给我听")


async def test_a_task_is_read_aloud_in_the_order_of_its_page(tmp_path: Path) -> None:
    teacher = me(Role.volunteer, name="周老师")
    held = task(offer(teacher.volunteer_id or uuid7()))
    ctx = await signed_in(tmp_path, County(teacher), volunteer(teacher), held)
    ctx.session.task.speak()

    voice = ctx.ports.speech
    assert isinstance(voice, RecordedSpeech)
    assert voice.spoken == [
        "陪着去医院。明天 上午 9:00–11:00。李秀英，78 岁。"
        "听力不太好，说话慢一点、近一点。新建路 18 号院 2号楼1单元 202。"
    ]
    await ctx.close()


async def test_an_invitation_that_is_on_the_screen_is_not_announced_above_itself(phone, tmp_path: Path) -> None:
    teacher = me(Role.volunteer, name="周老师")
    county = County(teacher)
    ctx = await signed_in(tmp_path, county, volunteer(teacher))
    county.rows.append(change(offer(teacher.volunteer_id or uuid7())))
    assert await ctx.session.syncer.sync_once()
    async with shown(phone, ctx, large=True) as p:
        announced = p.shows("消息")
        county.rows.append(change(service(teacher, MONDAY, 40)))
        assert await ctx.session.syncer.sync_once()
        await p.settle()
        p.picture("inbox-offers")
        p.assert_nothing_clipped()
        p.assert_touch_targets()

        assert not announced
        assert p.shows("陪着去医院")
        assert p.shows("2 条没看")
