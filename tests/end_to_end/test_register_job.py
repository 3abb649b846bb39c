"""The register, whole: what one worker wrote without network reaches another worker's phone and a partner system.

A household and a person are registered, somebody has died and the new person moves on to another cell while the server
is dead; it comes back; the other cell's worker finds the arrival in 待核对 and settles it.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.end_to_end.server import Server
from tests.end_to_end.test_main_job import held
from tests.mobile.driver import Phone

from mobile.core.session import Session  # isort: skip
from shared.register import EventKind
from shared.residents import HouseholdOut, ResidentOut

COMMUNITY_WORKER, CELL_WORKER = "yangjiaping", "yangjiaping03"
FROM, TO = "610330100008001", "610330100008003"
NAME = "冯小满"

pytestmark = pytest.mark.display


def register(session: Session) -> ResidentOut:
    """A new door and the first person behind it."""
    door = session.household_form()
    homes: list[UUID] = []
    door.bind(on_saved=lambda _form, key, _sentence: homes.append(key))
    door.cell, door.compound, door.building, door.room = FROM, "河滨小区", "99号楼", "901"
    assert door.save(), door.problem
    form = session.person_form(homes[0])
    form.name, form.sex, form.birth, form.phone = NAME, "2", "19610809", "12600003381"
    assert form.save(), form.problem
    [person] = session.store.entities.all(ResidentOut, homes[0])
    return person


def note(session: Session, kind: EventKind, person: ResidentOut, to: str = "") -> None:
    """Write an event about one person."""
    form = session.event_form(person.household_id, person.id)
    form.choose_kind(kind)
    if str(person.id) not in form.who:
        form.choose_who(str(person.id))
    if to:
        form.to.choose("cell")
        form.to.choose_cell(to)
    assert form.save(), form.missing


def somebody(session: Session) -> ResidentOut:
    """Who lives in the cell already, with others."""
    homes = session.store.entities.all(HouseholdOut)
    home = next(home for home in homes if home.area_code == FROM and home.size > 1)
    return session.store.entities.all(ResidentOut, home.id)[0]


async def ready(phone: Phone, app: Any, accounts: dict[str, Any], username: str) -> Session:
    """Sign in past the keyboard, which the main job's test types on."""
    login = app.ctx.login
    login.username, login.consent = username, True
    login.password = next(one["password"] for one in accounts["accounts"] if one["username"] == username)
    assert await login.sign_in(), login.error
    await phone.until(lambda: app.ctx.session and app.ctx.session.chip.first_pull_done, "the first pull")
    session: Session = app.ctx.session
    return session


def people(server: Server, key: str, area: str) -> int:
    return int(server.ask(f"/api/v1/register/counts?area_code={area}", key)["people"])


async def test_what_was_written_without_network_is_settled_by_the_other_cell_and_read_by_a_partner(
    server: Server, tmp_path: Path
) -> None:
    accounts = server.accounts()
    key = accounts["partner_key"]
    before = [people(server, key, area) for area in (FROM, TO)]

    # --- the worker, without a server
    async with held(tmp_path / "community", server) as (phone, app):
        session = await ready(phone, app, accounts, COMMUNITY_WORKER)
        server.kill()
        mover, dead = register(session), somebody(session)
        note(session, EventKind.death, dead)
        note(session, EventKind.move_out, mover, TO)
        assert session.chip.unsent == 4
        server.start()
        session.syncer.wake()
        await phone.until(lambda: session.chip.accepted == 4 and not session.chip.unsent, "four receipts")

    # --- the other cell's worker
    async with held(tmp_path / "cell", server) as (phone, app):
        session = await ready(phone, app, accounts, CELL_WORKER)
        [arrival] = [one for one in session.checks.arrivals if one.title == NAME]
        phone.root.push("check")
        await phone.settle()
        assert phone.shows(NAME)
        home = next(home for home in session.store.entities.all(HouseholdOut) if home.area_code == TO and home.size)
        session.checks.arrived(arrival.id, home.id)
        session.syncer.wake()
        await phone.until(lambda: session.chip.accepted == 1 and not session.chip.unsent, "a receipt")
        assert NAME in [one.name for one in session.store.entities.all(ResidentOut, home.id)]

    # --- the partner
    after = [people(server, key, area) for area in (FROM, TO)]
    found = server.ask(f"/api/v1/residents/{mover.id}", key)
    assert after == [before[0] - 1, before[1] + 1]
    assert (found["name"], found["area_code"], found["household_id"]) == (NAME, TO, str(home.id))
