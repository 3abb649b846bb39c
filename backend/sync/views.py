"""How a row of the feed looks to its reader now."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import BaseModel

from backend.core.transaction import Transaction
from backend.grid import queries as grid
from backend.matching import queries as matching
from backend.requests import queries as requests
from backend.residents import queries as residents
from backend.residents.rules import mask_phone
from backend.visits import queries as visits
from backend.volunteers import queries as volunteers
from shared.auth import Role
from shared.sync import EntityKind

Load = Callable[[asyncpg.Connection, str, Sequence[UUID]], Awaitable[dict[UUID, Any]]]

LOADERS: dict[EntityKind, Load] = {
    EntityKind.cell: grid.cells_by_ids,
    EntityKind.household: residents.households_by_ids,
    EntityKind.resident: residents.residents_by_ids,
    EntityKind.visit: visits.by_ids,
    EntityKind.request: requests.by_ids,
    EntityKind.volunteer: volunteers.by_ids,
    EntityKind.offer: matching.offers_by_ids,
    EntityKind.task: matching.tasks_by_ids,
    EntityKind.service_record: volunteers.records_by_ids,
}


async def load(tx: Transaction, kind: EntityKind, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return the rows of these ids that the caller sees, as they go over the wire."""
    found: dict[UUID, BaseModel] = await LOADERS[kind](tx.conn, tx.county, ids)
    bodies = {entity_id: model.model_dump(mode="json") for entity_id, model in found.items()}
    if kind is EntityKind.resident and not tx.caller.holds(*_WHO_CALLS):
        for body in bodies.values():
            body["phone"] = mask_phone(body["phone"])
    return bodies


_WHO_CALLS = (Role.county_admin, Role.community_worker, Role.grid_worker)
"""Roles that ring people up; everybody else reads a masked number."""
