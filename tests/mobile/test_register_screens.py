"""找人, 人员变动, 登记, 待核对 on the real screens, with touches: what a worker does at a door without a network."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.register import EventOut, MoveOut, Mover, MoveState
from shared.residents import ResidentOut
from shared.sync import Answer, Outcome
from shared.types import WireOut, uuid7
from tests.mobile.app_parts import reach
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import CELL, MONDAY, MORNING, cell, page, pair, sketch
from tests.mobile.test_worker_screens import SIZES, Opened, Worker, open_worker

pytestmark = pytest.mark.display

OTHER = "610330100009001"


def a_move(**values: Any) -> MoveOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": CELL,
        "from_area_code": "610330100008002",
        "movers": [Mover(resident_id=uuid7(), name="冯玉梅", phone="12600003381")],
        "out_on": MONDAY - timedelta(days=16),
        "words": "",
        "state": MoveState.expected,
        "overdue": True,
        "settled_on": None,
        "rev": 1,
        "received_at": MORNING,
    }
    return MoveOut(**{**usual, **values})


def more_cells() -> list[WireOut]:
    """What a community worker's phone knows beside the one cell."""
    far = cell().geometry
    return [
        cell(id=uuid7(), code="610330100008002", name="杨家坪第2网格", geometry=far),
        cell(id=uuid7(), code=OTHER, name="新建路第1网格", community_code=OTHER[:12], geometry=far),
    ]


def a_pair(worker: Worker) -> None:
    """赵桂兰 is on file once more, as 赵桂澜 behind another door."""
    homes = worker.homes
    first, second = (worker.store.entities.all(ResidentOut, homes[name].id)[0] for name in ("赵桂兰", "孙淑琴"))
    one = sketch(first, homes["赵桂兰"])
    other = sketch(second, homes["孙淑琴"], name="赵桂澜", id_on_file=False, birth_date=first.birth_date)
    assert worker.store.take_page(page(pair(one, other)), [])
    worker.store.changed()


@pytest.fixture
def opened(phone: Callable[..., AbstractAsyncContextManager[Phone]]) -> Opened:
    return open_worker(phone)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path, more=[a_move()])


def people_of(worker: Worker, name: str) -> list[str]:
    return [one.name for one in worker.store.entities.all(ResidentOut, worker.homes[name].id)]


def answered(worker: Worker, outcome: Outcome, sentence: str = "") -> None:
    """What waits is pushed, and the server says this about all of it."""
    worker.desk.now.move(seconds=11)
    batch = worker.store.outbox.take_batch(50)
    answers = [Answer(op_id=one["op_id"], index=at, outcome=outcome, sentence=sentence) for at, one in enumerate(batch)]
    worker.store.outbox.settle(batch, answers)
    worker.store.changed()


async def to_the_household(p: Phone, worker: Worker, name: str = "何长顺") -> None:
    p.root.push("household", household_id=worker.homes[name].id)
    await p.settle()


async def look_at_find(p: Phone, worker: Worker) -> None:
    await p.tap("找人")


async def look_at_found(p: Phone, worker: Worker) -> None:
    await p.type("h")


async def look_at_nothing_found(p: Phone, worker: Worker) -> None:
    p.root.screen.vm.words = "欧阳"


async def look_at_person(p: Phone, worker: Worker) -> None:
    p.root.push("person", resident_id=worker.store.entities.all(ResidentOut, worker.homes["何长顺"].id)[0].id)


async def look_at_event(p: Phone, worker: Worker) -> None:
    p.root.push("event", household_id=worker.homes["何长顺"].id)


async def look_at_move_out(p: Phone, worker: Worker) -> None:
    await reach(p, "迁出")


async def look_at_month(p: Phone, worker: Worker) -> None:
    await reach(p, "选日期")
    await p.settle()
    p.root.screen.ids.scroll.scroll_y = 0


async def look_at_birth(p: Phone, worker: Worker) -> None:
    p.root.screen.ids.scroll.scroll_y = 1
    await p.settle()
    await reach(p, "出生")


