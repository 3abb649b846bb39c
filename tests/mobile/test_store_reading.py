"""What is read from a store: rows this version cannot read, fields that are kept, and what is refreshed when."""

import logging
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kivy.clock import Clock
from kivy.event import EventDispatcher
from pydantic import ConfigDict, ValidationError

from mobile.core.session import SEEN_AT, AppContext
from mobile.duties.viewmodel import Duties
from mobile.store.database import Database
from mobile.store.entities import FEW, KINDS, Changed
from mobile.store.outbox import State
from shared.conflicts import ConflictOut
from shared.duties import CellTeam
from shared.residents import HouseholdOut, ResidentIn, ResidentOut
from shared.sync import Change, EntityKind
from shared.types import WireIn
from tests.mobile.app_parts import an_app, signed_in
from tests.mobile.county import County
from tests.mobile.phone_parts import MORNING, Desk, cell, change, household, me, page, resident, visit
from tests.mobile.test_store import record

LABEL = "a_label_of_next_year"


class LaterHousehold(HouseholdOut):
    """As a later version of the app reads it."""

    care: list[str]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def of_next_year(home: HouseholdOut) -> Change:
    row = change(home)
    assert row.body is not None
    row.body["care"] = [LABEL]
    return row


def pulled(desk: Desk, *rows: Change) -> None:
    assert desk.store.take_page(page().model_copy(update={"items": list(rows)}), [])


