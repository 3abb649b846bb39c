"""A volunteer's week on the real screens: asked, promised, served, and what it came to."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kivy.metrics import Metrics

from mobile.core.session import AppContext
from mobile.core.texts import SHANGHAI
from mobile.offers.coarse_map import CoarseMap, plan
from mobile.store.outbox import State
from mobile.widgets.press import Btn
from shared.auth import MeOut, Role
from shared.errors import CATALOGUE, Code
from shared.matching import OfferOut, Reason, ReasonCode, TaskState
from shared.sync import OperationKind
from shared.volunteers import ServiceState, Skill, Slot, VolunteerOut
from tests.mobile.app_parts import Reach, Shown, reach, shown, signed_in, stay
from tests.mobile.county import County
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import MORNING, change, evidence, me, offer, service, task, volunteer

pytestmark = pytest.mark.display

REASONS = [
    Reason(code=ReasonCode.free_then, text="周二上午您正好有空"),
    Reason(code=ReasonCode.near, text="走路 8 分钟就到"),
    Reason(code=ReasonCode.did_this_before, text="您陪人去过 6 次医院"),
]


def teacher() -> MeOut:
    return me(Role.volunteer, name="周老师")


def an_offer(person: MeOut, **values: Any) -> OfferOut:
    assert person.volunteer_id is not None
    return offer(person.volunteer_id, reasons=REASONS, coarse_lon=106.5163, coarse_lat=33.8988, **values)


async def asked(folder: Path, *more: OfferOut, person: MeOut | None = None) -> tuple[AppContext, County, OfferOut]:
    person = person or teacher()
    county = County(person)
    first = an_offer(person)
    ctx = await signed_in(folder, county, volunteer(person), first, *more)
    return ctx, county, first


async def show_invite(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _, _ = await asked(folder)
    return ctx, stay


async def show_decline(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _, _ = await asked(folder)
    return ctx, lambda p: p.tap("这次不行")


async def show_accepted(folder: Path) -> tuple[AppContext, Reach]:
    person = teacher()
    ctx, _, _ = await asked(folder, an_offer(person, title="送药上门", category="deliver_medicine"), person=person)
    return ctx, lambda p: p.tap("我来帮")


async def serving(folder: Path) -> tuple[AppContext, County]:
    person = teacher()
    county = County(person)
    start = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
    wanted = an_offer(person, starts_at=start, ends_at=start + timedelta(hours=2))
    promised = task(
        wanted,
        state=TaskState.serving,
        accepted_at=datetime(2026, 11, 22, 15, 20, tzinfo=SHANGHAI),
        checked_in_at=start + timedelta(minutes=3),
    )
    return await signed_in(folder, county, promised, at=start + timedelta(minutes=45)), county


async def show_task(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await serving(folder)
    return ctx, lambda p: p.tap("任务")


async def show_hand_back(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await serving(folder)

    async def show(p: Phone) -> None:
        await p.tap("任务")
        await reach(p, "去不了了")

    return ctx, show


async def show_early(folder: Path) -> tuple[AppContext, Reach]:
    person = teacher()
    ctx = await signed_in(folder, County(person), task(an_offer(person)))

    async def show(p: Phone) -> None:
        await p.tap("任务")
        await p.tap("签到")

    return ctx, show


async def show_waiting_task(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _, _ = await asked(folder)

    async def show(p: Phone) -> None:
        await p.tap("我来帮")
        await p.tap("任务")

    return ctx, show


async def show_hours(folder: Path) -> tuple[AppContext, Reach]:
    person = teacher()
    earlier = [(6, 6), (7, 9), (8, 4), (9, 10), (10, 7)]
    rows = [
        service(person, date(2026, 11, 23), 112, ServiceState.waiting),
        service(person, date(2026, 11, 18), 70).model_copy(update={"title": "教用手机挂号"}),
        service(person, date(2026, 11, 12), 35),
        service(person, date(2026, 11, 7), 125, ServiceState.unverified).model_copy(update={"title": "打扫院子"}),
        service(person, date(2026, 11, 2), 375),
        *(service(person, date(2026, month, 9), length * 60) for month, length in earlier),
        service(person, date(2025, 11, 9), 4960),
    ]
    return await signed_in(folder, County(person), *rows), lambda p: p.tap("时长")


async def nobody_asks(folder: Path) -> AppContext:
    return await signed_in(folder, County(teacher()))


async def show_no_invite(folder: Path) -> tuple[AppContext, Reach]:
    return await nobody_asks(folder), stay


async def show_no_task(folder: Path) -> tuple[AppContext, Reach]:
    return await nobody_asks(folder), lambda p: p.tap("任务")


async def show_no_hours(folder: Path) -> tuple[AppContext, Reach]:
    return await nobody_asks(folder), lambda p: p.tap("时长")


def a_week() -> list[Slot]:
    """Mornings of three days, a whole Saturday, and hours that are no part of a day."""
    spans = [(1, 360, 720), (3, 360, 720), (5, 540, 660), (6, 360, 1080)]
    return [Slot(weekday=day, from_minute=start, until_minute=end) for day, start, end in spans]


def with_skills(person: MeOut, **values: Any) -> VolunteerOut:
    shown = [
        evidence(Skill.escort, "急救证，后四位 0312", checked_on=date(2026, 10, 9), checked_by="王芳"),
        evidence(Skill.repair, "木工证", valid_until=date(2026, 6, 30)),
    ]
    skills = [Skill.escort, Skill.repair, Skill.chat, Skill.electric]
    return volunteer(person, skills=skills, evidence=shown, slots=a_week(), **values)


async def of_myself(folder: Path, **values: Any) -> AppContext:
    person = teacher()
    return await signed_in(folder, County(person), with_skills(person, **values))


async def overnight(folder: Path) -> tuple[AppContext, County]:
    """Yesterday's 签到 at 9:03, and it is tomorrow."""
    person = teacher()
    county = County(person)
    start = datetime(2026, 11, 22, 9, 3, tzinfo=SHANGHAI)
    served = task(an_offer(person), state=TaskState.serving, accepted_at=start, checked_in_at=start)
    return await signed_in(folder, county, volunteer(person), served), county


