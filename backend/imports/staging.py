"""A slice in the database: copied into a temporary table, compared with the register, and stored from there.

COPY is refused under row-level security, so the real tables are filled by INSERT … SELECT as the application role.
"""

from io import BytesIO
from uuid import UUID

from backend.core.clock import county_day
from backend.core.feed import MissingHead
from backend.core.handover import beyond_scope
from backend.core.transaction import Transaction
from backend.imports import ids
from backend.imports.known import MERGED, OTHER_AREA, Known
from backend.residents import folding
from shared.residents import Care

STAGED = (
    "row", "area", "placed", "hkey", "compound", "building", "unit", "room", "lon", "lat", "door_keys", "name",
    "sex", "birth", "phone", "relation", "residency", "care", "ethnicity", "marital", "education",
    "political", "employment", "occupation", "registered_place", "note", "data_key", "id_sealed", "id_index",
    "facts", "disability", "poverty",
)  # fmt: skip
"""Columns that a slice comes with, in their order."""


async def copy_in(tx: Transaction, staged: bytes, keys: bytes) -> None:
    await tx.conn.execute(HASHED + _TABLES)
    await tx.conn.copy_to_table("staged", source=BytesIO(staged), columns=STAGED, format="csv", null="\\N")
    await tx.conn.copy_to_table("staged_key", source=BytesIO(keys), columns=("row", "key"), format="csv")
    await tx.conn.execute("ANALYZE staged (row, hkey)")


async def compare(tx: Transaction, batch: UUID, *, register_empty: bool) -> list[Known]:
    """Find the rows whose people are on the register: by identity number, else by name, birth date and door."""
    if not register_empty:
        await tx.conn.execute(_BY_NUMBER, tx.county)
        await tx.conn.execute(_BY_DOOR, tx.county)
        await tx.conn.execute(_HOME_BY_DOOR, tx.county, *ids.range_of(batch, ids.Kind.dwelling))
    if tx.caller.scopes != (tx.county,):
        async with beyond_scope(tx, "import.compared", "import", batch, tx.county):
            await tx.conn.execute(_ELSEWHERE, tx.county, OTHER_AREA)
    rows = await tx.conn.fetch("SELECT row, person, differs FROM known ORDER BY row")
    return [Known(row["row"], row["person"], tuple(filter(None, row["differs"].split(",")))) for row in rows]


async def namesakes(tx: Transaction, batch: UUID) -> list[int]:
    """Return rows of new people whose name and day of birth somebody at another door has: one of a corrected sheet,
    perhaps. Who they are is for a person to say."""
    rows = await tx.conn.fetch(_NAMESAKES, tx.county, *ids.range_of(batch, ids.Kind.resident))
    return [row["row"] for row in rows]


async def second_heads(tx: Transaction, batch: UUID) -> list[int]:
    """Make who would be the second head of a household another member of it; return their rows.

    A household has one head: the one on the register, else the first one of the sheet.
    """
    rows = await tx.conn.fetch(_SECOND_HEADS, tx.county, ids.prefix_of(batch) + ids.Kind.household)
    return [row["row"] for row in rows]


async def store(tx: Transaction, batch: UUID) -> int:
    """Store the rows that are not known; return how many people came in. The feed is not written yet."""
    prefix = ids.prefix_of(batch)
    await tx.conn.execute(_HOMES, prefix + ids.Kind.household, prefix + ids.Kind.dwelling)
    await tx.conn.execute(_HOMES_THERE, tx.county)
    await tx.conn.execute("ANALYZE home")
    await tx.conn.execute(_DOORS, tx.county, tx.now)
    await _count(tx, "dwelling")
    labels = [care.value for care in Care]
    await tx.conn.execute(_HOUSEHOLDS, tx.county, tx.now, labels)
    await _count(tx, "household")
    await tx.conn.execute(_PEOPLE, tx.county, tx.now, prefix + ids.Kind.resident)
    await _count(tx, "resident")
    if await tx.conn.fetchval("SELECT EXISTS (SELECT FROM home WHERE NOT fresh)"):
        await _add_up(tx, labels)
    today, who = county_day(tx.now), tx.caller.account_id
    await tx.conn.execute(_PERIODS, tx.county, prefix + ids.Kind.period, today, who, tx.now)
    await tx.conn.execute(_FACTS, tx.county, prefix + ids.Kind.fact, today, who, tx.now)
    await tx.conn.execute(_KEYS, tx.county)
    await tx.conn.execute(_DOOR_KEYS, tx.county)
    stored: int = await tx.conn.fetchval("SELECT count(*) FROM added")
    return stored


