"""What a worker chooses instead of typing: the common answers first, the whole list behind 更多."""

from collections.abc import Iterable, Sequence
from functools import partial

from shared.codes import ListName, code_list, name_of
from shared.register import EVENT_WORDS, EventKind
from shared.residents import CARE_WORDS, RELATION_WORDS, RESIDENCY_WORDS, Care, Relation, Residency, Sex
from shared.texts import _

Option = tuple[str, str, str]
MORE: Option = ("more", _("更多"), "dots-three")

EVENT_ICONS = {
    EventKind.birth: "baby",
    EventKind.death: "flower-lotus",
    EventKind.settle: "house-line",
    EventKind.float: "suitcase",
    EventKind.move_in: "door-open",
    EventKind.move_out: "truck",
}
EVENTS: list[Option] = [(kind.value, EVENT_WORDS[kind], EVENT_ICONS[kind]) for kind in EventKind]
SEXES: list[Option] = [(Sex.male.value, _("男"), ""), (Sex.female.value, _("女"), "")]
RESIDENCIES: list[Option] = [(item.value, RESIDENCY_WORDS[item], "") for item in Residency]
CARES: list[Option] = [(item.value, CARE_WORDS[item], "") for item in Care]
CODED: dict[str, tuple[str, ListName, tuple[str, ...]]] = {
    "ethnicity": (_("民族"), ListName.ethnicity, ("01", "03", "04", "06", "33")),
    "marital": (_("婚姻"), ListName.marital, ("10", "20", "30", "40")),
    "education": (_("学历"), ListName.education, ("81", "71", "61", "31", "21")),
    "employment": (_("在做什么"), ListName.employment, ("27", "31", "54", "80", "70")),
    "occupation": (_("职业"), ListName.occupation, ("50000", "40000", "60000", "20000", "30000")),
    "political": (_("政治面貌"), ListName.political, ("13", "01", "03")),
}
"""Field of a person: its label, its list, and the codes that most people here have."""

_CLOSE = (Relation.head, Relation.spouse, Relation.son, Relation.daughter, Relation.father, Relation.mother)
_IN_LAWS = (Relation.daughter_in_law, Relation.grandson, Relation.granddaughter)
_CHILDREN = {
    Sex.male: (Relation.son, Relation.grandson, Relation.daughters_son),
    Sex.female: (Relation.daughter, Relation.granddaughter, Relation.daughters_daughter),
}


_SPOKEN = {Relation.father: _("父亲"), Relation.mother: _("母亲")}
_OCCUPATIONS = {
    "10000": _("单位负责人"),
    "20000": _("技术人员"),
    "30000": _("办事人员"),
    "40000": _("做生意、服务"),
    "50000": _("务农"),
    "60000": _("做工"),
    "70000": _("军人"),
    "80000": _("别的"),
}
"""What people say for the major groups of GB/T 6565, whose own names fill two lines."""


def relations(chosen: str = "") -> list[Option]:
    """The common relations to the head, and one that was chosen from the whole list."""
    common = [(item.value, _relation(item), "") for item in (*_CLOSE, *_IN_LAWS)]
    return with_chosen(common, chosen, _relation)


def newborn_relations(sex: str) -> list[Option]:
    known = _CHILDREN.get(Sex(sex), (Relation.son, Relation.daughter)) if sex else (Relation.son, Relation.daughter)
    return [(item.value, RELATION_WORDS[item], "") for item in (*known, Relation.other)]


def all_relations() -> list[Option]:
    return [(item.value, RELATION_WORDS[item], "") for item in Relation]


def coded(field: str, chosen: str = "") -> list[Option]:
    _label, _name, common = CODED[field]
    return with_chosen([(code, code_word(field, code), "") for code in common], chosen, partial(code_word, field))


def all_coded(field: str) -> list[Option]:
    return [(entry.code, code_word(field, entry.code), "") for entry in code_list(CODED[field][1]).entries]


def code_word(field: str, code: str) -> str:
    """What people say for a code of a field."""
    spoken = _OCCUPATIONS.get(code) if field == "occupation" else None
    return spoken or name_of(CODED[field][1], code)


def with_chosen(options: Sequence[Option], chosen: str, word: object) -> list[Option]:
    """A chip for what was chosen, even when it is a rare one."""
    known = {value for value, _word, _icon in options}
    rare = [(chosen, word(chosen), "")] if chosen and chosen not in known and callable(word) else []
    return [*options, *rare, MORE]


def words_of(care: Iterable[Care]) -> str:
    return _("、").join(CARE_WORDS[item] for item in care)


def _relation(code: str) -> str:
    return _SPOKEN.get(Relation(code), RELATION_WORDS[Relation(code)])
