"""What a report or a step changes on this phone at once, before the server has heard of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from mobile.store.entities import Effect, as_json
from shared.auth import MeOut
from shared.requests import CATEGORIES, RequestIn, RequestOut, RequestState
from shared.residents import HouseholdOut
from shared.sync import EntityKind


def asked(
    request_id: UUID,
    body: RequestIn,
    me: MeOut,
    now: datetime,
    *,
    cell: str = "",
    household: HouseholdOut | None = None,
) -> list[Effect]:
    """The request stands in the lists at once. Its number is the server's to give."""
    area = household.area_code if household else cell or me.county_code
    place: Any = household or body.place
    values = body.model_dump(include=set(RequestOut.model_fields) - {"minutes"})
    row = RequestOut(
        **values,
        id=request_id,
        number="",
        area_code=area,
        happened_in=area,
        title=CATEGORIES[body.category].title,
        lon=place.lon if place else None,
        lat=place.lat if place else None,
        minutes=body.minutes or CATEGORIES[body.category].minutes,
        state=RequestState.open,
        owner_name=me.display_name,
        handler_name=me.display_name,
        volunteer_id=None,
        photo_count=len(body.photos),
        rev=1,
        received_at=now,
    )
    return [Effect(EntityKind.request, request_id, as_json(row), whole=True)]


def stepped(request: RequestOut, to: RequestState, me: MeOut) -> list[Effect]:
    """The request as it will stand: one revision on, which is what a further step without network is based on."""
    patch: dict[str, Any] = {"state": to.value, "rev": request.rev + 1}
    if to is RequestState.handling:
        patch["handler_name"] = me.display_name
    if to is RequestState.open:
        patch["volunteer_id"] = None
    return [Effect(EntityKind.request, request.id, patch, parent=request.household_id)]
