"""The national code lists that the register uses. Pure: the same on a server and on a phone without a network."""

import unicodedata
from datetime import date
from enum import StrEnum
from functools import lru_cache

from pydantic import Field

from shared import code_entries
from shared.types import WireOut


class ListName(StrEnum):
    """The lists by what they say about a person."""

    sex = "sex"
    marital = "marital"
    health = "health"
    employment = "employment"
    ethnicity = "ethnicity"
    education = "education"
    relation = "relation"
    relation_group = "relation_group"
    political = "political"
    occupation = "occupation"


class CodeEntry(WireOut):
    """A code and what it means; `parent` is the wider code of the same list."""

    code: str = Field(description="代码")
    name: str = Field(description="名称")
    parent: str | None = Field(description="上一级代码")


class CodeListHead(WireOut):
    """Which standard a list follows, in which edition, and from when until when it is used."""

    name: ListName = Field(description="代码表")
    title: str = Field(description="名称")
    standard: str = Field(description="标准号")
    edition: int = Field(description="版本（年）")
    valid_from: date = Field(description="从哪天起可用；不知道实施日期的，从版本年的第一天算")
    valid_until: date | None = Field(description="到哪天止（不含）；空表示现行")
    confirmed: bool = Field(description="内容已核实")
    note: str = Field(description="说明")


class CodeList(CodeListHead):
    """A code list with its entries."""

    entries: list[CodeEntry] = Field(description="条目")


_TWO_DIGITS = (ListName.ethnicity, ListName.relation, ListName.political)
"""Lists whose codes a spreadsheet that takes them for numbers robs of a zero."""

_OLD_MARITAL = {"1": "10", "2": "20", "3": "30", "4": "40", "9": "90"}


def code_lists() -> tuple[CodeList, ...]:
    return tuple(_lists().values())


def code_list(name: ListName) -> CodeList:
    return _lists()[name]


def lookup(name: ListName, code: str, on_day: date) -> CodeEntry | None:
    """Return the entry of a code, if the list has it and was in use on that day."""
    head = _lists()[name]
    if on_day < head.valid_from or (head.valid_until is not None and on_day >= head.valid_until):
        return None
    return _by_code(name).get(code)


def name_of(name: ListName, code: str) -> str:
    """Return what a code means, on whatever day it was written; a code that the list does not have, as it is."""
    entry = _by_code(name).get(code)
    return entry.name if entry else code


def by_name(name: ListName, words: str, on_day: date) -> CodeEntry | None:
    """Return the entry that people mean by these words: its name, or a usual other spelling (汉, 丈夫, 大专)."""
    code = _by_words(name).get(plain(words))
    return None if code is None else lookup(name, code, on_day)


def read(name: ListName, text: str, on_day: date) -> CodeEntry | None:
    """Return what a cell of a spreadsheet means: a code, a code that lost its leading zero, an old code, or words."""
    text = plain(text).removesuffix(".0")
    if name is ListName.marital:
        text = modern_marital(text)
    width = 2 if name in _TWO_DIGITS else 1
    found = lookup(name, text.zfill(width) if text.isdigit() else text, on_day)
    return found or by_name(name, text, on_day)


def modern_marital(code: str) -> str:
    """Turn a one-digit marital code of before 2003 into today's; any other code is returned as it is."""
    return _OLD_MARITAL.get(code, code)


def within(name: ListName, code: str, wider: str) -> bool:
    """Say whether a code is another one or stands under it: 长子 is a 子."""
    return code == wider or (code in _by_code(name) and _by_code(name)[code].parent == wider)


def plain(words: str) -> str:
    """Bring words to one form: half width, lower case, without spaces, brackets and the like."""
    kept = (char for char in unicodedata.normalize("NFKC", words).casefold() if char.isalnum() or char == ".")
    return "".join(kept)


@lru_cache(maxsize=1)
def _lists() -> dict[ListName, CodeList]:
    return {head.name: CodeList(**dict(head), entries=_entries(head.name)) for head in _HEADS}


@lru_cache(maxsize=16)
def _by_code(name: ListName) -> dict[str, CodeEntry]:
    return {entry.code: entry for entry in _lists()[name].entries}


@lru_cache(maxsize=16)
def _by_words(name: ListName) -> dict[str, str]:
    """Words to codes. Where two entries have the same name, the one with more digits counts: it is today's."""
    entries = sorted(_lists()[name].entries, key=lambda entry: len(entry.code))
    words = {plain(entry.name): entry.code for entry in entries}
    spelt = (line.rsplit(" ", 1) for line in code_entries.SPELLINGS[name].split("|") if line)
    words = {plain(spelling): code for spelling, code in spelt} | words
    if name is ListName.ethnicity:
        words |= {word.removesuffix("族"): code for word, code in words.items()}
    return words


def _entries(name: ListName) -> list[CodeEntry]:
    pairs = [line.split(" ", 1) for line in getattr(code_entries, name.upper()).split("|")]
    return [CodeEntry(code=code, name=words, parent=_parent(name, code)) for code, words in pairs]


def _parent(name: ListName, code: str) -> str | None:
    """A code stands under its tens, in the lists that are made so. Relations run on from 8x into 9x."""
    if name not in _BY_TENS or len(code) != 2 or code < "11":
        return None
    tens = "80" if name is ListName.relation and code > "80" else code[0] + "0"
    return None if tens == code else tens


_BY_TENS = (ListName.marital, ListName.health, ListName.education, ListName.relation)


def _head(
    name: ListName, title: str, standard: str, edition: int, valid_from: date | None = None, note: str = "",
    confirmed: bool = True,
) -> CodeListHead:  # fmt: skip
    return CodeListHead(
        name=name, title=title, standard=standard, edition=edition, valid_from=valid_from or date(edition, 1, 1),
        valid_until=None, confirmed=confirmed, note=note,
    )  # fmt: skip


_SINCE_2003, _SINCE_2009 = date(2003, 12, 1), date(2009, 1, 1)

_HEADS = (
    _head(ListName.sex, "人的性别代码", "GB/T 2261.1", 2003, _SINCE_2003),
    _head(
        ListName.marital, "婚姻状况代码", "GB/T 2261.2", 2003, _SINCE_2003,
        "旧的一位数代码 1、2、3、4、9 导入时换成 10、20、30、40、90。",
    ),
    _head(
        ListName.health, "健康状况代码", "GB/T 2261.3", 2003, _SINCE_2003,
        "部分核实：名称与多处公开代码表一致，标准原文未通读。", confirmed=False,
    ),
    _head(ListName.employment, "从业状况（个人身份）代码", "GB/T 2261.4", 2003, _SINCE_2003),
    _head(
        ListName.ethnicity, "中国各民族名称的罗马字母拼写法和代码", "GB/T 3304", 1991,
        note="56 个民族；97 其他、98 外国血统中国籍人士未核实，没有收入。",
    ),
    _head(ListName.education, "学历代码", "GB/T 4658", 2006, note="与一张 40 条的表核对。"),
    _head(
        ListName.relation, "家庭关系代码（两位）", "GB/T 4761", 2008, _SINCE_2009,
        "1984 年版的 03 小集体户户主、98 保姆已在这一版删去。",
    ),
    _head(ListName.relation_group, "家庭关系代码（一位）", "GB/T 4761", 2008, _SINCE_2009),
    _head(
        ListName.political, "政治面貌代码", "GB/T 4762", 1984, date(1985, 10, 1),
        "敏感信息：只在用得着时才问，只有工作人员看得到。",
    ),
    _head(ListName.occupation, "职业分类与代码（大类）", "GB/T 6565", 2015, note="只收大类。"),
)  # fmt: skip
