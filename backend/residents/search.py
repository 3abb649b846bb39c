"""Search keys: what a worker may type to find a person or a door.

Every key is a suffix (of a name, its pinyin, its initials, a phone number), so that a range over keys that begin with
the typed text finds it in the middle as well. A range is all that an index serves under row-level security.
"""

import os
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, product

LAST = "\U0010ffff"
"""Sorts after every character: `key >= text AND key < text + LAST` are the keys that begin with the text."""

_NAME_LENGTH = 12
_SURNAME_READINGS, _OTHER_READINGS = 4, 2
"""A surname has readings of its own (单 shan, 仇 qiu, 解 xie), so more of its first character's are kept."""

_SPELLINGS = 12
_KEYS = 64
_SHORTEST_PHONE = 4


def normalise(text: str) -> str:
    """Bring typed and stored text to one form: half width, lower case, letters and digits only."""
    plain = "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())
    return plain[2:] if len(plain) == 13 and plain.startswith("86") and plain.isdigit() else plain


def person_keys(name: str, phone: str | None) -> list[str]:
    return _bounded([*_phone_keys(phone), *_name_keys(name)])


def door_keys(compound: str, building: str, unit: str, room: str) -> list[str]:
    """Keys of a door: its compound by name and pinyin, and the rest from each of its parts on."""
    parts = [part for part in map(normalise, (building, unit, room)) if part]
    return _bounded([*_name_keys(compound), *("".join(parts[at:]) for at in range(len(parts)))])


def _bounded(keys: Iterable[str]) -> list[str]:
    return list(islice(dict.fromkeys(key for key in keys if key), _KEYS))


def _phone_keys(phone: str | None) -> Iterator[str]:
    digits = normalise(phone or "")
    return (digits[at:] for at in range(len(digits) - _SHORTEST_PHONE + 1))


def _name_keys(name: str) -> Iterator[str]:
    plain = normalise(name)[:_NAME_LENGTH]
    yield from _suffixes(list(plain))
    choices = [_readings(char)[: _OTHER_READINGS if at else _SURNAME_READINGS] for at, char in enumerate(plain)]
    for spelling in islice(product(*choices), _SPELLINGS):
        yield from _suffixes(list(spelling))
        yield from _suffixes([syllable[0] for syllable in spelling])


def _suffixes(parts: list[str]) -> Iterator[str]:
    return ("".join(parts[at:]) for at in range(len(parts)))


@lru_cache(maxsize=8192)
def _readings(char: str) -> tuple[str, ...]:
    """Return the toneless readings of a character, the usual one first; another letter or digit reads as itself."""
    # Without the dictionary of phrases, which takes 45 MB and says nothing about names.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    import pypinyin

    found = pypinyin.pinyin(char, style=pypinyin.Style.NORMAL, heteronym=True, errors="ignore")
    return tuple(found[0]) if found and found[0][0] else (char,)
