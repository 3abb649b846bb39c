"""Signing in, staying signed in, and signing out, with the whole app behind it and no window."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mobile.core.session import AppContext
from mobile.device import fakes
from mobile.store.outbox import State
from mobile.sync.client import Client
from shared.auth import Role, TokenOut
from shared.errors import Code
from tests.mobile.county import County, no_network, refuse
from tests.mobile.phone_parts import Hands, cell, change, household, me, resident


@pytest.fixture
def county() -> County:
    home = household()
    return County(me(), rows=[change(cell()), change(home), change(resident(home))])


def an_app(folder: Path, county: County) -> AppContext:
    def connect(server: str, tokens: TokenOut | None) -> Client:
        return Client(server, tokens, transport=county.transport())

    return AppContext(folder, fakes.ports(), Hands(), make_client=connect, start_syncing=False)


@pytest.fixture
async def app(tmp_path: Path, county: County) -> AsyncIterator[AppContext]:
    made = an_app(tmp_path, county)
    yield made
    await made.close()


async def sign_in(app: AppContext, password: str = "demo") -> bool:
    app.login.username, app.login.password, app.login.consent = "zhangmin", password, True
    done: bool = await app.login.sign_in()
    return done


async def test_signing_in_registers_the_phone_and_opens_the_account(app: AppContext, county: County) -> None:
    done = await sign_in(app)
    await app.session.syncer.sync_once()

    assert done
    assert county.devices == {str(app.phone.device_id)}
    assert app.session.is_worker
    assert app.session.today.left == 1
    assert app.session.mine.role_line == "网格员 · 杨家坪第3网格"
    assert app.login.password == ""


async def test_a_wrong_password_and_no_network_are_said_in_words(app: AppContext, county: County) -> None:
    wrong = (await sign_in(app, "wrong"), app.login.error)
    county.fails("/auth/token", no_network)
    offline = (await sign_in(app), app.login.error)

    assert wrong == (False, "账号或密码不对。")
    assert offline == (False, "现在连不上服务器，请看看网络，再试一次。")
    assert app.session is None


async def test_consent_is_asked_first_and_remembered(tmp_path: Path, county: County, app: AppContext) -> None:
    app.login.username, app.login.password = "zhangmin", "demo"
    refused = (app.login.can_sign_in, await app.login.sign_in(), app.login.error)

    await sign_in(app)
    again = an_app(tmp_path, county)

    assert refused == (False, False, "请先看一看《隐私说明》，同意后勾上。")
    assert county.asked.count("/auth/token") == 1
    assert (again.login.consent, again.login.username) == (True, "zhangmin")


async def test_after_a_restart_without_network_work_goes_on(tmp_path: Path, county: County, app: AppContext) -> None:
    await sign_in(app)
    await app.session.syncer.sync_once()
    again = an_app(tmp_path, county)
    county.fails("/sync/pull", no_network)

    resumed = again.resume()
    await again.session.syncer.sync_once()
    form = again.session.visit_form(again.session.today.next_door.household_id)
    form.choose_outcome("absent")

    assert resumed
    assert again.session.today.left == 0
    assert again.session.chip.text == "1 条在手机里"
    await again.close()


async def test_a_phone_nobody_signed_in_on_asks_for_a_login(app: AppContext) -> None:
    assert not app.resume()
    assert app.session is None


async def test_signing_out_with_unsent_records_warns_and_keeps_them(app: AppContext, county: County) -> None:
    await sign_in(app)
    await app.session.syncer.sync_once()
    app.session.visit_form(app.session.today.next_door.household_id).choose_outcome("absent")
    warning = app.session.mine.sign_out_warning

    app.session.mine.sign_out()
    signed_out = (app.session, app.resume())
    await sign_in(app)
    kept = app.session.store.outbox.counts()[State.unsent]
    app.now.move(seconds=11)  # type: ignore[attr-defined]
    await app.session.syncer.sync_once()

    assert warning.startswith("还有 1 条在手机里没送到。")
    assert signed_out == (None, False)
    assert kept == 1
    assert len(county.applied) == 1


async def test_signing_out_ends_the_tokens_on_the_server_when_there_is_a_network(
    app: AppContext, county: County
) -> None:
    asked = asyncio.Event()
    county.fails("/auth/sign-out", lambda _request: asked.set())
    await sign_in(app)

    app.session.mine.sign_out()
    async with asyncio.timeout(10):
        await asked.wait()

    assert county.refresh == "ended"


async def test_two_people_on_one_phone_see_only_their_own(app: AppContext, county: County) -> None:
    await sign_in(app)
    await app.session.syncer.sync_once()
    app.session.mine.sign_out()
    county.me, county.rows = me(Role.volunteer, name="周老师"), []

    await sign_in(app)

    assert app.session.is_volunteer
    assert app.session.invitations.greeting == "周老师，您好"
    assert app.session.today.doors == []


async def test_signing_in_again_after_the_session_ended_sends_what_waited(app: AppContext, county: County) -> None:
    await sign_in(app)
    await app.session.syncer.sync_once()
    app.session.visit_form(app.session.today.next_door.household_id).choose_outcome("absent")
    app.now.move(seconds=11)  # type: ignore[attr-defined]
    county.fails("/sync/push", refuse(Code.not_signed_in))
    county.fails("/auth/refresh", refuse(Code.session_ended))
    await app.session.syncer.sync_once()
    asked = app.session.chip.text

    await sign_in(app)
    await app.session.syncer.sync_once()

    assert asked == "请重新登录"
    assert len(county.applied) == 1


async def test_settings_are_kept_on_the_phone(tmp_path: Path, county: County, app: AppContext) -> None:
    app.settings.large, app.settings.server = True, "http://county:9000"

    again = an_app(tmp_path, county).settings

    assert (again.large, again.server) == (True, "http://county:9000")


async def test_a_capture_refreshes_every_open_screen(app: AppContext) -> None:
    await sign_in(app)
    await app.session.syncer.sync_once()
    session = app.session
    household_id = session.today.next_door.household_id
    detail, before = session.household(household_id), (session.today.left, session.chip.unsent)

    session.visit_form(household_id).choose_outcome("absent")

    assert before == (1, 0)
    assert (session.today.left, session.chip.unsent, detail.visits_total) == (0, 1, 1)


async def test_the_loop_sends_in_the_background(tmp_path: Path, county: County) -> None:
    def connect(server: str, tokens: TokenOut | None) -> Client:
        return Client(server, tokens, transport=county.transport())

    app = AppContext(tmp_path, fakes.ports(), Hands(), make_client=connect)
    await sign_in(app)

    pulled = asyncio.Event()
    app.session.chip.bind(first_pull_done=lambda *_: pulled.set())
    async with asyncio.timeout(10):
        await pulled.wait()

    assert app.session.today.left == 1
    await app.close()
