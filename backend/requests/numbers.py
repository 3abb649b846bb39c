"""Numbers that people read out to each other: community, day, sequence, check digit, as in 008-261123-014-7."""

import re
from datetime import date

_FORM = re.compile(r"\d{3}-\d{6}-\d{3,}-\d")

# Damm's quasigroup of order 10: it catches every wrong digit and every swap of neighbours, which are the slips of
# the ear; a plain sum modulo 10 misses the swaps.
_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def short_code(area_code: str) -> str:
    """Return the three digits a community is spoken by; 000 where no community is known."""
    return area_code[9:12] or "000"


def number_of(area_code: str, day: date, sequence: int) -> str:
    body = f"{short_code(area_code)}-{day:%y%m%d}-{sequence:03d}"
    return f"{body}-{_check(body)}"


def is_sound(number: str) -> bool:
    """Say whether this can be a number at all: a slip in one digit or a swap of neighbours cannot."""
    return bool(_FORM.fullmatch(number)) and _check(number) == 0


def _check(number: str) -> int:
    interim = 0
    for digit in number:
        if digit != "-":
            interim = int(_DAMM[interim][int(digit)])
    return interim
