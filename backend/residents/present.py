"""What holds today, written into the rows of people after their periods have changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.transaction import Edited, Transaction
from backend.residents import history, history_queries, households, periods, queries, rules, search
from backend.residents.history import CARE, Book, Tracks
from backend.residents.one_head import one_head
from backend.residents.periods import Span
from shared.errors import Code
from shared.register import Track
from shared.residents import Care
from shared.sync import EntityKind
from shared.texts import _

NEEDED = (Track.residency, Track.household, Track.relation)
"""What everybody on the register has on every day they belong to it."""


class Present(NamedTuple):
    """A person's row as far as periods say it."""

    area_code: str
    household_id: UUID
    residency: str
    relation: str
    care: list[str]
    left_on: date | None = None
    left_by: str | None = None


class Left(NamedTuple):
    """From which day somebody belongs to the register no more, and why."""

    on: date
    by: str


def of_row(row: asyncpg.Record) -> Present:
    return Present(*(row[name] for name in Present._fields))


def said_by(tracks: Tracks, today: date) -> Present | None:
    """Return what periods say about today; None when one that everybody needs is missing."""
    held = {track: span for track, spans in tracks.items() if (span := periods.at(spans, today))}
    if not all(track in held for track in NEEDED):
        return None
    care = [Care(track.removeprefix(CARE)) for track in held if track.startswith(CARE)]
    home = held[Track.household]
    return Present(
        home.area, UUID(home.value), held[Track.residency].value, held[Track.relation].value,
        [str(label) for label in rules.in_order(care)],
    )  # fmt: skip


def entering(person: Present, since: date) -> Tracks:
    """Return the periods of a person as their row is, open from a day on."""
    values = {
        Track.residency: person.residency,
        Track.household: str(person.household_id),
        Track.relation: person.relation,
        **{CARE + label: history.YES for label in person.care},
    }
    return {str(track): [Span(str(value), person.area_code, since)] for track, value in values.items()}


async def follow(
    tx: Transaction, people: Sequence[asyncpg.Record], book: Book, wanted: Mapping[UUID, Tracks],
    left: Left | None = None,
) -> None:  # fmt: skip
    """Write these periods, and into the rows, sums, search keys and feeds what they say about today.

    The people and their households are locked. Whoever leaves keeps the last values in a row that no list shows.
    """
    await history.write(tx, book, wanted)
    today = county_day(tx.now)
    changed: list[tuple[asyncpg.Record, Present]] = []
    for row in people:
        now = of_row(row)._replace(left_on=left.on, left_by=left.by) if left else said_by(wanted[row["id"]], today)
        if now is None:
            raise Refusal(Code.step_not_allowed, _("在册的人今天必须有人员状态、户和与户主关系。"))
        if now != of_row(row):
            changed.append((row, now))
    if changed:
        await _write_rows(tx, changed)
        await _write_keys(tx, changed)
        await _add_up(tx, changed)


async def _write_rows(tx: Transaction, changed: Sequence[tuple[asyncpg.Record, Present]]) -> None:
    rows = [
        (row["id"], now.area_code, now.household_id, now.residency, now.relation, ",".join(now.care), *now[5:])
        for row, now in changed
    ]
    with one_head():
        revs = dict(await history_queries.set_present(tx.conn, tx.county, rows))
    if len(revs) < len(rows):
        raise Refusal(Code.not_found)
    for row, now in changed:
        fields = [name for name in Present._fields if getattr(now, name) != row[name]]
        tx.edited(Edited(row["id"], revs[row["id"]], now.area_code, fields))
        if now.area_code != row["area_code"]:
            tx.changed(EntityKind.resident, row["id"], row["area_code"], gone=True)
        tx.changed(EntityKind.resident, row["id"], now.area_code, gone=now.left_on is not None)


async def _write_keys(tx: Transaction, changed: Sequence[tuple[asyncpg.Record, Present]]) -> None:
    """Whoever left is not found any more; whoever came back or moved is found where they are now."""
    for row, now in changed:
        if (now.left_on is None) != (row["left_on"] is None) or now.area_code != row["area_code"]:
            await queries.set_search_keys(tx.conn, tx.county, row["area_code"], row["id"], [])
            if now.left_on is None:
                keys = search.person_keys(row["name"], row["phone"])
                await queries.add_search_keys(tx.conn, tx.county, [(now.area_code, key, row["id"]) for key in keys])


async def _add_up(tx: Transaction, changed: Sequence[tuple[asyncpg.Record, Present]]) -> None:
    homes = dict(_homes(changed))
    for household_id in sorted(homes):
        await households.add_up(tx, household_id, homes[household_id])


def _homes(changed: Sequence[tuple[asyncpg.Record, Present]]) -> Iterable[tuple[UUID, str]]:
    for row, now in changed:
        if row["left_on"] is None:
            yield row["household_id"], row["area_code"]
        if now.left_on is None:
            yield now.household_id, now.area_code
