"""The matching engine: arrays in, arrays out; no clock, no database, no randomness."""

from backend.matching.engine.arrays import MatchResult, RequestArrays, Unserved, VolunteerArrays
from backend.matching.engine.pipeline import match
from backend.matching.engine.score import FACTORS, Weights
from backend.matching.engine.urgency import PACES, Pace
from backend.matching.engine.week import SLOTS_PER_WEEK, pack_week
from backend.matching.engine.width import acceptance_odds, offers_needed, rounds_left, within_daily_budget

__all__ = [
    "FACTORS",
    "PACES",
    "SLOTS_PER_WEEK",
    "MatchResult",
    "Pace",
    "RequestArrays",
    "Unserved",
    "VolunteerArrays",
    "Weights",
    "acceptance_odds",
    "match",
    "offers_needed",
    "pack_week",
    "rounds_left",
    "within_daily_budget",
]
