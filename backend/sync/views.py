"""How a row of the feed looks to its reader now."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog
from pydantic import BaseModel, ValidationError

from backend.core.clock import county_day
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.duties import queries as duties
from backend.grid import queries as grid
from backend.matching import queries as matching
from backend.requests import queries as requests
from backend.residents import duplicate_queries as duplicates
from backend.residents import event_queries as events
from backend.residents import folding, merging
from backend.residents import history_queries as history
from backend.residents import link_queries as links
from backend.residents import move_queries as moves
from backend.residents import queries as residents
from backend.residents.rules import mask_phone
from backend.rounds import queries as rounds
from backend.sync import conflicts
from backend.visits import due_days
from backend.visits import follow_up_queries as follow_ups
from backend.visits import queries as visits
from backend.volunteers import queries as volunteers
from shared.auth import STAFF
from shared.register import Track
from shared.sync import EntityKind

log = structlog.get_logger()

Body = dict[str, Any] | orjson.Fragment
Load = Callable[[asyncpg.Connection, str, Sequence[UUID]], Awaitable[dict[UUID, Any]]]

LOADERS: dict[EntityKind, Load] = {
    EntityKind.cell: grid.cells_by_ids,
    EntityKind.household: residents.households_by_ids,
    EntityKind.resident: residents.residents_by_ids,
    EntityKind.link: links.links_by_ids,
    EntityKind.register_event: events.by_ids,
    EntityKind.move: moves.by_ids,
    EntityKind.request: requests.by_ids,
    EntityKind.volunteer: volunteers.by_ids,
    EntityKind.offer: matching.offers_by_ids,
    EntityKind.task: matching.tasks_by_ids,
    EntityKind.service_record: volunteers.records_by_ids,
    EntityKind.correction: follow_ups.corrections_by_ids,
    EntityKind.round_rule: rounds.rules_by_ids,
    EntityKind.alert: rounds.alerts_by_ids,
    EntityKind.duplicate: duplicates.by_ids,
    EntityKind.due_days: due_days.by_ids,
}


async def load(tx: Transaction, keys: Keys, kind: EntityKind, ids: Sequence[UUID]) -> Mapping[UUID, Body]:
    """Return the rows of these ids that the caller sees, as they go over the wire."""
    if kind is EntityKind.visit:
        return await visits.by_ids(tx.conn, tx.county, ids)
    found = await _readable(tx, keys, kind, ids)
    if kind not in _BY_READER:
        return _written(found)
    bodies = {entity_id: model.model_dump(mode="json") for entity_id, model in found.items()}
    if kind is EntityKind.resident:  # who has left stays readable, but on nobody's phone
        bodies = {entity_id: body for entity_id, body in bodies.items() if body["left_on"] is None}
    if kind is EntityKind.duplicate and not tx.caller.holds(*STAFF):  # who decides them reads them
        return {}
    if kind is EntityKind.move and not tx.caller.holds(*STAFF):
        for mover in (mover for body in bodies.values() for mover in body["movers"]):
            mover["phone"] = mask_phone(mover["phone"])
    if kind is EntityKind.resident and not tx.caller.holds(*STAFF):
        for body in bodies.values():
            body |= {"phone": mask_phone(body["phone"]), "political": None}
    if kind is EntityKind.resident and tx.caller.holds(*STAFF):
        for person, past in (await history.of_people(tx.conn, tx.county, list(bodies), _TOLD)).items():
            bodies[person]["periods"] = [period.model_dump(mode="json") for period in past]
        for person, rows in (await merging.merged_into(tx.conn, tx.county, list(bodies))).items():
            bodies[person]["merged"] = [row.model_dump(mode="json") for row in rows]
    if kind is EntityKind.household and tx.caller.holds(*STAFF):
        for home, folded in (await folding.folded_into(tx.conn, tx.county, list(bodies))).items():
            bodies[home]["folded"] = [str(one) for one in folded]
    if kind is EntityKind.cell and tx.caller.holds(*STAFF):
        await _add_teams(tx, bodies)
    if kind is EntityKind.link and not tx.caller.holds(*STAFF):
        for body in bodies.values():
            body |= {name: mask_phone(body[name]) for name in ("phone", "stand_in_phone")}
    return bodies


async def _readable(tx: Transaction, keys: Keys, kind: EntityKind, ids: Sequence[UUID]) -> Mapping[UUID, BaseModel]:
    """Return the rows as models. One that no model takes is left out and told of in the log: nobody else's phone may
    stand still for it."""
    try:
        if kind is EntityKind.conflict:
            return await conflicts.by_ids(tx, keys, ids)
        return await LOADERS[kind](tx.conn, tx.county, ids)
    except ValidationError:
        if len(ids) == 1:
            log.error("unreadable_row", kind=kind.value, id=str(ids[0]))
            return {}
        middle = len(ids) // 2
        return {**await _readable(tx, keys, kind, ids[:middle]), **await _readable(tx, keys, kind, ids[middle:])}


def _written(found: Mapping[UUID, BaseModel]) -> dict[UUID, orjson.Fragment]:
    """Rows that every reader gets alike: from the model into bytes at once, in half the time."""
    return {entity_id: orjson.Fragment(model.model_dump_json()) for entity_id, model in found.items()}


async def _add_teams(tx: Transaction, bodies: dict[UUID, dict[str, Any]]) -> None:
    cells = [body["code"] for body in bodies.values()]
    roles, lists = await duties.of_cells(tx.conn, tx.county, cells, county_day(tx.now))
    for body in bodies.values():
        body["duties"] = [one.model_dump(mode="json") for one in roles.get(body["code"], [])]
        body["looked_after"] = [one.model_dump(mode="json") for one in lists.get(body["code"], [])]


_BY_READER = frozenset(
    {EntityKind.household, EntityKind.resident, EntityKind.duplicate, EntityKind.move, EntityKind.cell, EntityKind.link}
)
"""Kinds of which not every reader gets every row or value."""

_TOLD = (Track.residency, Track.household, Track.care)
"""Of a person's past a phone is told how and where they lived, and what was to be watched."""
