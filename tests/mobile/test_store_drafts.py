"""Unfinished forms: the system may end the app at any moment, and what was written is there the next time."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile.core.session import AppContext, Session
from shared.errors import Code
from shared.links import HelperKind, LinkKind
from tests.mobile.app_parts import an_app, signed_in
from tests.mobile.county import County, refuse
from tests.mobile.phone_parts import CELL, MONDAY, cell, change, household, me, resident
from tests.mobile.register_parts import link
from tests.mobile.request_parts import request

HOME = household()
MEMBER = resident(HOME)
NEXT_DOOR = household(room="303")
FATHER, DAUGHTER = resident(NEXT_DOOR), resident(NEXT_DOOR, name="何小红", relation="30")
CONTACT = link(NEXT_DOOR, resident_id=FATHER.id)
HELPER = link(NEXT_DOOR, resident_id=FATHER.id, kind=LinkKind.helper, helper=HelperKind.neighbour, name="李秀兰")
LAMP = request(None, "street_lamp")
COUNTY_CELLS = cell(), cell(code=CELL[:-1] + "4", name="杨家坪第4网格")


async def a_phone(folder: Path) -> tuple[AppContext, County]:
    county = County(me())
    return await signed_in(
        folder, county, *COUNTY_CELLS, HOME, MEMBER, NEXT_DOOR, FATHER, DAUGHTER, CONTACT, HELPER, LAMP
    ), county


async def ended_and_started_again(ctx: AppContext, county: County) -> AppContext:
    """The system takes the app away after it was paused; nobody says goodbye to anything."""
    ctx.keep()
    again = an_app(ctx.phone.folder, county)
    assert again.resume()
    return again


def write_event(session: Session) -> Any:
    form = session.event_form(HOME.id)
    form.choose_kind("move_out")
    form.day.choose("yesterday")
    form.to.choose("cell")
    return form


def event_values(form: Any) -> Any:
    return form.kind, list(form.who), form.day.day, form.to.cell, form.can_save


def write_birth(session: Session) -> Any:
    form = session.event_form()
    form.choose_home(HOME.id)
    form.choose_kind("birth")
    form.name = "何小满"
    form.choose_sex("2")
    return form


def birth_values(form: Any) -> Any:
    return form.kind, form.home_title, form.name, form.sex, form.relation, form.is_new, form.can_save


def write_household(session: Session) -> Any:
    form = session.household_form()
    form.compound, form.building, form.room = "河滨小区", "9号楼", "101"
    return form


def household_values(form: Any) -> Any:
    return form.compound, form.building, form.unit, form.room


def write_person(session: Session) -> Any:
    form = session.person_form(HOME.id)
    form.name, form.sex, form.birth, form.relation = "何小军", "1", "19800203", "30"
    form.toggle_care("alone")
    return form


def write_edit(session: Session) -> Any:
    form = session.person_form(HOME.id, MEMBER.id)
    form.phone, form.note = "12600001111", "换了电话"
    return form


def person_values(form: Any) -> Any:
    return form.name, form.sex, form.birth, form.phone, form.relation, list(form.care), form.note, form.can_save


def write_visit(session: Session) -> Any:
    form = session.visit_form(HOME.id)
    form.choose_outcome("seen")
    form.toggle_finding("fine")
    form.note = "炉子没装烟道"
    return form


def visit_values(form: Any) -> Any:
    return form.outcome, list(form.findings), form.note, form.can_save


def write_report(session: Session) -> Any:
    form = session.report
    form.choose_kind("street_lamp")
    form.note = "从周五起"
    return form


def report_values(form: Any) -> Any:
    return form.category, form.note, form.can_report


def write_help(session: Session) -> Any:
    form = session.help_form(HOME.id)
    form.choose_kind("escort_hospital")
    form.choose_when("1pm")
    form.note = "做透析"
    return form


def help_values(form: Any) -> Any:
    return form.category, form.who, form.when, form.note, form.can_save


def write_link(session: Session) -> Any:
    form = session.link_form(FATHER.id)
    form.kind, form.helper = "helper", form.helpers[0][0]
    form.choose_person(str(DAUGHTER.id))
    form.phone, form.relation, form.first = "12600003333", "对门", False
    return form


def link_values(form: Any) -> Any:
    return form.kind, form.person_id, form.name, form.phone, form.relation, form.note, form.first


def write_link_edit(session: Session) -> Any:
    form = session.link_form(FATHER.id, CONTACT.id)
    form.phone, form.note, form.first = "12600004444", "下午再打", False
    return form


def write_stand_in(session: Session) -> Any:
    form = session.link_form(FATHER.id, HELPER.id)
    form.stand_in_name, form.stand_in_phone = "王建国", "12600003802"
    form.choose_length("14")
    return form


def stand_in_values(form: Any) -> Any:
    return form.stand_in_name, form.stand_in_phone, form.stand_in_days, form.can_save


def write_step(session: Session) -> Any:
    detail = session.request(LAMP.id)
    detail.choose(next(step for step in detail.steps if step.asks))
    detail.reason = "已经亮了"
    return detail


def step_values(detail: Any) -> Any:
    return detail.asking and detail.asking.to, detail.reason, detail.can_take


FORMS: list[tuple[Callable[[Session], Any], Callable[[Session], Any], Callable[[Any], Any]]] = [
    (write_visit, lambda session: session.visit_form(HOME.id), visit_values),
    (write_event, lambda session: session.event_form(HOME.id), event_values),
    (write_birth, lambda session: session.event_form(), birth_values),
    (write_household, lambda session: session.household_form(), household_values),
    (write_person, lambda session: session.person_form(HOME.id), person_values),
    (write_edit, lambda session: session.person_form(HOME.id, MEMBER.id), person_values),
    (write_report, lambda session: session.report, report_values),
    (write_help, lambda session: session.help_form(HOME.id), help_values),
    (write_link, lambda session: session.link_form(FATHER.id), link_values),
    (write_link_edit, lambda session: session.link_form(FATHER.id, CONTACT.id), link_values),
    (write_stand_in, lambda session: session.link_form(FATHER.id, HELPER.id), stand_in_values),
    (write_step, lambda session: session.request(LAMP.id), step_values),
]
NAMES = [
    "visit",
    "event",
    "birth",
    "household",
    "person",
    "person's edit",
    "report",
    "help",
    "link",
    "link's edit",
    "stand-in",
    "step",
]


@pytest.mark.parametrize(("write", "reopen", "values"), FORMS, ids=NAMES)
async def test_what_was_written_is_there_after_the_app_was_ended(
    tmp_path: Path, write: Callable[..., Any], reopen: Callable[..., Any], values: Callable[..., Any]
) -> None:
    ctx, county = await a_phone(tmp_path)
    empty = values(reopen(ctx.session))
    form = write(ctx.session)
    written = values(form)

    again = await ended_and_started_again(ctx, county)
    restored = values(reopen(again.session))

    assert restored == written
    assert restored != empty, "or there was nothing to lose"
    await again.close()
    await ctx.close()


@pytest.mark.parametrize(("write", "reopen", "values"), FORMS, ids=NAMES)
async def test_without_the_pause_there_is_nothing_to_restore_but_what_is_kept_at_each_change(
    tmp_path: Path, write: Callable[..., Any], reopen: Callable[..., Any], values: Callable[..., Any]
) -> None:
    """The control: it is ctx.keep() that keeps them; 记走访 keeps itself."""
    ctx, county = await a_phone(tmp_path)
    form = write(ctx.session)
    again = an_app(tmp_path, county)
    assert again.resume()

    kept = values(reopen(again.session)) == values(form)

    assert kept == (write is write_visit)
    await again.close()
    await ctx.close()


@pytest.mark.parametrize(
    ("write", "reopen", "values"),
    [FORMS[1], FORMS[3], FORMS[4], FORMS[7], FORMS[8]],
    ids=["event", "household", "person", "help", "link"],
)
async def test_a_form_that_was_saved_is_empty_the_next_time(
    tmp_path: Path, write: Callable[..., Any], reopen: Callable[..., Any], values: Callable[..., Any]
) -> None:
    ctx, county = await a_phone(tmp_path)
    form = write(ctx.session)
    ctx.keep()
    if write is write_household:
        form.cell = CELL

    saved = form.save()
    again = await ended_and_started_again(ctx, county)

    assert saved
    assert values(reopen(again.session)) != values(form)
    await again.close()
    await ctx.close()


async def test_a_change_taken_back_is_in_the_form_again(tmp_path: Path) -> None:
    ctx, county = await a_phone(tmp_path)
    form = write_event(ctx.session)
    written = event_values(form)
    form.save()
    after_saving = event_values(ctx.session.event_form(HOME.id))

    assert form.undo()
    again = await ended_and_started_again(ctx, county)

    assert after_saving != written
    assert event_values(again.session.event_form(HOME.id)) == written
    await again.close()
    await ctx.close()


async def test_who_was_shut_out_while_writing_leaves_no_draft_and_nothing_fails(tmp_path: Path) -> None:
    ctx, county = await a_phone(tmp_path)
    session = ctx.session
    form = write_person(session)
    kept: list[str] = []
    county.fails("/sync/pull", refuse(Code.device_revoked))
    session.store.keep_draft = lambda key, _value: kept.append(key)

    await session.syncer.sync_once()
    form.note = "还在写"
    session.keep()

    assert ctx.session is None
    assert kept == []
    await ctx.close()


async def test_an_edit_of_somebody_who_was_changed_meanwhile_is_not_put_over_the_change(tmp_path: Path) -> None:
    ctx, county = await a_phone(tmp_path)
    write_edit(ctx.session)
    ctx.keep()
    newer = MEMBER.model_copy(update={"rev": 2, "phone": "12600009999"})
    county.rows.append(change(newer))
    await ctx.session.syncer.sync_once()

    form = ctx.session.person_form(HOME.id, MEMBER.id)

    assert (form.phone, form.note) == ("12600009999", "")
    await ctx.close()


async def test_what_was_written_yesterday_as_today_is_yesterday_today(tmp_path: Path) -> None:
    ctx, county = await a_phone(tmp_path)
    form = ctx.session.event_form(HOME.id)
    form.choose_kind("move_in")
    form.name = "新来的"
    ctx.keep()
    again = an_app(tmp_path, county, ctx.now() + timedelta(days=1))
    assert again.resume()

    restored = again.session.event_form(HOME.id)

    assert (restored.day.day, restored.day.choice) == (MONDAY, "yesterday")
    await again.close()
    await ctx.close()


async def test_a_cell_that_the_phone_found_is_no_draft(tmp_path: Path) -> None:
    ctx, _county = await a_phone(tmp_path)
    form = ctx.session.household_form()
    form.cell = CELL

    ctx.keep()

    assert ctx.session.store.draft("household") is None
    await ctx.close()


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_no_draft_lies_open_on_the_disk(tmp_path: Path) -> None:
    ctx, _county = await a_phone(tmp_path)
    for write, _reopen, _values in FORMS:
        form = write(ctx.session)
        if write is write_person:
            form.id_number = "99999919540308001X"
        ctx.keep()

    files = files_of(tmp_path)
    on_disk = b"".join(path.read_bytes() for path in files)

    assert str(HOME.id).encode() in on_disk  # the control: what is not sealed can be found this way
    assert {path.name for path in files} >= {"phone.db", "phone.db-wal", "store.db", "store.db-wal"}
    secrets = (
        "何小满",
        "何小军",
        "河滨小区",
        "杨家坪",
        "12600001111",
        "换了电话",
        "炉子没装烟道",
        "从周五起",
        "做透析",
        "12600003333",
        "已经亮了",
        "19800203",
        "99999919540308001X",
    )
    for secret in secrets:
        assert secret.encode() not in on_disk
    await ctx.close()
