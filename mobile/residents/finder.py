"""找人: whoever is on this phone, found while the name is being typed."""

from dataclasses import dataclass
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.residents import rules
from mobile.residents.directory import Directory, Hit
from mobile.residents.rules import CareTag
from mobile.store.store import Store
from shared.residents import RESIDENCY_WORDS, HouseholdOut, Residency, ResidentOut
from shared.sync import EntityKind
from shared.texts import _

MOST = 30


@dataclass(frozen=True, slots=True)
class FoundRow:
    """Somebody, or the family behind a door, in the words of a row."""

    household_id: UUID
    resident_id: UUID | None
    title: str
    about: str
    door: str
    care: list[CareTag]
    seen_text: str
    unsent: bool


class Finder(EventDispatcher):
    """`doors_only`: a household is looked for, so a person stands for the household they belong to."""

    words, note = StringProperty(""), StringProperty("")
    found = ListProperty([])
    idle, nothing = BooleanProperty(True), BooleanProperty(False)

    def __init__(self, store: Store, directory: Directory, now: Clock, *, doors_only: bool = False) -> None:
        super().__init__()
        self._store, self._directory, self._now, self._doors_only = store, directory, now, doors_only
        self.in_sight = True
        self.refresh()

    def follow(self, *_: object) -> None:
        """The store has changed. Who comes back to the screen finds it refreshed."""
        if self.in_sight:
            self.refresh()

    def refresh(self, *_: object) -> None:
        self._directory.refresh()
        self._unsent = self._store.outbox.unanswered(EntityKind.resident)
        self.on_words(self, self.words)

    def on_words(self, _finder: object, words: str) -> None:
        hits = self._directory.find(words)
        if self._doors_only:
            hits = list({hit.household: Hit(hit.household, None) for hit in hits}.values())
        rows = (self._row(hit) for hit in hits[:MOST])
        self.found = [row for row in rows if row is not None]
        self.idle = not words.strip()
        self.nothing = not self.idle and not hits
        self.note = _("还有 {count} 个，再多打一个字").format(count=len(hits) - MOST) if len(hits) > MOST else ""

    def _row(self, hit: Hit) -> FoundRow | None:
        """None for a row that this version cannot read."""
        entities, today = self._store.entities, local_day(self._now())
        home = entities.get(HouseholdOut, hit.household)
        person = entities.get(ResidentOut, hit.resident) if hit.resident else None
        if home is None or (hit.resident and person is None):
            return None
        born = person.birth_date if person else None
        away = person is not None and person.residency is Residency.away
        about = texts.age(born, today) if born else "" if person else _("{size} 口人").format(size=home.size)
        return FoundRow(
            household_id=home.id,
            resident_id=person.id if person else None,
            title=person.name if person else rules.family_name(home),
            about=" · ".join(part for part in (about, RESIDENCY_WORDS[Residency.away] if away else "") if part),
            door=rules.door(home),
            care=rules.care_tags(person.care if person else home.care),
            seen_text=texts.days_unseen(home.last_seen_on, today),
            unsent=person is not None and person.id in self._unsent,
        )
