"""待核对: what waits for a decision, as cards, for those who may decide and for those who may not."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kivy.metrics import Metrics

from mobile.conflicts.items import Waiting
from mobile.device import fakes
from mobile.residents.checks import Checks
from mobile.residents.person_form import PersonForm
from mobile.store.outbox import State
from mobile.store.photos import Photo
from shared.auth import Role
from shared.conflicts import ConflictChoice, ConflictField, ConflictOut, ConflictSide, ConflictState, mark_of
from shared.errors import CATALOGUE, Code
from shared.residents import Relation, ResidentOut, Sex
from shared.sync import Answer, OperationKind, Outcome
from shared.types import uuid7
from tests.mobile.app_parts import reach
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import CELL, MORNING, Desk, cell, household, me, page, resident
from tests.mobile.test_worker_screens import Opened, Worker, open_worker

HE = household()
HEAD = resident(HE)
SHE = resident(HE, name="田秀珍", sex=Sex.female, relation=Relation.spouse, phone="12800002706")
CHOICES = [ConflictChoice.mine, ConflictChoice.theirs, ConflictChoice.unsure]
LONG = "在西安儿子家过冬，开春回来，钥匙在对门邓玉兰那里"


def overtaken(field: str, base: Any, mine: Any, theirs: Any) -> ConflictField:
    return ConflictField(field=field, base=base, mine=mine, theirs=theirs, overtaken=True)


def alone(**values: Any) -> list[ConflictField]:
    """Of what is no edit: only what was written."""
    return [ConflictField(field=name, mine=value, overtaken=False) for name, value in values.items()]


def item(who: ResidentOut = SHE, **values: Any) -> ConflictOut:
    """田秀珍's number, which 张敏 wrote at the door and 李晓梅 at the window."""
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": CELL,
        "kind": "resident.edit",
        "entity_id": who.id,
        "op_id": uuid7(),
        "device_id": uuid7(),
        "code": Code.edit_conflict.value,
        "sentence": CATALOGUE[Code.edit_conflict].sentence,
        "subject": who.name,
        "fields": [overtaken("phone", "12500002706", "12600002706", "12800002706")],
        "mine": ConflictSide(name="张敏", at=MORNING),
        "theirs": ConflictSide(name="李晓梅", at=MORNING - timedelta(days=3, hours=-4, minutes=-26)),
        "rescued": False,
        "choices": CHOICES,
        "state": ConflictState.open,
        "choice": None,
        "note": "",
        "settled_by": "",
        "settled_at": None,
        "rev": 1,
        "received_at": MORNING,
    }
    return ConflictOut(**{**usual, **values})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.store.keep_me(desk.me)
    desk.holds(cell(), HE, HEAD, SHE)
    return desk


def checks(desk: Desk, *items: ConflictOut) -> Checks:
    if items:
        assert desk.store.take_page(page(*items), [])
    return Checks(desk.store, fakes.ports(), desk.now)


def card(desk: Desk, one: ConflictOut) -> Waiting:
    [shown] = checks(desk, one).queue.items
    assert isinstance(shown, Waiting)
    return shown


def said(at: Desk | Worker, outcome: Outcome, sentence: str = "") -> None:
    """All that waits is pushed, and the server says this about it."""
    now, store = (at.now, at.store) if isinstance(at, Desk) else (at.desk.now, at.store)
    now.move(seconds=11)
    batch = store.outbox.take_batch(50)
    answers = [Answer(op_id=one["op_id"], index=n, outcome=outcome, sentence=sentence) for n, one in enumerate(batch)]
    store.outbox.settle(batch, answers)


def rows(shown: Waiting) -> list[str]:
    return [action.title for action in shown.actions]


