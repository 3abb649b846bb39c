"""What a visit changes on the phone at once, before the server has heard of it."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from mobile.core.clock import local_day
from mobile.store.entities import Effect, as_json
from mobile.visits.rules import witness
from shared import visiting
from shared.auth import MeOut
from shared.residents import HouseholdOut, ResidentOut
from shared.sync import EntityKind
from shared.visits import VisitIn, VisitOut


def effects(
    visit_id: UUID,
    visit: VisitIn,
    household: HouseholdOut,
    me: MeOut,
    members: Iterable[ResidentOut] = (),
    days: visiting.Intervals = visiting.USUAL,
) -> list[Effect]:
    """What a visit changes at once: it is in the history, and the household was visited."""
    return [
        Effect(EntityKind.visit, visit_id, _visit_row(visit_id, visit, household, me), whole=True),
        Effect(EntityKind.household, household.id, _household_patch(visit, household, members, days)),
    ]


def _visit_row(visit_id: UUID, visit: VisitIn, household: HouseholdOut, me: MeOut) -> dict[str, Any]:
    seen = witness(visit.fix, household)
    row = VisitOut(
        **visit.model_dump(exclude={"fix"}),
        id=visit_id,
        area_code=household.area_code,
        happened_in=household.area_code,
        worker_id=me.account_id,
        worker_name=me.display_name,
        lon=visit.fix.lon if visit.fix else None,
        lat=visit.fix.lat if visit.fix else None,
        accuracy_m=visit.fix.accuracy_m if visit.fix else None,
        distance_m=seen.distance_m,
        fix_area_code=None,
        evidence=seen.evidence,
        photo_count=len(visit.photos),
        received_at=visit.visited_at,
    )
    return as_json(row)


def _household_patch(
    visit: VisitIn, household: HouseholdOut, members: Iterable[ResidentOut], days: visiting.Intervals
) -> dict[str, Any]:
    call = visiting.Call(local_day(visit.visited_at), visit.outcome, visit.findings, visit.return_on)
    eldest_born = min((one.birth_date for one in members if one.birth_date), default=None)
    before = visiting.Standing(
        household.last_visited_on,
        household.last_seen_on,
        household.tries_since_seen,
        household.due_on,
        household.due_reason,
    )
    return {
        field: value.isoformat() if isinstance(value, date) else value
        for field, value in asdict(visiting.after(before, call, household.care, eldest_born, days)).items()
    }
