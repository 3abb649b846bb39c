"""Rows as people read them in a spreadsheet: Chinese headers and words, and no cell that a program would run."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import ModuleType
from typing import Any

import orjson
from pydantic import BaseModel

from backend.core.clock import COUNTY_ZONE
from shared import codes, grid, links, register, requests, residents, visits, volunteers
from shared.texts import _
from shared.volunteers import Slot

Cell = str | int | float

# What spreadsheets take for the beginning of a formula, in full width too; a quote before it makes it a text.
_BEGINS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_AFTERTHOUGHT = re.compile("[；，：。]")
_WEEKDAYS = _("一 二 三 四 五 六 日").split()
_OTHER_WORDS: dict[type[Enum], dict[Any, str]] = {
    requests.RequestKind: {"help": _("求助"), "incident": _("事件"), "matter": _("办件")},
    requests.Urgency: {"0": _("不急"), "1": _("尽快"), "2": _("当天"), "3": _("有危险")},
    grid.CellKind: {"basic": _("基础网格"), "special": _("专属网格")},
}


@cache
def _words() -> dict[type, dict[Any, str]]:
    """Return every catalogue of words by the type of its keys, those of later releases too."""
    found: dict[type, dict[Any, str]] = dict(_OTHER_WORDS)
    for module in (grid, links, register, requests, residents, visits, volunteers):
        found |= _words_in(module)
    return found


def _words_in(module: ModuleType) -> dict[type, dict[Any, str]]:
    named = [words for name, words in vars(module).items() if name.endswith("_WORDS")]
    return {type(next(iter(words))): words for words in named if isinstance(next(iter(words)), Enum)}


def columns(model: type[BaseModel]) -> dict[str, str]:
    """Return the header of each column: the start of its description. Shapes are left to GeoJSON."""
    headers: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if name == "geometry":
            continue
        header = _AFTERTHOUGHT.split(field.description or name)[0] + (_("（北京时间）") if name.endswith("_at") else "")
        headers[name] = (
            _("{header}（{name}）").format(header=header, name=name) if header in headers.values() else header
        )
    return headers


def table_rows(items: Sequence[BaseModel], names: Sequence[str]) -> Iterator[list[Cell]]:
    for item in items:
        yield [cell(name, getattr(item, name)) for name in names]


def cell(column: str, value: Any) -> Cell:
    """Return a value as a cell. Numbers stay numbers; only a text can be taken for a formula."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return harmless(_text(column, value))


def harmless(text: str) -> str:
    text = _UNPRINTABLE.sub("", text)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _text(column: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return _("是") if value else _("否")
        case list():
            return _("、").join(_text(column, one) for one in value)
        case datetime():
            return f"{value.astimezone(COUNTY_ZONE):%Y-%m-%d %H:%M:%S}"
        case date():
            return value.isoformat()
        case Slot():
            return _("周{weekday} {start}-{end}").format(
                weekday=_WEEKDAYS[value.weekday - 1], start=_hour(value.from_minute), end=_hour(value.until_minute)
            )
        case BaseModel() | dict():
            return orjson.dumps(value, default=_plain).decode()
        case str():
            return _word(column, value)
    return str(value)


def _word(column: str, value: str) -> str:
    """Return what a code means: by its own catalogue, else by the national list of the column's name."""
    if (words := _words().get(type(value))) and value in words:
        return words[value]
    return codes.name_of(codes.ListName(column), value) if column in codes.ListName.__members__ else str(value)


def _hour(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
