"""What a worker notes after a call: findings and a short sentence."""

from random import Random
from typing import NamedTuple

from backend.demo.records import Resident
from backend.demo.rounds import Call
from backend.demo.words.visits import ABSENT, DECLINED, MOVED, NOTES, PROMISES, TROUBLE_WEIGHTS, TROUBLES
from shared.residents import Sex
from shared.visits import Finding, VisitOutcome

_WEEKDAYS = "一二三四五六日"
_AT_A_SHUT_DOOR = {VisitOutcome.absent: ABSENT, VisitOutcome.declined: DECLINED, VisitOutcome.moved: MOVED}


class Said(NamedTuple):
    """Findings and note of one visit."""

    findings: tuple[Finding, ...]
    note: str


def say(rng: Random, call: Call, person: Resident) -> Said:
    """Draw what was noted; trouble is noticed more often where somebody needs care."""
    if call.outcome in _AT_A_SHUT_DOOR:
        return Said((), rng.choice(_AT_A_SHUT_DOOR[call.outcome]))
    who = "他" if person.sex is Sex.male else "她"
    if call.return_on:
        finding, note = rng.choice(PROMISES)
        return Said((finding,), note.format(day=f"周{_WEEKDAYS[call.return_on.weekday()]}", who=who))
    return _ordinary(rng, who, 0.24 if person.care else 0.09)


def _ordinary(rng: Random, who: str, trouble: float) -> Said:
    if rng.random() >= trouble:
        return Said((Finding.fine,), rng.choice(NOTES[Finding.fine]) if rng.random() < 0.25 else "")
    finding = rng.choices(TROUBLES, TROUBLE_WEIGHTS)[0]
    worded = finding is Finding.other or rng.random() < 0.7
    return Said((finding,), rng.choice(NOTES[finding]).format(who=who) if worded else "")
