"""Search keys: what a worker may type to find a person or a door.

Every key is a suffix (of a name, its pinyin, its initials, a phone number), so that a range over keys that begin with
the typed text finds it in the middle as well. A range is all that an index serves under row-level security.
"""

import os
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, pairwise, product

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


def spelling(name: str) -> str:
    """Return the usual reading of a whole name; a search for it finds the name."""
    return "".join(_readings(char)[0] for char in _letters(name))


def person_keys(name: str, phone: str | None) -> list[str]:
    plain = _letters(name)
    choices = [_readings(char)[: _OTHER_READINGS if at else _SURNAME_READINGS] for at, char in enumerate(plain)]
    spelt = (list(spelling) for spelling in islice(product(*choices), _SPELLINGS))
    spellings = [part for syllables in spelt for part in (syllables, [syllable[0] for syllable in syllables])]
    return _bounded([*_phone_keys(phone), *(key for parts in (plain, *spellings) for key in _suffixes(parts))])


def door_keys(compound: str, building: str, unit: str, room: str) -> list[str]:
    """Keys of a door: its compound, also spelt out, and the rest from each of its parts on."""
    plain = _letters(compound)
    syllables = [_readings(char)[0] for char in plain]
    parts = [part for part in map(normalise, (building, unit, room)) if part]
    initials = "".join(syllable[0] for syllable in syllables)
    return _bounded([*_suffixes(plain), "".join(syllables), initials, *_suffixes(parts)])


def _letters(name: str) -> list[str]:
    return list(normalise(name)[:_NAME_LENGTH])


def _bounded(keys: Iterable[str]) -> list[str]:
    """Return the first keys, without those that another one begins with: what finds them finds that one."""
    kept = sorted(set(islice((key for key in keys if key), _KEYS)))
    return [key for key, following in pairwise([*kept, ""]) if not following.startswith(key)]


def _phone_keys(phone: str | None) -> Iterator[str]:
    digits = normalise(phone or "")
    return (digits[at:] for at in range(len(digits) - _SHORTEST_PHONE + 1))


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
