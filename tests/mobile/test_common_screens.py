"""The screens everybody has: 登录, 我的, 服务器, 隐私说明, 同步情况."""

from pathlib import Path

import pytest

from mobile.auth.privacy import PARAGRAPHS
from mobile.core.session import AppContext
from mobile.store.outbox import State
from mobile.widgets.frame import SectionHead
from mobile.widgets.tokens import T
from shared.auth import Role
from shared.errors import CATALOGUE, Code
from tests.mobile.app_parts import Reach, Shown, an_app, reach, shown, signed_in
from tests.mobile.county import County, no_network
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import cell, household, me, offer, resident

pytestmark = pytest.mark.display


async def show_login(folder: Path) -> tuple[AppContext, Reach]:
    async def show(p: Phone) -> None:
        await p.type("yangjiaping03", into="账号")

    return an_app(folder, County(me())), show


async def show_privacy(folder: Path) -> tuple[AppContext, Reach]:
    async def show(p: Phone) -> None:
        await reach(p, "《隐私说明》")

    return an_app(folder, County(me())), show


async def show_server(folder: Path) -> tuple[AppContext, Reach]:
    return an_app(folder, County(me())), lambda p: reach(p, "服务器")


async def working(folder: Path) -> tuple[AppContext, County]:
    county = County(me())
    homes = [
        household(head_name=name, room=room) for name, room in (("何长顺", "302"), ("王改萍", "201"), ("刘玉芳", "102"))
    ]
    return await signed_in(folder, county, cell(), *homes, *map(resident, homes)), county


def record(ctx: AppContext, outcome: str = "seen") -> None:
    """A visit of whoever comes first, kept on this phone and past the time of 撤销."""
    form = ctx.session.visit_form(ctx.session.today.doors[0].household_id)
    form.choose_outcome(outcome)
    if outcome == "seen":
        form.save()
    ctx.now.move(seconds=11)


