"""Photos on the screens: the strip in 记走访, what came back and what was lost in 同步情况, the chip."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from kivy.metrics import Metrics

from mobile.attachments.uploads import QUARANTINED
from mobile.device import fakes
from mobile.device.ports import CameraDenied
from mobile.store.errors import WrongKey
from mobile.store.photos import Standing
from shared.attachments import PhotoOut, PhotoState
from tests.mobile import sight
from tests.mobile.app_parts import reach, shown, signed_in
from tests.mobile.county import County, no_network
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import cell, household, me, visit
from tests.mobile.request_parts import request
from tests.mobile.test_attachments import camera_picture

pytestmark = pytest.mark.display
Open = Callable[..., AbstractAsyncContextManager[Phone]]


async def at_a_door(folder: Path, *pictures: Any) -> Any:
    home = household()
    ctx = await signed_in(folder, County(me()), cell(), home)
    object.__setattr__(ctx.ports, "camera", fakes.ScriptedCamera(*pictures))
    return ctx


async def at_twice_the_size(p: Phone, name: str) -> None:
    """Small for a picture to look at, then as large as the system allows."""
    await p.settle()
    p.picture(name)
    for scale in (1, 2):
        Metrics.fontscale = scale
        await p.settle()
        p.assert_nothing_clipped()
        p.assert_touch_targets()
    p.picture(f"{name}-2.0")


async def test_a_photo_is_taken_shown_and_given_up_in_the_visit_form(phone: Open, tmp_path: Path) -> None:
    ctx = await at_a_door(tmp_path, CameraDenied(), camera_picture(), camera_picture(1000, 2000))
    async with shown(phone, ctx) as p:
        await reach(p, "记走访")
        await p.scroll_to("拍照")
        await p.tap("拍照")
        await p.until(lambda: p.shows("没有允许用相机，不拍照也能记"))
        for count in (1, 2):
            await p.tap("拍照" if count == 1 else "再拍一张")
            await p.until(lambda count=count: len(ctx.session._form.tray.photos) == count)
        await p.scroll_to("再拍一张")
        p.picture("photos-visit")
        await p.tap(next(w for w in sight.visible(p.root) if type(w).__name__ == "PhotoThumb"))
        await p.scroll_to("不要这张")
        await at_twice_the_size(p, "photos-chosen")
        await p.scroll_to("不要这张")
        await p.tap("不要这张")

        assert len(ctx.session._form.tray.photos) == 1
        assert not p.shows("不要这张")


async def test_what_came_back_and_what_was_lost_stand_in_the_sync_screen_until_read(
    phone: Open, tmp_path: Path
) -> None:
    ctx = await at_a_door(tmp_path, camera_picture(), camera_picture(900, 900))
    tray = ctx.session.photo_tray()
    for standing, words in ((Standing.quarantined, QUARANTINED), (Standing.due, "")):
        await tray.take()
        ctx.session.store.photos.settle(tray.photos[-1].sha256, standing, words)
    ctx.session.store.keep_loss(WrongKey(3).sentence)
    ctx.session.store.changed()
    ctx.session.chip.refresh()
    async with shown(phone, ctx) as p:
        said = p.shows("1 条被退回")
        p.root.push("sync")
        await p.settle()
        await at_twice_the_size(p, "photos-sync")
        Metrics.fontscale = 1
        await p.settle()
        await p.tap("知道了")
        await p.tap("知道了")

        assert said
        assert not p.shows("知道了")
        assert p.shows("还有 1 张照片在手机里，连上网会接着送。")


async def test_the_chip_is_not_green_while_a_photo_is_on_the_phone(phone: Open, tmp_path: Path) -> None:
    ctx = await at_a_door(tmp_path, camera_picture())
    tray = ctx.session.photo_tray()
    await tray.take()
    ctx.session.store.photos.settle(tray.photos[0].sha256, Standing.due)
    ctx.session.store.changed()
    async with shown(phone, ctx) as p:
        assert p.shows("1 张照片没送")
        await at_twice_the_size(p, "photos-chip")
        Metrics.fontscale, ctx.settings.large = 1, True
        await p.settle()
        p.assert_nothing_clipped()


def photos_at(county: County, about: Any, *manifest: PhotoOut, content: bytes = b"") -> None:
    """The server has photos of a visit or a request; those that are stored have this content."""
    usual = county._route

    def route(path: str, request: httpx.Request) -> httpx.Response:
        if path.endswith(f"{about.id}/photos"):
            return httpx.Response(200, json=[one.model_dump(mode="json") for one in manifest])
        if path.startswith("/attachments/"):
            return httpx.Response(200, content=content, headers={"Content-Type": "image/jpeg"})
        return usual(path, request)

    county._route = route  # type: ignore[method-assign]


def listed(name: str, state: PhotoState, width: int = 1200, height: int = 900) -> PhotoOut:
    return PhotoOut(sha256=name * 64, size=9, width=width, height=height, state=state)


async def test_what_a_colleague_pictured_at_a_door_opens_from_the_visit(phone: Open, tmp_path: Path) -> None:
    home, county = household(), County(me())
    made = visit(home, me(), photo_count=2)
    photos_at(county, made, listed("a", PhotoState.stored), listed("b", PhotoState.missing), content=camera_picture())
    ctx = await signed_in(tmp_path, county, cell(), home, made)
    async with shown(phone, ctx) as p:
        p.root.push("household", household_id=home.id)
        await p.settle()
        await p.scroll_to("看照片（2 张）")
        await at_twice_the_size(p, "photos-of-a-visit")
        Metrics.fontscale = 1
        await p.settle()
        await p.scroll_to("看照片（2 张）")
        await p.tap("看照片（2 张）")
        await p.until(lambda: p.shows("还没传完"))
        await at_twice_the_size(p, "photos-album")

        pictures = [w for w in sight.visible(p.root) if type(w).__name__ == "WholePicture"]
        assert [bool(one.texture) for one in pictures] == [True, False]


async def test_without_a_network_the_album_of_a_street_lamp_says_so_and_is_asked_for_again(
    phone: Open, tmp_path: Path
) -> None:
    county, lamp = County(me()), request(category="street_lamp", photo_count=1)
    photos_at(county, lamp, listed("a", PhotoState.stored), content=camera_picture())
    ctx = await signed_in(tmp_path, county, cell(), lamp)
    county.fails(f"/requests/{lamp.id}/photos", no_network)
    async with shown(phone, ctx) as p:
        p.root.push("request", request_id=lamp.id)
        await p.settle()
        await p.scroll_to("看照片（1 张）")
        p.picture("photos-of-a-request")
        await p.tap("看照片（1 张）")
        await p.until(lambda: p.shows("连不上服务器"))
        await at_twice_the_size(p, "photos-album-offline")
        Metrics.fontscale = 1
        await p.settle()
        await p.tap("再试一次")
        await p.until(lambda: not p.shows("连不上服务器"))
        await p.settle()

        assert any(type(w).__name__ == "WholePicture" and w.texture for w in sight.visible(p.root))
