"""SQL of rounds. Conditions narrow the reading; whether they hold is for `shared.rounds` alone to say."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from shared.residents import Care, Residency
from shared.rounds import AlertIn, AlertOut, Conditions, Home, Person, RoundRuleIn, RoundRuleOut
from shared.types import AREA_LEVELS

SLICE = 1000
_KEY = ("area_code", "received_at", "id")
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)

_RULES = (
    "SELECT id, area_code, name, conditions, every_days, alert, priority, state, rev, received_at FROM round_rule"
    " WHERE county_code = $1"
)
_ALERTS = (
    "SELECT id, area_code, kind, from_day, last_day, words, issued_by, rev, received_at FROM alert"
    " WHERE county_code = $1"
)


def _rule(row: asyncpg.Record) -> RoundRuleOut:
    return RoundRuleOut.model_validate({**row, "conditions": orjson.loads(row["conditions"])})


async def rules_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, RoundRuleOut]:
    rows = await conn.fetch(f"{_RULES} AND id = ANY($2::uuid[])", county, list(ids))
    return {row["id"]: _rule(row) for row in rows}


async def rules(conn: asyncpg.Connection, county: str) -> list[RoundRuleOut]:
    rows = await conn.fetch(f"{_RULES} ORDER BY priority, received_at, id", county)
    return [_rule(row) for row in rows]


async def alerts_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, AlertOut]:
    rows = await conn.fetch(f"{_ALERTS} AND id = ANY($2::uuid[])", county, list(ids))
    return {row["id"]: AlertOut.model_validate(dict(row)) for row in rows}


async def alerts(conn: asyncpg.Connection, county: str, day: date) -> list[AlertOut]:
    """Return the warnings that are not over on a day, those to come among them."""
    rows = await conn.fetch(f"{_ALERTS} AND last_day >= $2 ORDER BY from_day, id", county, day)
    return [AlertOut.model_validate(dict(row)) for row in rows]


async def spoken_over(conn: asyncpg.Connection, county: str, cell: str, day: date) -> list[tuple[str, UUID]]:
    """Return (table, id) of the rules, and of the warnings that are not over, whose area holds a cell."""
    rows = await conn.fetch(
        """
        SELECT 'round_rule' AS said, id FROM round_rule WHERE county_code = $1 AND area_code = ANY ($2::text[])
        UNION ALL
        SELECT 'alert', id FROM alert WHERE county_code = $1 AND area_code = ANY ($2::text[]) AND last_day >= $3
        """,
        county, [cell[:level] for level in AREA_LEVELS], day,
    )  # fmt: skip
    return [(row["said"], row["id"]) for row in rows]


async def put_rule(conn: asyncpg.Connection, county: str, rule_id: UUID, body: RoundRuleIn, now: datetime) -> None:
    """Store a rule, or change the one of this id."""
    await conn.execute(
        """
        INSERT INTO round_rule (county_code, id, area_code, rev, received_at, name, conditions, every_days, alert,
                                priority, state)
        VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (county_code, id) DO UPDATE SET area_code = $3, name = $5, conditions = $6, every_days = $7,
            alert = $8, priority = $9, state = $10, rev = round_rule.rev + 1
        """,
        county, rule_id, body.area_code, now, body.name, body.conditions.model_dump_json(), body.every_days,
        body.alert, body.priority, body.state,
    )  # fmt: skip


async def add_trial(
    conn: asyncpg.Connection, county: str, trial: UUID, area: str, content: bytes, account: UUID, matched: int,
    now: datetime,
) -> None:  # fmt: skip
    await conn.execute(
        "INSERT INTO round_trial (county_code, id, area_code, content, account_id, matched, tried_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        county, trial, area, content, account, matched, now,
    )  # fmt: skip


async def was_tried(conn: asyncpg.Connection, county: str, content: bytes) -> bool:
    tried: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM round_trial WHERE county_code = $1 AND content = $2)", county, content
    )
    return tried


async def prune_trials(conn: asyncpg.Connection, county: str, before: datetime) -> None:
    await conn.execute("DELETE FROM round_trial WHERE county_code = $1 AND tried_at < $2", county, before)


async def add_alert(conn: asyncpg.Connection, county: str, alert: UUID, body: AlertIn, by: str, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO alert (county_code, id, area_code, rev, received_at, kind, from_day, last_day, words, issued_by)"
        " VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9)",
        county, alert, body.area_code, now, body.kind, body.from_day, body.last_day, body.words, by,
    )  # fmt: skip


async def end_alert(conn: asyncpg.Connection, county: str, alert: UUID, last_day: date) -> None:
    """End a warning early; one that has not begun ends on its first day."""
    await conn.execute(
        "UPDATE alert SET last_day = greatest(from_day, $3), rev = rev + 1 WHERE county_code = $1 AND id = $2",
        county, alert, last_day,
    )  # fmt: skip


async def cells(conn: asyncpg.Connection, county: str, area: str) -> list[str]:
    """Return the codes of an area's cells."""
    rows = await conn.fetch(
        "SELECT area_code FROM cell WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':'", county, area
    )
    return [row["area_code"] for row in rows]