async def _add_up(tx: Transaction, labels: list[str]) -> None:
    """Write the sums of the households that were there before. One that was folded stands for itself again."""
    folded = await tx.conn.fetch(_FOLDED, tx.county)
    await tx.conn.execute(SUMS_OF.format(which="SELECT DISTINCT id FROM home WHERE NOT fresh"), tx.county, labels)
    if folded:
        await tx.conn.execute(UNHASHED)
        for home in folded:
            await folding.unfold(tx, home["id"], home["area_code"])
        await tx.conn.execute(HASHED)


async def _count(tx: Transaction, table: str) -> None:
    """Have the rows of a table counted that is taken for empty.

    Every index of an empty table looks the same to the planner, so a foreign key may look a row up by an index that
    knows only the county, and read the whole of it for every row that comes in.
    """
    if await tx.conn.fetchval(_TAKEN_FOR_EMPTY, table, EMPTY_BELOW):
        await tx.conn.execute("SELECT count_register($1)", table)


async def added(tx: Transaction, ids: list[UUID]) -> set[UUID]:
    """Return those of these people who came in with this slice."""
    return {row["id"] for row in await tx.conn.fetch("SELECT id FROM added WHERE id = ANY ($1)", ids)}


async def tell(tx: Transaction) -> None:
    """Write the feed rows of `told`, last: whoever else writes in these communities waits from here to the commit."""
    await tx.conn.fetch(_LOCK, tx.county)
    wanted = await tx.conn.fetchval("SELECT count(*) FROM told")
    if await tx.conn.execute(_FEED, tx.county, tx.now) != f"INSERT 0 {wanted}":
        raise MissingHead("import")


EMPTY_BELOW = 1_000
"""Rows. A table with fewer is read in no time by whatever index."""

_TAKEN_FOR_EMPTY = """
SELECT reltuples < $2 AND pg_relation_size(oid) > 100 * $2 FROM pg_class WHERE oid = ('public.' || $1)::regclass
"""

HASHED = """
SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off; SET LOCAL work_mem = '64MB';
"""
"""Under row-level security the planner expects one row of every table, whatever the index: a loop over a slice would
read the county once a row. Hashed, it is read once a slice. Plans are not forced to be made anew: that would have the
foreign keys plan their look-up for every row, which takes longer than storing it."""

UNHASHED = "SET LOCAL enable_nestloop = on; SET LOCAL enable_mergejoin = on;"
"""For what is done person by person, whose queries each have their index."""

_TABLES = """
CREATE TEMP TABLE staged (
    row int, area text COLLATE "C", placed bool, hkey text COLLATE "C", compound text, building text, unit text,
    room text, lon float8, lat float8, door_keys text, name text, sex text, birth date, phone text,
    relation text, residency text, care text, ethnicity text, marital text, education text, political text,
    employment text, occupation text, registered_place text, note text, data_key bytea, id_sealed bytea, id_index bytea,
    facts text, disability bytea, poverty bytea
) ON COMMIT DROP;
CREATE TEMP TABLE staged_key (row int, key text COLLATE "C") ON COMMIT DROP;
CREATE TEMP TABLE known (row int PRIMARY KEY, person uuid, household_id uuid, differs text) ON COMMIT DROP;
CREATE TEMP TABLE home_known (hkey text COLLATE "C" PRIMARY KEY, id uuid) ON COMMIT DROP;
CREATE TEMP TABLE home (
    hkey text COLLATE "C" PRIMARY KEY, id uuid, dwelling_id uuid, area text COLLATE "C", fresh bool, compound text,
    building text, unit text, room text, lon float8, lat float8, door_keys text
) ON COMMIT DROP;
CREATE TEMP TABLE added (id uuid, area text COLLATE "C", row int) ON COMMIT DROP;
CREATE TEMP TABLE told (kind text, id uuid, area text COLLATE "C", gone bool DEFAULT false) ON COMMIT DROP;
GRANT SELECT, INSERT, UPDATE ON staged, known TO gridhood_transfer;
"""