def test_a_card_says_what_it_is_about_with_both_values_who_when_and_where(desk: Desk) -> None:
    shown = card(desk, item(device_id=mark_of(desk.store.device_id)))

    assert (shown.title, shown.line) == ("田秀珍的电话", "3号楼2单元 302 · 两个人改得不一样")
    assert [(side.heading, side.lines[0].value, side.who, side.when, side.button) for side in shown.sides] == [
        ("您在手机上写的", "126 0000 2706", "张敏", "今天 10:42", "用这个"),
        ("社区现在存的", "128 0000 2706", "李晓梅", "11月20日 15:08", "用这个"),
    ]
    assert [line.value for line in shown.base] == ["125 0000 2706"]
    assert rows(shown) == ["打给田秀珍问一问", "我定不了，交给社区"]


def test_what_somebody_else_wrote_is_not_called_the_readers_own(desk: Desk) -> None:
    shown = card(desk, item(device_id=mark_of(desk.store.device_id), mine=ConflictSide(name="王芳", at=MORNING)))

    assert [side.own for side in shown.sides] == [False, False]
    assert shown.sides[0].heading == "晚送来的"


def test_several_fields_stand_under_their_labels_and_a_note_can_be_kept_twice(desk: Desk) -> None:
    two = [overtaken("note", "", LONG, "去西安了"), overtaken("phone", "1", "12600002706", None)]
    shown = card(desk, item(fields=two, choices=[*CHOICES, ConflictChoice.both]))

    assert shown.title == "田秀珍的登记"
    assert [[(line.label, line.value) for line in side.lines] for side in shown.sides] == [
        [("备注", LONG), ("电话", "126 0000 2706")], [("备注", "去西安了"), ("电话", "没有写")],
    ]  # fmt: skip
    assert [line.style for line in shown.sides[0].lines] == [line.style for line in shown.sides[1].lines]
    assert "两个都留着" in rows(shown)


def test_a_visit_that_came_too_late_is_one_value_to_take_or_to_leave(desk: Desk) -> None:
    late = alone(household_id=str(HE.id), outcome="seen", mode="home", findings=["unwell"], note="")
    shown = card(desk, item(kind="visit.record", entity_id=uuid7(), fields=late, theirs=None, code="household_not_here",
                            sentence="这一户不归您管。", subject="杨家坪小区 3号楼2单元 302"))  # fmt: skip

    assert (shown.title, shown.line) == ("何长顺一家 走访", "3号楼2单元 302 · 这一户不归您管")
    [side] = shown.sides
    assert [line.value for line in side.lines] == ["入户", "见到本人", "身体不适"]
    assert side.button == "用这个"
    assert "保留原来的" in rows(shown)


@pytest.mark.parametrize(
    "serious",
    [
        {"kind": "register.event", "fields": alone(kind="death", on="2026-11-20", resident_ids=[str(SHE.id)])},
        {"kind": "resident.put", "fields": alone(name="赵新", id_number="已填，不在这里显示")},
    ],
    ids=["death", "identity number"],
)
def test_the_gravest_is_shown_to_everybody_and_decided_by_the_community(
    tmp_path: Path, serious: dict[str, Any]
) -> None:
    seen = {}
    for role in (Role.grid_worker, Role.community_worker):
        desk = Desk(tmp_path / role.value, me(role))
        desk.store.keep_me(desk.me)
        desk.holds(cell(), HE, SHE)
        seen[role] = card(desk, item(entity_id=None, **serious))

    worker, office = seen[Role.grid_worker], seen[Role.community_worker]
    assert all(side.lines and not side.button for side in worker.sides)
    assert worker.said == ["身份证号和死亡，由社区工作人员定。"]
    assert office.said == []
    assert office.sides[0].button == "用这个"
    assert (rows(worker)[-1], rows(office)[-1]) == ("我定不了，交给社区", "我定不了，交给县里")


def test_what_was_rescued_from_a_revoked_phone_says_so(desk: Desk) -> None:
    shown = card(desk, item(rescued=True, code=Code.rescued.value))

    assert shown.said == ["从停用的手机里、或从不再管这里的人那里取回来的，还没有办。"]


def test_what_no_app_of_today_wrote_is_still_a_card(desk: Desk) -> None:
    odd = alone(outcome="flew", weather=3)
    choices = [ConflictChoice.theirs, ConflictChoice.unsure]
    shown = card(
        desk, item(kind="", entity_id=None, fields=odd, theirs=None, subject="", choices=choices, rescued=True)
    )

    assert (shown.title, shown.sides[0].lines, shown.sides[0].button) == ("一条记录", [], "")
    assert rows(shown) == ["保留原来的", "我定不了，交给社区"]


