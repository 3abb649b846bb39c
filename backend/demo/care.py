"""Who should be looked in on, and why."""

from collections.abc import Iterator
from random import Random

from backend.demo.families import Member
from shared.residents import Care, Relation, Sex


def care_of(rng: Random, family: str, member: Member) -> tuple[Care, ...]:
    """Draw the care flags of a person; about one household in five or six has any."""
    if member.away:
        return ()
    return tuple(dict.fromkeys([*_from_family(rng, family, member), *_from_age(rng, family, member)]))


def _from_family(rng: Random, family: str, member: Member) -> Iterator[Care]:
    if family == "alone" and (member.age >= 70 or rng.random() < 0.4):
        yield Care.alone
        if rng.random() < 0.06:
            yield Care.bereaved
    if family == "single" and rng.random() < 0.03:
        yield Care.alone
    # Both of a couple are drawn apart; the younger one is often out and about.
    if family == "old_couple" and member.age >= 76:
        yield Care.empty_nest
    if family == "left_behind" and member.relation is Relation.grandchild:
        yield Care.left_behind
    if family == "child_by_day" and member.relation is not Relation.head:
        yield Care.minor_alone


def _from_age(rng: Random, family: str, member: Member) -> Iterator[Care]:
    """Old people on their own are known to the worker; those with family around seldom carry a flag."""
    watched = 3.0 if family in ("alone", "old_couple") and member.age >= 74 else 1.0
    if member.age >= 76 and rng.random() < 0.07 * watched:
        yield Care.frail
    if member.age >= 62 and rng.random() < 0.035 * watched * (2 if family == "alone" else 1):
        yield Care.medication
    if member.age >= 50 and rng.random() < 0.006:
        yield Care.discharged
    if member.sex is Sex.male and member.age >= 60 and rng.random() < 0.03:
        yield Care.veteran
