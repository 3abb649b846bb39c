"""The rows of the demo county as plain values. Times are aware and in UTC, positions WGS-84 degrees."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from shared.auth import Role
from shared.duties import DutyRole
from shared.links import HelperKind, LinkKind
from shared.register import EventKind
from shared.requests import RequestKind, Urgency
from shared.residents import Care, Relation, Residency, Sex
from shared.visits import Finding, VisitMode, VisitOutcome
from shared.volunteers import Language, Skill

MARK = "演示数据"
"""Shown wherever a demo county is shown, so that nobody takes it for real people."""

LonLat = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """A grid cell. The ring is closed, counter-clockwise, and shares its vertices exactly with its neighbours."""

    id: UUID
    code: str
    community_code: str
    name: str
    ring: tuple[LonLat, ...]


@dataclass(frozen=True, slots=True)
class Dwelling:
    """A door. All doors of a stairwell or courtyard stand at one position; a courtyard has no unit."""

    id: UUID
    area_code: str
    compound: str
    building: str
    unit: str
    room: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Household:
    """Who lives together behind one door."""

    id: UUID
    area_code: str
    dwelling_id: UUID


@dataclass(frozen=True, slots=True)
class Resident:
    """A person. The identity number is valid by checksum in a region that is not assigned."""

    id: UUID
    area_code: str
    household_id: UUID
    name: str
    sex: Sex
    birth_date: date
    phone: str | None
    relation: Relation
    residency: Residency
    care: tuple[Care, ...]
    id_number: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in an area; a stand-in holds it while somebody else is away."""

    role: Role
    area_code: str
    stand_in: bool = False


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody on a community's payroll. Post, source and certificate are in Chinese, as the report has them."""

    id: UUID
    community_code: str
    name: str
    phone: str
    post: str
    source: str
    certificate: str | None
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit. A phone call has no position."""

    id: UUID
    area_code: str
    household_id: UUID
    resident_id: UUID | None
    worker_id: UUID
    mode: VisitMode
    outcome: VisitOutcome
    findings: tuple[Finding, ...]
    note: str
    visited_at: datetime
    return_on: date | None
    lon: float | None
    lat: float | None
    accuracy_m: float | None


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A free stretch of every week, county time; weekday 1 is Monday."""

    weekday: int
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class Volunteer:
    """A volunteer; `capacity` is how many tasks at once."""

    id: UUID
    community_code: str
    name: str
    phone: str
    lon: float
    lat: float
    skills: tuple[Skill, ...]
    languages: tuple[Language, ...]
    slots: tuple[FreeSlot, ...]
    radius_m: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Request:
    """An open request. Help and matters have a household, incidents only a place; only help has a time."""

    id: UUID
    area_code: str
    kind: RequestKind
    category: str
    title: str
    detail: str
    household_id: UUID | None
    resident_id: UUID | None
    lon: float
    lat: float
    place_note: str
    starts_at: datetime | None
    ends_at: datetime | None
    minutes: int | None
    urgency: Urgency
    language: Language | None
    owner_id: UUID
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A register event. A birth and a move in bring a newcomer into the household of the resident."""

    id: UUID
    kind: EventKind
    on: date
    noted_at: datetime
    worker_id: UUID
    resident_id: UUID
    newcomer: Resident | None
    to_cell: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """Somebody of the register who stands by a resident."""

    id: UUID
    resident_id: UUID
    person_id: UUID
    kind: LinkKind
    helper: HelperKind | None
    name: str
    phone: str | None
    relation: str
    since: date


@dataclass(frozen=True, slots=True)
class Duty:
    """A worker's role in a cell."""

    id: UUID
    cell_code: str
    role: DutyRole
    worker_id: UUID
    since: date


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in. The password is a demo word and says so; a real county must never load it."""

    id: UUID
    username: str
    password: str
    display_name: str
    grants: tuple[Grant, ...]
    worker_id: UUID | None = None
    volunteer_id: UUID | None = None
    mark: str = MARK


@dataclass(frozen=True, slots=True)
class DemoCounty:
    """Everything, each list in an order in which it can be stored."""

    county_code: str
    today: date
    cells: tuple[Cell, ...]
    dwellings: tuple[Dwelling, ...]
    households: tuple[Household, ...]
    residents: tuple[Resident, ...]
    workers: tuple[Worker, ...]
    visits: tuple[Visit, ...]
    volunteers: tuple[Volunteer, ...]
    requests: tuple[Request, ...]
    accounts: tuple[Account, ...]
    duties: tuple[Duty, ...]
    events: tuple[Event, ...]
    twins: tuple[Resident, ...]
    links: tuple[Link, ...]
    rule_ids: tuple[UUID, ...]
    mark: str = MARK