# An empty cell says nothing. What is sealed cannot be compared: it counts as told when something of its kind holds.
_DIFFERS = """
concat_ws(',', CASE WHEN r.name <> s.name THEN 'name' END,
    CASE WHEN s.sex IN ('1', '2') AND r.sex <> s.sex THEN 'sex' END,
    CASE WHEN s.birth <> coalesce(r.birth_date, 'infinity') THEN 'birth_date' END,
    CASE WHEN s.phone <> coalesce(r.phone, '') THEN 'phone' END,
    CASE WHEN s.relation <> r.relation THEN CASE WHEN '02' IN (s.relation, r.relation) THEN 'head' ELSE 'relation' END
    END,
    CASE WHEN s.residency <> r.residency THEN 'residency' END,
    CASE WHEN NOT string_to_array(s.care, ',') <@ r.care THEN 'care' END,
    CASE WHEN s.ethnicity <> coalesce(r.ethnicity, '') THEN 'ethnicity' END,
    CASE WHEN s.marital <> coalesce(r.marital, '') THEN 'marital' END,
    CASE WHEN s.education <> coalesce(r.education, '') THEN 'education' END,
    CASE WHEN s.political <> coalesce(r.political, '') THEN 'political' END,
    CASE WHEN s.employment <> coalesce(r.employment, '') THEN 'employment' END,
    CASE WHEN s.occupation <> coalesce(r.occupation, '') THEN 'occupation' END,
    CASE WHEN nullif(s.registered_place, '') <> coalesce(r.registered_place, '') THEN 'registered_place' END,
    CASE WHEN s.placed AND s.area <> r.area_code THEN 'area' END,
    CASE WHEN r.id_index IS NULL AND s.id_index IS NOT NULL THEN 'id_number' END,
    (SELECT string_agg(kind, ',') FROM unnest(string_to_array(s.facts, ',')) AS kind WHERE NOT EXISTS (
        SELECT FROM sealed_fact f WHERE f.county_code = $1 AND f.resident_id = r.id AND f.kind = kind.kind
        AND f.until_day = 'infinity')),
    CASE WHEN r.left_on IS NOT NULL THEN 'left' END)
"""

_BY_NUMBER = f"""
INSERT INTO known (row, person, household_id, differs)
SELECT s.row, r.id, r.household_id, {_DIFFERS}
FROM staged s JOIN resident r ON r.county_code = $1 AND r.id_index = s.id_index
"""

# A row that was merged is known by what it says too, or a sheet that comes again would bring its person in again.
_BY_DOOR = f"""
INSERT INTO known (row, person, household_id, differs)
SELECT DISTINCT ON (s.row) s.row, r.id, CASE WHEN r.merged_into IS NULL THEN r.household_id END,
       CASE WHEN r.merged_into IS NULL THEN {_DIFFERS} ELSE '{MERGED}' END
FROM staged s
JOIN resident r ON r.county_code = $1 AND r.name = s.name AND r.birth_date IS NOT DISTINCT FROM s.birth
JOIN household h ON h.county_code = $1 AND h.id = r.household_id
JOIN dwelling d ON d.county_code = $1 AND d.id = h.dwelling_id
 AND (d.compound, d.building, d.unit, d.room) = (s.compound, s.building, s.unit, s.room)
WHERE (s.id_index IS NULL OR r.id_index IS NULL) AND NOT EXISTS (SELECT FROM known k WHERE k.row = s.row)
ORDER BY s.row, r.merged_into IS NOT NULL, r.received_at, r.id
"""

