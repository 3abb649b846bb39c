"""我的网格 without a window."""

from datetime import timedelta
from pathlib import Path

import pytest

from mobile.device import fakes
from mobile.device.ports import DeviceFix, Ports
from mobile.grid import rules
from mobile.grid.viewmodel import MyGrid
from shared.residents import Care, HouseholdOut
from tests.mobile.phone_parts import MONDAY, MORNING, Desk, cell, household, resident


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def ports() -> Ports:
    return fakes.ports(fakes.ScriptedLocation(DeviceFix(106.52, 33.91, 8, MORNING)))


def seen(days: int | None, **values: object) -> HouseholdOut:
    return household(last_seen_on=None if days is None else MONDAY - timedelta(days=days), **values)


@pytest.mark.parametrize(
    ("days", "state"), [(0, "recent"), (30, "recent"), (31, "month"), (60, "month"), (61, "long"), (None, "never")]
)
def test_a_door_is_coloured_by_the_days_since_somebody_was_seen(days: int | None, state: str) -> None:
    last = None if days is None else MONDAY - timedelta(days=days)

    assert rules.seen_state(last, MONDAY) == state


def test_doors_of_one_stairwell_make_one_mark_and_the_worst_wins(desk: Desk, ports: Ports) -> None:
    doors = [seen(6, room="401"), seen(76, room="302"), seen(None, room="303"), seen(38, room="1001")]
    desk.holds(cell(), *doors, seen(3, building="4号楼"), seen(3, building="", unit="", room="5号"))

    grid = MyGrid(desk.store, ports, desk.now)

    assert sorted((mark.count, mark.state) for mark in grid.marks) == [(1, "recent"), (1, "recent"), (4, "long")]
    assert grid.title_note == "第3网格 · 6 户"
    assert grid.bounds == (106.51, 33.90, 106.53, 33.92)


def test_a_stairwell_shows_its_doors_from_the_top_and_a_door_its_person(desk: Desk, ports: Ports) -> None:
    ill = household(room="302", head_name="孙淑琴", size=1, care=[Care.frail], tries_since_seen=2)
    desk.holds(ill, resident(ill, care=[Care.frail]), seen(6, room="401"), seen(None, room="1001"))
    grid = MyGrid(desk.store, ports, desk.now)

    grid.choose_mark(grid.marks[0].key)
    doors = [(door.room, door.days_text, door.state) for door in grid.doors]
    grid.choose_door(ill.id)
    grid.dial()

    assert (grid.stair_title, grid.stair_count) == ("3号楼 2单元", "3 户")
    assert doors == [("1001", "没见过", "never"), ("401", "6 天", "recent"), ("302", "40 天", "month")]
    assert (grid.person.title, grid.person.age_text) == ("302 孙淑琴", "72 岁")
    assert grid.person.history == "上次见面 10月14日 · 之后去过 2 次，都没见到"
    assert isinstance(ports.dialer, fakes.RecordedDialer)
    assert ports.dialer.dialled == ["12600002706"]


def community(desk: Desk) -> list[HouseholdOut]:
    """Three cells side by side with a stairwell each; the third has two compounds with a house of the same number."""
    cells = [f"610330100008{number:03d}" for number in (1, 2, 3)]
    homes = [household(area_code=code, lon=106.52 + place / 100) for place, code in enumerate(cells)]
    homes.append(household(area_code=cells[2], compound="坪上花园", lon=106.545, head_name="王改萍"))
    corners = ((0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01), (0, 0))
    for place, code in enumerate(cells):
        ring = [[106.515 + place / 100 + x, 33.905 + y] for x, y in corners]
        shape = {"type": "Polygon", "coordinates": [ring]}
        desk.holds(cell(code=code, name=f"杨家坪社区第{place + 1}网格", geometry=shape))
    desk.holds(*homes)
    return homes


def test_several_cells_are_seen_together_and_then_one_by_one(desk: Desk, ports: Ports) -> None:
    community(desk)

    grid = MyGrid(desk.store, ports, desk.now)
    together = (grid.overview, grid.title_note, len(grid.marks), grid.bounds[2])
    grid.choose_cell("610330100008002")

    assert together == (True, "3 格 · 4 户", 4, pytest.approx(106.545))
    assert [(each.name, each.count) for each in grid.cells] == [("第1网格", 1), ("第2网格", 1), ("第3网格", 2)]
    assert (grid.overview, grid.title_note, len(grid.marks)) == (False, "第2网格 · 1 户", 1)
    assert (grid.bounds[0], grid.bounds[2]) == (pytest.approx(106.525), pytest.approx(106.535))


def test_a_found_door_opens_its_cell_and_another_cell_lets_go_of_it(desk: Desk, ports: Ports) -> None:
    other, *_, wanted = community(desk)
    grid = MyGrid(desk.store, ports, desk.now)

    grid.choose_door(other.id)
    grid.choose_door(wanted.id)
    opened = (grid.chosen_cell, grid.stair_title, grid.stair_count)
    grid.refresh()
    kept = grid.chosen_door
    grid.choose_cell("610330100008001")

    assert opened == (wanted.area_code, "3号楼 2单元", "坪上花园 · 1 户"), "two compounds have a house 3"
    assert kept == str(wanted.id)
    assert (grid.chosen_mark, grid.chosen_door, grid.person) == ("", "", None)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("杨家坪社区第3网格", "第3网格"),
        ("龙口社区第十二网格", "第十二网格"),
        ("第1网格", "第1网格"),
        ("江边网格", "江边网格"),
    ],
)
def test_a_cell_is_called_by_its_number_where_there_is_no_room(name: str, short: str) -> None:
    assert rules.short_name(name) == short


def test_a_found_door_opens_its_own_stairwell(desk: Desk, ports: Ports) -> None:
    wanted = household(building="4号楼", head_name="王改萍")
    desk.holds(wanted, household())
    grid = MyGrid(desk.store, ports, desk.now)

    grid.choose_door(wanted.id)

    assert grid.stair_title == "4号楼 2单元"
    assert grid.chosen_door == str(wanted.id)


def test_what_was_chosen_stays_chosen_after_a_pull(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    grid = MyGrid(desk.store, ports, desk.now)
    grid.choose_door(home.id)

    desk.holds(home.model_copy(update={"head_name": "何小军"}), household())
    grid.refresh()

    assert grid.person.title == "302 何小军一家"


async def test_the_own_position_appears_when_there_is_a_fix(desk: Desk, ports: Ports) -> None:
    grid = MyGrid(desk.store, ports, desk.now)
    before = grid.here

    await grid.locate()

    assert before is None
    assert grid.here == (106.52, 33.91)


def test_a_multipolygon_is_drawn_ring_by_ring() -> None:
    square = [[0, 0], [1, 0], [1, 1], [0, 0]]

    drawn = rules.rings({"type": "MultiPolygon", "coordinates": [[square, square], [square]]})

    assert len(drawn) == 3
    assert rules.bounds(drawn) == (0, 0, 1, 1)
