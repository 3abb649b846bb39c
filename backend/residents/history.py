"""The dated half of the register: whatever changes a person writes periods too, so that the two never disagree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.transaction import Transaction
from backend.residents import history_queries as queries
from backend.residents import periods
from backend.residents.periods import Span, Spans
from shared.errors import Code
from shared.register import Track
from shared.texts import _
from shared.types import uuid7

CARE = f"{Track.care}:"
YES = "yes"
"""Value of a care track: the label stands or does not."""

Tracks = dict[str, list[Span]]


@dataclass
class Book:
    """The periods of some people as they are stored, by person and track."""

    rows: dict[UUID, dict[str, list[asyncpg.Record]]] = field(default_factory=dict)

    def tracks(self, resident_id: UUID) -> Tracks:
        return {track: [_span(row) for row in rows] for track, rows in self.rows.get(resident_id, {}).items()}


def _span(row: asyncpg.Record) -> Span:
    return Span(row["value"], row["area_code"], row["from_day"], row["until_day"])


async def begin(tx: Transaction, ids: Sequence[UUID], since: date | None = None) -> None:
    """Open periods for people who have just been stored, as their rows are; from today unless said otherwise."""
    await queries.begin(tx.conn, tx.county, ids, since or county_day(tx.now), tx.caller.account_id, tx.now)


async def read(tx: Transaction, ids: Sequence[UUID]) -> Book:
    """Read the periods of people whose rows are locked."""
    book = Book()
    for row in await queries.periods(tx.conn, tx.county, ids):
        book.rows.setdefault(row["resident_id"], {}).setdefault(row["track"], []).append(row)
    return book


async def write(tx: Transaction, book: Book, wanted: Mapping[UUID, Mapping[str, Spans]]) -> None:
    """Write the periods of people as they are wanted. What goes on from its old beginning keeps who noted it."""
    gone: list[UUID] = []
    fresh: list[tuple[Any, ...]] = []
    for person, tracks in wanted.items():
        stored = book.rows.get(person, {})
        for track in {*stored, *tracks}:
            _differences(tx, person, track, stored.get(track, []), tracks.get(track, ()), gone, fresh)
    try:
        await queries.replace(tx.conn, tx.county, gone, fresh)
    except asyncpg.ExclusionViolationError as error:
        # What is known of that time lies in another area, where the caller cannot read it.
        raise Refusal(Code.too_old, _("那时这个人还登记在别的网格。")) from error


def _differences(
    tx: Transaction, person: UUID, track: str, stored: Sequence[asyncpg.Record], wanted: Spans, gone: list[UUID],
    fresh: list[tuple[Any, ...]],
) -> None:  # fmt: skip
    gone += [row["id"] for row in stored if _span(row) not in wanted]
    kept = {_span(row) for row in stored}
    begun = {_span(row)[:3]: row for row in stored}
    for span in wanted:
        if span not in kept:
            by = begun.get(span[:3])
            noted = (by["noted_by"], by["noted_at"]) if by else (tx.caller.account_id, tx.now)
            fresh.append((uuid7(), person, track, *span, *noted))


async def note_edit(
    tx: Transaction, person: UUID, area: str, values: Mapping[str, str], care: Iterable[str] | None
) -> None:
    """Write down what an edit has changed as of today: tracks with a new value, and all care labels if they changed."""
    today = county_day(tx.now)
    book = await read(tx, [person])
    tracks = book.tracks(person)
    for track, value in values.items():
        tracks[track] = periods.from_day_on(tracks.get(track, []), value, area, today)
    if care is not None:
        set_care(tracks, care, area, today)
    await write(tx, book, {person: tracks})


def set_care(tracks: Tracks, care: Iterable[str], area: str, day: date) -> None:
    """Let these labels stand from a day on, and no others."""
    wanted = {CARE + label for label in care}
    for track in [track for track in tracks if track.startswith(CARE) and track not in wanted]:
        tracks[track] = periods.ended(tracks[track], day)
    for track in wanted:
        if periods.at(tracks.get(track, []), day) is None:
            tracks[track] = periods.from_day_on(tracks.get(track, []), YES, area, day)


async def relocate(tx: Transaction, areas: Mapping[UUID, str], day: date) -> None:
    """Let people's periods go on in another area from a day on, as when the boundary of a cell changes.

    The caller reaches both areas, and moves the people's own rows in the same transaction.
    """
    book = await read(tx, list(areas))
    moved = {
        person: {track: periods.elsewhere(spans, area, day) for track, spans in book.tracks(person).items()}
        for person, area in areas.items()
    }
    await write(tx, book, moved)
