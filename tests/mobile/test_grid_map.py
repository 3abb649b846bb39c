"""我的网格 of a whole community: six cells at once, then one, at every letter size."""

from datetime import timedelta
from pathlib import Path

import pytest
from kivy.metrics import Metrics, dp

from mobile.core.session import AppContext
from shared.residents import HouseholdOut
from shared.types import WireOut
from tests.mobile.app_parts import shown, signed_in
from tests.mobile.county import County
from tests.mobile.grid_parts import assert_marks_apart
from tests.mobile.phone_parts import MONDAY, cell, household, me

pytestmark = pytest.mark.display

COMMUNITY = "610330100008"
WIDE, HIGH = 300, 236
# x, y in metres from a cell's corner, compound, building, unit: rows of houses, as close as houses stand.
STAIRS = [
    (25, 200, "杨家坪小区", "1号楼", "1单元"), (57, 203, "杨家坪小区", "1号楼", "2单元"),
    (90, 199, "杨家坪小区", "2号楼", "1单元"), (130, 158, "杨家坪小区", "3号楼", "1单元"),
    (166, 155, "坪上花园", "1号楼", "1单元"), (200, 159, "坪上花园", "1号楼", "2单元"),
    (236, 156, "坪上花园", "1号楼", "3单元"), (270, 198, "果园巷", "301号院", ""),
    (60, 110, "杨家坪小区", "4号楼", "1单元"), (240, 66, "坪上花园", "2号楼", "1单元"),
    # One entrance for two units.
    (240, 66, "坪上花园", "2号楼", "2单元"),
]  # fmt: skip
DAYS = (3, 76, 20, None, 9, 44, 70, 12, 28, 5, 61)
SIZES = [(1.0, False), (1.6, False), (1.0, True), (1.6, True)]
THIRD = f"{COMMUNITY}003"


def spot(column: int, row: int, x: float, y: float) -> tuple[float, float]:
    return 106.52 + (column * WIDE + x) / 92_400, 33.91 + (row * HIGH + y) / 111_320


def rows() -> list[WireOut]:
    """The northern cells from west to east, then the southern ones; the walls lean."""
    made: list[WireOut] = []
    for number in range(6):
        column, row = number % 3, 1 - number // 3
        code = f"{COMMUNITY}{number + 1:03d}"
        ring = [spot(column, row, *corner) for corner in ((0, 0), (WIDE, 0), (WIDE + 12, HIGH), (12, HIGH), (0, 0))]
        shape = {"type": "Polygon", "coordinates": [ring]}
        made.append(cell(code=code, name=f"杨家坪社区第{number + 1}网格", geometry=shape))
        made += [door for place in range(len(STAIRS)) for door in doors(code, column, row, place)]
    return made


def doors(code: str, column: int, row: int, place: int) -> list[HouseholdOut]:
    x, y, compound, building, unit = STAIRS[place]
    lon, lat = spot(column, row, x, y)
    where = {"area_code": code, "compound": compound, "building": building, "unit": unit, "lon": lon, "lat": lat}
    days = DAYS[(place + column) % len(DAYS)]
    seen = None if days is None else MONDAY - timedelta(days=days)
    return [household(room=f"{floor}01", last_seen_on=seen, due_on=None, size=1, **where) for floor in (1, 2, 3)]


async def community(folder: Path) -> AppContext:
    return await signed_in(folder, County(me()), *rows())


@pytest.mark.parametrize(("scale", "large"), SIZES)
async def test_cells_stairwells_and_a_person_stand_every_letter_size(
    phone, tmp_path, scale: float, large: bool
) -> None:
    ctx = await community(tmp_path)
    async with shown(phone, ctx, large=large) as p:
        Metrics.fontscale = scale
        await p.tap("网格")
        grid = ctx.session.grid
        chosen = f"{THIRD}|坪上花园|1号楼|2单元"
        steps = {
            "cells": lambda: None,
            "cell": lambda: grid.choose_cell(THIRD),
            "stairs": lambda: grid.choose_mark(chosen),
            "person": lambda: grid.choose_door(grid.doors[0].household_id),
        }
        for name, step in steps.items():
            step()
            await p.settle()
            p.picture(f"community-{name}-{scale}{'-large' if large else ''}")
            p.assert_nothing_clipped()
            p.assert_touch_targets()
            assert_marks_apart(p.find(id="map"))
        ground = p.find(id="map")
        places = {mark.key: place for mark, place in ground.placed()}
        assert not ground.crowded, "a chosen stairwell has its number"
        assert ground.collide_point(*places[chosen]), "the chosen stairwell is out of sight"


async def test_a_cell_opens_by_a_tap_on_the_map_and_back_shows_all_again(phone, tmp_path: Path) -> None:
    ctx = await community(tmp_path)
    grid = ctx.session.grid
    async with shown(phone, ctx) as p:
        await p.tap("网格")
        ground = p.find(id="map")
        await p.touch(*ground.to_window(*ground.at(spot(1, 0, 100, 40))))
        opened = grid.chosen_cell
        await p.touch(*ground.to_window(*ground.at(spot(1, 0, 60, 110))))
        stairs = grid.stair_title
        await p.touch(*ground.to_window(*ground.at(spot(1, 0, 140, 40))))
        let_go = grid.chosen_mark
        await p.press_back()
        together = (p.root.at, grid.overview)
        await p.tap("第6网格")
        by_tile = grid.chosen_cell
        await p.tap("全部网格")

        assert opened == f"{COMMUNITY}005"
        assert stairs == "4号楼 1单元"
        assert let_go == ""
        assert together == ("grid", True)
        assert by_tile == f"{COMMUNITY}006"
        assert grid.overview


async def test_all_cells_together_show_dots_and_a_closer_look_numbers(phone, tmp_path: Path) -> None:
    ctx = await community(tmp_path)
    async with shown(phone, ctx) as p:
        await p.tap("网格")
        ground = p.find(id="map")
        together = ground.crowded
        ground.look_closer(4, *ground.center)
        await p.settle()

        assert together
        assert not ground.crowded


@pytest.mark.parametrize("cells", [1, 6])
@pytest.mark.parametrize("unsent", [0, 12])
async def test_the_note_stands_beside_the_title(phone, tmp_path: Path, cells: int, unsent: int) -> None:
    mine = rows()
    ctx = await signed_in(tmp_path, County(me()), *(mine if cells > 1 else mine[: 1 + 3 * len(STAIRS)]))
    async with shown(phone, ctx) as p:
        for door in ctx.session.store.entities.all(HouseholdOut)[:unsent]:
            form = ctx.session.visit_form(door.id)
            form.choose_outcome("absent")
        await p.tap("网格")
        note, title = p.find(ctx.session.grid.title_note), p.find("我的网格")

        assert abs(note.center_y - title.center_y) < dp(4), f"{note.text} has fallen below the title"
