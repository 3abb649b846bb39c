"""加联系人 and 改联系人: who stands by a person, chosen rather than typed where the phone knows them."""

from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty
from pydantic import ValidationError

from mobile.core.clock import Clock, local_day
from mobile.residents import links, rules
from mobile.residents.choices import Option
from mobile.store.entities import Effect, as_json
from mobile.store.store import Store
from shared.links import (
    HELPER_WORDS,
    LINK_WORDS,
    HelperKind,
    LinkKind,
    LinkOut,
    LinkPatch,
    PersonLinkIn,
    as_columns,
    link_fields,
)
from shared.residents import RELATION_WORDS, Relation, ResidentOut
from shared.sync import EntityKind, OperationKind
from shared.texts import _
from shared.types import uuid7
from shared.visiting import age_on

ADULT = 18
_RELATIONS = {
    LinkKind.contact: (_("女儿"), _("儿子"), _("老伴"), _("亲戚"), _("邻居")),
    LinkKind.guardian: (_("父亲"), _("母亲"), _("祖父"), _("祖母"), _("儿女")),
    LinkKind.helper: (_("对门"), _("楼上楼下"), _("网格员"), _("党员"), _("单位同事")),
}
WRITTEN = ("name", "phone", "relation", "note")
STAND_IN = ("stand_in_name", "stand_in_phone", "stand_in_days")
REASONS: list[Option] = [(words, words, "") for words in (_("生活不能自理"), _("法院指定"), _("本人委托"))]
"""An adult decides for themselves unless somebody says why not."""


