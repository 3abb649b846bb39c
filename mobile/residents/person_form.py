"""登记一人 and 改资料: what is written down about a person."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, DictProperty, ListProperty, StringProperty
from pydantic import BaseModel, ValidationError

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.residents import choices, doubts, effects, rules
from mobile.residents.choices import MORE, Option
from mobile.store.entities import as_json
from mobile.store.store import Store
from shared import identifiers
from shared.residents import (
    NOT_A_NAME,
    HouseholdOut,
    Relation,
    Residency,
    ResidentIn,
    ResidentOut,
    ResidentPatch,
    Sex,
    is_name,
)
from shared.sync import OperationKind
from shared.texts import _
from shared.types import uuid7
from shared.visits import CORRECTION_WORDS, CorrectionKind, CorrectionOut, CorrectionState

PLAIN = ("name", "sex", "phone", "relation", "residency", "note", "registered_place")
MOST_PLACES, PHONE_DIGITS = 4, 11
PROBLEMS = {
    "name": _("请写上姓名。"),
    "phone": _("电话号码不对，请再看一遍。"),
    "birth_date": _("出生日期写 8 位数字，例如 19540308。"),
    "id_number": _("身份证号最后一位对不上，请对着证件再核一遍。"),
}


class PersonForm(EventDispatcher):
    """A new person of a household, or with `resident_id` one that is on this phone already."""

    __events__ = ("on_saved",)
    sexes: ClassVar[list[Option]] = choices.SEXES
    residencies: ClassVar[list[Option]] = choices.RESIDENCIES
    cares: ClassVar[list[Option]] = choices.CARES
    title, home_line = StringProperty(""), StringProperty("")
    is_new = BooleanProperty(True)
    name, sex, birth, phone = StringProperty(""), StringProperty(""), StringProperty(""), StringProperty("")
    relation, residency = StringProperty(""), StringProperty(Residency.living.value)
    care, id_number, note = ListProperty([]), StringProperty(""), StringProperty("")
    codes = DictProperty({})
    relation_options = ListProperty([])
    registered_place, places = StringProperty(""), ListProperty([])
    problem, age_line, heard = StringProperty(""), StringProperty(""), StringProperty("")
    can_save = BooleanProperty(False)

    def __init__(
        self,
        store: Store,
        now: Clock,
        household_id: UUID,
        resident_id: UUID | None = None,
        correction_id: UUID | None = None,
    ) -> None:
        """With `correction_id` the form says what was heard at the door, and saving settles that doubt too."""
        super().__init__()
        self._store, self._now = store, now
        self._home = store.entities.get(HouseholdOut, household_id)
        self._before = store.entities.get(ResidentOut, resident_id) if resident_id else None
        self.is_new = self._before is None
        self.rev = self._before.rev if self._before else None
        self.title = _("登记一人") if self.is_new else _("改资料")
        self.home_line = rules.door(self._home) if self._home else ""
        if self._before is not None:
            self._fill(self._before)
        elif self._home is not None and not self._home.size:
            self.relation = Relation.head.value
        self.places = self._known_places()
        self._correction = store.entities.get(CorrectionOut, correction_id) if correction_id else None
        if self._correction is not None:
            self._hear(self._correction)
        for name in (*PLAIN, "birth", "care", "id_number", "codes"):
            self.fbind(name, self._look)
        self._look()

    @property
    def drafted(self) -> tuple[str, ...]:
        """What a draft keeps. The number comes first: what stands in it may have been written otherwise."""
        return ("id_number", "birth", "care", "codes", *PLAIN)

    def on_saved(self, resident_id: UUID, sentence: str) -> None:
        """Event: the person is safe on this phone."""

    def choose_relation(self, value: str) -> None:
        if value != MORE[0]:
            self.relation = value

    def choose_code(self, field: str, value: str) -> None:
        """A second tap on a code takes it away: what is not known is not guessed."""
        if value != MORE[0]:
            self.codes = {**self.codes, field: "" if self.codes.get(field) == value else value}

    def toggle_care(self, value: str) -> None:
        kept = [label for label in self.care if label != value]
        self.care = kept if value in self.care else [*kept, value]

    def on_id_number(self, _form: object, number: str) -> None:
        """Birth and sex stand in the number: nobody has to write them twice."""
        full = identifiers.full_id_number(number.strip().upper())
        if full and (born := identifiers.birth_in(full)):
            self.birth, self.sex = born.strftime("%Y%m%d"), identifiers.sex_in(full)

    def save(self) -> bool:
        self.problem = self._problem()
        if self.problem or self._home is None:
            return False
        return self._register(self._home) if self._before is None else self._edit(self._before)

    def _register(self, home: HouseholdOut) -> bool:
        new, resident_id = self._new(home), uuid7()
        row = effects.resident_row(resident_id, new, home.area_code, self._now())
        put = self._store.outbox.capture(
            OperationKind.resident_put,
            resident_id,
            new.model_dump(mode="json", exclude_none=True),
            effects.put_residents(self._store, [row]),
            title=_("{name} 登记").format(name=new.name),
        )
        return self._done(resident_id, _("已登记：{name}").format(name=new.name), put)

    def _edit(self, before: ResidentOut) -> bool:
        values = self._values()
        old = as_json(before)
        changed = {name: value for name, value in values.items() if value != old[name]}
        if not changed:
            return self._done(before.id, "")
        patch = ResidentPatch(**changed)
        after = ResidentOut.model_validate({**old, **changed})
        edit = self._store.outbox.capture(
            OperationKind.resident_edit,
            before.id,
            patch.model_dump(mode="json", exclude_unset=True),
            effects.edit_resident(self._store, before, after, changed),
            title=_("{name} 改资料").format(name=before.name),
            base_rev=before.rev,
            base={name: old[name] for name in changed},
        )
        return self._done(before.id, _("已改：{name}").format(name=before.name), edit)

    def _done(self, resident_id: UUID, sentence: str, saved: UUID | None = None) -> bool:
        if self._correction is not None:
            doubts.settle(self._store, self._correction.id, CorrectionState.done, after=saved)
            sentence = sentence or _("已核对：{name}").format(name=self.name.strip())
        self._store.captured()
        self.dispatch("on_saved", resident_id, sentence)
        return True

    def _fill(self, person: ResidentOut) -> None:
        for name in PLAIN:
            setattr(self, name, str(getattr(person, name) or ""))
        self.birth = person.birth_date.strftime("%Y%m%d") if person.birth_date else ""
        self.sex = "" if person.sex in (Sex.unknown, Sex.unstated) else person.sex.value
        self.care = [label.value for label in person.care]
        self.codes = {field: getattr(person, field) or "" for field in choices.CODED}

    def _hear(self, correction: CorrectionOut) -> None:
        """What was said at the door; a number among it is put in, to be looked at once more."""
        said = correction.said.strip()
        self.heard = _("{correction}{said}（{noted_by}记的）").format(
            correction=CORRECTION_WORDS[correction.what],
            said=_("：{said}").format(said=said) if said else "",
            noted_by=correction.noted_by,
        )
        digits = "".join(filter(str.isdigit, said))
        if correction.what is CorrectionKind.phone and len(digits) == PHONE_DIGITS:
            self.phone = digits

    def _known_places(self) -> list[Option]:
        """This county, and where most people on this phone come from."""
        me = self._store.me()
        here = [me.county_name] if me else []
        known = self._store.entities.fields(ResidentOut, "registered_place").values()
        count = Counter(str(place) for (place,) in known if place)
        words = [*here, *(place for place, _n in count.most_common() if not place.isdigit())]
        return [(place, place, "") for place in dict.fromkeys(words)][:MOST_PLACES]

    def _values(self) -> dict[str, Any]:
        """In the form they have on the wire. What was not known stays unknown and is no change."""
        unknown = self._before.sex.value if self._before and not self.sex else Sex.unknown.value
        born = _day(self.birth)
        return {
            "name": self.name.strip(),
            "sex": self.sex or unknown,
            "birth_date": born.isoformat() if born else None,
            "phone": self.phone.strip() or None,
            "relation": self.relation or Relation.other.value,
            "residency": self.residency,
            "care": self._care(),
            "note": self.note.strip(),
            "registered_place": self.registered_place.strip() or None,
            **{field: self.codes.get(field) or None for field in choices.CODED},
        }

    def _care(self) -> list[str]:
        """In the order of the catalogue, but for a person whose labels are still the same: that is no change."""
        before = [label.value for label in self._before.care] if self._before else []
        ordered = [value for value, _word, _icon in self.cares if value in self.care]
        return before if set(before) == set(ordered) else ordered

    def _new(self, home: HouseholdOut) -> ResidentIn:
        number = self.id_number.strip().upper() or None
        return ResidentIn.model_validate({**self._values(), "household_id": home.id, "id_number": number})

    def _problem(self) -> str:
        if self.birth.strip() and _day(self.birth) is None:
            return PROBLEMS["birth_date"]
        number = self.id_number.strip().upper()
        if number and identifiers.full_id_number(number) is None:
            return PROBLEMS["id_number"]
        name = self.name.strip()
        if not is_name(name) and (self._before is None or self._before.name != name):
            return NOT_A_NAME
        return self._wrong(self._values())

    def _wrong(self, values: Mapping[str, Any]) -> str:
        """The first field that the wire would not take, in words."""
        shape: type[BaseModel] = ResidentPatch
        try:
            shape.model_validate(values)
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            return PROBLEMS.get(field, _("内容填得不对，请再看一遍。"))
        return ""

    def _look(self, *_: object) -> None:
        self.relation_options = choices.relations(self.relation)
        born = _day(self.birth)
        self.age_line = texts.age(born, local_day(self._now())) if born else ""
        self.problem = ""
        self.can_save = bool(self.name.strip() and self.relation and self._home is not None)


def _day(digits: str) -> date | None:
    """A day written as eight digits; anything else is none."""
    plain = "".join(filter(str.isdigit, digits))
    if len(plain) != 8:
        return None
    try:
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:]))
    except ValueError:
        return None
