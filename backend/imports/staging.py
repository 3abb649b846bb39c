"""A slice in the database: copied into a temporary table, compared with the register, and stored from there.

COPY is refused under row-level security, so the real tables are filled by INSERT … SELECT as the application role.
"""

from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from backend.core.clock import county_day
from backend.core.feed import MissingHead
from backend.core.handover import beyond_scope
from backend.core.transaction import Transaction
from backend.imports import ids
from shared.residents import Care

STAGED = (
    "row", "area", "placed", "hkey", "compound", "building", "unit", "room", "lon", "lat", "door_keys", "name",
    "name_keys", "sex", "birth", "phone", "relation", "residency", "care", "ethnicity", "marital", "education",
    "political", "employment", "occupation", "registered_place", "note", "data_key", "id_sealed", "id_index",
)  # fmt: skip
"""Columns that a slice comes with, in their order."""

OTHER_AREA = "other_area"
"""What a person differs in who is registered outside the caller's areas."""


@dataclass(frozen=True, slots=True)
class Known:
    """A row whose person is on the register already, and in what the sheet says otherwise."""

    row: int
    differs: str


async def copy_in(tx: Transaction, staged: bytes) -> None:
    await tx.conn.execute(HASHED + _TABLES)
    await tx.conn.copy_to_table("staged", source=BytesIO(staged), columns=STAGED, format="csv", null="\\N")
    await tx.conn.execute("ANALYZE staged")


async def compare(tx: Transaction, batch: UUID, *, register_empty: bool) -> list[Known]:
    """Find the rows whose people are on the register: by identity number, else by name, birth date and door."""
    if not register_empty:
        await tx.conn.execute(_BY_NUMBER, tx.county)
        await tx.conn.execute(_BY_DOOR, tx.county)
        await tx.conn.execute(_HOME_BY_DOOR, tx.county, *ids.range_of(batch, ids.Kind.dwelling))
    if tx.caller.scopes != (tx.county,):
        async with beyond_scope(tx, "import.compared", "import", batch, tx.county):
            await tx.conn.execute(_ELSEWHERE, tx.county, OTHER_AREA)
    rows = await tx.conn.fetch("SELECT row, differs FROM known ORDER BY row")
    return [Known(row["row"], row["differs"]) for row in rows]


async def store(tx: Transaction, batch: UUID) -> int:
    """Store the rows that are not known; return how many people came in. The feed is not written yet."""
    prefix = ids.prefix_of(batch)
    await tx.conn.execute(_HOMES, prefix + ids.Kind.household, prefix + ids.Kind.dwelling)
    await tx.conn.execute(_HOMES_THERE, tx.county)
    await tx.conn.execute("ANALYZE home")
    await tx.conn.execute(_DOORS, tx.county, tx.now)
    labels = [care.value for care in Care]
    await tx.conn.execute(_HOUSEHOLDS, tx.county, tx.now, labels)
    await tx.conn.execute(_PEOPLE, tx.county, tx.now, prefix + ids.Kind.resident)
    if await tx.conn.fetchval("SELECT EXISTS (SELECT FROM home WHERE NOT fresh)"):
        await tx.conn.execute(SUMS_OF.format(which="SELECT DISTINCT id FROM home WHERE NOT fresh"), tx.county, labels)
    today, who = county_day(tx.now), tx.caller.account_id
    await tx.conn.execute(_PERIODS, tx.county, prefix + ids.Kind.period, today, who, tx.now)
    await tx.conn.execute(_KEYS, tx.county)
    stored: int = await tx.conn.fetchval("SELECT count(*) FROM added")
    return stored


async def added(tx: Transaction) -> list[UUID]:
    return [row["id"] for row in await tx.conn.fetch("SELECT id FROM added ORDER BY id")]


async def tell(tx: Transaction) -> None:
    """Write the feed rows of `told`, last: whoever else writes in these communities waits from here to the commit."""
    await tx.conn.fetch(_LOCK, tx.county)
    wanted = await tx.conn.fetchval("SELECT count(*) FROM told")
    if await tx.conn.execute(_FEED, tx.county, tx.now) != f"INSERT 0 {wanted}":
        raise MissingHead("import")


