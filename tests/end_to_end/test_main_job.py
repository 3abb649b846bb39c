"""The main job, whole: the real server process and the real app in its window.

A volunteer accepts a help request; a worker records a visit while the server is dead by kill -9; it comes back; a
partner system reads both, and the visit stands once although it was pushed twice.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end.server import Server
from tests.mobile.driver import Phone, running

# The driver fixes the window before Kivy is imported.
from mobile.app import GridhoodApp  # isort: skip
from mobile.core.session import Session  # isort: skip
from mobile.device import desktop  # isort: skip

WORKER, VOLUNTEER = "yangjiaping03", "volunteer1"


@asynccontextmanager
async def held(folder: Path, server: Server) -> AsyncIterator[tuple[Phone, GridhoodApp]]:
    """A phone with the app on it."""
    app = GridhoodApp(folder, server.address, desktop.ports)
    async with running(app) as phone:
        yield phone, app
    assert app.ctx is not None
    await app.ctx.close()


async def sign_in(phone: Phone, server: Server, username: str) -> None:
    password = next(a["password"] for a in server.accounts()["accounts"] if a["username"] == username)
    await phone.type(username, into="账号")
    await phone.type(password, into="密码")
    await phone.tap(phone.find("我看过并同意"))
    await phone.tap("登录")


def ask_for_company(server: Server, key: str, household: str) -> dict[str, Any]:
    """Somebody must be taken to hospital tomorrow morning; urgent, so that it is offered at any hour."""
    morning = dt.datetime.now(dt.UTC).replace(hour=2, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    body = {
        "kind": "help", "category": "escort_hospital", "household_id": household, "urgency": "3",
        "starts_at": morning.isoformat(), "ends_at": (morning + dt.timedelta(hours=2)).isoformat(),
    }  # fmt: skip
    made: dict[str, Any] = server.ask("/api/v1/requests", key, body, **{"Idempotency-Key": str(uuid4())})
    return made


async def be_offered(phone: Phone, session: Session, server: Server, key: str, households: list[str]) -> None:
    """Each urgent request goes to the ten who fit best and have no open offer: before long it is this one's turn."""
    for household in households:
        ask_for_company(server, key, household)
        for _ in range(4):
            session.syncer.wake()
            await asyncio.sleep(0.25)
            await phone.frames(2)
            if session.invitations.offer:
                return await phone.settle()
    raise AssertionError("no offer came")


@pytest.mark.display
async def test_a_volunteer_accepts_and_a_visit_survives_a_dead_server(server: Server, tmp_path: Path) -> None:
    key = server.accounts()["partner_key"]
    households = server.ask("/api/v1/households?area_code=610330100008&limit=20", key)["items"]

    # --- the volunteer
    async with held(tmp_path / "volunteer", server) as (phone, app):
        await sign_in(phone, server, VOLUNTEER)
        await phone.until(lambda: app.ctx.session and app.ctx.session.chip.first_pull_done, "the first pull")
        session = app.ctx.session
        await be_offered(phone, session, server, key, [household["id"] for household in households])
        assert phone.shows("我来帮")
        phone.taps = 0
        await phone.tap("我来帮")
        assert phone.taps == 1
        await phone.until(lambda: session.chip.accepted and not session.chip.unsent + session.chip.sent, "a receipt")
        session.syncer.wake()
        await phone.until(lambda: session.task.has_task and not session.task.waiting, "the door")
        volunteer_id = session.me.volunteer_id

    # --- the worker, with a server that dies
    async with held(tmp_path / "worker", server) as (phone, app):
        await sign_in(phone, server, WORKER)
        await phone.until(lambda: app.ctx.session and app.ctx.session.chip.first_pull_done, "the first pull")
        session = app.ctx.session
        await phone.until(lambda: session.today.next_door, "a door to go to")
        door = session.today.next_door.household_id
        before = _visits(server, key, door)

        server.kill()
        phone.taps = 0
        await phone.tap("记走访")
        await phone.tap("家中无人")
        assert phone.taps == 2
        assert session.chip.unsent == 1
        server.start()
        session.syncer.wake()
        await phone.until(lambda: session.chip.accepted == 1 and not session.chip.unsent, "a receipt")
        once = _visits(server, key, door)

        assert session.store.outbox.send_again() == 1
        session.syncer.wake()
        await phone.until(lambda: not session.chip.unsent + session.chip.sent, "the second receipt")
        twice = _visits(server, key, door)

    # --- the partner
    assert len(once) == len(before) + 1
    assert twice == once
    assert once[0]["outcome"] == "absent"
    [taken] = server.ask("/api/v1/requests?state=taken", key)["items"]
    assert taken["volunteer_id"] == str(volunteer_id)


def _visits(server: Server, key: str, household: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ask(f"/api/v1/visits?household_id={household}", key)["items"]
    return found