async def show_forgotten(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await overnight(folder)
    return ctx, stay


SCREENS: dict[str, Shown] = {
    "invite": show_invite,
    "decline": show_decline,
    "accepted": show_accepted,
    "task": show_task,
    "hand-back": show_hand_back,
    "early": show_early,
    "waiting-task": show_waiting_task,
    "hours": show_hours,
    "no-invite": show_no_invite,
    "no-task": show_no_task,
    "no-hours": show_no_hours,
    "forgotten": show_forgotten,
}


def waiting(ctx: AppContext) -> list[tuple[str, dict[str, Any]]]:
    """What is on its way to the server: kinds and contents."""
    return [(entry.kind, entry.fields) for entry in ctx.session.store.outbox.entries(State.unsent, State.sent)]


async def test_a_yes_takes_one_tap(phone, tmp_path: Path) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("我来帮")

        assert p.taps == 1
        assert waiting(ctx) == [(OperationKind.offer_accept, {})]
        assert p.shows("答应了：陪着去医院")
        assert not p.shows("我来帮")


async def test_a_yes_is_taken_back_before_it_leaves_the_phone(phone, tmp_path: Path) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("我来帮")
        await p.tap("撤销")

        assert waiting(ctx) == []
        assert p.shows("我来帮")
        assert not p.shows("撤销")


async def test_a_yes_that_has_left_is_handed_back(phone, tmp_path: Path) -> None:
    ctx, county, first = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("我来帮")
        await ctx.session.syncer.sync_once()
        await p.tap("撤销")

        assert [operation["entity_id"] for operation in county.applied.values()] == [str(first.id)]
        assert [kind for kind, _ in waiting(ctx)] == [OperationKind.task_hand_back]


async def test_a_no_may_have_a_reason(phone, tmp_path: Path) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("这次不行")
        await p.tap("有点远")

        assert waiting(ctx) == [(OperationKind.offer_decline, {"reason": "too_far"})]
        assert p.shows("知道了，这次不打扰您。")
        assert p.shows("现在没有人找您")


async def test_a_no_needs_no_reason(phone, tmp_path: Path) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("这次不行")
        await p.tap("这次不行")

        assert waiting(ctx) == [(OperationKind.offer_decline, {})]


@pytest.mark.parametrize("way_out", ["再想想", "back"])
async def test_thinking_again_answers_nothing(phone, tmp_path: Path, way_out: str) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("这次不行")
        await (p.press_back() if way_out == "back" else p.tap(way_out))

        assert waiting(ctx) == []
        assert p.shows("我来帮")


async def test_another_invitation_can_be_looked_at_first(phone, tmp_path: Path) -> None:
    person = teacher()
    other = an_offer(person, title="送药上门", expires_at=MORNING + timedelta(hours=30))
    ctx, _, _ = await asked(tmp_path, other, person=person)
    async with shown(phone, ctx) as p:
        await reach(p, "还有 1 件，看看下一件")

        assert p.shows("送药上门")
        assert not p.shows("陪着去医院")
        assert waiting(ctx) == []


async def test_a_yes_that_came_too_late_is_said_so(phone, tmp_path: Path) -> None:
    ctx, county, first = await asked(tmp_path)
    county.refuses[str(first.id)] = Code.offer_taken
    async with shown(phone, ctx) as p:
        await p.tap("我来帮")
        await ctx.session.syncer.sync_once()
        await p.settle()
        said = p.shows(CATALOGUE[Code.offer_taken].sentence)
        p.picture("volunteer-too-late")
        promised = p.shows("撤销") or p.shows("门牌和电话在")
        await p.tap("知道了")

        assert said
        assert not promised
        assert not p.shows(CATALOGUE[Code.offer_taken].sentence)


async def test_door_and_phone_are_seen_only_after_the_yes(phone, tmp_path: Path) -> None:
    ctx, county, first = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        before = "".join(p.texts())
        await p.tap("我来帮")
        county.rows.append(change(task(first)))
        await ctx.session.syncer.sync_once()
        await p.tap("任务")
        after = "".join(p.texts())

    for secret in ("李秀英", "78 岁", "202", "126 0000 4417"):
        assert secret not in before
        assert secret in after


async def test_large_print_is_read_aloud_and_has_no_map(phone, tmp_path: Path) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx, large=True) as p:
        maps = [w for w in p.root.walk() if isinstance(w, CoarseMap)]
        await p.tap("念给我听")

        assert maps == []
        assert ctx.ports.speech.spoken == [ctx.session.invitations.offer.spoken]


