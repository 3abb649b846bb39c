"""Many households and people at once, set-based: for the demo county and imports that were checked before."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.residents import findings, history, identity, rules, search
from backend.residents.queries import add_search_keys, by_column
from shared.residents import Care, Relation, Residency, Sex
from shared.sync import EntityKind


@dataclass(frozen=True, slots=True)
class NewHousehold:
    """A household with its door; the position is WGS-84."""

    id: UUID
    dwelling_id: UUID
    cell_code: str
    compound: str
    building: str
    unit: str
    room: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class NewResident:
    """A person of one of the households that come with it."""

    id: UUID
    household_id: UUID
    name: str
    sex: Sex
    birth_date: date | None
    phone: str | None
    relation: Relation
    residency: Residency
    care: Sequence[Care]
    id_number: str | None
    note: str = ""
    ethnicity: str | None = None
    marital: str | None = None
    education: str | None = None
    employment: str | None = None
    occupation: str | None = None
    political: str | None = None
    registered_place: str | None = None


async def load(
    tx: Transaction,
    keys: Keys,
    households: Sequence[NewHousehold],
    residents: Sequence[NewResident],
    since: date | None = None,
) -> None:
    """Store them with sums, search keys, sealed numbers and feed rows. Call once a community: its feed head is held.

    They belong to the register from this day on, today if none is said.
    """
    people: dict[UUID, list[NewResident]] = defaultdict(list)
    for person in residents:
        people[person.household_id].append(person)
    areas = {household.id: household.cell_code for household in households}
    await _store_doors(tx, households)
    await _store_households(tx, households, people)
    await _store_residents(tx, keys, areas, residents)
    await history.begin(tx, [person.id for person in residents], since)
    # In the order of the index, which fills it many times faster than at random.
    keys_of_all = sorted([*_door_keys(households), *_person_keys(areas, residents)])
    await add_search_keys(tx.conn, tx.county, keys_of_all)
    for household in households:
        tx.changed(EntityKind.household, household.id, household.cell_code)
    for person in residents:
        tx.changed(EntityKind.resident, person.id, areas[person.household_id])
    tx.audit("residents.loaded", "county", UUID(int=0), tx.county, households=len(households), people=len(residents))


async def _store_doors(tx: Transaction, households: Sequence[NewHousehold]) -> None:
    rows = [(h.dwelling_id, h.cell_code, h.compound, h.building, h.unit, h.room, h.lon, h.lat) for h in households]
    await tx.conn.execute(_DOORS, tx.county, tx.now, *by_column(rows, 8))


async def _store_households(
    tx: Transaction, households: Sequence[NewHousehold], people: dict[UUID, list[NewResident]]
) -> None:
    rows = []
    for household in households:
        sums = rules.add_up([rules.Member(p.name, p.relation, p.care) for p in people[household.id]])
        rows.append(
            (household.id, household.cell_code, household.dwelling_id, sums.head_name, sums.size, ",".join(sums.care))
        )
    await tx.conn.execute(_HOUSEHOLDS, tx.county, tx.now, *by_column(rows, 6))


async def _store_residents(
    tx: Transaction, keys: Keys, areas: dict[UUID, str], residents: Sequence[NewResident]
) -> None:
    rows = []
    for p in residents:
        sealed = identity.seal(keys, tx.county, p.id, p.id_number)
        rows.append(
            (
                p.id, areas[p.household_id], p.household_id, p.name, p.sex, p.birth_date, p.phone, p.relation,
                p.residency, ",".join(rules.in_order(p.care)), p.note, p.ethnicity, p.marital, p.education,
                p.employment, p.occupation, p.political, p.registered_place, sealed.data_key, sealed.number,
                sealed.index,
            )
        )  # fmt: skip
    await tx.conn.execute(_RESIDENTS, tx.county, tx.now, *by_column(rows, 21))
    claims = [
        findings.Claim(p.id, areas[p.household_id], p.id_number, p.sex, p.birth_date) for p in residents if p.id_number
    ]
    await findings.compare(tx, claims)


def _door_keys(households: Sequence[NewHousehold]) -> list[tuple[str, str, UUID]]:
    return [
        (h.cell_code, key, h.id) for h in households for key in search.door_keys(h.compound, h.building, h.unit, h.room)
    ]


def _person_keys(areas: dict[UUID, str], residents: Sequence[NewResident]) -> list[tuple[str, str, UUID]]:
    return [(areas[p.household_id], key, p.id) for p in residents for key in search.person_keys(p.name, p.phone)]


_DOORS = """
INSERT INTO dwelling (county_code, rev, received_at, id, area_code, compound, building, unit, room, lon, lat)
SELECT $1, 1, $2, * FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                                $9::float8[], $10::float8[])
"""

_HOUSEHOLDS = """
INSERT INTO household (county_code, rev, received_at, tries_since_seen, due_reason, id, area_code, dwelling_id,
                       head_name, size, care)
SELECT $1, 1, $2, 0, '', id, area, dwelling, head, size, string_to_array(care, ',')
FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::int[], $8::text[])
  AS h(id, area, dwelling, head, size, care)
"""

_RESIDENTS = """
INSERT INTO resident (county_code, rev, received_at, id, area_code, household_id, name, sex, birth_date, phone,
                      relation, residency, care, note, ethnicity, marital, education, employment, occupation,
                      political, registered_place, data_key, id_sealed, id_index)
SELECT $1, 1, $2, id, area, household, name, sex, born, phone, relation, residency, string_to_array(care, ','), note,
       ethnicity, marital, education, employment, occupation, political, registered, data_key, sealed, index
FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::date[], $9::text[], $10::text[],
            $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[],
            $19::text[], $20::text[], $21::bytea[], $22::bytea[], $23::bytea[])
  AS r(id, area, household, name, sex, born, phone, relation, residency, care, note, ethnicity, marital, education,
       employment, occupation, political, registered, data_key, sealed, index)
"""
