"""Ids, identity numbers and phone numbers that belong to nobody."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.residents import Sex

COUNTY_TIME = ZoneInfo("Asia/Shanghai")
UNASSIGNED_REGION = "610388"
UNASSIGNED_PREFIX = "126"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def stream(seed: int, part: str) -> Random:
    """Give each part its own chance, so that a change in one part leaves the others as they were."""
    return Random(f"{seed}:{part}")


def at(day: date, minute: int) -> datetime:
    """Turn a minute of a county day into a moment in UTC."""
    return datetime.combine(day, time(minute // 60, minute % 60), COUNTY_TIME).astimezone(UTC)


def mint(rng: Random, moment: datetime) -> UUID:
    """Make a UUID that reads as version 7 of that moment; its random bits come from the seed."""
    value = int(moment.timestamp() * 1000) << 80 | rng.getrandbits(80)
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def check_character(first_17: str) -> str:
    """Return the last character of an identity number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


class IdNumbers:
    """Hands out identity numbers, never the same one twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def new(self, born: date, sex: Sex) -> str:
        odd = 1 if sex is Sex.male else 0
        while True:
            body = f"{UNASSIGNED_REGION}{born:%Y%m%d}{self._rng.randrange(500) * 2 + odd:03d}"
            if body not in self._used:
                self._used.add(body)
                return body + check_character(body)


def phone_numbers(rng: Random, block: int) -> Iterator[str]:
    """Yield up to 10,000 different numbers of a block, in a range that no operator has."""
    return (f"{UNASSIGNED_PREFIX}{block:04d}{tail:04d}" for tail in rng.sample(range(10_000), 10_000))