async def test_large_print_changes_the_screen_that_is_open(phone, tmp_path: Path) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        small = p.shows("念给我听")
        ctx.settings.large = True
        await p.settle()

        assert not small
        assert p.shows("念给我听")


async def test_leaving_takes_two_taps(phone, tmp_path: Path) -> None:
    ctx, _ = await serving(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("任务")
        await p.tap("签退")

        assert p.taps == 2
        assert [kind for kind, _ in waiting(ctx)] == [OperationKind.task_check_out]
        assert p.shows("已签退")
        assert not p.shows("126 0000 4417")


async def test_only_the_next_step_has_the_button(phone, tmp_path: Path) -> None:
    person = teacher()
    soon = MORNING + timedelta(minutes=90)
    ctx = await signed_in(tmp_path, County(person), task(an_offer(person, starts_at=soon)))
    async with shown(phone, ctx) as p:
        await p.tap("任务")
        first = big_buttons(p)
        await p.tap("签到")

        assert first == ["签到"]
        assert big_buttons(p) == ["签退"]
        assert [kind for kind, _ in waiting(ctx)] == [OperationKind.task_check_in]


async def test_a_finger_that_slips_on_the_day_before_starts_no_minutes(phone, tmp_path: Path) -> None:
    ctx, show = await show_early(tmp_path)
    async with shown(phone, ctx) as p:
        await show(p)
        asked, before = p.shows("说好的是明天 上午 9:00–11:00"), waiting(ctx)
        await p.tap("还没到")
        left = waiting(ctx)
        await p.tap("签到")
        await p.tap("签到")

        assert asked
        assert before == left == []
        assert [kind for kind, _ in waiting(ctx)] == [OperationKind.task_check_in]
        assert p.find("已经到了").disabled


async def test_what_a_volunteer_says_of_themselves_at_twice_the_size(phone, tmp_path: Path) -> None:
    """The whole way through 我的, with letters of twice the size, and saved without network."""
    ctx = await of_myself(tmp_path)
    async with shown(phone, ctx) as p:
        Metrics.fontscale = 2.0
        await p.tap("我的")
        p.assert_nothing_clipped()

        await p.tap("空闲时间")
        p.assert_nothing_clipped()
        p.assert_touch_targets()
        await p.tap("下午")
        await p.tap("保存")
        await reach(p, "免打扰")
        p.assert_nothing_clipped()
        await p.tap("22:00")
        await p.tap("保存")
        await reach(p, "我会做的事")
        p.assert_nothing_clipped()
        p.assert_readable()
        await reach(p, "急救证，后四位 0312")
        p.assert_nothing_clipped()
        p.assert_readable()
        await p.tap(id="until")
        await p.type("2028-6-30")
        await p.tap("保存")

        assert p.root.at == "skills"
        kinds = [kind for kind, _ in waiting(ctx)][::-1]
        assert kinds == [
            OperationKind.volunteer_week, OperationKind.volunteer_quiet, OperationKind.volunteer_skills,
        ]  # fmt: skip
        mine = ctx.session.own.row
        assert Slot(weekday=1, from_minute=360, until_minute=1080) in mine.slots
        assert (mine.quiet_from, mine.quiet_until) == (1320, 450)
        assert mine.evidence[0].valid_until == date(2028, 6, 30)


async def test_a_rest_is_one_switch_and_nobody_asks(phone, tmp_path: Path) -> None:
    ctx, _, _ = await asked(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("我的")
        await p.tap("先歇一歇")
        await p.tap("邀请")

        assert waiting(ctx) == [(OperationKind.volunteer_pause, {"active": False})]
        assert p.shows("您在歇一歇")
        assert not p.shows("我来帮")


async def test_a_forgotten_leaving_takes_one_tap_from_the_home_screen(phone, tmp_path: Path) -> None:
    ctx, _ = await overnight(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("11:00")
        answered = p.shows("昨天陪到几点？")
        [(kind, fields)] = waiting(ctx)
        await p.tap("撤销")

        assert p.taps == 2
        assert (kind, fields["at"]) == (OperationKind.task_check_out, "2026-11-22T03:00:00+00:00")
        assert not answered
        assert p.shows("昨天陪到几点？")

        # 签退 now would count the night: it is there only for who says that they are.
        await p.tap("任务")
        before = big_buttons(p)
        await p.tap("还没结束")

        assert before == []
        assert big_buttons(p) == ["签退"]
        assert waiting(ctx) == []


def big_buttons(p: Phone) -> list[str]:
    return [w.text for w in p.root.walk() if isinstance(w, Btn) and w.big]


async def test_the_minutes_go_on_while_the_task_is_open(phone, tmp_path: Path) -> None:
    ctx, _ = await serving(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("任务")
        ctx.now.move(minutes=5)
        p.root.screen.on_tick()
        await p.settle()

        assert p.shows("47 分钟")


async def test_calling_being_late_and_giving_back(phone, tmp_path: Path) -> None:
    person = teacher()
    ctx = await signed_in(tmp_path, County(person), task(an_offer(person)))
    async with shown(phone, ctx) as p:
        await p.tap("任务")
        await p.tap("打电话")
        await p.tap("会晚一点")
        await p.tap("去不了了")
        still_there = p.shows("126 0000 4417")
        await p.tap("去不了了", nth=1)

        assert ctx.ports.dialer.dialled == ["12600004417"]
        assert still_there
        assert {kind for kind, _ in waiting(ctx)} == {OperationKind.task_late, OperationKind.task_hand_back}
        assert not p.shows("126 0000 4417")


@pytest.mark.parametrize("home", [None, (106.51, 33.90), (106.5163, 33.93), (106.5163, 33.8987), (106.60, 33.80)])
def test_circle_and_home_stay_inside_the_map(home: tuple[float, float] | None) -> None:
    found = plan(home, (106.5163, 33.8988), 150, (326, 116), 40)

    for x, y in filter(None, (found.centre, found.home)):
        assert 0 < x < 326
        assert 0 < y < 116
    assert found.radius <= 116 / 2
    assert found.step <= 326 / 2
