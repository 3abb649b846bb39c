"""The whole app in a test's hand: real screens on a real store, with a scripted server at the network's edge."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from kivy.metrics import Metrics

from mobile.core.session import AppContext
from mobile.device import fakes
from mobile.sync.client import Client
from shared.auth import TokenOut
from shared.types import WireOut
from tests.mobile import sight
from tests.mobile.county import County
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import MORNING, Hands, change

Reach = Callable[[Phone], Awaitable[None]]
Shown = Callable[[Path], Awaitable[tuple[AppContext, Reach]]]
"""Makes an app in a folder, and says how to come to the screen that is meant."""

# System font scale and 大字版: each screen must stand all of them.
ALL_SIZES = [(1.0, False), (1.6, False), (2.0, False), (1.0, True)]


def an_app(folder: Path, county: County, at: datetime = MORNING) -> AppContext:
    def connect(server: str, tokens: TokenOut | None) -> Client:
        return Client(server, tokens, transport=county.transport())

    return AppContext(folder, fakes.ports(), Hands(at), make_client=connect, start_syncing=False)


async def signed_in(folder: Path, county: County, *rows: WireOut, at: datetime = MORNING) -> AppContext:
    """Somebody has signed in on this phone and the server's rows have come."""
    county.rows += [change(row) for row in rows]
    ctx = an_app(folder, county, at)
    ctx.login.username, ctx.login.password, ctx.login.consent = county.me.username, county.password, True
    assert await ctx.login.sign_in(), ctx.login.error
    # The list of the pictures was talked about four minutes ago.
    ctx.now.move(minutes=-4)
    assert await ctx.session.syncer.sync_once()
    ctx.now.at = at
    return ctx


@asynccontextmanager
async def shown(phone: Callable[..., Any], ctx: AppContext, *, large: bool = False) -> AsyncIterator[Phone]:
    """The app as main builds it, around this context."""
    from mobile.app import build_shell

    ctx.settings.large = large
    async with phone(lambda: build_shell(ctx, animate=False), large=large) as p:
        try:
            yield p
        finally:
            p.root.close()
            await ctx.close()


async def stands_all_sizes(p: Phone, ctx: AppContext, name: str) -> None:
    """Nothing is cut, everything can be touched and read, while letters and colours change under the open screen."""
    for scale, large in ALL_SIZES:
        Metrics.fontscale, ctx.settings.large = scale, large
        await p.settle()
        p.picture(f"{name}-{scale}{'-large' if large else ''}")
        p.assert_nothing_clipped()
        p.assert_touch_targets()
    p.assert_readable()
    Metrics.fontscale, ctx.settings.large, ctx.settings.contrast = 1.0, False, True
    await p.settle()
    p.picture(f"{name}-contrast")
    p.assert_readable(words_least=7)


async def stay(p: Phone) -> None:
    """The first screen is the one to be seen."""


async def reach(p: Phone, text: str) -> None:
    """Tap what says this, after scrolling if it is out of sight, as a thumb would."""
    if sight.seen_rect(p.find(text)) is None:
        await p.scroll_to(text)
    await p.tap(text)