async def look_at_death(p: Phone, worker: Worker) -> None:
    p.root.screen.ids.scroll.scroll_y = 1
    await p.settle()
    await reach(p, "死亡")
    p.root.screen.form.choose_who(p.root.screen.form.who_options[0][0])
    await p.settle()
    await p.tap("保存")


async def look_at_event_without_home(p: Phone, worker: Worker) -> None:
    p.root.push("event")


async def look_at_household_form(p: Phone, worker: Worker) -> None:
    p.root.push("household_form")
    await p.settle()
    await reach(p, "杨家坪小区")
    await reach(p, "4号楼")


async def look_at_person_form(p: Phone, worker: Worker) -> None:
    p.root.push("person_form", household_id=worker.homes["何长顺"].id)


async def look_at_person_edit(p: Phone, worker: Worker) -> None:
    he = worker.store.entities.all(ResidentOut, worker.homes["何长顺"].id)[0]
    p.root.push("person_form", household_id=he.household_id, resident_id=he.id)
    await p.settle()
    p.root.screen.more = True


async def look_at_pick(p: Phone, worker: Worker) -> None:
    await reach(p, "更多")


async def look_at_check(p: Phone, worker: Worker) -> None:
    he = worker.store.entities.all(ResidentOut, worker.homes["何长顺"].id)[0]
    form = worker.ctx.session.person_form(he.household_id, he.id)
    form.phone = "12800002706"
    assert form.save()
    answered(worker, Outcome.conflict, "社区在您之后改过电话，请看一看用哪个。")
    home = worker.ctx.session.household_form()
    home.cell, home.building, home.room = CELL, "11号楼", "101"
    assert home.save()
    answered(worker, Outcome.rejected, "这个地方不归您管。")
    p.root.push("check")


async def look_at_twins(p: Phone, worker: Worker) -> None:
    a_pair(worker)
    await p.settle()
    await p.scroll_to("同一个人")


async def look_at_merging(p: Phone, worker: Worker) -> None:
    await reach(p, "同一个人")


async def look_at_no_merging(p: Phone, worker: Worker) -> None:
    await p.tap("再看看")


async def look_at_conflict(p: Phone, worker: Worker) -> None:
    await p.scroll_to("用我写的")


async def look_at_giving_up(p: Phone, worker: Worker) -> None:
    await reach(p, "放弃")


async def look_at_history(p: Phone, worker: Worker) -> None:
    form = worker.ctx.session.event_form(worker.homes["何长顺"].id)
    form.choose_kind("float")
    form.choose_who(form.who_options[0][0])
    assert form.save()
    p.root.push("household", household_id=worker.homes["何长顺"].id)


async def look_at_me(p: Phone, worker: Worker) -> None:
    p.root.tab("me")


async def look_at_today(p: Phone, worker: Worker) -> None:
    p.root.tab("today")


# In this order within one app.
LOOKS = {
    "find": look_at_find,
    "found": look_at_found,
    "not-found": look_at_nothing_found,
    "person": look_at_person,
    "event": look_at_event,
    "move-out": look_at_move_out,
    "month": look_at_month,
    "birth": look_at_birth,
    "death": look_at_death,
    "event-from-me": look_at_event_without_home,
    "household-form": look_at_household_form,
    "person-form": look_at_person_form,
    "person-edit": look_at_person_edit,
    "pick": look_at_pick,
    "check": look_at_check,
    "twins": look_at_twins,
    "merging": look_at_merging,
    "no-merging": look_at_no_merging,
    "conflict": look_at_conflict,
    "giving-up": look_at_giving_up,
    "history": look_at_history,
    "me": look_at_me,
    "today": look_at_today,
}


