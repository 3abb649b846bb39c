"""What can be exported, read through the rooms' own lists: an export shows what the API shows, masked alike."""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel

from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.grid import service as grid
from backend.requests import service as requests
from backend.residents import households
from backend.residents import queries as register
from backend.residents import service as residents
from backend.visits import service as visits
from backend.volunteers import service as volunteers
from shared.grid import CellOut
from shared.requests import RequestOut
from shared.residents import HouseholdOut, ResidentOut
from shared.texts import _
from shared.visits import VisitOut
from shared.volunteers import VolunteerOut

Geometry = dict[str, Any] | None


class What(StrEnum):
    """Lists that leave as a file."""

    households = "households"
    residents = "residents"
    visits = "visits"
    requests = "requests"
    volunteers = "volunteers"
    cells = "cells"


class Source(NamedTuple):
    """A list: its Chinese name, what its rows are, how a page is read and where its rows lie."""

    title: str
    model: type[BaseModel]
    page: Callable[[Transaction, Caller, str, PageParams], Awaitable[Page[Any]]]
    places: Callable[[Transaction, Sequence[Any]], Awaitable[list[Geometry]]]


def point(row: Any) -> Geometry:
    """Return where a row lies, if that is known."""
    there = row is not None and row.lon is not None and row.lat is not None
    return {"type": "Point", "coordinates": [row.lon, row.lat]} if there else None


async def _own_points(_tx: Transaction, rows: Sequence[Any]) -> list[Geometry]:
    return [point(row) for row in rows]


async def _own_shapes(_tx: Transaction, rows: Sequence[Any]) -> list[Geometry]:
    return [row.geometry for row in rows]


async def _doors(tx: Transaction, rows: Sequence[Any]) -> list[Geometry]:
    """Nobody has a position: people are where their household's door is."""
    homes = await register.households_by_ids(tx.conn, tx.county, [row.household_id for row in rows])
    return [point(homes.get(row.household_id)) for row in rows]


async def _households(tx: Transaction, reader: Caller, area: str, page: PageParams) -> Page[HouseholdOut]:
    return await households.listed(tx, reader, area=area, text=None, page=page)


async def _residents(tx: Transaction, reader: Caller, area: str, page: PageParams) -> Page[ResidentOut]:
    return await residents.listed(tx, reader, area=area, household_id=None, text=None, page=page)


async def _visits(tx: Transaction, reader: Caller, area: str, page: PageParams) -> Page[VisitOut]:
    rows = await visits.listed(tx, reader, area, None, page)
    return cut([VisitOut.model_validate(dict(row)) for row in rows], page.limit)


async def _requests(tx: Transaction, reader: Caller, area: str, page: PageParams) -> Page[RequestOut]:
    return await requests.listed(tx, reader, area, page, {})


SOURCES: dict[What, Source] = {
    What.households: Source(_("户"), HouseholdOut, _households, _own_points),
    What.residents: Source(_("居民"), ResidentOut, _residents, _doors),
    What.visits: Source(_("走访"), VisitOut, _visits, _own_points),
    What.requests: Source(_("求助与事件"), RequestOut, _requests, _own_points),
    What.volunteers: Source(_("志愿者"), VolunteerOut, volunteers.listed, _own_points),
    What.cells: Source(_("网格"), CellOut, grid.listed, _own_shapes),
}