def test_a_decision_shows_at_once_is_taken_back_and_says_what_it_is_based_on(desk: Desk) -> None:
    found = checks(desk, item(rev=3))
    queue = found.queue
    [waiting] = queue.items

    sentence = queue.settle(waiting.id, "mine")
    found.refresh()
    kept, at_once = found.count, desk.store.entities.get(ResidentOut, SHE.id)
    assert queue.undo()
    found.refresh()
    undone = (found.count, desk.store.outbox.waiting())
    queue.settle(waiting.id, "theirs")
    desk.now.move(seconds=11)
    [operation] = desk.store.outbox.take_batch(5)

    assert sentence == "已记：田秀珍的电话，用晚送来的那个"
    assert at_once is not None
    assert (kept, at_once.phone) == (0, "12600002706")
    assert undone == (1, False)
    assert (operation["kind"], operation["entity_id"], operation["base_rev"], operation["fields"]) == (
        "conflict.settle", str(waiting.id), 3, {"choice": "theirs", "note": ""},
    )  # fmt: skip
    assert not queue.undo(), "it has left the phone"


def test_the_author_sees_one_card_and_counts_one(desk: Desk) -> None:
    form = PersonForm(desk.store, desk.now, HE.id, SHE.id)
    form.phone = "12600002706"
    form.save()
    said(desk, Outcome.conflict)
    before = checks(desk)
    [entry] = before.returned

    after = checks(desk, item(op_id=entry.op_id, device_id=mark_of(desk.store.device_id)))

    assert (after.returned, len(after.queue.items), after.count) == ([], 1, 1)
    after.queue.settle(after.queue.items[0].id, "theirs")
    after.refresh()
    assert (after.returned, after.count, after.count_text) == ([], 0, "")


def test_a_decision_that_was_refused_brings_the_card_back_with_the_reason_and_can_be_made_anew(desk: Desk) -> None:
    found = checks(desk, item())
    found.queue.settle(found.queue.items[0].id, "mine")
    said(desk, Outcome.rejected, "这个人已经迁出了。")

    found.refresh()
    [again] = found.queue.items
    found.queue.settle(again.id, "theirs")
    found.refresh()

    assert again.said == ["刚才没有定成：这个人已经迁出了。"]
    assert found.count == 0
    said(desk, Outcome.applied)
    assert [entry.fields["choice"] for entry in desk.store.outbox.of_kind(OperationKind.conflict_settle)] == ["theirs"]


def test_a_decision_that_came_second_says_who_was_first(desk: Desk) -> None:
    one = item()
    found = checks(desk, one)
    found.queue.settle(one.id, "mine")
    said(desk, Outcome.conflict, "已经有人定过了。")
    settled = {"state": ConflictState.settled, "choice": ConflictChoice.theirs, "settled_by": "李建国", "rev": 2}
    assert desk.store.take_page(page(one.model_copy(update=settled)), [])

    found.refresh()

    [notice] = found.queue.notices
    assert notice.title == "田秀珍的电话"
    assert notice.sentence == "李建国先定了：留社区存的那个。您定的没有算，没选中的那个也留着底。"
    assert (found.queue.items, found.count) == ([], 1)
    found.queue.read(notice.op_id)
    found.refresh()
    assert found.count == 0


