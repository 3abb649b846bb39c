"""The phone's store: what a pull brings, what a capture adds, and what a thief or a dead battery leaves."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag

from mobile.device.desktop import FileKeystore
from mobile.store.database import Database
from mobile.store.outbox import State
from mobile.visits.effects import effects
from shared.residents import Care, HouseholdOut, ResidentOut
from shared.sync import OperationKind
from shared.types import uuid7
from shared.visits import VisitIn, VisitOut, VisitOutcome
from tests.mobile.phone_parts import MONDAY, Desk, change, household, page, resident


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def record(desk: Desk, home: HouseholdOut, outcome: VisitOutcome = VisitOutcome.seen, note: str = "") -> UUID:
    visit, visit_id = VisitIn(household_id=home.id, outcome=outcome, note=note, visited_at=desk.now()), uuid7()
    fields, changed = visit.model_dump(mode="json"), effects(visit_id, visit, home, desk.me)
    desk.store.outbox.capture(OperationKind.visit_record, visit_id, fields, changed, title=f"{home.head_name} 走访")
    return visit_id


def test_a_capture_is_shown_at_once_and_waits_in_the_outbox(desk: Desk) -> None:
    home = household(tries_since_seen=2)
    desk.holds(home)

    visit_id = record(desk, home)

    shown = desk.store.entities.get(HouseholdOut, home.id)
    assert shown is not None
    assert (shown.last_visited_on, shown.last_seen_on, shown.tries_since_seen) == (MONDAY, MONDAY, 0)
    assert [visit.id for visit in desk.store.entities.all(VisitOut, home.id)] == [visit_id]
    assert desk.store.outbox.counts()[State.unsent] == 1


def test_somebody_very_old_who_lives_alone_is_due_within_a_week_before_the_server_has_heard(desk: Desk) -> None:
    home = household(care=[Care.alone])
    grandmother = resident(home, birth_date=MONDAY.replace(year=1940), care=[Care.alone])
    visit = VisitIn(household_id=home.id, outcome=VisitOutcome.seen, visited_at=desk.now())

    [_row, patch] = effects(uuid7(), visit, home, desk.me, [grandmother])

    assert patch.body is not None
    assert patch.body["due_reason"] == "80 岁以上，独居，每 7 天看一次"


def test_nobody_home_does_not_change_the_day_they_were_last_seen(desk: Desk) -> None:
    home = household()
    desk.holds(home)

    record(desk, home, VisitOutcome.absent)

    shown = desk.store.entities.get(HouseholdOut, home.id)
    assert shown is not None
    assert shown.last_seen_on == home.last_seen_on
    assert (shown.last_visited_on, shown.tries_since_seen) == (MONDAY, 1)


def test_a_capture_that_fails_halfway_leaves_neither_operation_nor_effect(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    visit, visit_id = VisitIn(household_id=home.id, outcome=VisitOutcome.seen, visited_at=desk.now()), uuid7()
    twice = effects(visit_id, visit, home, desk.me)[:1] * 2

    with pytest.raises(sqlite3.IntegrityError):
        desk.store.outbox.capture(OperationKind.visit_record, visit_id, {}, twice, title="")

    assert desk.store.outbox.counts()[State.unsent] == 0
    assert desk.store.entities.all(VisitOut) == []


def test_a_pull_does_not_undo_what_is_still_unsent(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    record(desk, home)

    desk.store.take_page(page(home.model_copy(update={"head_name": "何小军"})), [])

    shown = desk.store.entities.get(HouseholdOut, home.id)
    assert shown is not None
    assert (shown.head_name, shown.last_visited_on) == ("何小军", MONDAY)


def test_rows_that_are_gone_or_out_of_scope_leave_the_phone(desk: Desk) -> None:
    here, gone = household(), household()
    elsewhere = household(area_code="610330100008004")
    desk.holds(here, gone, elsewhere)

    desk.store.take_page(page(change(gone, gone=True), scope_removed=["610330100008004"]), [])

    assert [home.id for home in desk.store.entities.all(HouseholdOut)] == [here.id]


def test_a_household_that_moved_within_the_scope_is_not_lost(desk: Desk) -> None:
    before = household()
    after = before.model_copy(update={"area_code": "610330100008004"})
    desk.holds(before)

    desk.store.take_page(page(after, change(before, gone=True)), [])

    assert [home.area_code for home in desk.store.entities.all(HouseholdOut)] == ["610330100008004"]


def test_the_cursor_moves_only_with_the_rows_it_covers(desk: Desk) -> None:
    desk.holds(household())
    broken = page(household(), cursor="c2")
    object.__setattr__(broken.items[0], "area_code", None)

    with pytest.raises(sqlite3.IntegrityError):
        desk.store.take_page(broken, [])

    assert desk.store.cursor() == "c1"
    assert len(desk.store.entities.all(HouseholdOut)) == 1


def test_reading_from_the_start_keeps_the_old_rows_until_it_is_complete(desk: Desk) -> None:
    first, second = household(), household()
    desk.holds(first, second)
    desk.store.drop_cursor()

    desk.store.take_page(page(first, more=True), [])
    during = len(desk.store.entities.all(HouseholdOut))
    desk.store.take_page(page(), [])

    assert during == 2
    assert [home.id for home in desk.store.entities.all(HouseholdOut)] == [first.id]


def test_signing_out_forgets_people_and_keeps_operations(desk: Desk) -> None:
    home = household()
    desk.holds(home, resident(home))
    record(desk, home)
    desk.store.keep_me(desk.me)

    desk.store.sign_out()
    late = desk.store.take_page(page(household()), [])
    again = desk.open()

    assert late
    assert again.entities.all(HouseholdOut) == []
    assert again.entities.all(ResidentOut) == []
    assert again.me() is None
    assert again.cursor() is None
    assert again.outbox.counts()[State.unsent] == 1


def test_a_draft_survives_a_restart(desk: Desk) -> None:
    desk.store.keep_draft("visit|x", {"note": "炉子没装烟道"})

    assert desk.open().draft("visit|x") == {"note": "炉子没装烟道"}


def test_no_name_number_or_note_lies_open_on_the_disk(desk: Desk) -> None:
    home = household()
    desk.holds(home, resident(home))
    record(desk, home, note="刀口恢复好")
    desk.store.keep_draft("visit|x", {"note": "药在按时吃"})

    on_disk = b"".join(path.read_bytes() for path in desk.folder.rglob("store.db*"))

    assert str(home.id).encode() in on_disk  # the control: what is not sealed can be found this way
    for secret in ("何长顺", "杨家坪小区", "12600002706", "刀口恢复好", "药在按时吃"):
        assert secret.encode() not in on_disk


def test_a_sealed_row_opens_only_in_its_own_place_and_under_its_own_key(tmp_path: Path) -> None:
    ours, theirs = Database(tmp_path / "a.db", bytes(32)), Database(tmp_path / "b.db", bytes([1]) * 32)
    sealed = ours.seal({"name": "何长顺"}, "resident", "1")

    assert ours.unseal(sealed, "resident", "1") == {"name": "何长顺"}
    with pytest.raises(InvalidTag):
        ours.unseal(sealed, "resident", "2")
    with pytest.raises(InvalidTag):
        theirs.unseal(sealed, "resident", "1")


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "phone" / "key"

    keys = {FileKeystore(path).key(), FileKeystore(path).key()}

    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert path.stat().st_mode & 0o777 == 0o600


DIES_AFTER_CAPTURE = """
import os, signal, sys
from pathlib import Path
from tests.mobile.phone_parts import Desk, household, me
from tests.mobile.test_store import record
from uuid import UUID
desk = Desk(Path(sys.argv[1]), me(account_id=UUID(sys.argv[2])))
home = household(id=UUID(sys.argv[3]))
desk.holds(home)
record(desk, home, note="关机前记下的")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_visit_survives_kill_9_right_after_it_was_saved(tmp_path: Path) -> None:
    account, home = uuid7(), uuid7()
    arguments = [sys.executable, "-c", DIES_AFTER_CAPTURE, str(tmp_path), str(account), str(home)]
    quiet = {**os.environ, "KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1"}

    died = subprocess.run(arguments, env=quiet, check=False, cwd=Path(__file__).parents[2])
    desk = Desk(tmp_path)
    desk.me = desk.me.model_copy(update={"account_id": account})
    store = desk.open()

    assert died.returncode == -signal.SIGKILL
    assert [visit.note for visit in store.entities.all(VisitOut, home)] == ["关机前记下的"]
    assert [operation["entity_id"] for operation in store.outbox.take_batch(10)] == [
        str(visit.id) for visit in store.entities.all(VisitOut, home)
    ]


def test_history_of_one_household_does_not_show_another_one(desk: Desk) -> None:
    mine, other = household(), household()
    desk.holds(mine, other)

    record(desk, other)
    desk.now.move(minutes=5)
    visit_id = record(desk, mine)

    assert [visit.id for visit in desk.store.entities.all(VisitOut, mine.id)] == [visit_id]
    assert desk.store.entities.all(VisitOut, mine.id)[0].visited_at == desk.now()
