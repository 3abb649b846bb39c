"""A worker's morning on the real screens: the households of the pictures, a real store, no network."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from kivy.metrics import dp
from openpyxl import load_workbook

from mobile.app import build_shell
from mobile.core.navigation import Shell
from mobile.core.session import AppContext
from mobile.device import fakes
from mobile.device.ports import DeviceFix
from mobile.store.store import Store
from shared.residents import Care, HouseholdOut, Relation, Residency, ResidentOut, Sex
from shared.types import WireOut
from shared.visits import Finding, VisitOut, VisitOutcome
from tests.mobile.driver import Phone
from tests.mobile.grid_parts import assert_marks_apart
from tests.mobile.phone_parts import MONDAY, MORNING, Desk, cell, household, resident, visit

pytestmark = pytest.mark.display

SIZES = [(1.0, False), (2.0, False), (1.0, True)]
NAMES = ("安家宝", "白秀英", "曹建国", "邓玉兰", "范志强", "高玉梅", "郝建军", "江秀芳", "康志明", "雷玉珍", "马建平")
# Of the picture 03-grid: x, y, building, unit, doors, and the days since the longest unseen door was answered.
STAIRS = [
    (74, 121, "2号楼", "1单元", 11, 18), (153, 119, "4号楼", "2单元", 12, 20), (261, 61, "6号楼", "1单元", 8, 9),
    (262, 111, "7号楼", "1单元", 9, 44), (316, 111, "7号楼", "2单元", 10, 25), (76, 185, "5号楼", "2单元", 6, 52),
    (78, 236, "8号楼", "1单元", 4, 12), (152, 234, "8号楼", "2单元", 5, None), (258, 230, "9号楼", "1单元", 7, 21),
    (325, 228, "9号楼", "2单元", 6, 70),
]  # fmt: skip
RING = [(22, 40), (312, 24), (318, 78), (360, 76), (368, 262), (210, 276), (30, 268), (22, 40)]
FOURTH = "610330100008003|杨家坪小区|4号楼|2单元"


def spot(x: float, y: float) -> tuple[float, float]:
    """A point of the picture on the ground, 0.8 m for a dp."""
    return 106.66 + x * 0.8 / 92_300, 33.96 - y * 0.8 / 111_320


def ago(days: int) -> date:
    return MONDAY - timedelta(days=days)


def home(name: str, at: tuple[int, int], building: str, unit: str, room: str, **given: Any) -> HouseholdOut:
    lon, lat = spot(*at)
    usual = {"size": 1, "due_on": None, "last_visited_on": None, "last_seen_on": ago(6)}
    door = {"building": building, "unit": unit, "room": room, "lon": lon, "lat": lat}
    return household(head_name=name, **{**usual, **door, **given})


def named_homes() -> dict[str, HouseholdOut]:
    homes = [
        home("赵桂兰", (153, 71), "3号楼", "2单元", "101", care=[Care.alone, Care.medication], due_on=ago(2),
             due_reason="上次说头晕，约好周六来看她"),
        home("何长顺", (153, 71), "3号楼", "2单元", "302", size=3, care=[Care.discharged, Care.medication],
             due_on=MONDAY, due_reason="出院第 2 周，每周看一次"),
        home("王改萍", (113, 119), "4号楼", "1单元", "201", size=3, due_on=MONDAY, due_reason="新搬来，还没登记"),
        home("孙淑琴", (153, 119), "4号楼", "2单元", "302", care=[Care.frail], last_seen_on=ago(76),
             tries_since_seen=2, due_on=ago(-1), due_reason="去过 2 次，都没见到"),
        home("刘玉芳", (153, 185), "5号楼", "1单元", "102", due_on=ago(-1), last_seen_on=ago(32)),
        home("陈德厚", (74, 121), "2号楼", "1单元", "101", last_visited_on=MONDAY, last_seen_on=MONDAY),
    ]  # fmt: skip
    return {each.head_name: each for each in homes}


def neighbours() -> list[HouseholdOut]:
    """Every other door of the grid, in three columns: quiet, but for the map."""
    return [
        home(NAMES[(n + doors) % len(NAMES)], (x, y), building, unit, room,
             last_seen_on=days and ago(days if n == 2 else days // 3))
        for x, y, building, unit, doors, days in STAIRS
        for n in range(doors)
        if (building, unit, room := f"{n // 3 + 1}0{n % 3 + 1}")
        not in (("4号楼", "2单元", "302"), ("2号楼", "1单元", "101"))
    ]  # fmt: skip


def people(homes: dict[str, HouseholdOut]) -> list[ResidentOut]:
    he = homes["何长顺"]
    born = {"赵桂兰": 1945, "王改萍": 1990, "孙淑琴": 1956, "刘玉芳": 1948, "陈德厚": 1950}
    return [
        *(resident(homes[name], birth_date=date(year, 5, 4), care=homes[name].care) for name, year in born.items()),
        resident(he, care=he.care),
        resident(he, name="田秀珍", sex=Sex.female, relation=Relation.spouse, birth_date=date(1956, 6, 1), phone=None),
        resident(he, name="何小军", relation=Relation.son, birth_date=date(1982, 2, 2), phone=None,
                 residency=Residency.away, note="在西安，过年回来"),
    ]  # fmt: skip


def earlier(homes: dict[str, HouseholdOut], desk: Desk) -> list[VisitOut]:
    he, last = homes["何长顺"], MORNING - timedelta(weeks=1)
    notes = ["刚出院，刀口恢复好，药在按时吃", "邻居说在县医院", *[""] * 5]
    weeks = [
        visit(he, desk.me, visited_at=last - timedelta(weeks=week), note=note,
              outcome=VisitOutcome.absent if week == 1 else VisitOutcome.seen)
        for week, note in enumerate(notes)
    ]  # fmt: skip
    stove = visit(homes["陈德厚"], desk.me, visited_at=MORNING - timedelta(hours=2), findings=[Finding.heating])
    return [*weeks, stove]


class Worker:
    """A signed-in phone that holds these rows and has no network."""

    def __init__(self, folder: Path, *rows: WireOut, more: Iterable[WireOut] = ()) -> None:
        self.desk = Desk(folder)
        self.homes = named_homes()
        ground = {"type": "Polygon", "coordinates": [[spot(*corner) for corner in RING]]}
        mine = [cell(geometry=ground), *self.homes.values(), *neighbours(), *people(self.homes)]
        self.desk.holds(*(rows or [*mine, *earlier(self.homes, self.desk)]), *more)
        self.desk.store.keep_me(self.desk.me)
        self.desk.store.close()
        self.desk.phone.put("account", str(self.desk.me.account_id))
        here = DeviceFix(*spot(206, 180), accuracy_m=8, taken_at=MORNING)
        self.ports = fakes.ports(fakes.ScriptedLocation(here))
        self.ctx = AppContext(folder, self.ports, self.desk.now, start_syncing=False)

    @property
    def store(self) -> Store:
        store: Store = self.ctx.session.store
        return store

    def visits_to(self, name: str) -> list[VisitOut]:
        """Those of today."""
        found = self.store.entities.all(VisitOut, self.homes[name].id)
        return [each for each in found if each.visited_at >= MORNING - timedelta(hours=3)]

    def visited(self, name: str, outcome: VisitOutcome, *findings: Finding, again: str = "") -> None:
        """Written down earlier today."""
        form = self.ctx.session.visit_form(self.homes[name].id)
        form.findings, form.return_choice = [finding.value for finding in findings], again
        form.outcome = outcome.value
        assert form.save()

    def shell(self) -> Shell:
        """Built by the app itself, on its event loop."""
        assert self.ctx.resume()
        return build_shell(self.ctx, animate=False)


Opened = Callable[..., AbstractAsyncContextManager[Phone]]


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def open_worker(phone: Callable[..., AbstractAsyncContextManager[Phone]]) -> Opened:
    @asynccontextmanager
    async def open_it(worker: Worker, **size: Any) -> AsyncIterator[Phone]:
        worker.ctx.settings.large = bool(size.get("large"))
        async with phone(worker.shell, **size) as p:
            try:
                yield p
            finally:
                p.root.close()
                await worker.ctx.close()
                worker.desk.phone.close()

    return open_it


@pytest.fixture
def opened(phone: Callable[..., AbstractAsyncContextManager[Phone]]) -> Opened:
    return open_worker(phone)


async def look_at_the_household(p: Phone, worker: Worker) -> None:
    p.root.push("household", household_id=worker.homes["何长顺"].id)


async def look_at_a_visit(p: Phone, worker: Worker) -> None:
    p.root.push("visit", household_id=worker.homes["何长顺"].id)
    for word in ("见到本人", "身体不适", "明天"):
        await p.settle()
        await p.scroll_to(word)
        await p.tap(word)
    p.root.screen.ids.scroll.scroll_y = 1


async def look_at_its_note(p: Phone, worker: Worker) -> None:
    await p.tap("写一句")


async def look_at_the_summary(p: Phone, worker: Worker) -> None:
    worker.visited("何长顺", VisitOutcome.seen, Finding.unwell, again="tomorrow")
    worker.visited("王改萍", VisitOutcome.family, Finding.dispute, Finding.supplies)
    worker.visited("刘玉芳", VisitOutcome.absent)
    p.root.push("summary")


async def look_at_the_grid(p: Phone, worker: Worker) -> None:
    p.root.tab("grid")
    await p.settle()
    await p.tap(p.find(id="locate"))


async def look_at_the_stairs(p: Phone, worker: Worker) -> None:
    worker.ctx.session.grid.choose_mark(FOURTH)


async def look_at_the_person(p: Phone, worker: Worker) -> None:
    worker.ctx.session.grid.choose_door(worker.homes["孙淑琴"].id)


# In this order within one app.
LOOKS = {
    "today": lambda p, worker: p.settle(),
    "household": look_at_the_household,
    "visit": look_at_a_visit,
    "visit-note": look_at_its_note,
    "summary": look_at_the_summary,
    "grid-start": look_at_the_grid,
    "grid-stairs": look_at_the_stairs,
    "grid": look_at_the_person,
}


async def test_nobody_at_home_takes_two_taps(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("记走访")
        await p.tap("家中无人")

        assert p.taps == 2
        assert p.root.at == "today"
        assert p.shows("已记：家中无人")
        assert [each.outcome for each in worker.visits_to("赵桂兰")] == [VisitOutcome.absent]
        assert not p.shows("赵桂兰")


async def test_a_visit_with_a_care_finding_takes_five_taps_and_no_typing(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("记走访", nth=1)
        for word in ("见到本人", "身体不适", "明天", "保存"):
            await p.tap(word)

        [kept] = worker.visits_to("何长顺")
        assert p.taps == 5
        assert (kept.outcome, kept.findings) == (VisitOutcome.seen, [Finding.unwell])
        assert kept.return_on == MONDAY + timedelta(days=1)
        assert kept.distance_m is not None
        assert p.shows("1 条在手机里")


async def test_a_visit_taken_back_in_time_was_never_made(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("记走访")
        await p.tap("家中无人")
        await p.tap("撤销")

        assert p.shows("赵桂兰")
        assert worker.visits_to("赵桂兰") == []
        assert p.shows("已全部送到")

        await p.tap("记走访")
        await p.tap("拒访")
        bar = p.root.snackbar
        assert bar.left <= 10
        while p.root.snackbar is bar:
            bar.tick()
        assert [each.outcome for each in worker.visits_to("赵桂兰")] == [VisitOutcome.declined]


async def test_a_visit_that_has_left_the_phone_cannot_be_taken_back_and_says_so(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("记走访")
        await p.tap("家中无人")
        worker.desk.now.move(seconds=11)
        worker.store.outbox.take_batch(10)
        await p.tap("撤销")

        assert p.shows("已经送出去了，撤不回来")
        assert len(worker.visits_to("赵桂兰")) == 1


async def test_a_form_left_half_way_waits_as_it_was(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("记走访")
        for word in ("电话", "见到本人", "都好", "更多", "安全隐患"):
            await p.tap(word)
        await p.press_back()
        assert p.root.at == "today"

        await p.tap("记走访")
        await p.scroll_to("安全隐患")
        answers = ("入户", "电话", "见到本人", "都好", "安全隐患")
        assert [word for word in answers if p.find(word).on] == ["电话", "见到本人", "安全隐患"]


async def test_a_sentence_in_chinese_goes_with_the_visit(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("记走访")
        await p.tap("见到本人")
        await p.tap("写一句")
        await p.until(lambda: p.find(id="note").focus)
        await p.type("头不晕了，药还剩三天的")
        await p.tap("保存")

        [kept] = worker.visits_to("赵桂兰")
        assert kept.note == "头不晕了，药还剩三天的"


async def test_a_stairwell_and_a_door_show_the_person(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("网格")
        ground = p.find(id="map")
        x, y = ground.at(spot(153, 119))
        await p.touch(*ground.to_window(x + dp(12), y - dp(10)))
        assert p.shows("4号楼 2单元")
        await p.scroll_to("302")
        await p.tap("302")

        assert p.shows("302 孙淑琴")
        assert p.shows("上次见面 9月8日 · 之后去过 2 次，都没见到")
        marks = [ground.at((mark.lon, mark.lat)) for mark in ground.marks]
        assert all(ground.collide_point(*place) for place in marks), "a mark lies under the card"
        await p.touch(*ground.to_window(ground.x + dp(4), ground.y + dp(4)))
        assert not p.shows("302 孙淑琴"), "a tap beside every stairwell lets go of the one that was chosen"


async def test_the_map_looks_closer_and_keeps_the_ground_under_the_finger(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("网格")
        ground = p.find(id="map")
        place = spot(261, 61)
        x, y = ground.at(place)
        ground.look_closer(1.6, x, y)
        assert ground.at(place) == pytest.approx((x, y), abs=1)

        await p.drag(*ground.to_window(x, y), *ground.to_window(x - dp(40), y + dp(30)))
        assert ground.at(place) == pytest.approx((x - dp(40), y + dp(30)), abs=dp(2))
        assert worker.ctx.session.grid.chosen_mark == "", "a drag is not a tap"


async def test_a_household_is_found_by_name(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("网格")
        await p.tap("找人")
        await p.type("sq")
        await p.tap("孙淑琴一家")

        assert p.shows("302 孙淑琴")
        assert worker.ctx.session.grid.chosen_mark == FOURTH


async def test_numbers_are_masked_and_dialled(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("何长顺")
        assert p.root.at == "household"
        assert p.shows("126 **** 2706")
        await p.tap("打电话")
        await p.scroll_to("全部 7 次")
        await p.tap("全部 7 次")

        assert worker.ports.dialer.dialled == ["12600002706"]
        assert len(p.root.screen.vm.visits) == 7


async def test_the_ledger_is_exported_and_copied_as_it_is_shown(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        worker.visited("何长顺", VisitOutcome.seen, Finding.unwell, again="tomorrow")
        await p.tap("今日小结")
        await p.tap("导出表格")
        assert p.shows("表格已存到")
        await p.tap("复制文字")
        assert p.shows("2 行文字已复制")

        [content] = worker.ports.files.saved.values()
        rows = [[field.value for field in row] for row in load_workbook(BytesIO(content)).active.iter_rows()]
        assert [row[1] for row in rows] == ["户", "杨家坪小区 2号楼1单元 101", "杨家坪小区 3号楼2单元 302"]
        assert rows[2][5] == "身体不适"
        assert worker.ports.clipboard.text.count("\n") == 2


async def test_a_finished_round_leads_to_its_summary(tmp_path: Path, opened: Opened) -> None:
    done = home("陈德厚", (74, 121), "2号楼", "1单元", "101", last_visited_on=MONDAY)
    worker = Worker(tmp_path, cell(), done)
    async with opened(worker) as p:
        p.picture("worker-done")
        p.assert_nothing_clipped()
        await p.tap("看今日小结")

        assert p.root.at == "summary"


async def test_a_first_start_without_network_says_so(tmp_path: Path, opened: Opened) -> None:
    worker = Worker(tmp_path, cell())
    async with opened(worker) as p:
        assert p.shows("正在取网格里的资料…")
        chip = worker.ctx.session.chip
        chip.offline = True
        chip.refresh()
        await p.settle()

        p.picture("worker-offline")
        p.assert_nothing_clipped()
        assert p.shows("连不上网")
        assert p.shows("再试一次")
        await p.tap("没网")
        assert p.root.at == "sync"


async def test_in_high_contrast_every_word_stands_out_by_seven_to_one(worker: Worker, opened: Opened) -> None:
    worker.ctx.settings.contrast = True
    async with opened(worker) as p:
        for name, look in LOOKS.items():
            await look(p, worker)
            await p.settle()
            p.picture(f"worker-{name}-contrast")
            p.assert_readable(words_least=7)


@pytest.mark.parametrize(("scale", "large"), SIZES)
async def test_nothing_is_cut_at_any_letter_size(worker: Worker, opened: Opened, scale: float, large: bool) -> None:
    size = "" if (scale, large) == (1.0, False) else "-big" if large else f"-{scale}"
    async with opened(worker, scale=scale, large=large) as p:
        for name, look in LOOKS.items():
            await look(p, worker)
            await p.settle()
            p.picture(f"worker-{name}{size}")
            p.assert_nothing_clipped()
            p.assert_touch_targets()
            p.assert_readable()
        assert_marks_apart(p.find(id="map"))
