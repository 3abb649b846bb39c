"""更正, 跟进, 联系人与帮扶, 经历 and 我的分工 on the real screens, with touches and without a network."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from mobile.store.outbox import State
from shared.duties import DutyRole, HouseholdListOut, StandInOut
from shared.grid import CellOut
from shared.links import HelperKind, LinkKind, LinkOut
from shared.requests import RequestOut
from shared.residents import ResidentOut
from shared.types import uuid7
from shared.visits import CorrectionKind, Finding
from tests.mobile.app_parts import reach
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import MONDAY, MORNING, page, visit
from tests.mobile.register_parts import correction, duty, link, period, with_past, with_team
from tests.mobile.test_worker_screens import SIZES, Opened, Worker, open_worker

pytestmark = pytest.mark.display

Look = Callable[[Phone, Worker], Awaitable[None]]


@pytest.fixture
def opened(phone: Callable[..., AbstractAsyncContextManager[Phone]]) -> Opened:
    return open_worker(phone)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def he(worker: Worker) -> ResidentOut:
    return next(one for one in worker.store.entities.all(ResidentOut) if one.name == "何长顺")


def comes(worker: Worker) -> None:
    """What a pull brings beside the rows of the pictures."""
    home, one, me = worker.homes["何长顺"], he(worker), worker.desk.me
    away = {
        "stand_in_name": "王建国", "stand_in_phone": "12600003802", "stand_in_from": MONDAY,
        "stand_in_until": MONDAY + timedelta(days=7),
    }  # fmt: skip
    past = with_past(
        one,
        period("residency", "living", date(2019, 4, 1), date(2026, 3, 1)),
        period("residency", "floating", date(2026, 3, 1), date(2026, 9, 1)),
        period("residency", "living", date(2026, 9, 1)),
        period("household", str(home.id), date(2019, 4, 1)),
        period("care:discharged", "yes", date(2026, 11, 9)),
    )
    stand_in = StandInOut(account_id=uuid7(), name="王芳", from_day=MONDAY, until_day=MONDAY + timedelta(days=7))
    [mine] = worker.store.entities.all(CellOut)
    team = with_team(
        mine,
        duty(DutyRole.in_charge, "张敏", account_id=me.account_id, stand_in=stand_in),
        duty(DutyRole.informed, "李建国"),
        looked_after=[
            HouseholdListOut(
                account_id=me.account_id, name="张敏", household_ids=[each.id for each in worker.homes.values()]
            ),
            HouseholdListOut(account_id=uuid7(), name="王芳", household_ids=[home.id]),
        ],
    )
    neighbour = {"kind": LinkKind.helper, "helper": HelperKind.neighbour, "name": "李秀兰", "relation": "对门"}
    rows = (
        correction(home, resident_id=one.id),
        correction(
            worker.homes["王改萍"], what=CorrectionKind.moved_away, said="", noted_by="张敏", received_at=MORNING
        ),
        link(home, resident_id=one.id, person_id=None),
        link(home, resident_id=one.id, **neighbour, **away),
        visit(home, me, findings=[Finding.unwell, Finding.supplies], note="说头晕，想请人买米"),
    )
    assert worker.store.take_page(page(*rows, past, team), [])
    worker.store.changed()


async def look_at_doubts(p: Phone, worker: Worker) -> None:
    p.root.push("check")
    await p.settle()
    await reach(p, "不用改")


async def look_at_correcting(p: Phone, worker: Worker) -> None:
    await p.press_back()
    await reach(p, "改电话")
    p.root.screen.more = True


async def look_at_following(p: Phone, worker: Worker) -> None:
    p.root.push("household", household_id=worker.homes["何长顺"].id)
    await p.settle()
    await reach(p, "陪着去医院")
    await p.settle()
    await p.scroll_to("代买东西")


async def look_at_person(p: Phone, worker: Worker) -> None:
    p.root.push("person", resident_id=he(worker).id)
    await p.settle()
    await p.scroll_to("全部 5 条")


async def look_at_a_new_link(p: Phone, worker: Worker) -> None:
    await reach(p, "加一位")
    await p.settle()
    await p.tap("监护人")
    await p.settle()
    await p.tap("田秀珍")


async def look_at_an_edited_link(p: Phone, worker: Worker) -> None:
    await p.press_back()
    p.root.push("person", resident_id=he(worker).id)
    await p.settle()
    await reach(p, "改")
    await p.settle()


async def look_at_duties(p: Phone, worker: Worker) -> None:
    p.root.tab("me")
    await p.settle()
    await reach(p, "我的分工")


async def seen(p: Phone, name: str) -> None:
    """Looked at as it is, with a picture of it."""
    await p.settle()
    p.picture(f"register-{name}")
    p.assert_nothing_clipped()
    p.assert_touch_targets()


# In this order within one app.
LOOKS: dict[str, Look] = {
    "doubts": look_at_doubts,
    "correcting": look_at_correcting,
    "following": look_at_following,
    "links": look_at_person,
    "new-link": look_at_a_new_link,
    "edited-link": look_at_an_edited_link,
    "duties": look_at_duties,
}


async def test_doubts_are_left_with_a_reason_or_corrected_with_two_taps_each(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        comes(worker)
        await p.settle()
        assert p.root.tab_bar.badges["me"] == 2
        p.root.push("check")
        await p.settle()
        await p.tap("改电话")
        assert p.shows("电话不对：女儿说换成 12800001111 了（王芳记的）")
        await seen(p, "correcting")
        await p.tap("保存")
        assert (p.taps, p.root.at, he(worker).phone) == (2, "check", "12800001111")
        assert p.root.tab_bar.badges["me"] == 1

        await p.tap("不用改")
        await seen(p, "doubts")
        await p.press_back()
        assert (p.root.at, worker.ctx.session.checks.count) == ("check", 1), "the back key leaves the question only"
        await p.tap("不用改")
        await p.tap("再问过，没有变")
        assert p.shows("已记：王改萍的登记不用改")
        assert worker.ctx.session.checks.count == 0


async def test_a_finding_becomes_a_request_with_one_tap_or_anything_else_from_the_whole_list(
    worker: Worker, opened: Opened
) -> None:  # fmt: skip
    async with opened(worker) as p:
        comes(worker)
        home = worker.homes["何长顺"].id
        p.root.push("household", household_id=home)
        await p.settle()
        await p.scroll_to("代买东西")
        await p.tap("代买东西")
        await seen(p, "following")
        asked = [one.title for one in worker.store.entities.all(RequestOut, home)]
        assert (p.taps, asked) == (1, ["代买东西"])
        await p.tap("撤销")
        assert worker.store.entities.all(RequestOut, home) == []
        assert worker.store.outbox.counts()[State.unsent] == 0

        await p.tap("更多")
        await reach(p, "登记有误：查无此人")
        assert (p.root.at, worker.ctx.session.checks.count) == ("household", 3)


async def test_a_contact_is_rung_ended_and_another_one_added_and_my_duties_lead_to_my_doors(
    worker: Worker, opened: Opened
) -> None:
    async with opened(worker) as p:
        comes(worker)
        p.root.push("person", resident_id=he(worker).id)
        await p.settle()
        await p.scroll_to("全部 5 条")
        await seen(p, "links")
        await reach(p, "拨打 126 **** 8801")
        await reach(p, "结束")
        await p.settle()
        left = [one.name for one in worker.store.entities.all(LinkOut)]
        await reach(p, "加一位")
        await p.tap("田秀珍")
        await p.type("12600001199", into="电话")
        await seen(p, "new-link")
        await p.tap("保存")

        assert worker.ports.dialer.dialled == ["12600008801"]
        assert left == ["李秀兰"]
        assert {one.name for one in worker.store.entities.all(LinkOut)} == {"李秀兰", "田秀珍"}
        assert p.root.at == "person"

        await look_at_duties(p, worker)
        await seen(p, "duties")
        await reach(p, "何长顺一家")
        assert p.root.at == "household"


async def test_a_contacts_number_is_corrected_where_it_stands(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        comes(worker)
        p.root.push("person", resident_id=he(worker).id)
        await p.settle()
        await reach(p, "改")
        await p.settle()
        await seen(p, "edited-link")
        p.root.screen.form.phone = ""
        await p.type("12600001199", into="电话")
        await p.tap("保存")

        assert p.root.at == "person"
        assert {one.phone for one in worker.store.entities.all(LinkOut)} >= {"12600001199"}
        assert worker.store.outbox.counts()[State.unsent] == 1


async def test_a_helpers_stand_in_is_written_down_with_touches_and_ended_again(worker: Worker, opened: Opened) -> None:
    async with opened(worker) as p:
        helper = await at_the_helper(p, worker)
        await reach(p, "不用代了")
        await p.type("周丽华", into="谁来代")
        await reach(p, "两周")
        await p.tap("保存")
        two_weeks = worker.store.entities.get(LinkOut, helper)
        p.root.push("link_form", resident_id=he(worker).id, link_id=helper)
        await p.settle()
        await reach(p, "不用代了")
        await p.tap("保存")
        ended = worker.store.entities.get(LinkOut, helper)

    assert two_weeks is not None
    assert ended is not None
    assert (two_weeks.stand_in_name, two_weeks.stand_in_phone) == ("周丽华", None)
    assert (two_weeks.stand_in_from, two_weeks.stand_in_until) == (MONDAY, MONDAY + timedelta(days=14))
    assert (ended.stand_in_name, ended.stand_in_until) == (None, None)


@pytest.mark.parametrize(("scale", "large"), SIZES)
async def test_a_stand_in_is_not_cut_at_any_letter_size(
    worker: Worker, opened: Opened, scale: float, large: bool
) -> None:
    async with opened(worker, scale=scale, large=large) as p:
        await at_the_helper(p, worker)
        for text in ("不用代了", "一个月"):
            await p.scroll_to(text)
            await p.settle()
            p.picture(f"stand-in-{text}-{scale}{'-large' if large else ''}")
            p.assert_nothing_clipped()
            p.assert_touch_targets()
            p.assert_readable()


async def at_the_helper(p: Phone, worker: Worker) -> UUID:
    comes(worker)
    helper = next(one.id for one in worker.store.entities.all(LinkOut) if one.stand_in_name)
    p.root.push("link_form", resident_id=he(worker).id, link_id=helper)
    await p.settle()
    return helper


async def test_nothing_is_cut_in_large_letters(worker: Worker, opened: Opened) -> None:
    async with opened(worker, large=True) as p:
        comes(worker)
        for name, look in LOOKS.items():
            await look(p, worker)
            await seen(p, f"{name}-big")
