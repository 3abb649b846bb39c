"""The pages under /m in a real browser: with the keyboard, without scripts, and looked over by axe."""

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from backend.attachments.store import Folder
from mobile.core import fonts
from tests.api.test_attachments import photo
from tests.core.waiting import until
from tests.end_to_end.server import free_port
from tests.factories import CELL, PASSWORD, middle_of

ARTEFACTS = Path(__file__).parent.parent / "artefacts"
PHONE = {"width": 390, "height": 844}
FINDINGS_THAT_COUNT = ("critical", "serious", "moderate")


async def started(server: uvicorn.Server) -> bool:
    return bool(server.started)


@pytest.fixture
async def site(running) -> AsyncIterator[str]:
    """The running app behind a real port."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(running.app, port=port, lifespan="off", log_level="warning"))
    serving = asyncio.create_task(server.serve())
    await until(partial(started, server))
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.fixture
async def browser(tmp_path) -> AsyncIterator[Browser]:
    """Chromium with the phone app's fonts: a bare server has no Chinese one."""
    fonts.build()
    (tmp_path / "fonts").symlink_to(fonts.FOLDER)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox"],
            env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        )
        yield opened
        await opened.close()


@pytest.fixture
async def volunteer(make) -> str:
    home = await make.household()
    who = await make.resident(home, name="何长顺", birth_date="1948-05-04", phone="12600002706", care=["frail"])
    person = await make.volunteer(name="周志远")
    await make.offer(await make.request(home, resident_id=who.id, detail="一袋米"), person)
    return await make.password(person, "zhouzhiyuan")


async def sign_in(page: Page, site: str, username: str) -> None:
    """With the keyboard alone, as somebody does who sees no page."""
    await page.goto(f"{site}/m")
    await page.get_by_label("账号").focus()
    await page.keyboard.type(username)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("求助邀请")


async def look(page: Page, name: str) -> None:
    """Keep a picture, and ask axe what a screen reader would stumble over."""
    await page.screenshot(path=ARTEFACTS / f"web-{name}.png", full_page=True)
    found = (await Axe().run(page)).response["violations"]
    assert [(one["id"], one["help"]) for one in found if one["impact"] in FINDINGS_THAT_COUNT] == []


async def test_a_volunteer_helps_with_the_keyboard_alone_and_no_scripts(browser, site, volunteer):
    context = await browser.new_context(viewport=PHONE, java_script_enabled=False, locale="zh-CN")
    page = await context.new_page()
    await sign_in(page, site, volunteer)

    await page.get_by_role("button", name="我来帮").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("门牌和电话在下面")
    await expect(page.get_by_role("link", name="12600002706")).to_be_visible()
    await page.get_by_role("button", name="签到").press("Enter")
    await expect(page.get_by_role("status")).to_have_text("已签到。")
    await page.get_by_role("button", name="签退").press("Enter")

    await expect(page.get_by_role("status")).to_contain_text("已签退")
    await expect(page.get_by_text("何长顺")).to_have_count(0)


async def test_every_page_is_one_that_a_screen_reader_can_read(browser, site, volunteer):
    # axe itself is a script: the policy that forbids foreign ones is lifted for it.
    context = await browser.new_context(viewport=PHONE, bypass_csp=True, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{site}/m/sign-in")
    await look(page, "sign-in")
    await sign_in(page, site, volunteer)
    await look(page, "offers")
    await page.get_by_role("button", name="我来帮").click()
    await look(page, "task")
    await page.get_by_role("link", name="上报").click()
    await page.get_by_role("button", name="上报").click()
    assert await page.get_by_role("alert").count() == 0, "the browser itself says what is missing, before it sends"
    await page.evaluate("document.querySelector('main form').noValidate = true")
    await page.get_by_role("button", name="上报").click()
    await expect(page.get_by_role("alert")).to_contain_text("有 2 处要改")
    await look(page, "report")
    assert await page.get_by_role("radio", name="路灯不亮").is_visible()


async def test_with_letters_twice_as_large_what_is_said_stands_whole_below_its_name(browser, site, volunteer):
    context = await browser.new_context(viewport=PHONE, bypass_csp=True, locale="zh-CN")
    page = await context.new_page()
    await sign_in(page, site, volunteer)

    for heading, button in (("求助邀请", "我来帮"), ("我的任务", "签到"), ("我的任务", "签退")):
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        places = {size: await places_of_facts(page, size) for size in ("100%", "200%")}
        assert {said["left"] > name["left"] for name, said, _card in places["100%"]} == {True}
        assert {said["left"] == name["left"] for name, said, _card in places["200%"]} == {True}
        assert {said["right"] < card["right"] for _name, said, card in places["200%"]} == {True}
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("button", name=button).click()


async def places_of_facts(page: Page, size: str) -> list[list[dict[str, float]]]:
    """Where each name, what is said of it and their card stand, with letters of this size."""
    places: list[list[dict[str, float]]] = await page.evaluate(
        """size => {
            document.documentElement.style.fontSize = size;
            return [...document.querySelectorAll("dt")].map(
                (name) => [name, name.nextElementSibling, name.closest(".card")]
                    .map((one) => one.getBoundingClientRect().toJSON())
            );
        }""",
        size,
    )
    assert places
    return places


async def test_axe_does_find_what_a_screen_reader_stumbles_over(browser):
    page = await browser.new_page()
    await page.set_content("<html lang=zh-CN><title>x</title><main><h1>x</h1><input></main></html>")

    with pytest.raises(AssertionError, match="label"):
        await look(page, "control")


async def test_a_report_from_where_one_stands(browser, site, make):
    worker = await make.worker()
    await make.cell()
    lon, lat = middle_of(CELL)
    context = await browser.new_context(
        viewport=PHONE, permissions=["geolocation"], geolocation={"longitude": lon, "latitude": lat}, locale="zh-CN"
    )
    page = await context.new_page()
    await page.goto(f"{site}/m/report")

    await page.get_by_label("路灯不亮").check()
    await page.get_by_role("button", name="用现在的位置").click()
    await expect(page.locator("#located")).to_have_text("已记下现在的位置")
    await page.get_by_role("button", name="上报", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("社区已收到")

    [found] = (await worker.client.get("/api/v1/requests")).json()["items"]
    assert (found["lon"], found["lat"], found["area_code"]) == (lon, lat, CELL)
    assert found["number"] in await page.get_by_role("status").inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["made smaller first", "without scripts"])
async def test_a_photo_goes_with_a_report(browser, site, make, running, tmp_path, scripts):
    running.app.state.files = Folder(tmp_path / "photos")
    worker = await make.worker()
    await make.cell()
    taken = tmp_path / "lamp.jpg"
    taken.write_bytes(photo(2400, 1200, noise=True))
    context = await browser.new_context(viewport=PHONE, java_script_enabled=scripts, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{site}/m/report")

    await page.get_by_label("路灯不亮").check()
    await page.get_by_label("大概在哪里").select_option(CELL)
    await page.get_by_label("从手机里选").set_input_files(taken)
    if scripts:
        await until(partial(page.evaluate, f"document.getElementById('chosen').files[0].size < {taken.stat().st_size}"))
    await page.get_by_role("button", name="上报", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("社区已收到")

    [found] = (await worker.client.get("/api/v1/requests")).json()["items"]
    [stored] = (await worker.client.get(f"/api/v1/requests/{found['id']}/photos")).json()
    assert (stored["state"], stored["width"], stored["height"]) == ("stored", 800, 1600)
    assert (stored["size"] < taken.stat().st_size) == scripts
