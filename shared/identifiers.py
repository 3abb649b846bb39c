"""Numbers that carry a check character: GB 11643 of citizens, old ones too, and GB 32100 of organisations. Pure."""

import unicodedata
from datetime import date
from typing import Final

_ID_WEIGHTS: Final = tuple(pow(2, 18 - place, 11) for place in range(1, 18))
_ID_CHECKS: Final = "10X98765432"

_CREDIT_SYMBOLS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))


def is_id_number(number: str) -> bool:
    """Say whether the last character fits the others (GB 11643, ISO 7064 MOD 11-2); it is an upper-case X or a digit.

    The region in it is the one at issue and may be gone by now, so it is no reason to refuse.
    """
    return len(number) == 18 and _digits(number[:17]) and number[17] == _check_character(number[:17])


def full_id_number(given: str) -> str | None:
    """Return a number as it is stored: eighteen characters, X in upper case; None when it cannot be one.

    Fifteen digits were given to people born in the 1900s and have no check character: their birth date is all that
    can be tested.
    """
    number = given.strip().upper()
    if len(number) == 15 and _digits(number):
        body = f"{number[:6]}19{number[6:]}"
        number = body + _check_character(body)
        return number if birth_in(number) else None
    return number if is_id_number(number) else None


def birth_in(number: str) -> date | None:
    """Return the birth date that a full number carries; None when it is no day of the calendar."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_in(number: str) -> str:
    """Return the sex that a full number carries, as GB/T 2261.1 writes it."""
    return "1" if int(number[16]) % 2 else "2"


def is_credit_code(code: str) -> bool:
    """Say whether an organisation's unified social credit code (GB 32100) fits its check character.

    No authority that registers organisations is written 0, and places three to eight are the digits of its region:
    eighteen noughts fit their check character too.
    """
    if len(code) != 18 or any(symbol not in _CREDIT_SYMBOLS for symbol in code):
        return False
    if code[0] == "0" or not _digits(code[2:8]):
        return False
    values = [_CREDIT_SYMBOLS.index(symbol) for symbol in code]
    total = sum(value * weight for value, weight in zip(values, _CREDIT_WEIGHTS, strict=False))
    return values[17] == (31 - total % 31) % 31


def full_credit_code(given: str) -> str | None:
    """Return an organisation's code as it is stored, however it was typed: small letters, full-width ones, in groups.

    None when it cannot be one.
    """
    code = "".join(unicodedata.normalize("NFKC", given).split()).upper()
    return code if is_credit_code(code) else None


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _check_character(body: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11]
