"""Builders for tests of the phone without a window: a clock that is moved by hand, rows, a store, a county's server."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from mobile.attachments.tray import PhotoTray
from mobile.device.fakes import KEY
from mobile.device.ports import Ports
from mobile.store.entities import KINDS, as_json
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.visits.form import VisitForm
from shared.auth import GrantOut, MeOut, Role
from shared.grid import CellKind, CellOut
from shared.links import DuplicateOut, DuplicateState, Likeness, Sketch
from shared.matching import OfferOut, OfferState, Reason, ReasonCode, TaskOut, TaskState
from shared.requests import Urgency
from shared.residents import HouseholdOut, Relation, Residency, ResidentOut, Sex
from shared.sync import Change, PullOut
from shared.types import WireOut, uuid7
from shared.visits import Evidence, VisitMode, VisitOut, VisitOutcome
from shared.volunteers import EvidenceOut, ServiceRecordOut, ServiceState, Skill, VolunteerOut

CELL = "610330100008003"
MONDAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 2, 42, tzinfo=UTC)
"""10:42 on a Monday in the county."""


@dataclass
class Hands:
    """A clock that only moves when told."""

    at: datetime = MORNING

    def __call__(self) -> datetime:
        return self.at

    def move(self, **how: float) -> None:
        self.at += timedelta(**how)


def me(role: Role = Role.grid_worker, account_id: UUID | None = None, name: str = "张敏") -> MeOut:
    volunteer_id = uuid7() if role is Role.volunteer else None
    grants = [] if volunteer_id else [GrantOut(role=role, area_code=CELL)]
    return MeOut(
        account_id=account_id or uuid7(),
        username="zhangmin",
        display_name=name,
        county_code="610330",
        county_name="凤县",
        volunteer_id=volunteer_id,
        grants=grants,
    )


def household(**values: Any) -> HouseholdOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": CELL,
        "compound": "杨家坪小区",
        "building": "3号楼",
        "unit": "2单元",
        "room": "302",
        "lon": 106.52,
        "lat": 33.91,
        "head_name": "何长顺",
        "size": 3,
        "care": [],
        "last_visited_on": MONDAY - timedelta(days=40),
        "last_seen_on": MONDAY - timedelta(days=40),
        "tries_since_seen": 0,
        "due_on": MONDAY,
        "due_reason": "",
        "rev": 1,
        "received_at": MORNING,
    }
    return HouseholdOut(**{**usual, **values})


def resident(home: HouseholdOut, **values: Any) -> ResidentOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": home.area_code,
        "household_id": home.id,
        "name": home.head_name,
        "sex": Sex.male,
        "birth_date": date(1954, 3, 1),
        "phone": "12600002706",
        "relation": Relation.head,
        "residency": Residency.living,
        "care": [],
        "note": "",
        "id_on_file": True,
        "rev": 1,
        "received_at": MORNING,
    }
    return ResidentOut(**{**usual, **values})


def sketch(row: ResidentOut, home: HouseholdOut, **values: Any) -> Sketch:
    """A person of a pair as their own worker reads them."""
    usual: dict[str, Any] = {
        "id": row.id,
        "area_code": row.area_code,
        "name": row.name,
        "door": " ".join(filter(None, (home.compound, home.building, home.unit, home.room))),
        "in_scope": True,
        "household_id": home.id,
        "birth_date": row.birth_date,
        "phone": "126****2706",
        "id_on_file": row.id_on_file,
        "received_at": row.received_at,
    }
    return Sketch(**{**usual, **values})


def pair(first: Sketch, second: Sketch, **values: Any) -> DuplicateOut:
    """Two rows that nobody has decided about."""
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": first.area_code,
        "first": first,
        "second": second,
        "reasons": [Likeness.name_birth, Likeness.phone],
        "score": 90,
        "state": DuplicateState.open,
        "kept_id": None,
        "reason": "",
        "settled_by": None,
        "settled_at": None,
        "rev": 1,
        "received_at": MORNING,
    }
    return DuplicateOut(**{**usual, **values})


def cell(**values: Any) -> CellOut:
    ring = [[106.51, 33.90], [106.53, 33.90], [106.53, 33.92], [106.51, 33.92], [106.51, 33.90]]
    usual: dict[str, Any] = {
        "id": uuid7(),
        "code": CELL,
        "name": "杨家坪第3网格",
        "kind": CellKind.basic,
        "community_code": CELL[:12],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "from_day": date(2026, 1, 1),
        "area_m2": 40000,
        "rev": 1,
        "received_at": MORNING,
    }
    return CellOut(**{**usual, **values})


def visit(home: HouseholdOut, worker: MeOut, **values: Any) -> VisitOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": home.area_code,
        "happened_in": home.area_code,
        "household_id": home.id,
        "resident_id": None,
        "worker_id": worker.account_id,
        "worker_name": worker.display_name,
        "mode": VisitMode.home,
        "outcome": VisitOutcome.seen,
        "findings": [],
        "note": "",
        "visited_at": MORNING,
        "return_on": None,
        "lon": None,
        "lat": None,
        "accuracy_m": None,
        "distance_m": None,
        "fix_area_code": None,
        "evidence": Evidence.none,
        "received_at": MORNING,
    }
    return VisitOut(**{**usual, **values})


def offer(volunteer_id: UUID, **values: Any) -> OfferOut:
    start = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    usual: dict[str, Any] = {
        "id": uuid7(),
        "request_id": uuid7(),
        "volunteer_id": volunteer_id,
        "state": OfferState.offered,
        "category": "escort_hospital",
        "title": "陪着去医院",
        "hint": "挂号、取药，有人陪着就好",
        "starts_at": start,
        "ends_at": start + timedelta(hours=2),
        "minutes": 120,
        "urgency": Urgency.soon,
        "place_label": "新建路社区东边",
        "coarse_lon": 106.52,
        "coarse_lat": 33.91,
        "coarse_radius_m": 150,
        "distance_m": 600,
        "reasons": [Reason(code=ReasonCode.free_then, text="周二上午您正好有空")],
        "made_at": MORNING,
        "expires_at": datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
        "rev": 1,
    }
    return OfferOut(**{**usual, **values})


def task(from_offer: OfferOut, **values: Any) -> TaskOut:
    kept = from_offer.model_dump(include=set(TaskOut.model_fields) - {"state"})
    usual: dict[str, Any] = {
        "state": TaskState.accepted,
        "person_name": "李秀英",
        "person_age": 78,
        "person_note": "听力不太好，说话慢一点、近一点",
        "door": "新建路 18 号院 2号楼1单元 202",
        "phone": "12600004417",
        "lon": 106.52,
        "lat": 33.91,
        "accepted_at": MORNING,
        "checked_in_at": None,
        "checked_out_at": None,
    }
    return TaskOut(**{**kept, **usual, **values})


def volunteer(person: MeOut, **values: Any) -> VolunteerOut:
    usual: dict[str, Any] = {
        "id": person.volunteer_id or uuid7(),
        "name": person.display_name,
        "phone": "12600000001",
        "community_code": CELL[:12],
        "lon": 106.51,
        "lat": 33.90,
        "skills": [],
        "languages": [],
        "slots": [],
        "radius_m": 3000,
        "capacity": 1,
        "active": True,
        "rev": 1,
        "received_at": MORNING,
    }
    return VolunteerOut(**{**usual, **values})


def evidence(skill: Skill, note: str = "", **values: Any) -> EvidenceOut:
    usual: dict[str, Any] = {"valid_until": None, "checked_on": None, "checked_by": ""}
    return EvidenceOut(skill=skill, note=note, **{**usual, **values})


def service(person: MeOut, day: date, minutes: int, state: ServiceState = ServiceState.confirmed) -> ServiceRecordOut:
    return ServiceRecordOut(
        id=uuid7(),
        volunteer_id=person.volunteer_id or uuid7(),
        request_id=uuid7(),
        title="送药上门",
        community_name="杨家坪社区",
        served_on=day,
        minutes=minutes,
        state=state,
        rev=1,
        received_at=MORNING,
    )


def change(row: WireOut, *, gone: bool = False) -> Change:
    body = as_json(row)
    area = str(body.get("area_code") or body.get("code") or "")
    return Change(kind=KINDS[type(row)], id=body["id"], area_code=area, gone=gone, body=None if gone else body)


def page(*rows: WireOut | Change, **values: Any) -> PullOut:
    """The last page of a pull that brings these rows."""
    usual: dict[str, Any] = {
        "epoch": "first",
        "items": [row if isinstance(row, Change) else change(row) for row in rows],
        "scope_removed": [],
        "cursor": "c1",
        "more": False,
        "settled_seq": 0,
        "server_time": MORNING,
    }
    return PullOut(**{**usual, **values})


@dataclass
class Desk:
    """A phone's folder with one account's store in it."""

    folder: Path
    me: MeOut = field(default_factory=me)
    now: Hands = field(default_factory=Hands)
    spawned: list[Coroutine[Any, Any, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.phone = PhoneFile(self.folder)
        self.store = self.open()

    def open(self) -> Store:
        """Open the store as a new start of the app would."""
        path = self.phone.store_path(self.me.account_id)
        return Store(path, KEY, self.me.account_id, self.phone, self.now)

    def tray(self, ports: Ports) -> PhotoTray:
        return PhotoTray(self.store, ports, self.spawned.append)

    def visit_form(self, home: HouseholdOut, ports: Ports) -> VisitForm:
        return VisitForm(self.store, self.me, ports, self.now, home.id, self.tray(ports))

    def holds(self, *rows: WireOut) -> None:
        """The server's rows are on the phone."""
        assert self.store.take_page(page(*rows), [])
