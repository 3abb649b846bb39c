"""Rows of the register beside doors and people: doubts, links, the past, who answers for a cell."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from mobile.store.entities import as_json
from shared.duties import DutyOut, DutyRole, HouseholdListOut
from shared.grid import CellOut
from shared.links import LinkKind, LinkOut
from shared.register import PeriodOut
from shared.residents import HouseholdOut, ResidentOut
from shared.sync import Change
from shared.types import uuid7
from shared.visits import CorrectionKind, CorrectionOut, CorrectionState
from tests.mobile.phone_parts import CELL, MONDAY, MORNING, change


def correction(home: HouseholdOut, **values: Any) -> CorrectionOut:
    """A doubt that somebody brought back from the door."""
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": home.area_code,
        "household_id": home.id,
        "resident_id": None,
        "visit_id": uuid7(),
        "what": CorrectionKind.phone,
        "said": "女儿说换成 12800001111 了",
        "noted_by": "王芳",
        "state": CorrectionState.open,
        "reason": "",
        "settled_by": "",
        "rev": 1,
        "received_at": MORNING - timedelta(days=2),
    }
    return CorrectionOut(**{**usual, **values})


def link(home: HouseholdOut, **values: Any) -> LinkOut:
    """Somebody who stands by a person, or without `resident_id` by the whole household."""
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": home.area_code,
        "household_id": home.id,
        "resident_id": None,
        "kind": LinkKind.contact,
        "helper": None,
        "name": "何小梅",
        "phone": "12600008801",
        "relation": "女儿",
        "order": 1,
        "person_id": None,
        "stand_in_name": None,
        "stand_in_phone": None,
        "stand_in_from": None,
        "stand_in_until": None,
        "from_day": MONDAY - timedelta(days=90),
        "until_day": None,
        "note": "",
        "rev": 1,
        "received_at": MORNING,
    }
    return LinkOut(**{**usual, **values})


def period(track: str, value: str, from_day: date, until_day: date | None = None) -> PeriodOut:
    return PeriodOut(
        track=track, value=value, from_day=from_day, until_day=until_day, area_code=CELL, noted_by="王芳",
        noted_at=MORNING,
    )  # fmt: skip


def with_past(person: ResidentOut, *periods: PeriodOut) -> Change:
    """A person as the feed tells staff about them."""
    row = change(person)
    return row.model_copy(update={"body": {**(row.body or {}), "periods": [as_json(one) for one in periods]}})


def with_team(row: CellOut, *duties: DutyOut, looked_after: Sequence[HouseholdListOut] = ()) -> Change:
    """A cell as the feed tells staff about it."""
    extra = {"duties": [as_json(one) for one in duties], "looked_after": [as_json(one) for one in looked_after]}
    told = change(row)
    return told.model_copy(update={"body": {**(told.body or {}), **extra}})


def duty(role: DutyRole, name: str, **values: Any) -> DutyOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "cell_code": CELL,
        "role": role,
        "account_id": uuid7(),
        "name": name,
        "from_day": MONDAY - timedelta(days=60),
        "until_day": None,
        "stand_in": None,
        "rev": 1,
    }
    return DutyOut(**{**usual, **values})