def test_a_row_with_a_value_of_a_later_version_is_left_out_and_named_without_its_values(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    known, strange = household(), household(head_name="李秀英")

    with caplog.at_level(logging.WARNING):
        pulled(desk, change(known), of_next_year(strange))
        rows = [desk.store.entities.all(HouseholdOut) for _ in range(2)]
        found = desk.store.entities.get(HouseholdOut, strange.id)

    assert ([[home.id for home in some] for some in rows], found) == ([[known.id]] * 2, None)
    assert caplog.text.count(str(strange.id)) == 1
    assert LABEL not in caplog.text
    assert "李秀英" not in caplog.text


def test_the_row_is_there_again_in_the_version_that_can_read_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = household()
    pulled(desk, of_next_year(strange))
    before = desk.store.entities.all(HouseholdOut)

    monkeypatch.setitem(KINDS, LaterHousehold, EntityKind.household)

    assert before == []
    assert [home.care for home in desk.store.entities.all(LaterHousehold)] == [[LABEL]]


def test_a_row_that_cannot_be_read_is_no_news_and_stops_no_page(desk: Desk) -> None:
    home, strange, came = household(), household(), list[Changed]()
    pulled(desk, change(home), of_next_year(strange))
    desk.store.watched, desk.store.on_news = frozenset({EntityKind.household}), came.extend
    cured = change(strange.model_copy(update={"rev": 2}))

    pulled(desk, of_next_year(home.model_copy(update={"rev": 2})), cured)

    assert [(one.before, one.after) for one in came] == [(None, cured.body)]


async def test_the_app_goes_on_starts_again_and_sends_what_it_holds(tmp_path: Path) -> None:
    county, home = County(me()), household()
    ctx = await signed_in(tmp_path, county, cell(), home, resident(home))
    ctx.session.today, ctx.session.grid, ctx.session.inbox  # noqa: B018 made at first use
    ctx.session.visit_form(home.id).choose_outcome("absent")
    ctx.now.move(seconds=11)
    county.rows.append(of_next_year(household()))

    done = await ctx.session.syncer.sync_once()
    sent = ctx.session.store.outbox.counts()[State.accepted]
    await ctx.close()
    again = an_app(tmp_path, county)

    assert (done, sent) == (True, 1)
    assert again.resume()
    assert again.session.today.next_door.household_id == home.id
    await again.close()


def test_kept_fields_follow_every_change_and_open_only_what_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = [household(head_name=f"{number}") for number in range(FEW + 1)]
    desk.holds(*homes)
    read, opened, unseal = desk.store.entities.fields, [0], Database.unseal

    def counting(database: Database, *sealed: Any) -> Any:
        opened[0] += 1
        return unseal(database, *sealed)

    first = read(HouseholdOut, "head_name", "last_visited_on")
    monkeypatch.setattr(Database, "unseal", counting)
    same, kept = read(HouseholdOut, "head_name", "last_visited_on"), opened[0]
    record(desk, homes[0])
    desk.holds(homes[1].model_copy(update={"head_name": "改过的", "rev": 2}))
    gone = Change(kind=EntityKind.household, id=homes[2].id, area_code=homes[2].area_code, gone=True, body=None)
    pulled(desk, gone)
    opened[0] = 0
    now = read(HouseholdOut, "head_name", "last_visited_on")

    assert (len(first), same == first, kept) == (FEW + 1, True, 0)
    assert now[str(homes[0].id)] == ("0", "2026-11-23")
    assert now[str(homes[1].id)][0] == "改过的"
    assert str(homes[2].id) not in now
    assert 0 < opened[0] < 5


def test_when_many_rows_changed_the_others_stay_closed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = [household(head_name=f"{number}") for number in range(4 * FEW)]
    desk.holds(*homes)
    read, opened, unseal = desk.store.entities.fields, [0], Database.unseal
    read(HouseholdOut, "head_name")
    record(desk, homes[0])
    desk.holds(*(home.model_copy(update={"head_name": "改过的", "rev": 2}) for home in homes[: FEW + 1]))

    def counting(database: Database, *sealed: Any) -> Any:
        opened[0] += 1
        return unseal(database, *sealed)

    monkeypatch.setattr(Database, "unseal", counting)
    now = read(HouseholdOut, "head_name")

    assert [now[str(home.id)] for home in homes[FEW : FEW + 2]] == [("改过的",), (f"{FEW + 1}",)]
    assert (len(now), now[str(homes[0].id)]) == (4 * FEW, ("改过的",))
    assert opened[0] < 2 * FEW


class Looked(EventDispatcher):
    """Stands where a view-model stands and counts how often it looks at the store."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def refresh(self, *_: object) -> None:
        self.times += 1


async def looked_at(folder: Path, route: str | None) -> tuple[AppContext, County, dict[str, Looked]]:
    """An app at a route of its window, or without a window, with counters in place of what reads thousands of rows."""
    county, home = County(me()), household()
    ctx = await signed_in(folder, county, cell(), home, resident(home))
    looks = {name: Looked() for name in (*SEEN_AT, "todo")}
    ctx.session.__dict__.update(looks)
    if route is not None:
        ctx.route = lambda: route
    return ctx, county, looks


def a_frame() -> None:
    Clock.tick()
    Clock.tick_draw()


def times(looks: dict[str, Looked]) -> Counter[str]:
    return +Counter({name: one.times for name, one in looks.items()})


async def test_changes_of_one_frame_are_shown_once_and_only_where_somebody_looks(tmp_path: Path) -> None:
    ctx, _county, looks = await looked_at(tmp_path, "me")

    for _ in range(3):
        ctx.session.store.changed()
    before, _nothing = times(looks), a_frame()

    assert before == Counter(todo=3)
    assert times(looks) == Counter(todo=3, mine=1)
    await ctx.close()


async def test_without_a_window_everything_is_right_at_once(tmp_path: Path) -> None:
    ctx, _county, looks = await looked_at(tmp_path, None)

    ctx.session.store.changed()

    assert times(looks) == Counter([*SEEN_AT, "todo"])
    await ctx.close()


async def test_a_frame_after_signing_out_touches_no_closed_store(tmp_path: Path) -> None:
    ctx, _county, looks = await looked_at(tmp_path, "today")
    session = ctx.session

    session.store.changed()
    ctx.sign_out()
    session.store.close()
    a_frame()

    assert times(looks) == Counter(todo=1)
    await ctx.close()


async def test_a_minute_that_brought_nothing_reads_no_lists_and_the_next_day_reads_them(tmp_path: Path) -> None:
    ctx, county, looks = await looked_at(tmp_path, None)

    await ctx.session.syncer.sync_once()
    idle = times(looks)
    ctx.now.move(days=1)
    await ctx.session.syncer.sync_once()
    next_day = times(looks) - idle
    county.rows.append(change(household()))
    await ctx.session.syncer.sync_once()

    assert idle == Counter(todo=1)
    assert next_day["today"] == 1
    assert looks["today"].times == 2
    await ctx.close()


async def test_what_a_sync_settled_is_shown(tmp_path: Path) -> None:
    ctx, _county, looks = await looked_at(tmp_path, None)
    home = ctx.session.store.entities.all(HouseholdOut)[0]
    ctx.session.visit_form(home.id).choose_outcome("absent")
    ctx.now.move(seconds=11)
    captured = looks["today"].times

    await ctx.session.syncer.sync_once()

    assert looks["today"].times > captured
    await ctx.close()


def test_the_duties_of_many_cells_read_the_households_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [f"610330100008{number:03d}" for number in range(1, 6)]
    desk.holds(*(cell(code=code) for code in codes), *(household(area_code=code) for code in codes))
    asked, usual = list[Any](), desk.store.entities.all

    def counting(model: Any, *parent: Any) -> Any:
        asked.append(model)
        return usual(model, *parent)

    monkeypatch.setattr(desk.store.entities, "all", counting)
    duties = Duties(desk.store, desk.me, desk.now)

    assert len(duties.cells) == len(codes)
    assert Counter(asked) == Counter([CellTeam, HouseholdOut])


async def test_the_summary_opens_no_visit_of_other_days_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    county, home = County(me()), household()
    old = [visit(home, county.me, visited_at=MORNING - timedelta(days=1 + number)) for number in range(FEW + 1)]
    ctx = await signed_in(tmp_path, county, cell(), home, *old, visit(home, county.me))
    summary, opened, unseal = ctx.session.summary, [0], Database.unseal

    def counting(database: Database, *sealed: Any) -> Any:
        opened[0] += 1
        return unseal(database, *sealed)

    monkeypatch.setattr(Database, "unseal", counting)
    summary.refresh()

    assert summary.total == 1
    assert opened[0] < 10
    await ctx.close()


@pytest.mark.parametrize("model", [ResidentIn, ResidentOut, ConflictOut], ids=lambda model: model.__name__)
def test_what_an_error_says_of_a_wire_model_holds_no_value_of_it(model: type[Any]) -> None:
    """Errors end in logs, which lie open."""
    written = {"name": ["何长顺"], "phone": "12600002706-何", "theirs": "何长顺", "note": ["何长顺"]}

    with pytest.raises(ValidationError) as problem:
        model.model_validate(written)

    assert "何长顺" not in str(problem.value)
    assert "1260000" not in str(problem.value)


def test_without_that_setting_the_value_would_be_said() -> None:
    class Open(WireIn):
        model_config = ConfigDict(hide_input_in_errors=False)
        name: int

    with pytest.raises(ValidationError, match="何长顺"):
        Open.model_validate({"name": "何长顺"})
