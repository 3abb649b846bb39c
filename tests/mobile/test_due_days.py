"""The county's own intervals reach the phone by the feed, and it counts with them as the server does."""

from datetime import timedelta
from pathlib import Path

import pytest

from mobile.device import fakes
from mobile.device.ports import DeviceFix
from mobile.visits.due_days import due_days
from shared.residents import Care, HouseholdOut
from shared.types import uuid7
from shared.visiting import USUAL, DueDaysOut
from tests.mobile.phone_parts import CELL, MONDAY, MORNING, Desk, cell, household


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def visited(desk: Desk, home: HouseholdOut, outcome: str = "seen") -> HouseholdOut | None:
    form = desk.visit_form(home, fakes.ports(fakes.ScriptedLocation(DeviceFix(106.52, 33.91, 8, MORNING))))
    form.outcome = outcome
    form.save()
    return desk.store.entities.get(HouseholdOut, home.id)


@pytest.mark.parametrize(("own", "due"), [(False, 14), (True, 3)], ids=["the usual days", "the county's own"])
def test_the_next_visit_follows_from_the_countys_intervals(desk: Desk, own: bool, due: int) -> None:
    home = household(care=[Care.alone])
    desk.holds(cell(), home)
    if own:
        desk.holds(DueDaysOut(id=uuid7(), area_code=CELL[:6], rev=1, care={Care.alone: 3}))

    after = visited(desk, home)

    assert after is not None
    assert after.due_on == MONDAY + timedelta(days=due)
    assert (due_days(desk.store) == USUAL) is not own
