"""Decisions about volunteers, with no database and no clock."""

from collections.abc import Iterable

from shared.volunteers import EvidenceOut, ServiceState, SkillIn, Slot


def merged(slots: Iterable[Slot]) -> list[Slot]:
    """Return the same free time as stretches that neither touch nor overlap, in the order of the week."""
    whole: list[Slot] = []
    for slot in sorted(slots, key=lambda s: (s.weekday, s.from_minute)):
        last = whole[-1] if whole else None
        if last and last.weekday == slot.weekday and slot.from_minute <= last.until_minute:
            whole[-1] = last.model_copy(update={"until_minute": max(last.until_minute, slot.until_minute)})
        else:
            whole.append(slot)
    return whole


def said_anew(known: Iterable[EvidenceOut], said: Iterable[SkillIn]) -> list[SkillIn]:
    """Return what says more of a skill, or otherwise, than what is known: only that takes the place of what was seen.

    Silence about the day is not a word against the one that the community read on the certificate.
    """
    before = {one.skill: one for one in known}
    return [one for one in said if _differs(before.get(one.skill), one)]


def _differs(known: EvidenceOut | None, said: SkillIn) -> bool:
    if known is None:
        return bool(said.note or said.valid_until)
    return said.note != known.note or said.valid_until not in (None, known.valid_until)


def after_asking(state: ServiceState, *, confirmed: bool) -> ServiceState | None:
    """Return what the other side's word makes of a record; None when it has been settled otherwise before.

    A record in doubt may still be confirmed later; a confirmed one stands.
    """
    if confirmed:
        return ServiceState.confirmed
    return None if state is ServiceState.confirmed else ServiceState.unverified
