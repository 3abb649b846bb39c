"""How many volunteers to ask at once: enough that somebody comes in time, and no more."""

from collections.abc import Sequence

from backend.matching.engine.urgency import PACES

# Before anyone has answered: about one offer in four is accepted, trusted as much as four answers.
PRIOR_ACCEPTED, PRIOR_ANSWERED = 1, 4


def acceptance_odds(answered: int, accepted: int) -> float:
    """Chance that this volunteer accepts. `answered` counts offers that ran out in silence too; never 0 and never 1."""
    return (accepted + PRIOR_ACCEPTED) / (answered + PRIOR_ANSWERED)


def rounds_left(urgency: int, waited_min: float) -> int:
    """Whole rounds of offers that still end before the promised time; at least the one that starts now."""
    pace = PACES[urgency]
    return max(1, int((pace.sla_min - waited_min) // pace.expiry_min))


def offers_needed(odds: Sequence[float], urgency: int, *, rounds: int, open_odds: Sequence[float] = ()) -> int:
    """How many of the next candidates to ask now, given the odds of each in the order they would be asked.

    `open_odds` are of offers still waiting for an answer: they count, so that asking again after a decline replaces
    exactly the one who left.
    """
    pace = PACES[urgency]
    nobody_allowed = (1 - pace.target) ** (1 / rounds)
    nobody = 1.0
    for p in open_odds:
        nobody *= 1 - p
    room = max(0, min(len(odds), pace.width_cap - len(open_odds)))
    for asked, p in enumerate(odds[:room]):
        if nobody <= nobody_allowed:
            return asked
        nobody *= 1 - p
    return room


def within_daily_budget(urgency: int, offers_24h: int) -> bool:
    """Whether one more offer today is fair to the volunteer."""
    budget = PACES[urgency].daily_budget
    return budget is None or offers_24h < budget
