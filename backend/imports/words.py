"""What the words in a sheet's cells mean, one distinct value at a time."""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Final

from shared.codes import ListName, plain, read
from shared.residents import CARE_WORDS, RESIDENCY_WORDS, Care, Relation, Residency
from shared.sealed import POVERTY_WORDS

_YES: Final = frozenset(["是", "有", "1", "√", "✓", "✔", "☑", "y", "yes", "true", "对", "●", "○", "1.0"])
_NO: Final = frozenset(["否", "无", "0", "n", "no", "false", "不是", "没有", "×", "✗", "x", "/", "-", "—", "0.0"])

_RESIDENCIES: Final = {word: residency for residency, word in RESIDENCY_WORDS.items()} | {
    word: residency
    for residency, words in {
        Residency.registered: "户籍人口 本地户籍 在户 户在人不在户内 户籍人员 空挂户",
        Residency.living: "常住人口 人户一致 人在户在 在住 人户分离常住 户籍常住 常住居民 实有人口",
        Residency.floating: "流动人口 流入 暂住 寄住 租住 人在户不在 外来人口 流动人员 租户",
        Residency.away: "外出务工 流出 户在人不在 在外 外出人员 外出人口",
    }.items()
    for word in words.split()
}
_CARES: Final = {word: care for care, word in CARE_WORDS.items()} | {
    "独居老人": Care.alone, "空巢老人": Care.empty_nest, "留守儿童": Care.left_behind, "留守老人": Care.left_behind,
    "留守妇女": Care.left_behind, "失独家庭": Care.bereaved, "退伍军人": Care.veteran, "困境儿童": Care.minor_alone,
    "无人照看儿童": Care.minor_alone, "行动不便": Care.frail,
}  # fmt: skip
_POVERTIES: Final = {word: code for code, word in POVERTY_WORDS.items()} | {
    word: code
    for code, words in {
        "1": "特困 特困人员 特困供养人员 五保 五保户",
        "2": "低保 低保户 低保对象 农村低保 城市低保 城镇低保 最低生活保障对象",
        "3": "低保边缘 低保边缘户 低收入 低收入家庭",
        "4": "支出型困难 支出型困难家庭 刚性支出困难家庭",
        "5": "监测户 监测对象 防返贫监测对象 防返贫监测户",
        "6": "脱贫 已脱贫 建档立卡脱贫户",
    }.items()
    for word in words.split()
}
_GRADE: Final = re.compile("([一二三四1-4]) *级|([1-4])$")
_GRADES: Final = {"一": "1", "二": "2", "三": "3", "四": "4"}
_BETWEEN: Final = re.compile(r"[,，、;；/\s]+")


@lru_cache(maxsize=4096)
def coded(of: ListName, day: date, text: str) -> str | None:
    entry = read(of, text, day)
    return entry.code if entry else None


def relation(day: date, text: str) -> str | None:
    code = coded(ListName.relation, day, text)
    return code if code in set(Relation) else None


def residency(text: str) -> str | None:
    found = _RESIDENCIES.get(plain(text)) or _RESIDENCIES.get(text)
    return found.value if found else None


def yes_or_no(text: str) -> str | None:
    word = text.strip().casefold()
    if word in _NO:
        return "no"
    return "yes" if word in _YES or word in _CARES else None


def care(text: str) -> str | None:
    """Return the labels that a list of words names; None when one of them is no label."""
    parts = [part for part in _BETWEEN.split(text) if part and part not in _NO]
    labels = [_CARES.get(part) for part in parts]
    return None if None in labels else ",".join(label.value for label in labels if label)


def care_in_order(labels: str) -> str:
    """Return labels once each, in the order of the catalogue."""
    given = set(labels.split(","))
    return ",".join(label.value for label in Care if label.value in given)


def plain_cell(text: str) -> str:
    """Bring a cell's code or name to one form: a spreadsheet turns codes into numbers."""
    return re.sub(r"\s|\.0$", "", text)


def spoken_community(name: str) -> str:
    """Return what a community is called: without the committee of its official name."""
    return re.sub("(居民|村民)?委员会$|(居|村)委会$", "", name)


def disability(day: date, text: str) -> str | None:
    """Return kind and grade ("64:2") of what two cells say, joined by |; "" for none, None for what is not clear.

    The grade may stand in either: 肢体二级, or 肢体残疾 beside 二级.
    """
    kind, grade = (unicodedata.normalize("NFKC", part).strip().casefold() for part in text.split("|", 1))
    if all(part in _NO or not part for part in (kind, grade)):
        return ""
    found = _GRADE.search(grade.removesuffix(".0")) if grade else re.search("([一二三四1-4]) *级", kind)
    code = coded(ListName.health, day, re.sub("[(（]?[一二三四1-4] *级[)）]?", "", kind))
    if found is None or code is None or not "61" <= code <= "69":
        return None
    said = found.group(1) or found.group(2)
    return f"{code}:{_GRADES.get(said, said)}"


def poverty(text: str) -> str | None:
    """Return the kind of hardship, "" for none, None for what is not clear."""
    word = unicodedata.normalize("NFKC", text).strip().removesuffix(".0")
    if word.casefold() in _NO:
        return ""
    return word if word in POVERTY_WORDS else _POVERTIES.get(word)


def subsistence(text: str) -> str | None:
    """Return the kind of hardship of a column that asks for one of them: 是 is 低保."""
    return "2" if text.strip().casefold() in _YES else poverty(text)
