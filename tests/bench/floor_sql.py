"""SQL of the floor: one statement that writes everything a visit owes, for one visit or for many."""

from backend.visits.queries import COLUMNS

GET = f"SELECT row_to_json(v)::text FROM (SELECT {COLUMNS} FROM visit WHERE county_code = $1 AND id = $2) AS v"

PAGE = f"""
SELECT received_at, id, row_to_json(v)::text FROM (
    SELECT {COLUMNS} FROM visit WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':'
    ORDER BY received_at DESC, id DESC LIMIT $3
) AS v
"""

_ONE = """
SELECT $5::uuid AS op_id, $6::uuid AS visit_id, $7::uuid AS household_id, $8::bigint AS device_seq,
       $9::bytea AS content, $10::timestamptz AS visited_at, $11::text AS note, $12::float8 AS lon, $13::float8 AS lat,
       $14::float8 AS accuracy_m, $15::text AS cell, $16::uuid AS audit_id
"""

_MANY = """
SELECT * FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::bigint[], $9::bytea[], $10::timestamptz[], $11::text[],
                     $12::float8[], $13::float8[], $14::float8[], $15::text[], $16::uuid[])
  AS s(op_id, visit_id, household_id, device_seq, content, visited_at, note, lon, lat, accuracy_m, cell, audit_id)
"""

_HOME = """
SELECT h.id, h.area_code, d.lon, d.lat
FROM sent JOIN household h ON h.county_code = $1 AND h.id = sent.household_id
JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
"""

# Only what the bench sends: somebody was met, nothing was found, the fix is fresh, and nobody there needs care.
_VISIT = f"""
INSERT INTO visit (county_code, received_at, id, area_code, happened_in, household_id, worker_id, worker_name, mode,
                   outcome, findings, note, visited_at, lon, lat, accuracy_m, distance_m, fix_area_code, evidence)
SELECT $1, now(), visit_id, area_code, area_code, household_id, $2, $3, 'home', 'seen', '{{}}', note, visited_at,
       s.lon, s.lat, accuracy_m, round(away), cell,
       CASE WHEN accuracy_m > 200 THEN 'vague' WHEN away <= greatest(50, accuracy_m + 30) THEN 'at_door'
            WHEN away <= 300 THEN 'near' ELSE 'far' END
FROM sent s JOIN home ON home.id = household_id, LATERAL (
    SELECT 2 * 6371008.8 * asin(least(1, sqrt(
        sin(radians(home.lat - s.lat) / 2) ^ 2
        + cos(radians(s.lat)) * cos(radians(home.lat)) * sin(radians(home.lon - s.lon) / 2) ^ 2))) AS away
) AS measured
RETURNING {COLUMNS}
"""

_OWED = """
standing AS (
    UPDATE household h SET last_visited_on = day, last_seen_on = day, tries_since_seen = 0, due_on = day + 60,
                           due_reason = '每 60 天走一遍', rev = h.rev + 1
    FROM (SELECT household_id, max((visited_at AT TIME ZONE 'Asia/Shanghai')::date) AS day FROM sent GROUP BY 1) AS s
    WHERE h.county_code = $1 AND h.id = s.household_id RETURNING h.id, h.area_code
), noted AS (
    INSERT INTO audit (county_code, id, area_code, at, account_id, action, entity_kind, entity_id, detail, request_id)
    SELECT $1, audit_id, area_code, now(), $2, 'visit.recorded', 'visit', visit_id, '{}', $4
    FROM sent JOIN stored ON stored.id = visit_id RETURNING 1
), settled AS (
    INSERT INTO operation (county_code, id, account_id, device_id, device_seq, kind, entity_id, outcome, content_hmac,
                           received_at)
    SELECT $1, op_id, $2, DEVICE, device_seq, 'visit.record', visit_id, 'applied', content, now()
    FROM sent RETURNING 1
), want AS (
    SELECT left(area_code, 12) AS stream, 'visit' AS kind, id, area_code FROM stored
    UNION ALL SELECT left(area_code, 12), 'household', id, area_code FROM standing
), head AS (
    UPDATE feed_head f SET seq = f.seq + n
    FROM (SELECT stream, count(*) AS n FROM want GROUP BY stream) AS size,
         (SELECT (SELECT count(*) FROM noted) + (SELECT count(*) FROM settled) AS before) AS written
    WHERE f.county_code = $1 AND f.stream = size.stream AND written.before >= 0  -- heads are locked last
    RETURNING f.stream, f.seq - n AS base
), fed AS (
    INSERT INTO change (county_code, stream, kind, id, area_code, seq, gone, at)
    SELECT $1, stream, kind, id, area_code, base + row_number() OVER (PARTITION BY stream), false, now()
    FROM want JOIN head USING (stream)
    ON CONFLICT (county_code, stream, kind, id, area_code) DO UPDATE SET seq = excluded.seq, gone = false, at = now()
    RETURNING 1
)
"""

_PHONE = """
phone AS (
    UPDATE device d SET settled_seq = greatest(settled_seq, (SELECT max(device_seq) FROM sent))
    WHERE county_code = $1 AND id = $17::uuid AND revoked_at IS NULL
      AND EXISTS (SELECT 1 FROM device_login WHERE county_code = $1 AND device_id = d.id AND account_id = $2)
    RETURNING settled_seq
)
"""


def _with_visits(sent: str, lock: str) -> str:
    return f"WITH sent AS ({sent}), home AS ({_HOME} {lock}), stored AS ({_VISIT})"


def _with_all(sent: str, device: str) -> str:
    return f"{_with_visits(sent, 'ORDER BY h.id FOR UPDATE OF h')}, {_OWED.replace('DEVICE', device)}"


POST = _with_all(_ONE, "NULL::uuid") + " SELECT row_to_json(stored)::text FROM stored, fed LIMIT 1"

PUSH = _with_all(_MANY, "$17::uuid") + (
    f", {_PHONE} SELECT settled_seq FROM phone"
    " WHERE (SELECT count(*) FROM stored) = cardinality($6) AND (SELECT count(*) FROM fed) = 2 * cardinality($6)"
)

# The request id, which nothing bare keeps.
_UNUSED = "WHERE $4::text IS NOT NULL"

BARE_POST = f"{_with_visits(_ONE, '')} SELECT row_to_json(stored)::text FROM stored {_UNUSED}"

BARE_PUSH = f"{_with_visits(_MANY, '')} SELECT count(*) FROM stored {_UNUSED}"