async def test_somebody_is_found_by_initials_and_opened_with_two_taps(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("找人")
        await p.type("sq")
        await p.tap("孙淑琴")

        assert p.taps == 2
        assert p.root.at == "person"
        assert p.shows("杨家坪小区 4号楼2单元 302")


async def test_a_death_takes_five_taps_from_the_household_and_asks_with_the_name(
    worker: Worker,
    opened: Opened,
) -> None:
    async with opened(worker) as p:
        await to_the_household(p, worker)
        await p.tap("人员变动")
        await p.tap("死亡")
        await p.tap("何长顺 72 岁")
        await p.tap("保存")
        kept = people_of(worker, "何长顺")
        assert p.shows("何长顺，去世了？")
        await p.tap("记下")

        assert p.taps == 5
        assert "何长顺" in kept, "nothing happens before the answer"
        assert sorted(people_of(worker, "何长顺")) == ["何小军", "田秀珍"]
        assert p.root.at == "household"
        assert p.shows("家里 2 口人")
        assert p.shows("何长顺 死亡")
        assert p.shows("未上传")
        assert p.shows("已记：何长顺 死亡")


async def test_a_death_that_is_denied_or_taken_back_changes_nothing(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await to_the_household(p, worker)
        await p.tap("人员变动")
        await p.tap("死亡")
        await p.tap("何长顺 72 岁")
        await p.tap("保存")
        await p.tap("先不记")
        assert p.root.at == "event"
        assert "何长顺" in people_of(worker, "何长顺")

        await p.tap("保存")
        await p.tap("记下")
        await p.tap("撤销")
        assert "何长顺" in people_of(worker, "何长顺")
        assert p.shows("家里 3 口人")


async def test_a_move_out_of_one_person_takes_four_taps_from_their_page(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        son = next(one for one in worker.store.entities.all(ResidentOut) if one.name == "何小军")
        p.root.push("person", resident_id=son.id)
        await p.settle()
        for word in ("人员变动", "迁出", "外县", "保存"):
            await p.tap(word)

        assert p.taps == 4
        assert "何小军" not in people_of(worker, "何长顺")
        assert p.shows("名单里没有了")


async def test_a_birth_needs_only_the_name_to_be_typed(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await to_the_household(p, worker)
        await p.tap("人员变动")
        await p.tap("出生")
        await p.type("何安安", into="姓名")
        await p.tap("女")
        await p.tap("保存")

        assert "何安安" in people_of(worker, "何长顺")
        assert p.shows("家里 4 口人")


async def test_a_refused_change_counts_on_the_tab_says_why_and_is_sent_again(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        form = worker.ctx.session.event_form(worker.homes["何长顺"].id)
        form.choose_kind("float")
        form.choose_who(form.who_options[0][0])
        assert form.save()
        answered(worker, Outcome.rejected, "这个地方不归您管。")
        await p.settle()
        assert p.root.tab_bar.badges["me"] == 2
        await p.tap("我的")
        await p.tap("待核对")
        await p.scroll_to("再送一次")
        assert p.shows("这个地方不归您管。")
        await p.tap("再送一次")

        assert not p.shows("这个地方不归您管。")
        assert p.shows("冯玉梅"), "the other item stays"
        await p.press_back()
        assert p.root.tab_bar.badges["me"] == 1


async def test_what_is_given_up_is_asked_about_first(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        form = worker.ctx.session.person_form(worker.homes["赵桂兰"].id)
        form.name, form.relation = "赵小梅", "30"
        assert form.save()
        answered(worker, Outcome.rejected, "这个地方不归您管。")
        assert "赵小梅" not in people_of(worker, "赵桂兰"), "what was refused is not shown as if it were there"
        await p.settle()
        await p.tap("待核对")
        await reach(p, "放弃")
        await p.tap("先留着")
        assert worker.ctx.session.checks.returned
        await reach(p, "放弃")
        await p.tap("不要了")

        assert not worker.ctx.session.checks.returned


async def test_somebody_who_arrived_is_put_into_the_household_that_is_found(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("待核对")
        await p.tap("到了")
        await p.type("wgp")
        await p.tap("王改萍一家")

        assert p.taps == 3
        assert p.root.at == "check"
        assert p.shows("已记：冯玉梅 到了")
        assert "冯玉梅" in people_of(worker, "王改萍")
        assert p.shows("没有要核对的")
        p.picture("register-nothing-to-check")
        p.assert_nothing_clipped()


async def test_who_did_not_come_takes_two_taps(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("待核对")
        await p.tap("没有来")

        assert p.taps == 2
        assert p.shows("已记：冯玉梅 没有来")
        assert worker.ctx.session.checks.count == 0


async def test_two_rows_of_one_person_are_one_after_being_asked_about(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        a_pair(worker)
        await p.settle()
        assert p.root.tab_bar.badges["me"] == 2
        await p.tap("待核对")
        await reach(p, "同一个人")
        assert p.shows("并成一条？")
        await p.tap("再看看")
        assert people_of(worker, "孙淑琴")
        await reach(p, "同一个人")
        await p.tap("是同一个人")

        assert p.shows("已记：赵桂兰、赵桂澜 是同一个人")
        assert people_of(worker, "孙淑琴") == []
        assert p.root.tab_bar.badges["me"] == 1


async def test_two_people_are_told_apart_with_two_taps(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        a_pair(worker)
        await p.settle()
        await p.tap("待核对")
        await p.scroll_to("不是")
        await p.tap("不是")

        assert p.taps == 2
        assert p.shows("已记：赵桂兰、赵桂澜 不是同一个人")
        assert people_of(worker, "孙淑琴")


async def test_a_new_household_needs_one_number_and_leads_on_to_its_people(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("我的")
        await p.tap("登记一户")
        for word in ("杨家坪小区", "4号楼", "2单元"):
            await reach(p, word)
        await p.scroll_to("门牌")
        await p.type("901", into="门牌")
        await p.tap("登记")
        assert p.root.at == "household"
        assert p.shows("杨家坪小区 4号楼2单元 901")
        await p.tap("登记一人")
        await p.type("冯玉梅", into="姓名")
        await p.tap("女")
        await p.tap("登记")

        assert p.root.at == "household"
        assert p.shows("冯玉梅一家")
        assert p.shows("家里 1 口人")


async def test_an_event_for_whichever_household_starts_from_me(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        await p.tap("我的")
        await p.tap("人员变动")
        await p.tap("转为流动")
        await p.tap("选哪一户")
        await p.type("陈")
        await p.tap("陈德厚一家")
        await p.tap("昨天")
        await p.tap("保存")

        assert p.shows("已记：陈德厚 转为流动")
        [event] = worker.store.entities.all(EventOut)
        assert event.on == MONDAY - timedelta(days=1)


async def test_a_rare_answer_is_picked_from_the_whole_list_by_its_pinyin(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        son = next(one for one in worker.store.entities.all(ResidentOut) if one.name == "何小军")
        p.root.push("person_form", household_id=son.household_id, resident_id=son.id)
        await p.settle()
        await p.tap("更多")
        every = len(p.root.screen.shown)
        assert every > 30
        assert p.shows(p.root.screen.shown[0][1]), "the list begins with its first entry"
        await p.tap(p.find(id="words").ids.field)
        await p.type("nvxu")
        assert 0 < len(p.root.screen.shown) < every
        await p.tap("女婿")
        await p.tap("保存")

        changed = worker.store.entities.get(ResidentOut, son.id)
        assert changed is not None
        assert changed.relation == "28"


@pytest.mark.parametrize(("scale", "large"), SIZES)
async def test_nothing_is_cut_at_any_letter_size(
    tmp_path: Path,
    opened: Opened,
    scale: float,
    large: bool,
) -> None:
    worker = Worker(tmp_path, more=[a_move(), *more_cells()])
    size = "" if (scale, large) == (1.0, False) else "-big" if large else f"-{scale}"
    async with opened(worker, scale=scale, large=large) as p:
        for name, look in LOOKS.items():
            await look(p, worker)
            await p.settle()
            p.picture(f"register-{name}{size}")
            p.assert_nothing_clipped()
            p.assert_touch_targets()