@pytest.fixture
def opened(phone: Callable[..., AbstractAsyncContextManager[Phone]]) -> Opened:
    return open_worker(phone)


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_photos_of_a_late_visit_follow_when_it_is_taken_and_only_then(desk: Desk, choice: str) -> None:
    photo = Photo("a" * 64, 3, 1, 1)
    desk.store.photos.keep(photo, b"jpg", b"j")
    manifest = {"sha256": photo.sha256, "size": 3, "width": 1, "height": 1}
    late = {"household_id": str(HE.id), "mode": "home", "outcome": "seen", "photos": [manifest]}
    visit, record = uuid7(), OperationKind.visit_record
    op_id = desk.store.outbox.capture(record, visit, late, [], title="何长顺一家 走访")
    said(desk, Outcome.rejected)
    found = checks(desk, item(kind=record.value, entity_id=visit, op_id=op_id, theirs=None, fields=alone(**late)))

    found.queue.settle(found.queue.items[0].id, choice)
    before = desk.store.photos.due()
    said(desk, Outcome.applied)

    assert before == []
    assert desk.store.photos.due() == ([photo] if choice == "mine" else [])
    assert desk.store.outbox.entries(State.refused) == []


LOOKS = {
    "": (1.0, False, False),
    "twice": (2.0, False, False),
    "-big": (1.0, True, False),
    "-contrast": (1.0, False, True),
}


@pytest.mark.display
async def test_the_cards_look_as_drawn_and_one_tap_settles(tmp_path: Path, opened: Opened) -> None:
    worker = Worker(tmp_path, cell(), HE, HEAD, SHE)
    async with opened(worker) as p:
        own = item(SHE, device_id=mark_of(worker.store.device_id), received_at=MORNING - timedelta(days=1))
        died = item(SHE, kind="register.event", entity_id=None, theirs=None, code=Code.in_the_future.value,
                    sentence="时间比现在还晚，请检查手机的日期和时间。",
                    fields=alone(kind="death", on="2026-11-30", resident_ids=[str(SHE.id)]))  # fmt: skip
        assert worker.store.take_page(page(own, died), [])
        worker.store.changed()
        assert p.root.tab_bar.badges["me"] == 2
        await p.tap("我的")
        assert p.shows("2 件")
        await p.tap("待核对")
        for name, (scale, large, contrast) in LOOKS.items():
            Metrics.fontscale, worker.ctx.settings.large, worker.ctx.settings.contrast = scale, large, contrast
            await p.settle()
            if scale == 1.0:
                p.picture(f"conflicts{name}")
            p.assert_nothing_clipped()
            p.assert_touch_targets()
            p.assert_readable(words_least=7 if contrast else 4.5)
        await reach(p, "没选中的那个也会留底，不会丢。")
        await p.scroll_to("要您来定 2 件")
        taps = p.taps
        await p.tap("用这个")

        assert p.taps == taps + 1
        assert p.shows("已记：田秀珍的电话，用您写的那个")
        assert p.root.tab_bar.badges["me"] == 1
        await p.tap("撤销")
        assert p.root.tab_bar.badges["me"] == 2
        await reach(p, "打给田秀珍问一问")
        assert worker.ports.dialer.dialled


@pytest.mark.display
async def test_long_values_break_in_the_same_place_and_who_is_late_reads_why(tmp_path: Path, opened: Opened) -> None:
    worker = Worker(tmp_path, cell(), HE, HEAD, SHE)
    async with opened(worker) as p:
        note = [overtaken("note", "", LONG, LONG.replace("开春", "清明"))]
        other = item(SHE, fields=note, mine=ConflictSide(name="王芳", at=MORNING), choices=[*CHOICES, "both"])
        first = item(SHE, rescued=True, received_at=MORNING - timedelta(days=1))
        assert worker.store.take_page(page(first, other), [])
        queue = worker.ctx.session.checks.queue
        queue.refresh()
        queue.settle(first.id, "mine")
        said(worker, Outcome.rejected, "已经有人定过了。")
        settled = {"state": ConflictState.settled, "choice": ConflictChoice.theirs, "settled_by": "李建国", "rev": 2}
        assert worker.store.take_page(page(first.model_copy(update=settled)), [])
        worker.store.changed()
        p.root.push("check")
        await p.settle()
        p.assert_nothing_clipped()
        values = [one.text for one in p.root.screen.walk(restrict=True) if "钥匙" in getattr(one, "raw", "")]

        assert [text.replace("清明", "开春") for text in values] == [values[0]] * 2
        assert values[0].count("\n") == 3
        await reach(p, "知道了")
        assert not p.shows("知道了")
