"""How characters are read, for the phone: `python -m deploy.readings` writes it down from pypinyin.

That takes ten times as much of a phone's memory, and stays on the server.
"""

from collections import defaultdict
from pathlib import Path

import pypinyin
from pypinyin.constants import PINYIN_DICT

TABLE = Path(__file__).parents[1] / "mobile" / "residents" / "data" / "readings.txt"


def table() -> str:
    """A line for all characters that are read alike: the toneless readings, the usual one first, and the characters."""
    alike: defaultdict[str, str] = defaultdict(str)
    for char in map(chr, sorted(PINYIN_DICT)):
        found = pypinyin.pinyin(char, style=pypinyin.Style.NORMAL, heteronym=True)
        alike[",".join(found[0])] += char
    return "".join(f"{readings} {chars}\n" for readings, chars in sorted(alike.items()))


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
