"""服务时长, and what a volunteer says of themselves, without a window."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile.core.drafts import Draft
from mobile.volunteers import rules
from mobile.volunteers.own import Own
from mobile.volunteers.quiet import Quiet
from mobile.volunteers.readiness import Readiness
from mobile.volunteers.skills import SkillNote, Skills
from mobile.volunteers.viewmodel import Hours
from mobile.volunteers.week import Week
from shared.auth import Role
from shared.matching import OfferOut, OfferState
from shared.volunteers import ServiceState, Skill, Slot
from tests.mobile.phone_parts import MONDAY, Desk, evidence, me, offer, service, volunteer


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, me(Role.volunteer, name="周老师"))


def test_only_confirmed_minutes_make_the_total(desk: Desk) -> None:
    desk.holds(
        service(desk.me, MONDAY, 112, ServiceState.waiting),
        service(desk.me, MONDAY - timedelta(days=5), 70),
        service(desk.me, MONDAY - timedelta(days=11), 35),
        service(desk.me, MONDAY - timedelta(days=16), 125, ServiceState.unverified),
    )

    hours = Hours(desk.store, desk.now)

    assert (hours.hours, hours.minutes) == (1, 45)
    assert hours.waiting_line == "另有 1 小时 52 分等对方确认"
    assert [(line.length, line.word) for line in hours.records] == [
        ("1 小时 52 分", "等对方确认"),
        ("1 小时 10 分", "双方已确认"),
        ("35 分", "双方已确认"),
        ("2 小时 5 分", "待核实"),
    ]
    assert hours.records[0].sub == "今天 · 杨家坪社区"
    assert hours.count_text == "全部 4 次"


def test_six_months_are_shown_across_the_year(desk: Desk) -> None:
    desk.holds(
        service(desk.me, date(2026, 11, 2), 240),
        service(desk.me, date(2026, 6, 30), 480),
        service(desk.me, date(2026, 5, 31), 999),
        service(desk.me, date(2025, 11, 2), 999),
    )

    bars = Hours(desk.store, desk.now).bars

    assert [bar.label for bar in bars] == ["6月", "7月", "8月", "9月", "10月", "11月"]
    assert [(bar.hours, bar.share) for bar in (bars[0], bars[1], bars[-1])] == [(8, 1.0), (0, 0.0), (4, 0.5)]
    assert [bar.current for bar in bars] == [False] * 5 + [True]


def test_nothing_served_yet_is_zero_and_not_an_error(desk: Desk) -> None:
    hours = Hours(desk.store, desk.now)

    assert (hours.hours, hours.minutes, hours.count_text, hours.records) == (0, 0, "", [])


def slot(weekday: int, start: int, end: int) -> Slot:
    return Slot(weekday=weekday, from_minute=start, until_minute=end)


def own(desk: Desk, **values: Any) -> Own:
    """The volunteer's own row is on the phone."""
    desk.holds(volunteer(desk.me, **values))
    return Own(desk.store, desk.me)


