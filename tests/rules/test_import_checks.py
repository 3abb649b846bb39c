"""What the cells of a sheet mean, and what is said about those that mean nothing."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.grid.locate import CountyGrid
from backend.imports import checks, dates, repeats
from backend.imports.checks import Checked, World
from backend.imports.known import Known, counted
from backend.imports.prepare import search_keys
from backend.imports.repeats import Repeats, Seen
from backend.residents.search import person_keys
from shared.identifiers import full_id_number
from shared.imports import Column
from shared.residents import NOT_A_NAME
from tests.factories import CELL, COMMUNITY

WORLD = World(
    day=date(2026, 11, 22), cells={CELL: CELL, "第三网格": CELL}, mine=lambda code: code.startswith(COMMUNITY),
    default=COMMUNITY, grid=CountyGrid(None, []),
    buildings=pl.DataFrame(schema={"compound": pl.String, "building": pl.String, "area_of_building": pl.String}),
)  # fmt: skip


def checked(*rows: Mapping[str, str], carry: str = "") -> Checked:
    """Check rows given by what their columns mean."""
    named = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[str(at), *(row.get(name, "") for name in named)] for at, row in enumerate(rows, 2)]
    frame = pl.DataFrame(cells, schema=["row", *(f"c{at}" for at in range(len(named)))], orient="row")
    return checks.check(frame, [Column(name) for name in named], WORLD, carry)


def value(column: str, **row: str) -> object:
    return checked({"name": "何长顺", "cell": CELL} | row).good[column][0]


@given(st.text(alphabet="0123456789Xx", min_size=14, max_size=19) | st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True))
def test_numbers_in_columns_are_judged_as_one_by_one(number):
    found = checked({"name": "何长顺", "cell": CELL, "id_number": number})

    impossible = found.issues["words"].str.contains("日期不存在").any()
    stored = found.good["number"][0] if found.good.height else None
    assert stored == (None if impossible else full_id_number(number))


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("1954-03-08", date(1954, 3, 8)), ("1954/3/8", date(1954, 3, 8)), ("1954.3.8", date(1954, 3, 8)),
        ("1954年3月8日", date(1954, 3, 8)), ("19540308", date(1954, 3, 8)), ("１９５４－０３－０８", date(1954, 3, 8)),
        ("1954-03-08 00:00:00", date(1954, 3, 8)), ("19791", date(1954, 3, 8)),
        ("1954-13-08", None), ("1954-02-30", None), ("1954", None), ("不知道", None),
    ],
)  # fmt: skip
def test_dates_are_read_as_people_type_them(typed, day):
    assert pl.DataFrame({"d": [typed]}).select(dates.parsed(pl.col("d"))).item() == day


@pytest.mark.parametrize(
    ("column", "typed", "meant"),
    [
        ("sex", "男", "1"), ("sex", "女性", "2"), ("relation", "妻", "12"), ("relation", "长子", "22"),
        ("residency", "户籍人口", "registered"), ("residency", "租户", "floating"), ("ethnicity", "汉族", "01"),
        ("marital", "2", "20"), ("phone", "126 0000 2706", "12600002706"), ("phone", "+86 12600002706", "12600002706"),
        ("building", "3", "3号楼"), ("building", "3号楼", "3号楼"), ("unit", "2.0", "2单元"), ("room", "302室", "302"),
        ("area", "", CELL), ("care", "独居、退役军人", "alone,veteran"),
    ],
)  # fmt: skip
def test_words_become_codes_and_doors_one_form(column, typed, meant):
    assert value(column, **({} if column == "area" else {column: typed})) == meant


def test_a_free_address_is_taken_apart_as_far_as_it_speaks_of_a_door():
    good = checked({"name": "何长顺", "cell": CELL, "address": "河滨小区3号楼2单元302室"}).good

    assert good.select("compound", "building", "unit", "room").row(0) == ("河滨小区", "3号楼", "2单元", "302")


def test_birth_and_sex_come_from_the_number_where_the_sheet_is_silent():
    number = full_id_number("610399540308001")
    assert number is not None

    good = checked({"name": "何长顺", "cell": CELL, "id_number": number}).good

    assert good.select("birth", "sex").row(0) == (date(1954, 3, 8), "1")


def test_a_disagreement_with_the_number_is_a_warning_and_the_sheet_stands():
    number = full_id_number("610399540308001")
    assert number is not None

    found = checked({"name": "何长顺", "cell": CELL, "id_number": number, "birth_date": "1955-03-08", "sex": "女"})

    assert found.good.select("birth", "sex").row(0) == (date(1955, 3, 8), "2")
    assert found.issues["grade"].to_list() == ["warned", "warned"]


@pytest.mark.parametrize("typed", ["=1+1", "@sum(a1)", "-", "＋86", "123", "？"])
def test_what_is_no_name_keeps_its_row_out_with_one_reason(typed):
    found = checked({"name": typed, "cell": CELL})

    assert found.good.is_empty()
    assert found.issues.select("grade", "column", "words").rows() == [("refused", "name", NOT_A_NAME)]


@pytest.mark.parametrize(("typed", "grades"), [("O'Brien-Smith", []), ("阿依古丽·买买提", []), ("张三2", ["warned"])])
def test_odd_looking_names_of_people_come_in(typed, grades):
    found = checked({"name": typed, "cell": CELL})

    assert found.good["name"].to_list() == [typed]
    assert found.issues["grade"].to_list() == grades


def test_members_of_a_household_whose_door_is_one_merged_cell_stay_together_over_slices():
    first = checked(
        {"name": "何长顺", "cell": CELL, "relation": "户主", "room": "302"}, {"name": "李秀英", "relation": "妻"}
    )
    second = checked({"name": "何小顺", "relation": "长子"}, carry=first.carry)

    keys = [*first.good["hkey"].to_list(), *second.good["hkey"].to_list()]
    assert len(set(keys)) == 1


def test_the_same_person_further_down_is_refused_with_the_row_that_has_it():
    so_far, people = Repeats(), [{"name": name, "cell": CELL, "room": "1"} for name in ("甲", "乙", "甲")]
    here = so_far.find(checked(*people).good)
    later = so_far.find(checked(people[1]).good.with_columns(row=pl.lit(99, pl.Int64)))

    assert here.select("row", "words").rows() == [(4, "和第 2 行是同一个人。")]
    assert later.select("row", "words").rows() == [(99, "和第 3 行是同一个人。")]


def test_however_long_the_sheet_a_repeat_names_the_first_row_that_has_it():
    seen, total, size = Seen(), 5 * repeats.LONG, 10_000
    keys = np.random.default_rng(1).permutation(np.arange(total, dtype=np.uint64) * np.uint64(2))
    rows = np.arange(2, total + 2, dtype=np.int32)
    for at in range(0, total, size):
        # Every slice repeats the first hundred keys too, as refused rows do.
        seen.add(np.append(keys[at : at + size], keys[:100]), np.append(rows[at : at + size], rows[at : at + 100]))

    assert np.array_equal(seen.first_rows(keys), rows)
    assert not seen.first_rows(keys + np.uint64(1)).any()


def test_namesakes_at_other_doors_are_two_people():
    people = [{"name": "甲", "cell": CELL, "room": room} for room in ("1", "2")]

    assert Repeats().find(checked(*people).good).is_empty()


@pytest.mark.parametrize(
    ("said", "sealed"),
    [
        ({"disability": "肢体二级"}, "64:2"), ({"disability": "听力残疾（三级）"}, "62:3"),
        ({"disability": "视力1级"}, "61:1"), ({"disability": "肢体残疾", "disability:grade": "四级"}, "64:4"),
        ({"disability": "64", "disability:grade": "2.0"}, "64:2"), ({"disability": "无"}, None),
        ({"disability": "否", "disability:grade": "无"}, None),
    ],
)  # fmt: skip
def test_a_disability_is_read_as_kind_and_grade(said, sealed):
    assert value("disability", **said) == sealed


@pytest.mark.parametrize(
    "said",
    [
        {"disability": "是"}, {"disability": "肢体残疾"}, {"disability": "二级"}, {"disability": "慢性病二级"},
        {"disability": "肢体五级"}, {"disability:grade": "二级"}, {"poverty": "也许"}, {"poverty": "7"},
        {"poverty:2": "也许"}, {"poverty": "特困供养", "poverty:2": "是"},
    ],
)  # fmt: skip
def test_what_would_be_sealed_half_understood_keeps_its_row_out_and_is_not_shown(said):
    found = checked({"name": "何长顺", "cell": CELL} | said)

    assert found.good.is_empty()
    assert set(found.issues["grade"]) == {"refused"}
    assert set(found.issues["value"]) == {""}


@pytest.mark.parametrize(
    ("said", "sealed"),
    [
        ({"poverty": "低保户"}, "2"), ({"poverty": "3"}, "3"), ({"poverty": "建档立卡脱贫户"}, "6"),
        ({"poverty:2": "是"}, "2"), ({"poverty:2": "√", "poverty": "最低生活保障"}, "2"),
        ({"poverty:2": "低保边缘"}, "3"), ({"poverty:2": "否", "poverty": "无"}, None),
        ({"poverty": "五保", "poverty:2": "否"}, "1"),
    ],
)  # fmt: skip
def test_hardship_is_read_from_either_of_its_columns(said, sealed):
    assert value("poverty", **said) == sealed


@pytest.mark.parametrize("phone", ["12600002706", "", "0917-7212345", "+86 12600002706"])
@pytest.mark.parametrize("name", ["何长顺", "单晓", "Ann 2706", "王12600002706"])
def test_a_sheet_makes_the_search_keys_of_name_and_phone_once_each(name, phone):
    good = checked({"name": name, "cell": CELL, "phone": phone}).good

    lines = search_keys(good).decode().split()

    assert sorted(lines) == sorted(f"2,{key}" for key in {*person_keys(name, None), *_ends(good["phone"][0])})


def _ends(phone: str | None) -> list[str]:
    digits = "".join(char for char in phone or "" if char.isdigit())
    return [digits[at:] for at in range(len(digits) - 3)]


def test_search_keys_come_in_the_order_of_their_index():
    people = [{"name": name, "cell": CELL, "phone": f"1260000{at:04}"} for at, name in enumerate("甲乙丙丁戊")]

    keys = [line.split(",")[1] for line in search_keys(checked(*people).good).decode().split()]

    assert keys == sorted(keys, key=str.encode)


@pytest.mark.parametrize("decided", ["head", "area", "id_number", "disability", "poverty"])
def test_what_a_person_decides_stays_listed_beside_what_a_sheet_changes(decided):
    known = Known(2, UUID(int=1), ("phone", decided))

    assert (known.can_update, known.decided) == (("phone",), (decided,))
    assert counted([known], {2}) == {"same": 0, "differs": 1, "can_update": 1, "updated": 1}


def test_nothing_of_somebody_who_has_left_can_be_updated():
    assert Known(2, UUID(int=1), ("phone", "left")).can_update == ()
