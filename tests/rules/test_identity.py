"""Identity numbers, household sums and search keys: pure rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.demo.ids import check_character
from backend.residents import rules, search
from backend.residents.rules import Member
from shared import identifiers
from shared.residents import Care, Relation, is_name

GOOD = "610330200001010011"


def test_the_last_character_must_fit_the_others():
    assert identifiers.is_id_number(GOOD)
    assert not identifiers.is_id_number(GOOD[:-1] + "2")


def test_x_counts_as_ten_in_upper_case():
    body = next(b for n in range(999) if check_character(b := f"61038819900101{n:03d}") == "X")

    assert identifiers.is_id_number(body + "X")
    assert not identifiers.is_id_number(body + "x")


@pytest.mark.parametrize(
    "number", ["", "6", GOOD[:17], GOOD + "1", "X" * 18, "６" + GOOD[1:], "-" + GOOD[1:], "٦" + GOOD[1:]]
)
def test_what_is_no_number_is_refused(number):
    assert not identifiers.is_id_number(number)


@given(st.integers(0, 10**17 - 1), st.integers(0, 16))
def test_one_wrong_digit_is_always_found(value, at):
    body = f"{value:017d}"
    wrong = body[:at] + str((int(body[at]) + 1) % 10) + body[at + 1 :]

    assert identifiers.is_id_number(body + check_character(body))
    assert not identifiers.is_id_number(wrong + check_character(body))


def test_a_household_is_named_after_its_head_and_carries_everybodys_labels_once():
    sums = rules.add_up(
        [
            Member("李梅", Relation.spouse, [Care.medication, Care.frail]),
            Member("王强", Relation.head, [Care.frail]),
        ]
    )

    assert sums == ("王强", 2, [Care.frail, Care.medication])


def test_a_household_without_a_head_is_named_after_the_first_and_an_empty_one_after_nobody():
    assert rules.add_up([Member("李梅", Relation.other, []), Member("李丽", Relation.other, [])]).head_name == "李梅"
    assert rules.add_up([]) == ("", 0, [])


@pytest.mark.parametrize(
    ("phone", "shown"), [("13812345678", "138****5678"), ("4761234", "****34"), ("120", "****20"), (None, None)]
)
def test_a_masked_phone_cannot_be_called(phone, shown):
    assert rules.mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("王小华", "王小华"), ("王小华", "小华"), ("王小华", "wangxiaohua"), ("王小华", "xiaohua"), ("王小华", "wxh"),
        ("王小华", "xh"), ("单雄信", "shanxx"[:4]), ("单雄信", "sxx"), ("仇英", "qiuying"), ("解缙", "xiejin"),
        ("曾国藩", "zengguofan"), ("尉迟恭", "yuchi"), ("万俟卨", "moqi"), ("吕布", "lvbu"), ("长安", "changan"),
        ("乐天", "yuetian"), ("阿依古丽·买买提", "买买提"), ("阿依古丽·买买提", "aygl"), ("Tom Lee", "tomlee"),
    ],
)  # fmt: skip
def test_a_person_is_found_by(name, typed):
    assert any(key.startswith(search.normalise(typed)) for key in search.person_keys(name, None))


def test_a_phone_is_found_by_any_four_digits_of_it_and_by_its_end():
    keys = search.person_keys("王", "+86 138-1234-5678")

    for typed in ("13812345678", "8613812345678", "138 1234", "5678", "234567"):
        assert any(key.startswith(search.normalise(typed)) for key in keys), typed
    assert "678" not in keys


def test_a_door_is_found_by_its_compound_and_its_numbers():
    keys = search.door_keys("河滨小区", "3号楼", "2单元", "302")

    for typed in ("河滨", "小区", "hbxq", "hebin", "3号楼2单元302", "2单元", "302"):
        assert any(key.startswith(typed) for key in keys), typed


@given(st.text(max_size=60), st.none() | st.text("0123456789 -", min_size=5, max_size=20))
def test_whatever_the_name_the_keys_are_few_and_short(name, phone):
    keys = search.person_keys(name, phone)

    assert len(keys) == len(set(keys)) <= 64
    assert all(0 < len(key) <= 100 and "\x00" not in key for key in keys)


@pytest.mark.parametrize(
    "name", ["何长顺", "阿依古丽·买买提", "O'Brien-Smith", "Nguyễn Văn An", "㛃", "小王（租户）", "张3"]
)
def test_whatever_people_are_called_is_a_name(name):
    assert is_name(name)


@pytest.mark.parametrize("text", ["", "=1+1", "＝A1", "+张", "-", "@sum(a1)", "12345", "……", "（）"])
def test_a_formula_and_what_holds_no_letter_is_no_name(text):
    assert not is_name(text)
