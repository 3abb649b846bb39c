"""Who stands by a person: whom to call, who decides for them, who helps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from mobile.core import texts
from mobile.residents import homes, merged, rules
from mobile.residents.told import NOTHING
from mobile.store.entities import Effect
from mobile.store.store import Store
from shared.links import HELPER_WORDS, LINK_WORDS, HelperKind, LinkEndIn, LinkKind, LinkOut, holds_on, whom_to_call
from shared.residents import ResidentOut
from shared.sync import EntityKind, OperationKind
from shared.texts import _

ICONS = {LinkKind.contact: "phone", LinkKind.guardian: "shield-check", LinkKind.helper: "hand-heart"}
_FIRST = (LinkKind.guardian, LinkKind.contact, LinkKind.helper)


@dataclass(frozen=True, slots=True)
class LinkLine:
    """Somebody who stands by, in words. `away` names who comes in their place these days."""

    id: UUID
    icon: str
    name: str
    line: str
    phone: str
    away: str
    unsent: bool


def of_person(store: Store, person: ResidentOut, day: date) -> list[LinkOut]:
    """A person's own, and those of the whole household, that hold on a day; whom to call first comes first."""
    rows, at_home = merged.rows_of(store.entities, person.id), homes.homes_of(store.entities, person.household_id)
    found = [one for one in merged.all_of(store.entities, LinkOut, person) if holds_on(one, day)]
    mine = [one for one in found if (one.resident_id in rows if one.resident_id else one.household_id in at_home)]
    return sorted(mine, key=lambda one: (_FIRST.index(one.kind), one.order, one.received_at))


def lines(store: Store, person: ResidentOut, day: date) -> list[LinkLine]:
    unsent = store.outbox.unanswered(EntityKind.link)
    return [_line(one, day, one.id in unsent) for one in of_person(store, person, day)]


def _line(one: LinkOut, day: date, unsent: bool) -> LinkLine:
    reach = whom_to_call(one, day)
    word = HELPER_WORDS[one.helper] if one.helper else ""
    whole = "" if one.resident_id else _("全家的")
    return LinkLine(
        id=one.id,
        icon=ICONS[one.kind],
        name=one.name,
        line=" · ".join(part for part in (whole + LINK_WORDS[one.kind], one.relation, word, one.note) if part),
        phone=texts.phone_masked(reach.phone) if reach.phone else "",
        away=_("这几天由 {name} 代").format(name=reach.name) if reach.name != one.name else "",
        unsent=unsent,
    )


def end(store: Store, link_id: UUID, day: date, **how: Any) -> UUID | None:
    """End a link on a day; one that was written down on that very day is taken off."""
    one = store.entities.get(LinkOut, link_id)
    if one is None:
        return None
    gone = Effect(EntityKind.link, one.id, None, parent=one.household_id)
    return store.outbox.capture(
        OperationKind.link_end,
        one.id,
        LinkEndIn(on=day).model_dump(mode="json"),
        [gone],
        title=_("{link} {name} 结束").format(link=LINK_WORDS[one.kind], name=one.name),
        base_rev=one.rev,
        **how,
    )


def subject(store: Store, link_id: UUID | str) -> str:
    """何长顺的联系人 何小梅, as far as this phone knows them; '' for a link that it does not hold."""
    one = store.entities.get(LinkOut, link_id)
    if one is None:
        return ""
    about = merged.standing(store.entities, one.resident_id) if one.resident_id else None
    home = homes.standing(store.entities, one.household_id)
    whose = about.name if about else rules.family_name(home) if home else ""
    return (
        _("{whose}的{link} {name}").format(whose=whose, link=LINK_WORDS[one.kind], name=one.name)
        if whose
        else f"{LINK_WORDS[one.kind]} {one.name}"
    )


def told(fields: Mapping[str, Any]) -> dict[str, str]:
    """What was written about a link, for 待核对 when the server did not take it."""
    if "on" in fields:
        return {_("结束"): texts.month_day(date.fromisoformat(fields["on"]))}
    asked = {name: value for name, value in fields.items() if name != "order" or fields["kind"] == LinkKind.contact}
    return {label: words for label, words in edited(asked).items() if words != NOTHING}


def edited(fields: Mapping[str, Any]) -> dict[str, str]:
    """The same of single fields, of which one may have been emptied."""
    return {
        label: words(fields[name]) if fields[name] not in (None, "") else NOTHING
        for name, (label, words) in _WORDS.items()
        if name in fields
    }


def stand_in_words(value: Mapping[str, Any]) -> str:
    """王建国 126 0000 3802，12月1日到12月7日: who, and the last day on which they come."""
    first, until = (date.fromisoformat(str(value[name])) for name in ("from_day", "until_day"))
    who = " ".join(part for part in (value["name"], texts.phone(value.get("phone") or "")) if part)
    days = (texts.month_day(one) for one in (first, until - timedelta(days=1)))
    return _("{who}，{first}到{last}").format(who=who, first=next(days), last=next(days))


_WORDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "kind": (_("关系"), lambda value: LINK_WORDS[LinkKind(value)]),
    "name": (_("姓名"), str),
    "phone": (_("电话"), lambda value: texts.phone(str(value))),
    "relation": (_("是什么人"), str),
    "helper": (_("哪一方"), lambda value: HELPER_WORDS[HelperKind(value)]),
    "order": (
        _("先打给谁"),
        lambda value: _("先打给这一位") if value == 1 else _("第 {value} 个打").format(value=value),
    ),
    "note": (_("备注"), str),
    "stand_in": (_("由别人代"), stand_in_words),
}