HASHED = """
SET LOCAL enable_nestloop = off; SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL work_mem = '64MB';
"""
"""Under row-level security the planner expects one row of every table, whatever the index: a loop over a slice would
read the county once a row. Hashed, it is read once a slice. Search keys, some 200,000, are sorted in that memory."""

_TABLES = """
CREATE TEMP TABLE staged (
    row int, area text COLLATE "C", placed bool, hkey text COLLATE "C", compound text, building text, unit text,
    room text, lon float8, lat float8, door_keys text, name text, name_keys text, sex text, birth date, phone text,
    relation text, residency text, care text, ethnicity text, marital text, education text, political text,
    employment text, occupation text, registered_place text, note text, data_key bytea, id_sealed bytea, id_index bytea
) ON COMMIT DROP;
CREATE TEMP TABLE known (row int PRIMARY KEY, household_id uuid, differs text) ON COMMIT DROP;
CREATE TEMP TABLE home_known (hkey text COLLATE "C" PRIMARY KEY, id uuid) ON COMMIT DROP;
CREATE TEMP TABLE home (
    hkey text COLLATE "C" PRIMARY KEY, id uuid, dwelling_id uuid, area text COLLATE "C", fresh bool, compound text,
    building text, unit text, room text, lon float8, lat float8, door_keys text
) ON COMMIT DROP;
CREATE TEMP TABLE added (id uuid, area text COLLATE "C", row int) ON COMMIT DROP;
CREATE TEMP TABLE told (kind text, id uuid, area text COLLATE "C", gone bool DEFAULT false) ON COMMIT DROP;
GRANT SELECT, INSERT, UPDATE ON staged, known TO gridhood_transfer;
"""

_DIFFERS = """
concat_ws('、', CASE WHEN r.name <> s.name THEN '姓名' END,
    CASE WHEN s.sex IN ('1', '2') AND r.sex <> s.sex THEN '性别' END,
    CASE WHEN r.birth_date <> s.birth OR (r.birth_date IS NULL AND s.birth IS NOT NULL) THEN '出生日期' END,
    CASE WHEN s.phone <> coalesce(r.phone, '') THEN '电话' END,
    CASE WHEN s.relation <> r.relation THEN '与户主关系' END,
    CASE WHEN s.residency <> r.residency THEN '人员状态' END,
    CASE WHEN s.placed AND s.area <> r.area_code THEN '网格' END,
    CASE WHEN NOT string_to_array(s.care, ',') <@ r.care THEN '关爱标签' END,
    CASE WHEN r.id_index IS NULL AND s.id_index IS NOT NULL THEN '身份证号' END,
    CASE WHEN r.left_on IS NOT NULL THEN '库里记着已经离开' END)
"""

_BY_NUMBER = f"""
INSERT INTO known (row, household_id, differs)
SELECT s.row, r.household_id, {_DIFFERS}
FROM staged s JOIN resident r ON r.county_code = $1 AND r.id_index = s.id_index
"""

_BY_DOOR = f"""
INSERT INTO known (row, household_id, differs)
SELECT DISTINCT ON (s.row) s.row, r.household_id, {_DIFFERS}
FROM staged s
JOIN resident r ON r.county_code = $1 AND r.name = s.name AND r.birth_date IS NOT DISTINCT FROM s.birth
JOIN household h ON h.county_code = $1 AND h.id = r.household_id
JOIN dwelling d ON d.county_code = $1 AND d.id = h.dwelling_id
 AND (d.compound, d.building, d.unit, d.room) = (s.compound, s.building, s.unit, s.room)
WHERE r.merged_into IS NULL AND (s.id_index IS NULL OR r.id_index IS NULL)
  AND NOT EXISTS (SELECT FROM known k WHERE k.row = s.row)
ORDER BY s.row, r.received_at, r.id
"""

_HOME_BY_DOOR = """
INSERT INTO home_known (hkey, id)
SELECT DISTINCT ON (s.hkey) s.hkey, h.id
FROM staged s
JOIN dwelling d ON d.county_code = $1 AND d.area_code = s.area AND d.room = s.room
 AND (d.compound, d.building, d.unit) = (s.compound, s.building, s.unit)
JOIN household h ON h.county_code = $1 AND h.dwelling_id = d.id
WHERE s.room <> '' AND NOT d.id BETWEEN $2 AND $3
ORDER BY s.hkey, h.received_at, h.id
"""

