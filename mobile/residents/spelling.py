"""How a name or a door may be typed: characters, pinyin, initials, from any syllable on."""

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import islice, product
from pathlib import Path

BREAK = "\n"
"""Stands before every key, so that one search through a long text only finds beginnings of keys."""

_NAME_LENGTH, _SPELLINGS = 12, 12
_SURNAME_READINGS, _OTHER_READINGS = 4, 2
"""A surname has readings of its own (单 shan, 仇 qiu, 解 xie), so more of its first character's are kept."""

_FIRST_HAN = "\u2e80"
"""Readings themselves are written in letters before it."""


def plain(text: str) -> str:
    """Typed and stored text in one form: half width, lower case, letters and digits only."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def name_keys(name: str) -> str:
    """Every way to type a name, the name itself first."""
    letters = list(plain(name)[:_NAME_LENGTH])
    choices = [readings(char)[: _OTHER_READINGS if at else _SURNAME_READINGS] for at, char in enumerate(letters)]
    keys = list(_from_each(letters))
    for syllables in islice(product(*choices), _SPELLINGS):
        keys += [*_from_each(syllables), *_from_each([syllable[0] for syllable in syllables])]
    return _joined(keys)


def door_keys(compound: str, building: str, unit: str, room: str) -> str:
    """杨家坪小区, yjp, 3号楼2单元302, 2单元302, 302, and 3-2-302."""
    parts = [part for part in map(plain, (building, unit, room)) if part]
    numbers = ["".join(filter(str.isdigit, part)) for part in parts]
    letters = list(plain(compound))
    spelt = [readings(char)[0] for char in letters]
    whole = "".join([*letters, *parts])
    initials = "".join(syllable[0] for syllable in spelt)
    return _joined([whole, *_from_each(parts), *_from_each(numbers), *_from_each(letters), "".join(spelt), initials])


def _from_each(parts: Iterable[str]) -> list[str]:
    listed = list(parts)
    return ["".join(listed[at:]) for at in range(len(listed))]


def _joined(keys: Iterable[str]) -> str:
    return BREAK + BREAK.join(dict.fromkeys(key for key in keys if key))


@lru_cache(maxsize=8192)
def readings(char: str) -> tuple[str, ...]:
    """The toneless readings of a character, the usual one first; another letter or digit reads as itself."""
    table = _table()
    at = table.find(char) if char >= _FIRST_HAN else -1
    if at < 0:
        return (char,)
    return tuple(table[table.rfind("\n", 0, at) + 1 : at].split(" ")[0].split(","))


@cache
def _table() -> str:
    """Looked through as text: as a dictionary it would take ten times the memory. `deploy/readings.py` writes it."""
    return (Path(__file__).parent / "data" / "readings.txt").read_text(encoding="utf-8")
