"""What people read, in the language of this process: `GRIDHOOD_LANGUAGE`, a folder of `shared/locale`.

The Chinese of the source is its own key, so what has no words in the catalogue is said as it stands in the source, and
a catalogue that is missing or broken leaves nobody without a sentence.
"""

import os
from collections.abc import Callable
from gettext import GNUTranslations
from pathlib import Path
from struct import error as CutShort

DOMAIN = "gridhood"
LOCALE = Path(__file__).parent / "locale"
LANGUAGE = os.environ.get("GRIDHOOD_LANGUAGE", "zh")


def _catalogue(language: str) -> Callable[[str], str]:
    file = LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    try:
        with file.open("rb") as opened:
            return GNUTranslations(opened).gettext
    except (OSError, ValueError, LookupError, CutShort):
        return str


# Chosen once, before any module makes its tables of words.
_: Callable[[str], str] = _catalogue(LANGUAGE)