def pushed(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    return [(operation["kind"], operation["fields"]) for operation in desk.store.outbox.take_batch(9)]


def wire(*slots: Slot) -> dict[str, Any]:
    return {"slots": [one.model_dump() for one in slots]}


def chosen(week: Week) -> dict[int, list[str]]:
    return {day.weekday: day.chosen for day in week.days if day.chosen}


def test_a_week_is_tapped_and_saved_as_one_operation(desk: Desk) -> None:
    week, said = Week(own(desk, slots=[slot(1, 360, 720)])), []
    week.bind(on_saved=lambda _week, sentence: said.append(sentence))

    for weekday, part in ((1, "afternoon"), (3, "evening"), (1, "morning"), (1, "morning")):
        week.toggle(weekday, part)
    week.save()

    assert chosen(week) == {1: ["morning", "afternoon"], 3: ["evening"]}
    assert (week.line, week.can_save, said) == ("一周 2 天有空", False, ["记下了：空闲时间"])
    assert pushed(desk) == [("volunteer.week", wire(slot(1, 360, 1080), slot(3, 1080, 1320)))]


def test_finer_hours_are_shown_and_stay_until_their_part_is_tapped(desk: Desk) -> None:
    week = Week(own(desk, slots=[slot(2, 540, 660), slot(5, 0, 1440)]))
    tuesday = week.days[1]

    week.toggle(2, "evening")
    week.save()
    week.toggle(2, "morning")
    week.save()

    assert (tuesday.chosen, tuesday.sub) == (["morning"], "只有 9:00–11:00")
    assert pushed(desk) == [
        ("volunteer.week", wire(slot(2, 540, 660), slot(2, 1080, 1320), slot(5, 0, 1440))),
        ("volunteer.week", wire(slot(2, 1080, 1320), slot(5, 0, 1440))),
    ]


def test_tapping_there_and_back_changes_nothing(desk: Desk) -> None:
    week = Week(own(desk, slots=[slot(1, 360, 720)]))

    week.toggle(1, "morning")
    changed = week.can_save
    week.toggle(1, "morning")
    week.save()

    assert (changed, week.can_save, pushed(desk)) == (True, False, [])


def test_an_unfinished_week_is_there_when_it_is_opened_again(desk: Desk) -> None:
    mine = own(desk)
    first = Week(mine)
    draft = Draft(desk.store, "week", first, first.drafted, stamp=first.rev)
    first.toggle(4, "morning")
    draft.keep()

    again = Week(mine)
    Draft(desk.store, "week", again, again.drafted, stamp=again.rev)

    assert chosen(again) == {4: ["morning"]}


def test_nothing_can_be_said_before_the_own_row_has_come(desk: Desk) -> None:
    mine = Own(desk.store, desk.me)
    week, quiet, skills, note = Week(mine), Quiet(mine), Skills(mine, desk.now), SkillNote(mine, desk.now, Skill.meal)

    for form in (week, quiet, skills):
        form.save()
    Readiness(mine).set_paused(True)

    assert [form.known for form in (week, quiet, skills)] == [False] * 3
    assert not note.save()
    assert pushed(desk) == []


def test_quiet_hours_are_chosen_among_common_ones_and_shown_at_once(desk: Desk) -> None:
    mine = own(desk, quiet_from=1275, quiet_until=420)
    quiet = Quiet(mine)
    before = (quiet.line, quiet.can_save, (1275, "21:15", "") in quiet.starts)

    quiet.start, quiet.end = 1320, 360
    quiet.save()

    assert before == ("21:15 到第二天 7:00 不打扰您", False, True)
    assert pushed(desk) == [("volunteer.quiet", {"from_minute": 1320, "until_minute": 360})]
    assert Readiness(mine).quiet_line == "22:00–6:00"


def test_quiet_hours_may_be_none_and_come_back(desk: Desk) -> None:
    mine = own(desk)
    quiet = Quiet(mine)
    quiet.on = False
    quiet.save()
    again = Quiet(mine)
    unset = (again.on, again.line, again.can_save, Readiness(mine).quiet_line)

    again.on = True
    again.save()

    assert unset == (False, "什么时候都可以找您", False, "没有设")
    assert pushed(desk) == [
        ("volunteer.quiet", {"from_minute": 0, "until_minute": 0}),
        ("volunteer.quiet", {"from_minute": 1290, "until_minute": 450}),
    ]


SEEN = evidence(Skill.electric, "低压电工证", checked_on=MONDAY, checked_by="王芳")


def test_skills_are_tapped_and_what_was_seen_stays_seen(desk: Desk) -> None:
    mine = own(desk, skills=[Skill.escort, Skill.electric], evidence=[SEEN])
    skills = Skills(mine, desk.now)

    skills.toggle("escort")
    skills.toggle("chat")
    skills.save()

    assert skills.chosen == ["chat", "electric"]
    assert [(line.title, line.word) for line in skills.lines] == [("陪伴聊天", "自己说的"), ("修电路", "社区看过证件")]
    assert pushed(desk) == [
        (
            "volunteer.skills",
            {
                "skills": [
                    {"skill": "chat", "note": "", "valid_until": None},
                    {"skill": "electric", "note": "低压电工证", "valid_until": None},
                ]
            },
        )
    ]


def test_one_skill_at_least(desk: Desk) -> None:
    skills = Skills(own(desk, skills=[Skill.meal]), desk.now)

    skills.toggle("meal")
    skills.save()

    assert (skills.can_save, skills.error) == (False, "至少选一样。想停一停，到“我的”里选先歇一歇。")
    assert pushed(desk) == []


def test_other_words_about_a_skill_are_unseen_at_once(desk: Desk) -> None:
    mine = own(desk, skills=[Skill.electric], evidence=[SEEN])
    note = SkillNote(mine, desk.now, Skill.electric)

    note.note, note.until = "高压电工证", "2028.6.30"
    kept = note.save()

    [line] = Skills(mine, desk.now).lines
    assert kept
    assert (note.state_word, line.word) == ("社区看过证件", "自己说的")
    assert line.sub == "高压电工证，到 2028-6-30，把电工证拿到社区看过，才会来问您"
    [(_, fields)] = pushed(desk)
    assert fields == {"skills": [{"skill": "electric", "note": "高压电工证", "valid_until": "2028-06-30"}]}


def test_a_certificate_that_has_run_out_says_so(desk: Desk) -> None:
    yesterday = MONDAY - timedelta(days=1)
    last_day, over = (SEEN.model_copy(update={"valid_until": day}) for day in (MONDAY, yesterday))

    words = [rules.skill_line(Skill.electric, one, MONDAY).word for one in (last_day, over)]

    assert words == ["社区看过证件", "已过期"]


@pytest.mark.parametrize(
    ("note", "until", "error"),
    [
        ("T610330195403011234", "", "写后四位就够了，请不要写身份证号。"),
        ("急救证", "明年", "日期这样写：2028-6-30。"),
        ("急救证", "2028-13-1", "日期这样写：2028-6-30。"),
        ("长" * 101, "", "请写短一点，一百字以内。"),
    ],
)
def test_what_a_note_may_not_be_is_said_and_nothing_is_sent(desk: Desk, note: str, until: str, error: str) -> None:
    form = SkillNote(own(desk, skills=[Skill.escort]), desk.now, Skill.escort)

    form.note, form.until = note, until

    assert not form.save()
    assert (form.error, pushed(desk)) == (error, [])


def test_a_pause_takes_back_what_one_was_asked_and_is_said_once(desk: Desk) -> None:
    mine = own(desk)
    assert desk.me.volunteer_id is not None
    open_one, taken = (offer(desk.me.volunteer_id, state=state) for state in (OfferState.offered, OfferState.accepted))
    desk.holds(open_one, taken)
    ready = Readiness(mine)

    ready.set_paused(True)
    ready.set_paused(True)
    ready.refresh()
    states = {one.id: one.state for one in desk.store.entities.all(OfferOut)}
    paused = ready.paused
    ready.set_paused(False)

    assert paused
    assert states == {open_one.id: OfferState.recalled, taken.id: OfferState.accepted}
    assert pushed(desk) == [("volunteer.pause", {"active": False}), ("volunteer.pause", {"active": True})]
