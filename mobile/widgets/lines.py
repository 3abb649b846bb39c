"""Chinese line breaking. Kivy breaks at spaces first and then anywhere, also inside a number; this does not."""

import re
from collections.abc import Callable
from functools import lru_cache

from kivy.core.text import Label as CoreLabel

# A token may start with opening marks and end with closing ones, and keeps a number with its measure word.
_TOKEN = re.compile(
    r"[（《“‘]*(?:[0-9A-Za-z.:–*+%-]+(?: ?(?:分钟|小时|单元|[米户岁天次分秒号楼层室条件周月年个口人张项步页]))?|[^ ])"
    r"[，。、；：？！）》”’…%]*| "
)
_CLOSING = "，。、；：？！）》”’…% "
Measure = Callable[[str], float]


def wrap(text: str, width: float, measure: Measure) -> str:
    """Put line breaks into text so that every line fits the width; a break that is already there stays."""
    return "\n".join(_wrap_line(line, width, measure) for line in text.split("\n"))


def _wrap_line(text: str, width: float, measure: Measure) -> str:
    lines: list[list[str]] = [[]]
    used = 0.0
    for token in _TOKEN.findall(text):
        wide = measure(token)
        if lines[-1] and token != " " and used + wide > width:
            lines.append([])
            used = 0.0
        lines[-1].append(token)
        used += wide
    _no_lone_character(lines)
    return "\n".join("".join(line).strip() for line in lines)


def _no_lone_character(lines: list[list[str]]) -> None:
    """One character alone on the last line reads like a mistake: give it company."""
    if len(lines) > 1 and len("".join(lines[-1]).strip(_CLOSING)) == 1 and len(lines[-2]) > 2:
        lines[-1].insert(0, lines[-2].pop())


@lru_cache(8192)
def extent(font: str, size: float, text: str) -> float:
    return float(CoreLabel(font_name=font, font_size=size).get_extents(text)[0])


def natural_width(text: str, font: str, size: float) -> float:
    """How wide the text would like to be: its longest line."""
    return max(extent(font, size, line) for line in text.split("\n"))


def measure_with(font: str, size: float) -> Measure:
    return lambda token: extent(font, size, token)