_ELSEWHERE = """
INSERT INTO known (row, differs)
SELECT s.row, $2 FROM staged s JOIN resident r ON r.county_code = $1 AND r.id_index = s.id_index
WHERE NOT EXISTS (SELECT FROM known k WHERE k.row = s.row)
"""

# A household is where one of its members is known to live, else behind its door, else the batch's own: its id is made
# of what the sheet says about it, so that its members find it from any slice.
_HOMES = """
INSERT INTO home (hkey, id, dwelling_id, area, fresh, compound, building, unit, room, lon, lat, door_keys)
WITH wanted AS (
    SELECT DISTINCT ON (hkey) hkey, first_value(area) OVER (PARTITION BY hkey ORDER BY NOT placed, row) AS area,
           compound, building, unit, room, lon, lat, door_keys
    FROM staged s WHERE NOT EXISTS (SELECT FROM known k WHERE k.row = s.row)
    ORDER BY hkey, room = '', compound = '', lon IS NULL, row
), member AS (
    SELECT s.hkey, (array_agg(k.household_id ORDER BY k.row))[1] AS id
    FROM staged s JOIN known k ON k.row = s.row WHERE k.household_id IS NOT NULL GROUP BY s.hkey
)
SELECT w.hkey, coalesce(m.id, d.id, ($1 || left(md5(w.hkey), 14))::uuid), ($2 || left(md5(w.hkey), 14))::uuid, w.area,
       true, w.compound, w.building, w.unit, w.room, w.lon, w.lat, w.door_keys
FROM wanted w LEFT JOIN member m USING (hkey) LEFT JOIN home_known d USING (hkey)
"""

_HOMES_THERE = """
UPDATE home SET fresh = false, area = h.area_code FROM household h WHERE h.county_code = $1 AND h.id = home.id
"""

_DOORS = """
INSERT INTO dwelling (county_code, id, area_code, rev, received_at, compound, building, unit, room, lon, lat)
SELECT $1, dwelling_id, area, 1, $2, compound, building, unit, room, lon, lat FROM home WHERE fresh ORDER BY dwelling_id
"""

_IN_ORDER = "ARRAY(SELECT o.label FROM unnest({all}::text[]) WITH ORDINALITY AS o(label, at) WHERE o.label = ANY ({some}) ORDER BY o.at)"  # fmt: skip # noqa: E501

_HOUSEHOLDS = f"""
INSERT INTO household (county_code, id, area_code, rev, received_at, dwelling_id, tries_since_seen, due_reason,
                       head_name, size, care)
SELECT $1, h.id, h.area, 1, $2, h.dwelling_id, 0, '', s.head, s.size,
       {_IN_ORDER.format(all="$3", some="string_to_array(s.care, ',')")}
FROM home h JOIN (
    SELECT hkey, (array_agg(name ORDER BY relation IS DISTINCT FROM '02', row))[1] AS head, count(*) AS size,
           string_agg(nullif(care, ''), ',') AS care
    FROM staged s WHERE NOT EXISTS (SELECT FROM known k WHERE k.row = s.row) GROUP BY hkey
) s USING (hkey)
WHERE h.fresh ORDER BY h.id
"""

_PEOPLE = """
WITH stored AS (
    INSERT INTO resident (county_code, rev, received_at, id, area_code, household_id, name, sex, birth_date, phone,
                          relation, residency, care, ethnicity, marital, education, political, employment, occupation,
                          registered_place, note, data_key, id_sealed, id_index)
    SELECT $1, 1, $2, ($3 || lpad(to_hex(s.row), 14, '0'))::uuid, h.area, h.id, s.name, s.sex, s.birth, s.phone,
           coalesce(s.relation, '97'), coalesce(s.residency, 'living'), string_to_array(s.care, ','), s.ethnicity,
           s.marital, s.education, s.political, s.employment, s.occupation, nullif(s.registered_place, ''), s.note,
           s.data_key, s.id_sealed, s.id_index
    FROM staged s JOIN home h USING (hkey)
    WHERE NOT EXISTS (SELECT FROM known k WHERE k.row = s.row) ORDER BY s.row
    RETURNING id, area_code
), noted AS (
    INSERT INTO added SELECT id, area_code, ('x' || right(id::text, 8))::bit(32)::int FROM stored RETURNING 1
)
INSERT INTO told (kind, id, area) 
SELECT 'resident', id, area_code FROM stored UNION ALL SELECT 'household', id, area FROM home
"""

