"""上报, 待办事项 and 帮他求助 on the real screens, with no network."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from mobile.store.outbox import Entry
from shared.requests import RequestKind, RequestOut, RequestState, Urgency
from shared.sync import OperationKind
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import MONDAY, MORNING
from tests.mobile.request_parts import a_picture, request
from tests.mobile.test_worker_screens import (  # noqa: F401  (a fixture)
    Opened,
    Worker,
    cell,
    home,
    named_homes,
    opened,
    spot,
)

pytestmark = pytest.mark.display

LAMP = "008-261122-003-1"


class Busy(Worker):
    """A worker with two things that wait."""

    def __init__(self, folder: Path) -> None:
        homes = named_homes()
        super().__init__(folder, cell(geometry=GROUND), *homes.values(), *waiting(homes["何长顺"]))
        self.homes = homes


GROUND = {"type": "Polygon", "coordinates": [[spot(x, y) for x, y in ((0, 0), (400, 0), (400, 300), (0, 300), (0, 0))]]}


def waiting(he: object) -> list[RequestOut]:
    return [
        request(he, number="008-261118-014-7", received_at=MORNING - timedelta(days=5), owner_name="李娟"),
        request(None, "street_lamp", number=LAMP, place_note="北门外第二盏路灯", urgency=Urgency.today,
                received_at=MORNING - timedelta(hours=1), state=RequestState.handling, detail="一闪一闪，快要灭了。"),
    ]  # fmt: skip


@pytest.fixture
def busy(tmp_path: Path) -> Busy:
    return Busy(tmp_path)


def reported(worker: Worker) -> list[Entry]:
    return worker.store.outbox.of_kind(OperationKind.request_report)


async def test_a_street_lamp_takes_three_taps_from_the_home_screen_and_five_with_a_photo(
    busy: Busy, opened: Opened  # noqa: F811
) -> None:  # fmt: skip
    camera, in_the_camera = busy.ports.camera, 1
    camera.script.append(a_picture())
    async with opened(busy) as p:
        for word in ("上报", "路灯不亮", "上报"):
            await p.tap(word)

        [kept] = reported(busy)
        assert p.taps == 3
        assert (kept.fields["category"], kept.fields["place_note"]) == ("street_lamp", "杨家坪小区 5号楼附近")
        assert p.shows("已上报：路灯不亮")
        assert p.shows("有人受伤、着火、触电，先打 120、119")
        await p.tap("撤销")
        assert reported(busy) == []
        assert p.find("路灯不亮").on, "what was taken back stands in the form again"

        await p.tap("今日")
        before = p.taps
        for word in ("上报", "路灯不亮", "拍照"):
            await p.tap(word)
        await p.until(lambda: p.shows("再拍一张"), "the photo in the form")
        p.picture("report-tab")
        await p.tap("上报")
        [kept] = reported(busy)
        assert p.taps - before + in_the_camera == 5
        assert camera.script == []
        assert len(kept.fields["photos"]) == 1


async def test_four_closed_doors_of_one_stairwell_take_eight_taps(tmp_path: Path, opened: Opened) -> None:  # noqa: F811
    doors = [home(f"住户{n}", (153, 71), "3号楼", "2单元", f"{n}01", due_on=MONDAY) for n in range(1, 5)]
    nearer = home("路上的人", (200, 170), "1号楼", "1单元", "101", due_on=MONDAY + timedelta(days=1))
    worker = Worker(tmp_path, cell(), nearer, *doors)
    async with opened(worker) as p:
        for _ in doors:
            await p.tap("记走访")
            await p.tap("家中无人")

        seen = [each for door in doors for each in worker.store.entities.all(type(door)) if each.id == door.id]
        assert p.taps == 8
        assert [each.last_visited_on for each in seen] == [MONDAY] * 4


async def test_help_is_asked_at_somebodys_door(busy: Busy, opened: Opened) -> None:  # noqa: F811
    async with opened(busy) as p:
        p.root.push("household", household_id=busy.homes["何长顺"].id)
        await p.settle()
        await p.scroll_to("帮他求助")
        for word in ("帮他求助", "陪着去医院", "求助"):
            await p.tap(word)

        [kept] = reported(busy)
        assert (kept.fields["kind"], kept.fields["category"]) == (RequestKind.help, "escort_hospital")
        assert p.root.at == "household"
        assert p.shows("已求助：陪着去医院")


async def test_what_waits_is_moved_on_without_network(busy: Busy, opened: Opened) -> None:  # noqa: F811
    async with opened(busy) as p:
        await p.tap("待办事项")
        p.picture("report-todo")
        assert p.shows("超期 2 天")
        assert p.shows("首问 李娟 · 经办 张敏")
        await p.tap("代买东西")
        await p.tap("我来办")
        p.picture("report-request")

        [step] = busy.store.outbox.of_kind(OperationKind.request_step)
        assert step.fields == {"to": "handling", "reason": ""}
        assert p.shows("正在办")
        assert p.shows("未上传")


Look = Callable[[Phone, Worker], Awaitable[object]]


async def look_at_the_tab(p: Phone, _worker: Worker) -> None:
    await p.tap("上报")
    await p.tap("路灯不亮")


async def look_at_the_sentence(p: Phone, _worker: Worker) -> None:
    await p.scroll_to("写一句")
    await p.tap("写一句")


async def look_at_places(p: Phone, _worker: Worker) -> None:
    p.root.push("place")


async def look_at_help(p: Phone, worker: Worker) -> None:
    p.root.push("help", household_id=worker.homes["何长顺"].id)
    await p.settle()
    await p.tap("陪着去医院")


async def look_at_what_waits(p: Phone, _worker: Worker) -> None:
    p.root.push("todo")


async def look_at_one(p: Phone, worker: Worker) -> None:
    p.root.push("request", request_id=worker.ctx.session.todo.lines[1].id)


async def look_at_a_question(p: Phone, worker: Worker) -> None:
    vm = p.root.screen.vm
    vm.choose(vm.steps[1])


async def look_at_mine(p: Phone, worker: Worker) -> None:
    p.root.tab("report")
    await p.settle()
    worker.ctx.session.report.report()
    p.root.push("reported")


LOOKS: dict[str, Look] = {
    "tab": look_at_the_tab,
    "sentence": look_at_the_sentence,
    "place": look_at_places,
    "help": look_at_help,
    "todo": look_at_what_waits,
    "request": look_at_one,
    "question": look_at_a_question,
    "mine": look_at_mine,
}


@pytest.mark.parametrize(("scale", "large", "names"), [(2.0, False, LOOKS), (1.0, True, ("tab", "todo", "request"))])
async def test_nothing_is_cut_and_everything_can_be_read(
    busy: Busy, opened: Opened, scale: float, large: bool, names: Iterable[str]  # noqa: F811
) -> None:  # fmt: skip
    async with opened(busy, scale=scale, large=large) as p:
        for name in names:
            await LOOKS[name](p, busy)
            await p.settle()
            p.picture(f"report-{name}{'-big' if large else f'-{scale}'}")
            p.assert_nothing_clipped()
            p.assert_touch_targets()
            p.assert_readable()
        busy.ctx.settings.contrast = True
        await p.settle()
        p.assert_readable(words_least=7)
