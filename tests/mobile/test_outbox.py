"""Operations on the phone: order, taking back, receipts, and giving back what a server lost."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from mobile.store.entities import Effect
from mobile.store.outbox import State
from shared.residents import HouseholdOut
from shared.sync import Answer, EntityKind, OperationKind, Outcome, PushOut
from shared.types import uuid7
from tests.mobile.phone_parts import MORNING, Desk, household, me, page


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def capture(desk: Desk, home: HouseholdOut | None = None, seconds: int = 0) -> UUID:
    effects = [Effect(EntityKind.household, home.id, {"head_name": "改过的"})] if home else []
    return desk.store.outbox.capture(
        OperationKind.visit_record, uuid7(), {}, effects, title="何长顺 走访", hold=timedelta(seconds=seconds)
    )


def answer(outcome: Outcome, index: int = 0, sentence: str | None = None) -> Answer:
    return Answer(op_id=None, index=index, outcome=outcome, sentence=sentence)


def receipt(
    desk: Desk, *answers: Answer, epoch: str = "first", settled: int = 0, at: datetime | None = None
) -> PushOut:
    return PushOut(epoch=epoch, settled_seq=settled, answers=list(answers), server_time=at or desk.now())


def name_of(desk: Desk, home: HouseholdOut) -> str:
    shown = desk.store.entities.get(HouseholdOut, home.id)
    assert shown is not None
    return shown.head_name


def test_operations_leave_in_the_order_they_were_made_with_author_and_device(desk: Desk) -> None:
    made = [capture(desk) for _ in range(3)]

    batch = desk.store.outbox.take_batch(2)

    assert [operation["op_id"] for operation in batch] == [str(op_id) for op_id in made[:2]]
    assert [operation["device_seq"] for operation in batch] == [1, 2]
    assert {(operation["author_id"], operation["device_id"]) for operation in batch} == {
        (str(desk.me.account_id), str(desk.phone.device_id))
    }


def test_two_accounts_on_one_phone_never_share_a_number_nor_see_each_other(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    other = Desk(desk.folder, me(name="李强"))

    for who in (desk, other, desk):
        capture(who)

    ours, theirs = desk.store.outbox.take_batch(9), other.store.outbox.take_batch(9)
    assert [operation["device_seq"] for operation in ours] == [1, 3]
    assert [operation["device_seq"] for operation in theirs] == [2]
    assert ours[0]["device_id"] == theirs[0]["device_id"]
    assert other.store.entities.all(HouseholdOut) == []


def test_a_held_operation_can_be_taken_back_with_its_effect(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    op_id = capture(desk, home, seconds=10)

    held_back = desk.store.outbox.take_batch(9)
    taken = desk.store.outbox.take_back(op_id)

    assert held_back == []
    assert taken
    assert name_of(desk, home) == "何长顺"
    assert desk.store.outbox.entries(*State) == []


def test_after_the_time_for_undo_it_leaves_and_cannot_be_taken_back(desk: Desk) -> None:
    op_id = capture(desk, seconds=10)
    desk.now.move(seconds=10)

    left = desk.store.outbox.take_batch(9)

    assert [operation["op_id"] for operation in left] == [str(op_id)]
    assert not desk.store.outbox.take_back(op_id)


def test_a_held_operation_does_not_stop_the_one_behind_it(desk: Desk) -> None:
    capture(desk, seconds=10)
    second = capture(desk)

    assert [operation["op_id"] for operation in desk.store.outbox.take_batch(9)] == [str(second)]


def test_one_that_is_still_held_between_those_that_leave_can_be_taken_back(desk: Desk) -> None:
    made = [capture(desk, seconds=held) for held in (0, 60, 0)]

    left = desk.store.outbox.take_batch(9)

    assert [operation["op_id"] for operation in left] == [str(made[0]), str(made[2])]
    assert [desk.store.outbox.take_back(op_id) for op_id in made] == [False, True, False]


def test_a_push_carries_no_more_than_fits_and_what_is_left_behind_has_not_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobile.store.outbox.BATCH_BYTES", 1)
    made = [capture(desk) for _ in range(2)]

    left = desk.store.outbox.take_batch(9)

    assert [operation["op_id"] for operation in left] == [str(made[0])]
    assert [desk.store.outbox.take_back(op_id) for op_id in made] == [False, True]


def test_what_never_left_is_unsent_again_and_may_be_taken_back(desk: Desk) -> None:
    op_id = capture(desk)

    desk.store.outbox.never_left(desk.store.outbox.take_batch(9))

    assert desk.store.outbox.counts()[State.unsent] == 1
    assert desk.store.outbox.take_back(op_id)


def test_what_may_have_arrived_stays_sent_though_the_next_try_never_left(desk: Desk) -> None:
    op_id = capture(desk)
    desk.store.outbox.take_batch(9)  # its answer was lost

    desk.store.outbox.never_left(desk.store.outbox.take_batch(9))

    assert desk.store.outbox.counts()[State.sent] == 1
    assert not desk.store.outbox.take_back(op_id)


def test_only_a_receipt_makes_it_accepted_and_a_refusal_takes_its_effect_away(desk: Desk) -> None:
    first, second = household(), household()
    desk.holds(first, second)
    capture(desk, first)
    capture(desk, second)
    batch = desk.store.outbox.take_batch(9)
    before = desk.store.outbox.counts()

    answers = answer(Outcome.duplicate, 0), answer(Outcome.rejected, 1, "这一户不在您的网格里。")
    desk.store.take_receipt(batch, receipt(desk, *answers, settled=2))

    assert (before[State.sent], before[State.accepted]) == (2, 0)
    counts = desk.store.outbox.counts()
    assert (counts[State.accepted], counts[State.refused]) == (1, 1)
    assert [entry.sentence for entry in desk.store.outbox.entries(State.refused)] == ["这一户不在您的网格里。"]
    assert (name_of(desk, first), name_of(desk, second)) == ("改过的", "何长顺")


def test_an_accepted_effect_stays_until_a_whole_pull_has_brought_it(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    capture(desk, home)
    desk.store.take_receipt(desk.store.outbox.take_batch(9), receipt(desk, answer(Outcome.applied), settled=1))
    seen = desk.store.outbox.accepted_seqs()

    desk.store.take_page(page(home, more=True, settled_seq=1), seen)
    halfway = name_of(desk, home)
    desk.store.take_page(page(home, settled_seq=1), seen)

    assert halfway == "改过的"
    assert name_of(desk, home) == "何长顺"


def test_an_answer_that_never_came_is_asked_for_again(desk: Desk) -> None:
    op_id = capture(desk)
    capture(desk)
    batch = desk.store.outbox.take_batch(9)

    desk.store.take_receipt(batch, receipt(desk, answer(Outcome.applied, 1)))

    assert [operation["op_id"] for operation in desk.store.outbox.take_batch(9)] == [str(op_id)]


@pytest.mark.parametrize(("epoch", "settled"), [("second", 1), ("first", 0)])
def test_a_restored_server_gets_back_what_it_had_acknowledged(desk: Desk, epoch: str, settled: int) -> None:
    home = household()
    desk.holds(home)
    op_id = capture(desk, home)
    desk.store.take_receipt(desk.store.outbox.take_batch(9), receipt(desk, answer(Outcome.applied), settled=1))
    desk.store.take_page(page(home, settled_seq=1), desk.store.outbox.accepted_seqs())

    taken = desk.store.take_page(page(household(), epoch=epoch, settled_seq=settled), [])

    assert not taken
    assert desk.store.cursor() is None
    assert name_of(desk, home) == "改过的"
    assert [operation["op_id"] for operation in desk.store.outbox.take_batch(9)] == [str(op_id)]


def test_accepted_operations_are_kept_for_thirty_five_days(desk: Desk) -> None:
    capture(desk)
    capture(desk)
    answers = answer(Outcome.applied, 0), answer(Outcome.rejected, 1)
    desk.store.take_receipt(desk.store.outbox.take_batch(9), receipt(desk, *answers))

    desk.store.take_page(page(server_time=MORNING + timedelta(days=34)), [])
    within = desk.store.outbox.counts()[State.accepted]
    desk.store.take_page(page(server_time=MORNING + timedelta(days=36)), [])

    assert within == 1
    counts = desk.store.outbox.counts()
    assert (counts[State.accepted], counts[State.refused]) == (0, 1)


def test_a_corrected_record_takes_the_place_of_the_refused_one(desk: Desk) -> None:
    refused = capture(desk)
    desk.store.take_receipt(desk.store.outbox.take_batch(9), receipt(desk, answer(Outcome.rejected)))

    desk.store.outbox.capture(OperationKind.visit_record, uuid7(), {}, [], title="", replaces=refused)

    counts = desk.store.outbox.counts()
    assert (counts[State.refused], counts[State.unsent]) == (0, 1)


def test_after_a_broken_phone_file_numbers_go_on_above_those_in_use(desk: Desk) -> None:
    kept = [capture(desk) for _ in range(3)]
    other = Desk(desk.folder, me(name="李强"))
    capture(other)
    for one in (desk, other):
        one.store.close()
        one.phone.close()
    for part in desk.folder.glob("phone.db-*"):
        part.unlink()
    (desk.folder / "phone.db").write_bytes(b"no database at all" * 300)

    again = Desk(desk.folder, desk.me)
    kept.append(capture(again))
    batch = again.store.outbox.take_batch(10)

    assert again.phone.began_anew
    assert [operation["op_id"] for operation in batch] == [str(op_id) for op_id in kept]
    assert [operation["device_seq"] for operation in batch] == [1, 2, 3, 4]
    assert capture(Desk(desk.folder, other.me))


def test_opening_a_store_with_low_numbers_does_not_bring_the_counter_back(desk: Desk) -> None:
    capture(desk)
    other = Desk(desk.folder, me(name="李强"))
    seqs = [other.phone.next_seq() for _ in range(11)]

    again = Desk(desk.folder, desk.me)

    assert again.phone.next_seq() == seqs[-1] + 1 == 13