_NAMESAKES = """
SELECT s.row FROM staged s
WHERE NOT EXISTS (SELECT FROM known k WHERE k.row = s.row) AND EXISTS (
    SELECT FROM resident r WHERE r.county_code = $1 AND r.name = s.name AND r.birth_date = s.birth
      AND r.merged_into IS NULL AND (s.id_index IS NULL OR r.id_index IS NULL) AND r.id NOT BETWEEN $2 AND $3
) ORDER BY s.row
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

# Households by key: whoever else of the sheet is known in them, who lives behind the door, or the batch's own.
_SECOND_HEADS = """
WITH wanted AS MATERIALIZED (
    SELECT s.row, s.hkey, row_number() OVER (PARTITION BY s.hkey ORDER BY s.row) AS place
    FROM staged s WHERE s.relation = '02' AND NOT EXISTS (SELECT FROM known k WHERE k.row = s.row)
), home AS MATERIALIZED (
    SELECT w.hkey, coalesce(
        (SELECT k.household_id FROM staged s JOIN known k USING (row)
         WHERE s.hkey = w.hkey AND k.household_id IS NOT NULL ORDER BY k.row LIMIT 1),
        (SELECT d.id FROM home_known d WHERE d.hkey = w.hkey), ($2 || left(md5(w.hkey), 14))::uuid) AS id
    FROM wanted w WHERE w.place = 1
), headed AS (
    SELECT home.hkey FROM home JOIN resident r ON r.household_id = home.id
    WHERE r.county_code = $1 AND r.household_id = ANY (ARRAY(SELECT id FROM home)) AND r.relation = '02'
      AND r.left_on IS NULL AND r.merged_into IS NULL
)
UPDATE staged s SET relation = '97' FROM wanted w
WHERE s.row = w.row AND (w.place > 1 OR w.hkey IN (SELECT hkey FROM headed)) RETURNING s.row
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
UPDATE home SET fresh = false, area = h.area_code FROM household h
WHERE h.county_code = $1 AND h.id = ANY (ARRAY(SELECT id FROM home)) AND h.id = home.id
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

_FACTS = """
INSERT INTO sealed_fact (county_code, id, area_code, rev, received_at, resident_id, kind, sealed, from_day, until_day,
                         noted_by)
SELECT $1, ($2 || lpad(to_hex(s.row::bigint * 16 + t.place), 14, '0'))::uuid, a.area, 1, $5, a.id, t.kind, t.sealed,
       $3, 'infinity', $4
FROM added a JOIN staged s USING (row)
CROSS JOIN LATERAL (VALUES (0, 'disability', s.disability), (1, 'poverty', s.poverty)) AS t(place, kind, sealed)
WHERE t.sealed IS NOT NULL
"""

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
    folded_into = CASE WHEN coalesce(s.size, 0) = 0 THEN h.folded_into END,
    care = {_IN_ORDER.format(all="$2", some="string_to_array(s.care, ',')")}
FROM wanted w LEFT JOIN sums s ON s.household_id = w.id
WHERE h.county_code = $1 AND h.id = w.id
"""

# Locked as the sums will lock them: a merge that folds one meanwhile comes before, and is seen, or finds it full.
_FOLDED = """
WITH locked AS MATERIALIZED (
    SELECT id, area_code, folded_into FROM household
    WHERE county_code = $1 AND id = ANY (ARRAY(SELECT id FROM home WHERE NOT fresh)) ORDER BY id FOR NO KEY UPDATE
)
SELECT id, area_code FROM locked WHERE folded_into IS NOT NULL
"""

# They come in the order of the index, which fills it many times faster than at random, and a hashed join keeps it.
_KEYS = """
INSERT INTO search_key (county_code, area_code, key, entity_id)
SELECT $1, a.area, k.key, a.id FROM staged_key k JOIN added a USING (row)
"""

_DOOR_KEYS = """
INSERT INTO search_key (county_code, area_code, key, entity_id)
SELECT DISTINCT $1, area, key, id FROM home, unnest(string_to_array(door_keys, ',')) AS key
WHERE fresh AND key <> '' ORDER BY area, key, id
"""

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
