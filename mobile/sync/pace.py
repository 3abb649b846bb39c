"""When to try again."""

from collections.abc import Callable

IDLE_SECONDS = 60.0
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 300.0


def retry_after(failures: int, dice: Callable[[], float]) -> float:
    """Seconds to wait after so many failures in a row: doubled each time, and spread, so that all phones of a county
    do not come back in the same second after an outage. `dice` gives 0..1."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 10))
    return longest * (0.5 + 0.5 * dice())
