"""Where a reader stands in the feed: one number per granted area and stream, in one opaque word."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from backend.core.errors import Refusal
from shared.errors import Code
from shared.types import AreaCode

KEPT = timedelta(days=90)
"""How long rows that are gone stay in the feed: a reader that was away longer must begin again."""

Place = tuple[str, str]
"""(granted area, stream); a volunteer's own stream has the area ''."""

_SHAPE = TypeAdapter(tuple[str, date, list[tuple[AreaCode | Literal[""], str, int]]])


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position of a reader in an epoch, as of a day."""

    epoch: str
    day: date
    seqs: dict[Place, int]

    def encode(self) -> str:
        flat = [[area, stream, seq] for (area, stream), seq in sorted(self.seqs.items()) if seq]
        return urlsafe_b64encode(orjson.dumps([self.epoch, self.day, flat])).decode().rstrip("=")

    @property
    def areas(self) -> set[str]:
        return {area for area, _stream in self.seqs if area}


def decode(word: str | None, epoch: str, today: date) -> Cursor:
    """Read a cursor back. None begins anew; one from nowhere is refused, one from another epoch has expired."""
    if word is None:
        return Cursor(epoch, today, {})
    try:
        found, day, flat = _SHAPE.validate_json(urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    except (ValueError, ValidationError) as error:
        raise Refusal(Code.bad_cursor, pointer="/cursor") from error
    if any(not 0 <= seq < 2**62 for _area, _stream, seq in flat):
        raise Refusal(Code.bad_cursor, pointer="/cursor")
    if found != epoch or day < today - KEPT:
        raise Refusal(Code.cursor_expired)
    return Cursor(found, day, {(area, stream): seq for area, stream, seq in flat})


def lost(areas: Iterable[str], scopes: Iterable[str]) -> list[str]:
    """Return the areas that no present scope covers whole: their rows must leave the phone."""
    held = list(scopes)
    return sorted(area for area in areas if not any(area.startswith(scope) for scope in held))
