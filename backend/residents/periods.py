"""Periods of one person and one track as values over days. Nothing here knows a database or today.

A track is a sorted list of spans that never overlap. Notes may arrive out of order, so each operation says what it does
to days that are already known:

- `from_day_on`: a value holds from its day until the next change that is known; what was noted for later stands.
- `ended`: nothing holds from that day on, whatever was noted for later: after a death nothing does.
- `corrected`: the interval is overwritten, and nothing outside it.
- `elsewhere`: from that day on the same values hold in another area.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

FOREVER: Final = date.max
"""Open end, as the driver reads and writes `infinity`."""


class Span(NamedTuple):
    """A value that holds from a day (included) until another (excluded), and where the person was."""

    value: str
    area: str
    from_day: date
    until_day: date = FOREVER


Spans = Sequence[Span]
Tracks = Mapping[str, Spans]


def from_day_on(spans: Spans, value: str, area: str, day: date) -> list[Span]:
    """Let a value hold from a day on, until the next change that is already known."""
    held = at(spans, day)
    if held and held[:3] == (value, area, day):
        return list(spans)
    following = [span.from_day for span in spans if span.from_day > day]
    until = held.until_day if held else min(following, default=FOREVER)
    return corrected(spans, [Span(value, area, day, until)], day, until)


def ended(spans: Spans, day: date) -> list[Span]:
    """Let nothing hold from a day on."""
    return corrected(spans, [], day, FOREVER)


def corrected(spans: Spans, pieces: Spans, from_day: date, until_day: date) -> list[Span]:
    """Put these pieces, or nothing, in the place of an interval.

    Neighbours of one value stay two: that something was noted for a day is known, and bounds what is noted later for
    an earlier one.
    """
    before = [part for span in spans if (part := clipped(span, date.min, from_day))]
    after = [part for span in spans if (part := clipped(span, until_day, FOREVER))]
    return [*before, *pieces, *after]


def elsewhere(spans: Spans, area: str, day: date) -> list[Span]:
    """Let the same values hold in another area from a day on."""
    moved = [part._replace(area=area) for span in spans if (part := clipped(span, day, FOREVER))]
    return corrected(spans, moved, day, FOREVER)


def pieces(value: str, where: Spans, otherwise: str, from_day: date, until_day: date) -> list[Span]:
    """Spread a value over an interval, in the areas that the spans of another track say the person was in."""
    found: list[Span] = []
    reached = from_day
    for part in (part for span in where if (part := clipped(span, from_day, until_day))):
        if reached < part.from_day:
            found.append(Span(value, part.area, reached, part.from_day))
        found.append(part._replace(value=value))
        reached = part.until_day
    if reached < until_day:
        found.append(Span(value, found[-1].area if found else otherwise, reached, until_day))
    return found


def at(spans: Spans, day: date) -> Span | None:
    """Return what holds on a day."""
    return next((span for span in spans if span.from_day <= day < span.until_day), None)


def clipped(span: Span, from_day: date, until_day: date) -> Span | None:
    """Return the part of a span that lies in an interval."""
    first, last = max(span.from_day, from_day), min(span.until_day, until_day)
    return span._replace(from_day=first, until_day=last) if first < last else None
