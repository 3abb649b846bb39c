"""How fast each degree of urgency must be served."""

from typing import NamedTuple


class Pace(NamedTuple):
    """One degree of urgency. `daily_budget` None: lives are at stake, nobody is spared an offer."""

    target: float
    sla_min: int
    expiry_min: int
    width_cap: int
    daily_budget: int | None
    weight: float


# The first five columns are the simulated policy of the research page, section 3: a county may set others.
# Weights double because a degree of urgency should beat any difference in distance, yet not any age.
PACES = (
    Pace(target=0.60, sla_min=60, expiry_min=30, width_cap=3, daily_budget=5, weight=1.0),
    Pace(target=0.75, sla_min=40, expiry_min=20, width_cap=4, daily_budget=5, weight=2.0),
    Pace(target=0.90, sla_min=15, expiry_min=10, width_cap=6, daily_budget=6, weight=4.0),
    Pace(target=0.97, sla_min=5, expiry_min=4, width_cap=10, daily_budget=None, weight=8.0),
)