async def show_mine(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await working(folder)
    return ctx, lambda p: p.tap("我的")


async def show_sign_out(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await working(folder)
    record(ctx)

    async def show(p: Phone) -> None:
        await p.tap("我的")
        await reach(p, "退出登录")

    return ctx, show


async def refused(folder: Path) -> tuple[AppContext, County]:
    """One visit received, one refused, one that waits for a network."""
    ctx, county = await working(folder)
    record(ctx)
    await ctx.session.syncer.sync_once()
    record(ctx)
    visit = ctx.session.store.outbox.entries(State.unsent)[0]
    county.refuses[str(visit.entity_id)] = Code.in_the_future
    await ctx.session.syncer.sync_once()
    record(ctx)
    county.fails("/sync/push", no_network)
    await ctx.session.syncer.sync_once()
    return ctx, county


async def show_sync(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await refused(folder)
    return ctx, lambda p: push(p, "sync")


async def push(p: Phone, route: str) -> None:
    p.root.push(route)
    await p.settle()


SCREENS: dict[str, Shown] = {
    "login": show_login,
    "privacy": show_privacy,
    "server": show_server,
    "mine": show_mine,
    "sign-out": show_sign_out,
    "sync": show_sync,
}


async def test_signing_in_by_hand_opens_the_tabs_of_the_role(phone, tmp_path: Path) -> None:
    ctx = an_app(tmp_path, County(me()))
    async with shown(phone, ctx) as p:
        await p.type("zhangmin", into="账号")
        await p.type("demo", into="密码")
        await p.tap("登录")
        without_consent = p.shows("请先看一看《隐私说明》，同意后勾上。")
        await p.tap("我看过并同意")
        await p.tap("登录")
        await p.until(lambda: ctx.session)

        assert without_consent
        assert [tab[1] for tab in p.root.tab_bar.tabs] == ["今日", "网格", "上报", "我的"]
        assert p.root.at == "today"


async def test_a_wrong_password_and_no_network_are_said_in_a_sentence(phone, tmp_path: Path) -> None:
    county = County(me())
    ctx = an_app(tmp_path, county)
    ctx.login.consent = True
    async with shown(phone, ctx) as p:
        await p.type("zhangmin", into="账号")
        await p.type("wrong", into="密码")
        await p.tap("登录")
        await p.until(lambda: p.shows(CATALOGUE[Code.wrong_password].sentence))
        p.picture("common-wrong-password")
        p.assert_nothing_clipped()
        county.fails("/auth/token", no_network)
        await p.tap("登录")
        await p.until(lambda: p.shows("现在连不上服务器，请看看网络，再试一次。"))

        assert p.root.at == "login"


async def test_a_password_is_hidden_until_asked_for_in_words(phone, tmp_path: Path) -> None:
    ctx = an_app(tmp_path, County(me()))
    async with shown(phone, ctx) as p:
        field = p.find("密码")
        hidden = field.password
        await p.tap("显示")

        assert hidden
        assert not field.password
        assert p.shows("隐藏")


async def test_large_print_can_be_had_before_signing_in(phone, tmp_path: Path) -> None:
    ctx = an_app(tmp_path, County(me()))
    async with shown(phone, ctx) as p:
        await p.tap("大字版")
        large = T.large

    again = an_app(tmp_path, County(me()))
    assert large
    assert again.settings.large
    await again.close()


async def test_consent_is_not_given_beforehand_and_can_be_read_first(phone, tmp_path: Path) -> None:
    ctx = an_app(tmp_path, County(me()))
    async with shown(phone, ctx) as p:
        await p.tap("《隐私说明》")
        titles = [p.shows(title) for _, title, _ in PARAGRAPHS]
        await p.press_back()

        assert all(titles)
        assert not ctx.login.consent
        assert p.root.at == "login"


async def test_the_server_can_be_set_before_signing_in(phone, tmp_path: Path) -> None:
    ctx = an_app(tmp_path, County(me()))
    async with shown(phone, ctx) as p:
        ctx.settings.server = ""
        await p.tap("服务器")
        await p.type("https://linge.example ", into="服务器地址")
        await p.tap("保存")

        assert ctx.settings.server == "https://linge.example"
        assert p.root.at == "login"


async def test_signing_out_warns_of_what_has_not_left_and_keeps_it(phone, tmp_path: Path) -> None:
    ctx, _ = await working(tmp_path)
    record(ctx)
    async with shown(phone, ctx) as p:
        await p.tap("我的")
        await reach(p, "退出登录")
        warned = p.shows("还有 1 条在手机里没送到")
        await p.tap("先不退")
        stayed = ctx.session
        await reach(p, "退出登录")
        await p.tap("退出登录", nth=1)

        assert warned
        assert stayed
        assert p.root.at == "login"
        ctx.login.password = "demo"
        assert await ctx.login.sign_in()
        assert len(ctx.session.store.outbox.entries(State.unsent)) == 1


async def test_signing_out_with_nothing_waiting_does_not_warn(phone, tmp_path: Path) -> None:
    ctx, _ = await working(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("我的")
        await reach(p, "退出登录")

        assert p.shows("要退出登录吗？")
        assert not p.shows("没送到")


async def test_a_refused_visit_says_why_and_opens_its_form(phone, tmp_path: Path) -> None:
    ctx, _ = await refused(tmp_path)
    async with shown(phone, ctx) as p:
        await push(p, "sync")
        titles = [w.title for w in p.root.walk() if isinstance(w, SectionHead)]
        said = p.shows(CATALOGUE[Code.in_the_future].sentence)
        who = ctx.session.sync_screen.refused[0].title.split("一家")[0]
        await p.tap("去改")

        assert titles == ["被退回 1 条，等您改", "在手机里 1 条"]
        assert said
        assert p.root.at == "visit"
        assert p.shows(who)


async def test_what_is_left_for_later_stays_refused(phone, tmp_path: Path) -> None:
    ctx, _ = await refused(tmp_path)
    async with shown(phone, ctx) as p:
        await push(p, "sync")
        await p.tap("先放着")

        assert p.root.at == "today"
        assert ctx.session.chip.refused == 1


async def test_what_cannot_be_done_again_is_put_aside_once_read(phone, tmp_path: Path) -> None:
    person = me(Role.volunteer, name="周老师")
    county, wanted = County(person), offer(person.volunteer_id)
    ctx = await signed_in(tmp_path, county, wanted)
    county.refuses[str(wanted.id)] = Code.offer_taken
    ctx.session.invitations.accept()
    await ctx.session.syncer.sync_once()
    async with shown(phone, ctx) as p:
        await push(p, "sync")
        said = p.shows(CATALOGUE[Code.offer_taken].sentence)
        await p.tap("知道了")

        assert said
        assert not p.shows(CATALOGUE[Code.offer_taken].sentence)
        assert ctx.session.chip.refused == 0


async def test_sending_now_sends(phone, tmp_path: Path) -> None:
    ctx, county = await working(tmp_path)
    async with shown(phone, ctx) as p:
        county.fails("/sync/push", no_network)
        record(ctx)
        ctx.spawn(ctx.session.syncer.run())
        await push(p, "sync")
        await p.until(lambda: ctx.session.chip.offline)
        unsent = p.shows("在手机里 1 条")
        await p.tap("现在送出")
        await p.until(lambda: ctx.session.chip.accepted == 1)

        assert unsent
        assert not p.shows("在手机里 1 条")


async def test_an_ended_sign_in_asks_for_the_password_and_loses_nothing(phone, tmp_path: Path) -> None:
    ctx, county = await working(tmp_path)
    county.token, county.refresh = "another", "another refresh token"
    record(ctx)
    await ctx.session.syncer.sync_once()
    async with shown(phone, ctx) as p:
        await p.tap("我的")
        await p.tap("同步情况")
        await p.tap("重新登录")
        p.picture("common-sign-in-again")
        await p.type("demo", into="密码")
        await p.tap("登录")
        await p.until(lambda: p.root.at == "today")
        await ctx.session.syncer.sync_once()

        assert len(county.applied) == 1
        assert not ctx.session.chip.needs_sign_in


async def test_an_hour_of_work_without_network_is_shown_in_part(phone, tmp_path: Path) -> None:
    person = me()
    homes = [household(head_name=f"第{number}户") for number in range(32)]
    ctx = await signed_in(tmp_path, County(person), cell(), *homes)
    for _ in homes:
        record(ctx)
    async with shown(phone, ctx) as p:
        await push(p, "sync")

        assert p.shows("在手机里 32 条")
        assert p.shows("……还有 2 条")
