"""Decisions about volunteers, with no database and no clock."""

from collections.abc import Iterable

from shared.volunteers import EvidenceOut, ServiceState, SkillIn, says_otherwise


def said_anew(known: Iterable[EvidenceOut], said: Iterable[SkillIn]) -> list[SkillIn]:
    """Return what says other of a skill than what is known: only that takes the place of what was seen."""
    before = {one.skill: one for one in known}
    return [one for one in said if says_otherwise(before.get(one.skill), one)]


def after_asking(state: ServiceState, *, confirmed: bool) -> ServiceState | None:
    """Return what the other side's word makes of a record; None when it has been settled otherwise before.

    A record in doubt may still be confirmed later; a confirmed one stands.
    """
    if confirmed:
        return ServiceState.confirmed
    return None if state is ServiceState.confirmed else ServiceState.unverified
