"""What a waiting operation says, in words. It may be of a shape that this app never wrote: then it says less."""

from collections.abc import Callable, Mapping
from typing import Any

from mobile.residents import doubts, links
from mobile.residents.told import told
from shared.conflicts import ConflictOut
from shared.register import EVENT_WORDS
from shared.requests import CATEGORIES, STATE_WORDS, RequestState
from shared.sync import OperationKind
from shared.texts import _
from shared.visits import FINDING_WORDS, MODE_WORDS, OUTCOME_WORDS, Finding, VisitMode, VisitOutcome

Reader = Callable[[Mapping[str, Any]], dict[str, str]]
ID_NUMBER = "id_number"
COMPARED = (OperationKind.resident_edit, OperationKind.link_edit, OperationKind.household_put)
"""Of these the register has a value for every field; of the others only for what the item names."""

KIND_WORDS = {
    OperationKind.visit_record: _("走访"),
    OperationKind.household_put: _("住处"),
    OperationKind.resident_put: _("登记"),
    OperationKind.resident_edit: _("登记"),
    OperationKind.register_event: _("人员变动"),
    OperationKind.move_settle: _("搬来核实"),
    OperationKind.follow_up_open: _("走访带回的事"),
    OperationKind.link_put: _("联系人"),
    OperationKind.link_edit: _("登记"),
    OperationKind.link_end: _("联系人"),
    OperationKind.request_report: _("上报"),
    OperationKind.request_step: _("办理"),
}
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


def kind_word(item: ConflictOut) -> str:
    """走访, or of an event which one: 死亡."""
    if item.kind == OperationKind.register_event:
        event = next((one.mine for one in item.fields if one.field == "kind"), None)
        return next((word for kind, word in EVENT_WORDS.items() if kind == event), _("人员变动"))
    return next((word for kind, word in KIND_WORDS.items() if kind == item.kind), _("一条记录"))


def spoken(item: ConflictOut, fields: Mapping[str, Any]) -> dict[str, str]:
    """Label and words of these fields of an item; what cannot be read is left out."""
    said: dict[str, str] = {}
    reader = _READERS.get(item.kind)
    for part in [fields] if reader else [{name: value} for name, value in fields.items()]:
        try:
            said |= (reader or told)(part)
        except _UNREADABLE:
            continue
    return said | _number(fields)


def _number(fields: Mapping[str, Any]) -> dict[str, str]:
    new = fields.get("new_resident")
    number = fields.get(ID_NUMBER) or (new.get(ID_NUMBER) if isinstance(new, Mapping) else None)
    return {_("身份证号"): str(number)} if number else {}


def _visit(fields: Mapping[str, Any]) -> dict[str, str]:
    return _filled({
        _("怎么见的"): MODE_WORDS[VisitMode(fields["mode"])],
        _("结果"): OUTCOME_WORDS[VisitOutcome(fields["outcome"])],
        _("情况"): _("、").join(FINDING_WORDS[Finding(one)] for one in fields.get("findings", ())),
        _("说明"): fields.get("note"),
    })  # fmt: skip


def _report(fields: Mapping[str, Any]) -> dict[str, str]:
    return _filled({
        _("事项"): CATEGORIES[fields["category"]].title,
        _("在哪里"): fields.get("place_note"),
        _("说明"): fields.get("detail"),
    })  # fmt: skip


def _step(fields: Mapping[str, Any]) -> dict[str, str]:
    return _filled({_("到哪一步"): STATE_WORDS[RequestState(fields["to"])], _("理由"): fields.get("reason")})


def _filled(words: Mapping[str, Any]) -> dict[str, str]:
    return {label: str(value) for label, value in words.items() if value}


_READERS: dict[str, Reader] = {
    OperationKind.visit_record: _visit,
    OperationKind.request_report: _report,
    OperationKind.request_step: _step,
    OperationKind.link_put: links.told,
    OperationKind.link_edit: links.edited,
    OperationKind.link_end: links.told,
    OperationKind.correction_settle: doubts.told,
}
