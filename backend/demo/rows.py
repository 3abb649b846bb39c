"""The demo county's rows in the shapes in which the rooms take rows in bulk."""

from backend.demo.records import Cell, DemoCounty
from backend.requests.queries import Fresh as FreshRequest
from backend.residents.loading import NewHousehold, NewResident
from backend.visits.history import Past
from backend.volunteers.queries import Fresh as FreshVolunteer
from shared.grid import CellIn
from shared.requests import CATEGORIES
from shared.volunteers import Slot


def cell(one: Cell) -> CellIn:
    return CellIn(name=one.name, geometry={"type": "Polygon", "coordinates": [[list(at) for at in one.ring]]})


def households(county: DemoCounty) -> list[NewHousehold]:
    doors = {door.id: door for door in county.dwellings}
    return [
        NewHousehold(
            id=h.id, dwelling_id=h.dwelling_id, cell_code=h.area_code, compound=doors[h.dwelling_id].compound,
            building=doors[h.dwelling_id].building, unit=doors[h.dwelling_id].unit, room=doors[h.dwelling_id].room,
            lon=doors[h.dwelling_id].lon, lat=doors[h.dwelling_id].lat,
        )
        for h in county.households
    ]  # fmt: skip


def residents(county: DemoCounty) -> list[NewResident]:
    return [
        NewResident(
            id=r.id, household_id=r.household_id, name=r.name, sex=r.sex, birth_date=r.birth_date, phone=r.phone,
            relation=r.relation, residency=r.residency, care=r.care, id_number=r.id_number or None,
        )
        for r in (*county.residents, *county.twins)
    ]  # fmt: skip


def volunteers(county: DemoCounty) -> list[tuple[FreshVolunteer, list[Slot]]]:
    return [
        (
            FreshVolunteer(
                id=v.id, community_code=v.community_code, name=v.name, phone=v.phone, lon=v.lon, lat=v.lat,
                skills=",".join(v.skills), languages=",".join(v.languages), radius_m=v.radius_m, capacity=v.capacity,
            ),
            [Slot(weekday=s.weekday, from_minute=s.from_minute, until_minute=s.until_minute) for s in v.slots],
        )
        for v in county.volunteers
    ]  # fmt: skip


def requests(county: DemoCounty) -> list[FreshRequest]:
    owners = {worker.id: worker.name for worker in county.workers}
    return [
        FreshRequest(
            id=r.id, area_code=r.area_code, kind=r.kind, category=r.category, detail=r.detail,
            household_id=r.household_id, resident_id=r.resident_id, lon=r.lon, lat=r.lat, place_note=r.place_note,
            starts_at=r.starts_at, ends_at=r.ends_at, minutes=r.minutes or CATEGORIES[r.category].minutes,
            urgency=r.urgency, language=r.language, contact_phone=None, owner_id=r.owner_id,
            owner_name=owners[r.owner_id], received_at=r.made_at,
        )
        for r in county.requests
    ]  # fmt: skip


def visits(county: DemoCounty) -> list[Past]:
    names = {worker.id: worker.name for worker in county.workers}
    return [
        Past(
            id=v.id, area_code=v.area_code, household_id=v.household_id, resident_id=v.resident_id,
            worker_id=v.worker_id, worker_name=names[v.worker_id], mode=v.mode, outcome=v.outcome,
            findings=v.findings, note=v.note, visited_at=v.visited_at, return_on=v.return_on, lon=v.lon, lat=v.lat,
            accuracy_m=v.accuracy_m,
        )
        for v in county.visits
    ]  # fmt: skip
