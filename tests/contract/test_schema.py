"""What every table must keep to, read from the database's own catalog."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.contract.rows import COUNTY_WIDE, EXEMPT, county_tables

APPEND_ONLY = ("audit", "edit", "operation", "register_event", "register_withdrawal", "request_event", "visit")


@pytest.fixture
async def catalog(shared_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Whatever a test changes is undone, so that a control can break a rule and the next test still finds it kept."""
    conn = await asyncpg.connect(shared_url)
    undo = conn.transaction()
    await undo.start()
    yield conn
    await undo.rollback()
    await conn.close()


async def _column(conn: asyncpg.Connection, query: str) -> list[str]:
    return [row[0] for row in await conn.fetch(query)]


UNPROTECTED = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'm')
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity
           AND ARRAY['gridhood_app', 'gridhood_transfer']::name[] <@ ARRAY(
               SELECT r.rolname FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles) WHERE p.polrelid = c.oid))
ORDER BY 1
"""

KEYS_ELSEWHERE = """
SELECT k.table_name || '.' || k.key_name
FROM (
    SELECT i.indrelid::regclass::text AS table_name, i.indexrelid::regclass::text AS key_name,
           i.indrelid AS relid, i.indkey[0] AS first, NULL::smallint AS first_there, NULL::oid AS there
    FROM pg_index i WHERE i.indisunique
    UNION ALL
    SELECT conrelid::regclass::text, conname, conrelid, conkey[1], confkey[1], confrelid
    FROM pg_constraint WHERE contype = 'f'
) k
JOIN pg_class c ON c.oid = k.relid AND c.relnamespace = 'public'::regnamespace
JOIN pg_attribute county ON county.attrelid = c.oid AND county.attname = 'county_code'
LEFT JOIN pg_attribute county_there ON county_there.attrelid = k.there AND county_there.attname = 'county_code'
WHERE (k.first <> county.attnum OR k.first_there <> county_there.attnum)
  AND (k.there IS NULL OR county_there.attnum IS NOT NULL)
ORDER BY 1
"""

OUT_OF_REFERENCE = """
SELECT f.conname FROM pg_constraint f
WHERE f.contype = 'f' AND f.connamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = f.conrelid AND attname = 'county_code')
  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = f.confrelid AND attname = 'county_code')
"""

TRIGGERS = """
SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace
"""

SEQUENCES = "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"

PLAIN_VIEWS = """
SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
  AND NOT coalesce(reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1']
"""

OTHER_COLLATION = """
SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attcollation <> 'pg_catalog."C"'::regcollation
  AND a.attname IN ('county_code', 'area_code', 'happened_in', 'fix_area_code', 'stream', 'key')
  AND c.relname <> 'login_counter'
"""


async def test_every_table_is_under_forced_row_level_security_or_exempt_by_name(catalog):
    assert set(await _column(catalog, UNPROTECTED)) == EXEMPT


async def test_the_look_for_unprotected_tables_finds_one_whose_owner_would_see_all(catalog):
    await catalog.execute("ALTER TABLE visit NO FORCE ROW LEVEL SECURITY; DROP POLICY county ON household")

    found = set(await _column(catalog, UNPROTECTED)) - EXEMPT

    assert found == {"visit", "household"}


async def test_every_key_of_a_county_table_starts_with_the_county(catalog):
    assert await _column(catalog, KEYS_ELSEWHERE) == []


async def test_the_look_at_keys_finds_those_that_could_cross_counties(catalog):
    await catalog.execute("CREATE UNIQUE INDEX visit_alone ON visit (id)")
    await catalog.execute("CREATE UNIQUE INDEX household_alone ON household (id, county_code)")
    await catalog.execute(
        "ALTER TABLE visit ADD CONSTRAINT swapped FOREIGN KEY (resident_id, county_code)"
        " REFERENCES household (id, county_code)"
    )

    found = await _column(catalog, KEYS_ELSEWHERE)

    assert found == ["household.household_alone", "visit.swapped", "visit.visit_alone"]


async def test_no_reference_table_points_into_a_county(catalog):
    assert await _column(catalog, OUT_OF_REFERENCE) == []


async def test_the_look_at_reference_tables_finds_a_pointer_into_a_county(catalog):
    await catalog.execute('ALTER TABLE division ADD COLUMN in_county text COLLATE "C" REFERENCES county')

    assert await _column(catalog, OUT_OF_REFERENCE) == ["division_in_county_fkey"]


@pytest.mark.parametrize(
    ("look", "breach"),
    [
        (
            TRIGGERS,
            "CREATE TRIGGER t BEFORE UPDATE ON visit"
            " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        ),
        (SEQUENCES, "CREATE SEQUENCE numbers"),
        (PLAIN_VIEWS, "CREATE VIEW everybody AS SELECT * FROM resident"),
        (OTHER_COLLATION, 'ALTER TABLE visit ALTER fix_area_code TYPE text COLLATE "default"'),
    ],
    ids=["triggers", "sequences", "views past the scope", "codes in another collation"],
)
async def test_what_would_not_spread_over_nodes_or_leak_is_absent_and_would_be_found(catalog, look, breach):
    before = await _column(catalog, look)
    await catalog.execute(breach)
    after = await _column(catalog, look)

    assert (before, len(after)) == ([], 1)


async def test_what_has_happened_cannot_be_rewritten_by_the_app(catalog):
    rights = await catalog.fetch(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee IN ('gridhood_app', 'gridhood_transfer') AND table_name = ANY($1)",
        list(APPEND_ONLY),
    )

    assert {row["table_name"] for row in rights} == set(APPEND_ONLY)
    assert {row["privilege_type"] for row in rights} == {"SELECT", "INSERT"}


async def test_neither_role_owns_a_table_or_stands_above_policies(catalog):
    roles = await catalog.fetch(
        "SELECT rolname FROM pg_roles r WHERE rolname IN ('gridhood_app', 'gridhood_transfer')"
        " AND NOT rolsuper AND NOT rolbypassrls AND NOT rolcanlogin"
        " AND NOT EXISTS (SELECT FROM pg_class WHERE relowner = r.oid)"
    )

    assert len(roles) == 2


async def test_every_row_with_an_area_keeps_to_the_levels_of_place_codes(catalog):
    checked = await _column(
        catalog, "SELECT conrelid::regclass::text FROM pg_constraint WHERE conname ~ '_area_level$'"
    )
    by_area = {table.name for table in county_tables() if "area_code" in table.c}

    assert {name.strip('"') for name in checked} == by_area - COUNTY_WIDE
