"""What an operation of the register says, in the words of the form it was written in."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from mobile.core import texts
from mobile.residents.choices import CODED, code_word, words_of
from shared.register import EVENT_WORDS, EventKind
from shared.residents import RELATION_WORDS, RESIDENCY_WORDS, Care, Relation, Residency, Sex

NOTHING = "没有写"
_SEX = {Sex.male: "男", Sex.female: "女"}
_WORDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "name": ("姓名", str),
    "sex": ("性别", lambda value: _SEX.get(Sex(value), "不清楚")),
    "birth_date": ("出生日期", lambda value: _day(value)),
    "phone": ("电话", lambda value: texts.phone(str(value))),
    "relation": ("和户主的关系", lambda value: RELATION_WORDS[Relation(value)]),
    "residency": ("人员状态", lambda value: RESIDENCY_WORDS[Residency(value)]),
    "care": ("关爱标签", lambda value: words_of(Care(item) for item in value)),
    "registered_place": ("户籍地", str),
    "note": ("备注", str),
    "kind": ("变动", lambda value: EVENT_WORDS[EventKind(value)]),
    "on": ("哪天", lambda value: _day(value)),
    "arrived": ("到了没有", lambda value: "到了" if value else "没有来"),
    "compound": ("小区或院名", str),
    "building": ("楼号", str),
    "unit": ("单元", str),
    "room": ("门牌", str),
}


def told(fields: Mapping[str, Any]) -> dict[str, str]:
    """Label and words of every field a person would ask about; ids and codes of places are not among them."""
    spoken: dict[str, str] = {}
    for field, value in fields.items():
        if field == "new_resident" and value:
            spoken |= {label: words for label, words in told(value).items() if words != NOTHING}
        elif field in CODED:
            spoken[CODED[field][0]] = code_word(field, value) if value else NOTHING
        elif field in _WORDS:
            label, word = _WORDS[field]
            spoken[label] = word(value) if value not in (None, "", []) else NOTHING
    return spoken


def _day(value: str) -> str:
    day = date.fromisoformat(value)
    return f"{day.year}年{texts.month_day(day)}"