async def homes(
    conn: asyncpg.Connection, county: str, area: str, day: date, asked: Sequence[Conditions], *, due: bool = False
) -> AsyncIterator[Home]:
    """Read the households of an area that any of the conditions may hold of, and with `due` those that are due."""
    arguments: list[Any] = [county, area, area, _LONG_AGO, UUID(int=0)]
    where = [_narrow(conditions, day, arguments) for conditions in asked]
    if due:
        arguments.append(day)
        where.append(f"due_on <= ${len(arguments)}")
    while where:
        rows = await conn.fetch(_HOMES.format(any_of=" OR ".join(f"({one})" for one in where)), *arguments)
        for row in rows:
            yield _home(row)
        if len(rows) < SLICE:
            return
        arguments[2:5] = (rows[-1][column] for column in _KEY)


def _narrow(asked: Conditions, day: date, arguments: list[Any]) -> str:
    """Return what a household's own columns say about conditions: never less than what they hold of."""
    parts = ["true"]
    given = (
        ("size >= ${}", asked.size_from),
        ("size <= ${}", asked.size_to),
        ("care @> ${}::text[]", asked.care_all or None),
        ("care && ${}::text[]", asked.care_any or None),
        ("(last_seen_on IS NULL OR last_seen_on <= ${})", asked.days_unseen and day - timedelta(asked.days_unseen)),
    )
    for clause, value in given:
        if value is not None:
            arguments.append(value)
            parts.append(clause.format(len(arguments)))
    return " AND ".join(parts)


def _home(row: asyncpg.Record) -> Home:
    people = orjson.loads(row["members"])
    members = [
        Person(date.fromisoformat(born) if born else None, [Care(label) for label in care], Residency(residency))
        for born, care, residency in people
    ]
    facts = {name: value for name, value in row.items() if name not in ("members", "received_at")}
    return Home(**facts, members=members)


# In the order of an index, a slice at a time: a county has more households than one answer should hold.
_HOMES = f"""
SELECT h.id, h.area_code, h.received_at, h.size, h.last_visited_on, h.last_seen_on, h.due_on, h.due_reason,
       (SELECT coalesce(json_agg(json_build_array(r.birth_date, r.care, r.residency)), '[]') FROM resident r
        WHERE r.county_code = $1 AND r.household_id = h.id AND r.left_on IS NULL
          AND r.merged_into IS NULL) AS members
FROM (
    SELECT * FROM household
    WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':' AND ({", ".join(_KEY)}) > ($3, $4, $5)
      AND (folded_into IS NULL OR size > 0) AND ({{any_of}})
    ORDER BY {", ".join(_KEY)} LIMIT {SLICE}
) h
ORDER BY {", ".join(f"h.{column}" for column in _KEY)}
"""
