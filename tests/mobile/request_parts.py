"""Builders of requests as a phone reads them."""

import asyncio
from io import BytesIO
from typing import Any

from PIL import Image

from mobile.device import fakes
from mobile.device.ports import NoPicture
from shared.requests import CATEGORIES, RequestOut, RequestState, Urgency
from shared.residents import HouseholdOut
from shared.types import uuid7
from tests.mobile.phone_parts import CELL, MORNING


def a_picture() -> bytes:
    """What a camera gives."""
    out = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, "JPEG")
    return out.getvalue()


class SlowCamera(fakes.ScriptedCamera):
    """Its pictures come once `ready` is set."""

    def __init__(self, *script: bytes | NoPicture | None) -> None:
        super().__init__(*script)
        self.ready = asyncio.Event()

    async def picture(self) -> bytes | None:
        await self.ready.wait()
        return await super().picture()


def request(home: HouseholdOut | None = None, category: str = "errand", **values: Any) -> RequestOut:
    """Help for a household, or with another category and without one an incident."""
    known = CATEGORIES[category]
    usual: dict[str, Any] = {
        "id": uuid7(),
        "number": "008-261123-014-7",
        "area_code": CELL,
        "happened_in": CELL,
        "kind": known.kind,
        "category": category,
        "title": known.title,
        "detail": "",
        "household_id": home.id if home else None,
        "resident_id": None,
        "lon": 106.52,
        "lat": 33.91,
        "place_note": "",
        "starts_at": None,
        "ends_at": None,
        "minutes": known.minutes,
        "urgency": Urgency.soon,
        "state": RequestState.open,
        "owner_name": "张敏",
        "handler_name": "张敏",
        "volunteer_id": None,
        "rev": 1,
        "received_at": MORNING,
    }
    return RequestOut(**{**usual, **values})