class LinkForm(EventDispatcher):
    """A new contact, guardian or helper of one person, or with `link_id` one that is on this phone already."""

    __events__ = ("on_saved",)
    kinds: ClassVar[list[Option]] = [(kind.value, LINK_WORDS[kind], links.ICONS[kind]) for kind in LinkKind]
    helpers: ClassVar[list[Option]] = [(kind.value, HELPER_WORDS[kind], "") for kind in HelperKind]
    reasons: ClassVar[list[Option]] = REASONS
    lengths: ClassVar[list[Option]] = [
        (days, words, "")
        for days, words in (("3", _("三天")), ("7", _("一周")), ("14", _("两周")), ("30", _("一个月")))
    ]
    title, title_line = StringProperty(_("联系人与帮扶")), StringProperty("")
    is_new = BooleanProperty(True)
    kind, helper = StringProperty(LinkKind.contact.value), StringProperty("")
    people, relation_options = ListProperty([]), ListProperty([])
    person_id = ObjectProperty(None, allownone=True)
    name, phone, relation, note = (StringProperty("") for _ in range(4))
    first = BooleanProperty(True)
    stand_in_name, stand_in_phone, stand_in_days = (StringProperty("") for _ in range(3))
    asks_stand_in, stand_in_now = BooleanProperty(False), StringProperty("")
    drafted = ("kind", "helper", "person_id", *WRITTEN, "first", *STAND_IN)
    asks_helper, asks_reason = BooleanProperty(False), BooleanProperty(False)
    problem, can_save = StringProperty(""), BooleanProperty(False)

    def __init__(self, store: Store, now: Clock, resident_id: UUID, link_id: UUID | None = None) -> None:
        super().__init__()
        self._store, self._now = store, now
        self._person = store.entities.get(ResidentOut, resident_id)
        self._family = self._others() if self._person else []
        self.people = [(str(one.id), one.name, "") for one in self._family]
        self.title_line = _("给{name}登记").format(name=self._person.name) if self._person else ""
        self._before = store.entities.get(LinkOut, link_id) if link_id else None
        self._held = self._holding()
        self.is_new, self.rev = self._before is None, self._before.rev if self._before else None
        if self._before is not None:
            self._fill(self._before)
        else:
            self.first = not self._has_contact()
        for name in ("kind", "helper", *WRITTEN, *STAND_IN):
            self.fbind(name, self._look)
        self._look()

    def on_saved(self, sentence: str) -> None:
        """Event: it is safe on this phone."""

    def choose_person(self, value: str) -> None:
        """Somebody of the household: name and number are known. A second tap lets them go."""
        one = next((member for member in self._family if str(member.id) == value), None)
        if one is None or self.person_id == one.id:
            self.person_id, self.name, self.phone, self.relation = None, "", "", ""
            return
        self.person_id, self.name, self.phone = one.id, one.name, one.phone or ""
        # Relations are written down towards the head.
        to_head = self._person is not None and self._person.relation is Relation.head
        self.relation = RELATION_WORDS[one.relation] if to_head else ""

    def on_name(self, _form: object, name: str) -> None:
        """Another name written over the chosen one is somebody else."""
        if all(one.id != self.person_id or one.name != name.strip() for one in self._family):
            self.person_id = None

    def choose_relation(self, value: str) -> None:
        self.relation = "" if self.relation == value else value

    def choose_length(self, days: str) -> None:
        self.stand_in_days = "" if self.stand_in_days == days else days

    def end_stand_in(self) -> None:
        """不用代了: the helper comes again."""
        self.stand_in_name = self.stand_in_phone = self.stand_in_days = ""

    def save(self) -> bool:
        body = self._body()
        if self._person is None or body is None or not self.can_save:
            return False
        said = self._add(self._person, body) if self._before is None else self._edit(self._before, body)
        self._store.captured()
        self.dispatch("on_saved", said)
        return True

    def _add(self, person: ResidentOut, body: PersonLinkIn) -> str:
        link_id, words = uuid7(), f"{LINK_WORDS[body.kind]} {body.name}"
        self._store.outbox.capture(
            OperationKind.link_put,
            link_id,
            body.model_dump(mode="json", exclude_none=True),
            [Effect(EntityKind.link, link_id, as_json(self._row(link_id, person, body)), whole=True)],
            title=f"{person.name} {words}",
        )
        return _("已记：{words}").format(words=words)

    def _edit(self, before: LinkOut, body: PersonLinkIn) -> str:
        """What differs, upon what was on the screen; nothing is sent of what is as it was."""
        old, new = link_fields(before), as_json(body)
        changed = {name: new[name] for name in LinkPatch.model_fields if new[name] != old[name]}
        if not changed:
            return ""
        self._store.outbox.capture(
            OperationKind.link_edit,
            before.id,
            changed,
            [Effect(EntityKind.link, before.id, as_columns(changed), parent=before.household_id)],
            title=_("{subject} 改资料").format(subject=links.subject(self._store, before.id)),
            base_rev=before.rev,
            base={name: old[name] for name in changed},
        )
        return _("已改：{link} {name}").format(link=LINK_WORDS[body.kind], name=body.name)

    def draft(self) -> dict[str, Any]:
        words = {name: getattr(self, name) for name in (*WRITTEN, *STAND_IN)}
        if self._before is None and not any(word.strip() for word in words.values()):
            return {}
        person = str(self.person_id) if self.person_id else ""
        return {"kind": self.kind, "helper": self.helper, "first": self.first, "person": person, **words}

    def restore(self, values: dict[str, Any]) -> None:
        """As it was written; the person is the one of the household if they are still there under that name."""
        for name in ("kind", "helper", "first", *WRITTEN, *STAND_IN):
            setattr(self, name, values.get(name, getattr(self, name)))
        chosen = (one.id for one in self._family if str(one.id) == values["person"] and one.name == self.name.strip())
        self.person_id = next(chosen, None)

    def _fill(self, link: LinkOut) -> None:
        self.title = _("改{link}").format(link=LINK_WORDS[link.kind])
        self.title_line = links.subject(self._store, link.id)
        self.kind, self.helper = link.kind.value, link.helper.value if link.helper else ""
        self.name, self.phone, self.relation, self.note = link.name, link.phone or "", link.relation, link.note
        self.person_id, self.first = link.person_id, link.order == 1
        self.stand_in_name, self.stand_in_phone = self._held_words()

    def _holding(self) -> dict[str, Any] | None:
        """The stand-in of the link that is changed, unless their time is over."""
        found = link_fields(self._before)["stand_in"] if self._before else None
        return found if found and date.fromisoformat(found["until_day"]) > local_day(self._now()) else None

    def _held_words(self) -> tuple[str, str]:
        return (self._held["name"], self._held["phone"] or "") if self._held else ("", "")

    def _stand_in(self) -> dict[str, Any] | None:
        """As it is to stand: what nobody has touched as it was, one whose time is over too."""
        if (self.stand_in_name, self.stand_in_phone, self.stand_in_days) == (*self._held_words(), ""):
            return link_fields(self._before)["stand_in"] if self._before else None
        name, today = self.stand_in_name.strip(), local_day(self._now())
        if not name:
            return None
        until = today + timedelta(days=int(self.stand_in_days)) if self.stand_in_days else None
        same = self._held if until is None else None
        return {
            "name": name,
            "phone": self.stand_in_phone.strip() or None,
            "from_day": same["from_day"] if same else today,
            "until_day": same["until_day"] if same else until,
        }

    def _others(self) -> list[ResidentOut]:
        person = self._person
        members = self._store.entities.all(ResidentOut, person.household_id) if person else []
        today = local_day(self._now())
        grown = [one for one in members if one.birth_date is None or age_on(today, one.birth_date) >= ADULT]
        return [one for one in rules.in_family_order(grown) if person and one.id != person.id]

    def _has_contact(self) -> bool:
        today = local_day(self._now())
        found = links.of_person(self._store, self._person, today) if self._person else []
        return any(one.kind is LinkKind.contact for one in found)

    def _body(self) -> PersonLinkIn | None:
        """What goes to the server, or None with the reason in `problem`."""
        values = {
            "resident_id": self._person.id if self._person else None,
            "kind": self.kind,
            "helper": self.helper or None if self.asks_helper else None,
            "name": self.name.strip(),
            "phone": self.phone.strip() or None,
            "relation": self.relation.strip(),
            "order": self._order(),
            "person_id": self.person_id,
            "from_day": local_day(self._now()),
            "note": self.note.strip(),
            "stand_in": self._stand_in(),
        }
        try:
            return PersonLinkIn.model_validate(values)
        except ValidationError as error:
            field = error.errors()[0]["loc"]
            self.problem = _("电话号码不对，请再看一遍。") if "phone" in field else _("内容填得不对，请再看一遍。")
            return None

    def _order(self) -> int:
        """Who was called third is so still, unless somebody says otherwise."""
        later = max(2, self._before.order) if self._before else 2
        return 1 if self.first else later

    def _row(self, link_id: UUID, person: ResidentOut, body: PersonLinkIn) -> LinkOut:
        """The link as it will come back."""
        return LinkOut(
            **body.model_dump(exclude={"stand_in", "resident_id"}),
            id=link_id,
            area_code=person.area_code,
            household_id=person.household_id,
            resident_id=person.id,
            stand_in_name=None,
            stand_in_phone=None,
            stand_in_from=None,
            stand_in_until=None,
            rev=1,
            received_at=self._now(),
        )

    def _look(self, *_: object) -> None:
        kind, today = LinkKind(self.kind), local_day(self._now())
        known = [(words, words, "") for words in _RELATIONS[kind]]
        rare = self.relation and self.relation not in _RELATIONS[kind]
        self.relation_options = [*known, (self.relation, self.relation, "")] if rare else known
        born = self._person.birth_date if self._person else None
        self.asks_helper = kind is LinkKind.helper
        self.asks_reason = kind is LinkKind.guardian and not (born and age_on(today, born) < ADULT)
        self.problem = ""
        begun = any(getattr(self, name).strip() for name in STAND_IN)
        whole = bool(self.stand_in_name.strip() and (self.stand_in_days or self._held))
        self.asks_stand_in = self.asks_helper and self._before is not None
        self.stand_in_now = links.stand_in_words(self._held) if self._held and begun else ""
        owed = (self.asks_helper and not self.helper) or (self.asks_reason and not self.note.strip())
        owed = owed or (begun and not whole)
        self.can_save = bool(self._person and self.name.strip() and not owed)
