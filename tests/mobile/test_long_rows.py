"""A list of thousands: as few rows as the screen shows, every one within reach, and what is read stays in place."""

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from kivy.lang import Builder
from kivy.uix.widget import Widget

from mobile.widgets.lists import Item, PressRow
from mobile.widgets.long_rows import LongRows
from mobile.widgets.tokens import T
from tests.mobile import sight

pytestmark = pytest.mark.display

MANY = 2000
SCREENFUL = 28
"""More rows than a phone shows with the reserve above and below it."""

PAGE = """
#:import T mobile.widgets.tokens.T
<NumberedRow>:
    padding: dp(16), dp(14)
    on_release: self.tapped.append(self.item.number)
    Txt:
        raw: root.item.words
Page:
    orientation: 'vertical'
    Scroll:
        id: scroll
        Body:
            Txt:
                id: above
                raw: '名单'
            Group:
                LongRows:
                    id: rows
                    ruled: True
                    row: 'NumberedRow'
"""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    words: str


class NumberedRow(Item, PressRow):
    tapped: list[int]


def people(count: int = MANY) -> list[Line]:
    """Every seventh says more than one line holds."""
    return [Line(at, f"第 {at} 户" + "，门前有台阶，腿脚不便" * (4 if at % 7 == 3 else 0)) for at in range(count)]


@pytest.fixture
def page():
    NumberedRow.tapped = []

    def built() -> Widget:
        root = Builder.load_string(PAGE, filename=__file__)
        root.ids.rows.items = people()
        return root

    yield built
    Builder.unload_file(__file__)


def rows_of(p) -> list[Widget]:
    return [widget for widget in p.root.walk(restrict=True) if isinstance(widget, NumberedRow)]


def on_top(p) -> tuple[int, float]:
    """Which row the upper edge of the screen cuts, and how far below that edge it begins."""
    edge = p.find(id="scroll").top
    seen = [(row.to_window(row.x, row.top)[1], row) for row in rows_of(p)]
    top, row = min((one for one in seen if one[0] - one[1].height < edge), key=lambda one: -one[0])
    return row.item.number, top - edge


async def scrolled(p, share: float) -> None:
    p.find(id="scroll").scroll_y = share
    await p.settle()


async def test_two_thousand_people_take_a_screenful_of_rows(phone, page) -> None:
    async with phone(page) as p:
        made = {id(row) for row in rows_of(p)}
        for share in (0.9, 0.5, 0.1, 0.0, 1.0):
            await scrolled(p, share)
            made |= {id(row) for row in rows_of(p)}

        assert 0 < len(rows_of(p)) <= SCREENFUL
        assert len(made) <= 2 * SCREENFUL


@pytest.mark.parametrize("scale", [1.0, 1.6, 2.0])
@pytest.mark.parametrize("large", [False, True])
async def test_the_list_begins_with_its_first_rows(phone, page, scale, large) -> None:
    async with phone(page, scale=scale, large=large) as p:
        assert {0, 1, 2} <= {row.item.number for row in rows_of(p)}
        assert p.shows("第 0 户")


@pytest.mark.parametrize("scale", [1.0, 2.0])
async def test_the_last_row_can_be_reached_and_is_the_one_that_answers(phone, page, scale) -> None:
    async with phone(page, scale=scale) as p:
        for _ in range(3):  # the end is known when the rows before it have been seen
            await scrolled(p, 0.0)
        await p.tap(f"第 {MANY - 1} 户")

        assert NumberedRow.tapped == [MANY - 1]
        p.assert_nothing_clipped()


async def test_rows_follow_one_another_without_gap_or_overlap(phone, page) -> None:
    async with phone(page) as p:
        await scrolled(p, 0.37)

        rows = sorted(rows_of(p), key=lambda row: row.item.number)
        numbers = [row.item.number for row in rows]

        assert numbers == list(range(numbers[0], numbers[0] + len(rows)))
        assert [round(above.y - below.top) for above, below in pairwise(rows)] == [1] * (len(rows) - 1)
        assert len({round(row.height) for row in rows}) > 1


async def test_what_changes_while_it_is_looked_at_changes_on_the_screen(phone, page) -> None:
    async with phone(page) as p:
        lines = people()
        p.find(id="rows").items = [replace(lines[0], words="刚刚送到"), *lines[1:]]
        await p.settle()

        assert p.shows("刚刚送到")
        assert not p.shows("第 0 户")


async def test_what_is_read_stays_in_place_when_the_list_below_it_grows(phone, page) -> None:
    async with phone(page) as p:
        p.find(id="rows").items = people(200)
        await scrolled(p, 0.5)
        before = on_top(p)

        p.find(id="rows").items = people(400)
        await p.settle()

        assert on_top(p) == pytest.approx(before, abs=1)


async def test_a_shorter_list_leaves_no_rows_behind(phone, page) -> None:
    async with phone(page) as p:
        await scrolled(p, 0.0)
        p.find(id="rows").items = people(2)
        await p.settle()

        assert [row.item.number for row in sorted(rows_of(p), key=lambda row: -row.y)] == [0, 1]
        assert p.find(id="rows").height == pytest.approx(sum(row.height for row in rows_of(p)) + 1, abs=1)
        assert not sight.faults(p.root)


async def test_letters_that_grow_leave_every_row_its_room(phone, page) -> None:
    async with phone(page) as p:
        await scrolled(p, 0.5)
        T.large = True
        await p.settle()

        p.assert_nothing_clipped()
        rows = sorted(rows_of(p), key=lambda row: row.item.number)
        assert all(above.y >= below.top for above, below in pairwise(rows))


def test_a_list_outside_a_scroll_has_no_rows_in_sight() -> None:
    rows = LongRows(row="NumberedRow", items=people(3))

    rows.do_layout()

    assert rows.children == []
