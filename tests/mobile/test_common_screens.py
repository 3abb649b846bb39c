"""The screens everybody has: 登录, 我的, 服务器, 隐私说明, 同步情况."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mobile.core.session import AppContext
from mobile.store.outbox import State
from shared.errors import CATALOGUE, Code
from tests.mobile.app_parts import ALL_SIZES, an_app, reach, shown, signed_in
from tests.mobile.county import County, no_network, refuse
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import cell, household, me, resident

pytestmark = pytest.mark.display

Reach = Callable[[Phone], Awaitable[None]]
Shown = Callable[[Path], Awaitable[tuple[AppContext, Reach]]]


async def stay(p: Phone) -> None:
    """The first screen is the one to be seen."""


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
    homes = [household(head_name=name, room=room) for name, room in (("何长顺", "302"), ("王改萍", "201"), ("刘玉芳", "102"))]
    return await signed_in(folder, county, cell(), *homes, *map(resident, homes)), county


def record(ctx: AppContext, outcome: str = "seen") -> None:
    """A visit of whoever comes first, kept on this phone."""
    form = ctx.session.visit_form(ctx.session.today.doors[0].household_id)
    form.choose_outcome(outcome)
    if outcome == "seen":
        form.save()


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


async def show_sync(folder: Path) -> tuple[AppContext, Reach]:
    """One of each kind, with the network gone at the end."""
    ctx, county = await working(folder)
    record(ctx)
    await ctx.session.syncer.sync_once()
    record(ctx)
    visit = ctx.session.store.outbox.entries(State.unsent)[0]
    county.refuses[str(visit.entity_id)] = Code.in_the_future
    await ctx.session.syncer.sync_once()
    record(ctx, "absent")
    return ctx, lambda p: push(p, "sync")


async def push(p: Phone, route: str) -> None:
    p.root.push(route)
    await p.settle()
