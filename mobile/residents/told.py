"""What an operation of the register says, in the words of the form it was written in."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from mobile.core import texts
from mobile.residents.choices import CODED, code_word, words_of
from shared.register import EVENT_WORDS, EventKind
from shared.residents import RELATION_WORDS, RESIDENCY_WORDS, Care, Relation, Residency, Sex
from shared.texts import _

NOTHING = _("没有写")
_SEX = {Sex.male: _("男"), Sex.female: _("女")}
_WORDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "name": (_("姓名"), str),
    "sex": (_("性别"), lambda value: _SEX.get(Sex(value), _("不清楚"))),
    "birth_date": (_("出生日期"), lambda value: _day(value)),
    "phone": (_("电话"), lambda value: texts.phone(str(value))),
    "relation": (_("和户主的关系"), lambda value: RELATION_WORDS[Relation(value)]),
    "residency": (_("人员状态"), lambda value: RESIDENCY_WORDS[Residency(value)]),
    "care": (_("关爱标签"), lambda value: words_of(Care(item) for item in value)),
    "registered_place": (_("户籍地"), str),
    "note": (_("备注"), str),
    "kind": (_("变动"), lambda value: EVENT_WORDS[EventKind(value)]),
    "on": (_("哪天"), lambda value: _day(value)),
    "arrived": (_("到了没有"), lambda value: _("到了") if value else _("没有来")),
    "compound": (_("小区或院名"), str),
    "building": (_("楼号"), str),
    "unit": (_("单元"), str),
    "room": (_("门牌"), str),
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
    return _("{year}年{day}").format(year=day.year, day=texts.month_day(day))