# What `history.begin` writes, from the slice: read back, the people would have to be found in the county again.
_PERIODS = """
INSERT INTO period (county_code, id, area_code, resident_id, track, value, from_day, noted_by, noted_at)
SELECT $1, ($2 || lpad(to_hex(s.row), 9, '0') || lpad(to_hex(t.place), 5, '0'))::uuid, a.area, a.id, t.track, t.value,
       greatest($3::date, s.birth), $4, $5
FROM added a JOIN staged s ON s.row = a.row JOIN home h USING (hkey)
CROSS JOIN LATERAL (
    VALUES (0, 'residency', coalesce(s.residency, 'living')), (1, 'household', h.id::text),
           (2, 'relation', coalesce(s.relation, '97'))
    UNION ALL
    SELECT 2 + at::int, 'care:' || label, 'yes' FROM unnest(string_to_array(s.care, ',')) WITH ORDINALITY AS c(label, at)
) AS t(place, track, value)
ORDER BY a.id
"""  # noqa: E501

# Households that were there before: what they add up to now.
SUMS_OF = f"""
WITH wanted AS MATERIALIZED ({{which}}), sums AS (
    SELECT r.household_id, (array_agg(r.name ORDER BY r.relation <> '02', r.received_at, r.id))[1] AS head,
           count(*) AS size, string_agg(array_to_string(r.care, ','), ',') AS care
    FROM wanted w JOIN resident r ON r.county_code = $1 AND r.household_id = w.id
    WHERE r.left_on IS NULL AND r.merged_into IS NULL GROUP BY r.household_id
)
UPDATE household h
SET head_name = coalesce(s.head, ''), size = coalesce(s.size, 0), rev = h.rev + 1,
    care = {_IN_ORDER.format(all="$2", some="string_to_array(s.care, ',')")}
FROM wanted w LEFT JOIN sums s ON s.household_id = w.id
WHERE h.county_code = $1 AND h.id = w.id
"""

# In the order of the index, which fills it many times faster than at random.
_KEYS = """
INSERT INTO search_key (county_code, area_code, key, entity_id)
WITH person AS (
    SELECT a.id, a.area, s.name_keys, regexp_replace(regexp_replace(s.phone, '[^0-9]', '', 'g'), '^86(?=.{11}$)', '') AS phone
    FROM added a JOIN staged s ON s.row = a.row
)
SELECT DISTINCT $1, area, key, id FROM (
    SELECT area, unnest(string_to_array(name_keys, ',')) AS key, id FROM person
    UNION ALL
    SELECT area, substr(phone, at), id FROM person, generate_series(1, length(phone) - 3) AS at
    UNION ALL
    SELECT area, unnest(string_to_array(door_keys, ',')), id FROM home WHERE fresh
) k WHERE key <> '' ORDER BY area, key, id
"""  # noqa: E501

_LOCK = """
SELECT 1 FROM feed_head WHERE county_code = $1 AND stream IN (SELECT left(area, 12) FROM told) ORDER BY stream FOR UPDATE
"""  # noqa: E501

_FEED = """
WITH size AS (
    SELECT left(area, 12) AS stream, count(*) AS n FROM told GROUP BY 1
), head AS (
    UPDATE feed_head f SET seq = f.seq + size.n FROM size WHERE f.county_code = $1 AND f.stream = size.stream
    RETURNING f.stream, f.seq - size.n AS base
)
INSERT INTO change (county_code, stream, kind, id, area_code, seq, gone, at)
SELECT $1, head.stream, t.kind, t.id, t.area, head.base + row_number() OVER (PARTITION BY head.stream), t.gone, $2
FROM told t JOIN head ON head.stream = left(t.area, 12)
ON CONFLICT (county_code, stream, kind, id, area_code)
DO UPDATE SET seq = excluded.seq, gone = excluded.gone, at = excluded.at
"""
