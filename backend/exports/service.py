"""Streaming a list: each chunk is a transaction of its own, so a slow reader holds no connection and no snapshot."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from backend.auth.directory import Directory
from backend.core.clock import COUNTY_ZONE, county_day
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.paging import PageParams, decode_cursor
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.exports.sources import SOURCES, Geometry, What
from backend.exports.writers import WRITERS, Form, Heading, Writer
from backend.grid import service as grid
from backend.grid.geo import from_wgs84
from shared.auth import Role
from shared.errors import Code
from shared.texts import _
from shared.types import Crs, is_within, uuid7

CHUNK = 500
_CRS_NAMES = {Crs.wgs84: "WGS-84", Crs.gcj02: "GCJ-02", Crs.bd09: "BD-09"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One export as it was asked for."""

    what: What
    form: Form
    area: str | None
    crs: Crs = Crs.wgs84
    id: UUID = field(default_factory=uuid7)


class Chunk(NamedTuple):
    """Some rows with their places, and where the next ones begin."""

    items: list[Any]
    places: list[Geometry]
    next_cursor: str | None


class Export:
    """A list on its way out to one caller."""

    def __init__(self, database: Database, directory: Directory, caller: Caller, asked: Asked) -> None:
        self._database, self._directory, self._caller, self._asked = database, directory, caller, asked
        self._sent = 0

    @property
    def media_type(self) -> str:
        return WRITERS[self._asked.form].media_type

    @property
    def file_name(self) -> str:
        """Name what is in the file, where it lies, the day, and the coordinate system when it is not the usual one."""
        asked, day = self._asked, county_day(self._database.clock())
        system = "" if asked.crs is Crs.wgs84 else f"-{asked.crs}"
        return f"{asked.what}-{asked.area or self._caller.county_code}-{day:%Y%m%d}{system}.{asked.form}"

    async def begin(self) -> AsyncIterator[bytes]:
        """Read the first chunk, so that a refusal is still an answer, and return the pieces of the file."""
        check(self._caller, self._asked)
        return self._pieces(await self._read(None))

    async def _read(self, cursor: str | None) -> Chunk:
        return await self._database.run(self._caller, lambda tx: self._chunk(tx, cursor))

    async def _chunk(self, tx: Transaction, cursor: str | None) -> Chunk:
        asked, source = self._asked, SOURCES[self._asked.what]
        area = await grid.area_to_list(tx, self._caller, asked.area)
        after = decode_cursor(cursor) if cursor else None
        page = await source.page(tx, self._caller, area, PageParams(CHUNK, after))
        places = await source.places(tx, page.items) if asked.form is Form.geojson else []
        if cursor is None:
            self._note(tx, "export.started", area)
        if page.next_cursor is None:
            self._note(tx, "export.finished", area, count=self._sent + len(page.items))
        return Chunk(page.items, places, page.next_cursor)

    def _note(self, tx: Transaction, step: str, area: str, **detail: int) -> None:
        """Note that data leaves before it does. One that has no end beside its beginning was broken off."""
        asked, scopes = self._asked, self._caller.scopes
        # The row must lie where the caller may write: an area wider than the grants is noted in the first of them.
        covered = any(is_within(area, scope) for scope in scopes)
        noted = area if covered else next(scope for scope in scopes if is_within(scope, area))
        tx.audit(step, "export", asked.id, noted, what=asked.what, form=asked.form, crs=asked.crs, area=area, **detail)

    async def _pieces(self, chunk: Chunk) -> AsyncIterator[bytes]:
        """Yield the file. Writing is done in a thread: a workbook takes long enough to keep others waiting."""
        writer: Writer = WRITERS[self._asked.form](self._heading())
        try:
            yield writer.begin()
            while True:
                yield await asyncio.to_thread(writer.rows, chunk.items, chunk.places)
                self._sent += len(chunk.items)
                if chunk.next_cursor is None:
                    break
                await self._still_granted()
                chunk = await self._read(chunk.next_cursor)
            end = writer.end(self._sent)
            while piece := await asyncio.to_thread(_next, end):
                yield piece
        finally:
            writer.cut()

    async def _still_granted(self) -> None:
        """Break off when the caller's grants have changed: a slow reader could go on for hours with lost ones."""
        present = await self._directory.caller(self._caller.county_code, self._caller.account_id)
        if present is None or present.grants != self._caller.grants:
            raise Refusal(Code.session_ended)

    def _heading(self) -> Heading:
        asked = self._asked
        at = self._database.clock().astimezone(COUNTY_ZONE)
        area = asked.area or ",".join(self._caller.scopes)
        move = None if asked.crs is Crs.wgs84 else partial(from_wgs84, crs=asked.crs)
        return Heading(SOURCES[asked.what], area, f"{at:%Y-%m-%d %H:%M}", _CRS_NAMES[asked.crs], move)


def check(caller: Caller, asked: Asked) -> None:
    """Refuse what a role may not read as a list, and a coordinate system where it could not be told from another."""
    if asked.what is What.volunteers and not caller.holds(Role.county_admin, Role.community_worker):
        raise Refusal(Code.role_not_allowed)
    if asked.crs is not Crs.wgs84 and asked.form is not Form.geojson:
        raise Refusal(Code.malformed, _("只有 GeoJSON 可以换坐标系。"), pointer="/crs")


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")
