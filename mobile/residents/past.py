"""经历: how and where a person has lived, and what was to be watched, with the days and who said so."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from mobile.core import texts
from mobile.residents import homes, rules
from mobile.store.store import Store
from shared.register import PeriodOut, PersonPast, Track
from shared.residents import CARE_WORDS, RESIDENCY_WORDS, Care, Residency
from shared.texts import _

_CARE = f"{Track.care}:"


@dataclass(frozen=True, slots=True)
class PastLine:
    """What held for a time; `now` while it still does."""

    icon: str
    text: str
    sub: str
    now: bool


def lines(store: Store, resident_id: UUID, today: date) -> list[PastLine]:
    """What began last comes first. What two rows of one person say alike is said once."""
    found = store.entities.get(PersonPast, resident_id)
    periods = sorted(found.periods, key=lambda one: (one.from_day, one.track), reverse=True) if found else []
    return list(dict.fromkeys(_line(store, one, today) for one in periods))


def _line(store: Store, one: PeriodOut, today: date) -> PastLine:
    icon, text = _told(store, one)
    first = texts.day_word(one.from_day, today)
    days = (
        _("{first}到{day}").format(first=first, day=texts.day_word(one.until_day, today))
        if one.until_day
        else _("{first}起").format(first=first)
    )
    now = one.from_day <= today and (one.until_day is None or today < one.until_day)
    return PastLine(icon, text, f"{days} · {one.noted_by}", now)


def _told(store: Store, one: PeriodOut) -> tuple[str, str]:
    if one.track.startswith(_CARE):
        care = Care(one.track.removeprefix(_CARE))
        return rules.CARE_ICONS[care], CARE_WORDS[care]
    if one.track == Track.household:
        home = homes.standing(store.entities, UUID(one.value))
        return "map-pin", _("住在{door}").format(door=rules.door(home)) if home else _("住在别处")
    return "user", RESIDENCY_WORDS[Residency(one.value)]
