"""人员变动: one of the six events, written down in a few taps."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.residents import choices, doubts, effects, rules
from mobile.residents.choices import MORE, Option
from mobile.residents.day_choice import DayChoice
from mobile.residents.destination import Destination
from mobile.store.store import Store
from shared.auth import MeOut
from shared.register import EVENT_WORDS, EventIn, EventKind
from shared.residents import NOT_A_NAME, HouseholdOut, Relation, Residency, ResidentIn, ResidentOut, Sex, is_name
from shared.sync import OperationKind
from shared.texts import _
from shared.types import uuid7
from shared.visits import CorrectionState

UNDO_SECONDS = 10
WRITTEN = ("name", "sex", "relation", "phone")
EVERYBODY: Option = ("all", _("全家"), "users")
OLD_ENOUGH = 50
"""A head of this age has grandchildren rather than newborn children."""


class EventForm(EventDispatcher):
    """Nothing here waits for the network. What is missing is said in `missing`; then `can_save`."""

    __events__ = ("on_saved", "on_taken_back")
    kinds: ClassVar[list[Option]] = choices.EVENTS
    sexes: ClassVar[list[Option]] = choices.SEXES
    undo_seconds = UNDO_SECONDS
    kind, home_title, home_line = StringProperty(""), StringProperty(""), StringProperty("")
    home_known = BooleanProperty(False)
    is_new, is_move_out, asks_who = BooleanProperty(False), BooleanProperty(False), BooleanProperty(False)
    who_options, who = ListProperty([]), ListProperty([])
    name, sex, relation, phone = StringProperty(""), StringProperty(""), StringProperty(""), StringProperty("")
    drafted = (
        "kind",
        "home_known",
        "who",
        "name",
        "sex",
        "relation",
        "phone",
        "day.day",
        "to.choice",
        "to.cell",
        "to.words",
    )
    relation_options = ListProperty([])
    can_save, missing = BooleanProperty(False), StringProperty("")
    question, question_text = StringProperty(""), StringProperty("")
    day, to = ObjectProperty(rebind=True), ObjectProperty(rebind=True)

    def __init__(
        self,
        store: Store,
        me: MeOut,
        now: Clock,
        household_id: UUID | None = None,
        resident_id: UUID | None = None,
        correction_id: UUID | None = None,
    ) -> None:
        """With `correction_id` somebody is said to have left: saving settles that doubt too."""
        super().__init__()
        self._store, self._me, self._now = store, me, now
        self._home: HouseholdOut | None = None
        self._members: list[ResidentOut] = []
        self._correction = correction_id
        self._saved: list[UUID] = []
        self._first = str(resident_id) if resident_id else ""
        self.day, self.to = DayChoice(now), Destination(store)
        for name in ("kind", "who_options", "who", "name", "sex", "relation", "phone", "home_known"):
            self.fbind(name, self._look)
        self.to.fbind("ready", self._look)
        self.day.fbind("day", self._look)
        if household_id:
            self.choose_home(household_id)
        if correction_id:
            self.choose_kind(EventKind.move_out)
        self._look()

    def on_saved(self, sentence: str) -> None:
        """Event: the change is safe on this phone; `sentence` says what was written."""

    def on_taken_back(self) -> None:
        """Event: the change is none any more, and what was written is unfinished again."""

    def choose_kind(self, value: str) -> None:
        self.kind = EventKind(value).value
        self.is_new = self.kind in effects.BEGINS
        self.is_move_out = self.kind == EventKind.move_out
        self.asks_who = self.home_known and not self.is_new
        self._offer_people()
        self._offer_relations()

    def choose_home(self, household_id: UUID) -> None:
        home = self._store.entities.get(HouseholdOut, household_id)
        if home is None:
            return
        self._home = home
        self._members = rules.in_family_order(self._store.entities.all(ResidentOut, home.id))
        self.home_title, self.home_line = rules.family_name(home), rules.door(home)
        self.home_known = True
        self.to.leave_out(home.area_code)
        if self.kind:
            self.choose_kind(self.kind)

    def choose_who(self, value: str) -> None:
        """A whole family may move out together; every other change is about one person."""
        everybody = [str(member.id) for member in self._members]
        if value == EVERYBODY[0]:
            self.who = [] if self._is_everybody() else [value, *everybody]
        elif not self.is_move_out:
            self.who = [value]
        else:
            chosen = [one for one in self.who if one not in (EVERYBODY[0], value)]
            chosen += [] if value in self.who else [value]
            self.who = [EVERYBODY[0], *everybody] if set(chosen) == set(everybody) and len(chosen) > 1 else chosen

    def choose_sex(self, value: str) -> None:
        self.sex = value
        self._offer_relations()

    def choose_relation(self, value: str) -> None:
        if value != MORE[0]:
            self.relation = value
            self._offer_relations()

    def save(self) -> bool:
        """Keep it on this phone. It waits there for the time of 撤销 before it may leave."""
        if not self.can_save or self._home is None:
            return False
        event_id, event = uuid7(), self._event(self._home)
        people = self._people(event)
        words = _("{people} {event}").format(
            people=_("、").join(one.name for one in people), event=EVENT_WORDS[event.kind]
        )
        saved = self._store.outbox.capture(
            OperationKind.register_event,
            event_id,
            event.model_dump(mode="json", exclude_none=True),
            effects.register_event(self._store, self._me, event_id, event, people, self._now()),
            title=words,
            hold=timedelta(seconds=UNDO_SECONDS),
        )
        done = doubts.settle(self._store, self._correction, CorrectionState.done, after=saved)
        self._saved = [saved, done] if done else [saved]
        self._store.captured()
        self.dispatch("on_saved", _("已记：{words}").format(words=words))
        return True

    def undo(self) -> bool:
        """Take it back as if it had not been written. False: it has already left the phone."""
        if not self._saved or not self._store.outbox.take_back(self._saved[0]):
            return False
        for settled in self._saved[1:]:
            self._store.outbox.take_back(settled)
        self._saved = []
        self._store.captured()
        self.dispatch("on_taken_back")
        return True

    def draft(self) -> dict[str, Any]:
        """What is written so far, in the order in which it was asked; nothing before the kind of change is known."""
        if not self.kind:
            return {}
        words = {name: getattr(self, name) for name in WRITTEN}
        home = str(self._home.id) if self._home else None
        return {"kind": self.kind, "home": home, "who": list(self.who), **words, "day": self.day.day.isoformat(),
                "to": [self.to.choice, self.to.community, self.to.cell, self.to.words]}  # fmt: skip

    def restore(self, values: dict[str, Any]) -> None:
        """Answer every question again as the draft says."""
        if values["home"]:
            self.choose_home(UUID(values["home"]))
        self.choose_kind(values["kind"])
        known = {value for value, _word, _icon in self.who_options}
        self.who = [one for one in values["who"] if one in known]
        for name in WRITTEN:
            setattr(self, name, values[name])
        self.day.restore(date.fromisoformat(values["day"]))
        self.to.restore(*values["to"])

    def _event(self, home: HouseholdOut) -> EventIn:
        kind = EventKind(self.kind)
        return EventIn(
            kind=kind,
            on=self.day.day,
            resident_ids=[UUID(one) for one in self.who if one != EVERYBODY[0]] if not self.is_new else [],
            new_resident_id=uuid7() if self.is_new else None,
            new_resident=self._new(kind, home) if self.is_new else None,
            to=self.to.wire() if self.is_move_out else None,
        )

    def _new(self, kind: EventKind, home: HouseholdOut) -> ResidentIn:
        return ResidentIn(
            household_id=home.id,
            name=self.name.strip(),
            sex=Sex(self.sex or Sex.unknown),
            birth_date=self.day.day if kind is EventKind.birth else None,
            phone=self.phone.strip() or None,
            relation=Relation(self.relation or Relation.other),
            residency=Residency.registered if kind is EventKind.birth else Residency.living,
        )

    def _people(self, event: EventIn) -> list[ResidentOut]:
        if event.new_resident is not None and event.new_resident_id is not None and self._home is not None:
            area = self._home.area_code
            return [effects.resident_row(event.new_resident_id, event.new_resident, area, self._now())]
        return [member for member in self._members if member.id in event.resident_ids]

    def _offer_people(self) -> None:
        """Whom it can be about: nobody becomes 常住 who is."""
        after = effects.RESIDENCY_AFTER.get(EventKind(self.kind))
        able = [member for member in self._members if member.residency is not after]
        options = [(str(member.id), self._told(member), "") for member in able]
        whole = [EVERYBODY] if self.is_move_out and len(able) > 1 else []
        self.who_options = whole + options
        known = {value for value, _word, _icon in options}
        self.who = [self._first] if self._first in known else [options[0][0]] if len(options) == 1 else []

    def _told(self, member: ResidentOut) -> str:
        age = texts.age(member.birth_date, local_day(self._now())) if member.birth_date else ""
        return f"{member.name} {age}".strip()

    def _offer_relations(self) -> None:
        if self.kind == EventKind.birth:
            self.relation_options = choices.newborn_relations(self.sex)
            self.relation = self.relation_options[self._generation()][0]
        elif self.is_new:
            self.relation = self.relation or (Relation.head.value if not self._members else "")
            self.relation_options = choices.relations(self.relation)

    def _generation(self) -> int:
        head = self._members[0].birth_date if self._members else None
        return 1 if self.sex and head and local_day(self._now()).year - head.year >= OLD_ENOUGH else 0

    def _is_everybody(self) -> bool:
        return EVERYBODY[0] in self.who

    def _look(self, *_: object) -> None:
        self.missing = self._missing()
        self.can_save = not self.missing
        self._ask(self.who)

    def _missing(self) -> str:
        lacks: Sequence[tuple[bool, str]] = (
            (not self.kind, _("先点是哪种变动")),
            (not self.home_known, _("再选是哪一户")),
            (not self.is_new and bool(self.kind) and not self.who_options, _("这一户没有能这样变动的人")),
            (not self.is_new and not self.who, _("再点是谁")),
            (self.is_new and not self.name.strip(), _("再写姓名")),
            (self.is_new and not is_name(self.name.strip()), NOT_A_NAME),
            (self.is_new and not self.sex, _("再点男女")),
            (self.is_new and not self.relation, _("再点和户主的关系")),
            (self.is_move_out and not self.to.ready, _("再点搬去哪里")),
            (self._before_birth(), _("日期比出生日期还早")),
        )
        return next((words for lacking, words in lacks if lacking), "")

    def _before_birth(self) -> bool:
        """The server would refuse it; a wrong month is put right while the form is open."""
        chosen = [member for member in self._members if not self.is_new and str(member.id) in self.who]
        return any(member.birth_date and member.birth_date > self.day.day for member in chosen)

    def _ask(self, who: Sequence[str]) -> None:
        """A death is asked about once more, with the name: nobody is taken off the register by a slip."""
        named = [member.name for member in self._members if str(member.id) in who]
        self.question = _("{named}，去世了？").format(named=named[0]) if self.kind == EventKind.death and named else ""
        self.question_text = _("记下以后，名单里就没有这个人了；约好的走访也会取消。")
