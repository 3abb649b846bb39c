"""SQL of row-level security as of 2026-11. Migrations keep their own copy: a later policy gets a new file."""

_SETTING = "nullif(current_setting('app.{}', true), '')"
LO, HI, SCOPES = (_SETTING.format(name) for name in ("lo", "hi", "scopes"))
COUNTY, ACTOR, VOLUNTEER = (_SETTING.format(name) for name in ("county", "actor", "volunteer"))

# Written as ranges: under row-level security an index serves only leakproof comparisons, which LIKE is not.
# It fails closed: an empty or missing setting is NULL, and NULL opens nothing. The county stands beside the area: a
# grant wider than a county must not open another tenant of the same database.
AREA = (
    f"county_code = {COUNTY} AND area_code >= {LO} AND area_code < {HI}"
    f" AND EXISTS (SELECT 1 FROM unnest(string_to_array({SCOPES}, ',')) p"
    " WHERE area_code >= p AND area_code < p || ':')"
)
OWN = "({area}) OR {column} = {volunteer}::uuid"

POLICIES = {
    "area": AREA,
    "county": f"county_code = {COUNTY}",
    "actor": f"account_id = {ACTOR}::uuid",
    "volunteer": OWN.format(area=AREA, column="volunteer_id", volunteer=VOLUNTEER),
    "volunteer_id": OWN.format(area=AREA, column="id", volunteer=VOLUNTEER),
    "stream": f"({AREA}) OR stream = 'v:' || {VOLUNTEER}",
}
# A range by prefix is exact only between codes on levels: thirteen digits would count as part of a community.
LEVEL = "CHECK (length(area_code) IN (2, 4, 6, 9, 12, 15))"
WITHOUT_AREA = ("county", "actor")


def protect(table: str, policy: str, app: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Statements that force a policy on a table: the app role by its scope, the transfer role by its county."""
    level = [] if policy in WITHOUT_AREA else [f'ALTER TABLE "{table}" ADD CONSTRAINT {table}_area_level {LEVEL}']
    return [
        *level,
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY scope ON "{table}" TO gridhood_app USING ({POLICIES[policy]})',
        f'CREATE POLICY county ON "{table}" TO gridhood_transfer USING (county_code = {COUNTY})',
        f'GRANT {app} ON "{table}" TO gridhood_app',
        f'GRANT {app} ON "{table}" TO gridhood_transfer',
    ]
