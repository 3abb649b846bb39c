"""待核对: what waits for a decision as its card shows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mobile.conflicts import words
from mobile.core import texts
from mobile.residents import links, rules
from mobile.residents.told import NOTHING
from mobile.store.store import Store
from shared.auth import MeOut, Role
from shared.conflicts import ConflictChoice, ConflictOut, ConflictSide, ConflictState, for_coordinators, mark_of
from shared.errors import Code
from shared.grid import CellOut
from shared.links import LinkOut
from shared.residents import HouseholdOut, ResidentOut
from shared.texts import _
from shared.types import is_within

COORDINATORS = (Role.community_worker, Role.county_admin)
SHORT = 16
"""Characters of a value up to which it is written large."""

REASONS = {
    Code.edit_conflict: _("两个人改得不一样"),
    Code.merged: _("写的时候还没并成一条"),
    Code.handed_over: _("写的人已经不管这一户"),
    Code.rescued: _("没有直接办"),
}
RESCUED = _("从停用的手机里、或从不再管这里的人那里取回来的，还没有办。")
SERIOUS = _("身份证号和死亡，由社区工作人员定。")
CALL = "call"


@dataclass(frozen=True, slots=True)
class Line:
    """A field with its value. The label stands only where there are several; one style for both sides of a field, so
    that both break in the same place."""

    label: str
    value: str
    style: str


@dataclass(frozen=True, slots=True)
class Version:
    """One of the values, who wrote it, and the button that lets it stand ('' for who may not decide)."""

    item_id: UUID
    choice: ConflictChoice
    icon: str
    heading: str
    short: str
    lines: list[Line]
    who: str
    when: str
    own: bool
    button: str


@dataclass(frozen=True, slots=True)
class Action:
    """What else can be done, as a row: `what` is a choice or `CALL`."""

    item_id: UUID
    what: str
    icon: str
    title: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item as its card shows it."""

    id: UUID
    op_id: UUID
    title: str
    line: str
    said: list[str]
    sides: list[Version]
    base: list[Line]
    actions: list[Action]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the cards, on which phone, and when."""

    store: Store
    me: MeOut
    now: datetime

    def wrote(self, item: ConflictOut) -> bool:
        return item.device_id == mark_of(self.store.device_id) and item.mine.name == self.me.display_name

    def coordinates(self, area: str) -> bool:
        return any(one.role in COORDINATORS and is_within(area, one.area_code) for one in self.me.grants)

    def above(self, area: str) -> str:
        """Who is asked when this reader cannot decide; '' when there is nobody."""
        if len(area) == 15 and not self.coordinates(area):
            return _("社区")
        return "" if area == self.me.county_code else _("县里")


def waiting(store: Store) -> list[ConflictOut]:
    """What nobody has decided, the oldest first."""
    found = [one for one in store.entities.all(ConflictOut) if one.state is ConflictState.open]
    return sorted(found, key=lambda one: one.received_at)


def shown(reader: Reader, item: ConflictOut, said: str) -> Waiting:
    """`said` is why an earlier decision about it was not taken."""
    home = _home(reader.store, item)
    may = _may_decide(reader, item)
    reasons = [said, RESCUED if item.rescued else "", "" if may else SERIOUS]
    sides, base = _sides(reader, item, may), _base(item)
    return Waiting(
        id=item.id,
        op_id=item.op_id,
        title=title(reader.store, item),
        line=" · ".join(part for part in (_where(reader.store, item, home), _reason(item)) if part),
        said=[one for one in reasons if one],
        sides=sides,
        base=_lines(base, base) if len(sides) > 1 else [],
        actions=_actions(reader, item, may, len(sides)),
    )


def title(store: Store, item: ConflictOut) -> str:
    """田秀珍的电话; of several fields 田秀珍的登记; of what is no edit 何长顺一家 走访."""
    home = _home(store, item)
    subject = (links.subject(store, item.entity_id) if item.entity_id else "") or item.subject
    if home is not None and subject in ("", rules.door(home)):
        subject = rules.family_name(home)
    fields = words.spoken(item, {one.field: one.mine for one in item.fields})
    if item.kind in words.COMPARED and subject:
        return _("{subject}的{what}").format(
            subject=subject, what=next(iter(fields)) if len(fields) == 1 else words.kind_word(item)
        )
    return f"{subject} {words.kind_word(item)}".strip()


def phone_of(store: Store, item: ConflictOut) -> tuple[str, str]:
    """Whom to ask, and their number."""
    person = store.entities.get(ResidentOut, item.entity_id) if item.entity_id else None
    if person is not None:
        return person.name, person.phone or ""
    home = _home(store, item)
    if home is None:
        return "", ""
    return rules.family_name(home), rules.first_phone(store.entities.all(ResidentOut, home.id))


def _may_decide(reader: Reader, item: ConflictOut) -> bool:
    late = {one.field: one.mine for one in item.fields}
    return reader.coordinates(item.area_code) or not for_coordinators(item.kind, late)


def _reason(item: ConflictOut) -> str:
    return next((word for code, word in REASONS.items() if code == item.code), item.sentence.rstrip(_("。")))


def _where(store: Store, item: ConflictOut, home: HouseholdOut | None) -> str:
    if home is not None:
        return rules.door_short(home)
    return next((cell.name for cell in store.entities.all(CellOut) if cell.code == item.area_code), "")


def _home(store: Store, item: ConflictOut) -> HouseholdOut | None:
    for one in _about(store, item):
        person = store.entities.get(ResidentOut, one)
        home = store.entities.get(HouseholdOut, str(person.household_id) if person else one)
        if home is not None:
            return home
    return None


def _about(store: Store, item: ConflictOut) -> Iterable[str]:
    """Ids of rows that it names, the nearest first."""
    link = store.entities.get(LinkOut, item.entity_id) if item.entity_id else None
    named: list[Any] = [link.household_id] if link else []
    named += [one.mine for one in item.fields if one.field in ("resident_ids", "resident_id", "household_id")]
    for one in (item.entity_id, *named):
        yield from map(str, one if isinstance(one, list) else [one])


def _sides(reader: Reader, item: ConflictOut, may: bool) -> list[Version]:
    """Both values; of what the register has no value for, such as a visit, only what was written."""
    mine = words.spoken(item, {one.field: one.mine for one in item.fields})
    theirs = _theirs(item)
    own = reader.wrote(item)
    heading = (_("您在手机上写的"), _("您写的")) if own else (_("晚送来的"), _("晚到的"))
    takes = may and ConflictChoice.mine in item.choices
    late = Version(
        item.id, ConflictChoice.mine, "device-mobile", *heading, _lines(mine, theirs), item.mine.name,
        _when(reader, item.mine), own, _("用这个") if takes else "",
    )  # fmt: skip
    if not theirs:
        return [late]
    stands = Version(
        item.id, ConflictChoice.theirs, "buildings", _("社区现在存的"), _("社区存的"), _lines(theirs, mine),
        item.theirs.name if item.theirs else "", _when(reader, item.theirs), False, _("用这个") if may else "",
    )  # fmt: skip
    return [late, stands]


def _theirs(item: ConflictOut) -> dict[str, str]:
    known = [one for one in item.fields if one.theirs is not None or one.overtaken]
    if known and item.kind in words.COMPARED:
        known = item.fields
    return words.spoken(item, {one.field: one.theirs for one in known})


def _base(item: ConflictOut) -> dict[str, str]:
    # None is also what stands there when the author's app did not say what it replaced.
    return words.spoken(item, {one.field: one.base for one in item.fields if one.base is not None})


def _lines(values: dict[str, str], others: dict[str, str]) -> list[Line]:
    several = len(values) > 1 or len(others) > 1
    return [
        Line(label if several else "", value, _style(value, others.get(label, ""), several))
        for label, value in values.items()
        if value != NOTHING or label in others
    ]


def _style(value: str, other: str, several: bool) -> str:
    return "body" if several or max(len(value), len(other)) > SHORT else "head"


def _when(reader: Reader, side: ConflictSide | None) -> str:
    return texts.when(side.at, reader.now) if side is not None and side.at is not None else ""


def _actions(reader: Reader, item: ConflictOut, may: bool, sides: int) -> list[Action]:
    name, number = phone_of(reader.store, item)
    above = reader.above(item.area_code)
    rows = [
        (CALL, "phone", _("打给{name}问一问").format(name=name), bool(number)),
        (ConflictChoice.theirs, "buildings", _("保留原来的"), may and sides == 1),
        (ConflictChoice.both, "users", _("两个都留着"), may and ConflictChoice.both in item.choices),
        (ConflictChoice.unsure, "hand-palm", _("我定不了，交给{above}").format(above=above), bool(above)),
    ]
    return [Action(item.id, str(what), icon, word) for what, icon, word, there in rows if there]
