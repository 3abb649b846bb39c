"""What nobody answers for: named every day, and shown whenever it is asked for."""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.scope import Caller, system_caller
from backend.core.transaction import Transaction
from backend.grid import service as grid
from shared.duties import GapsOut

log = structlog.get_logger()

_LIMIT = 1000

_AREA = "{row}.county_code = $1 AND {row}.area_code >= $2 AND {row}.area_code < $2 || ':'"
_OPEN = "r.state NOT IN ('closed', 'cancelled', 'rejected')"
_REQUEST = f"SELECT r.id, r.number, r.area_code, r.received_at FROM request r WHERE {_AREA.format(row='r')} AND {_OPEN}"
_MAY_WORK = """
EXISTS (SELECT 1 FROM account a JOIN role_grant g ON g.county_code = a.county_code AND g.account_id = a.id
        WHERE a.county_code = $1 AND a.id = {account} AND a.active AND g.from_day <= $3 AND g.until_day > $3
          AND g.role IN ('county_admin', 'community_worker', 'grid_worker') AND starts_with({area}, g.area_code))
"""

_GAPS = {
    "requests_without_cell": f"{_REQUEST} AND length(r.area_code) < 15 AND $3::date IS NOT NULL ORDER BY r.received_at",
    "requests_without_person": f"{_REQUEST} AND (r.handler_id IS NULL OR NOT"
    f" {_MAY_WORK.format(account='r.handler_id', area='r.area_code')}) ORDER BY r.received_at",
    "households_without_cell": f"""
        SELECT h.id, h.area_code, h.head_name FROM household h
        WHERE {_AREA.format(row="h")} AND $3::date IS NOT NULL AND h.area_code <> ALL (ARRAY(
            SELECT b.area_code FROM cell_boundary b WHERE {_AREA.format(row="b")} AND b.until_day >= '9999-12-31'))
        ORDER BY h.area_code, h.id
    """,
    "cells_without_in_charge": f"""
        SELECT c.area_code AS code, c.name FROM cell c
        JOIN cell_boundary b ON b.county_code = c.county_code AND b.cell_id = c.id AND b.until_day >= '9999-12-31'
        WHERE {_AREA.format(row="c")} AND NOT EXISTS (
            SELECT 1 FROM cell_duty d WHERE d.county_code = $1 AND d.area_code = c.area_code AND d.role = 'in_charge'
              AND d.from_day <= $3 AND d.until_day > $3)
        ORDER BY c.area_code
    """,
    "duties_expired": f"""
        SELECT d.id, d.area_code AS cell_code, d.role, h.display_name AS name,
               CASE WHEN d.until_day < '9999-12-31' THEN d.until_day END AS until_day
        FROM cell_duty d JOIN account h ON h.county_code = d.county_code AND h.id = d.account_id
        WHERE {_AREA.format(row="d")} AND d.from_day <= $3 AND EXISTS (
            SELECT 1 FROM cell_boundary b WHERE b.county_code = $1 AND b.area_code = d.area_code
              AND b.until_day >= '9999-12-31')
          AND CASE WHEN d.until_day > $3 THEN NOT {_MAY_WORK.format(account="d.account_id", area="d.area_code")}
              ELSE NOT EXISTS (SELECT 1 FROM cell_duty o WHERE o.county_code = $1 AND o.area_code = d.area_code
                                 AND o.role = d.role AND o.until_day > d.until_day) END
        ORDER BY d.area_code, d.id
    """,
    "plans_overdue": f"""
        SELECT p.id, p.area_code AS community_code, p.effective_on FROM boundary_plan p
        WHERE {_AREA.format(row="p")} AND p.state = 'scheduled' AND p.effective_on <= $3 ORDER BY p.effective_on, p.id
    """,
    "moves_without_cell": f"""
        SELECT m.id, m.area_code, m.words, m.out_on, m.received_at,
               ARRAY(SELECT one ->> 'name' FROM jsonb_array_elements(m.movers) one) AS names
        FROM move m
        WHERE {_AREA.format(row="m")} AND m.state = 'expected' AND length(m.area_code) < 15 AND $3::date IS NOT NULL
        ORDER BY m.received_at, m.id
    """,
}


async def in_area(tx: Transaction, reader: Caller, area: str | None) -> GapsOut:
    return await _find(tx.conn, tx.county, await grid.area_to_list(tx, reader, area), county_day(tx.now))


async def _find(conn: asyncpg.Connection, county: str, area: str, day: date) -> GapsOut:
    found: dict[str, Any] = {}
    for what, query in _GAPS.items():
        found[what] = [dict(row) for row in await conn.fetch(f"{query} LIMIT {_LIMIT}", county, area, day)]
    return GapsOut.model_validate(found)


async def check(database: Database, county: str) -> None:
    """Count what nobody answers for, and leave the counts in the audit trail: it shows since when a gap stands."""

    async def work(tx: Transaction) -> dict[str, int]:
        gaps = await _find(tx.conn, county, county, county_day(tx.now))
        counts = {what: len(getattr(gaps, what)) for what in _GAPS}
        tx.audit("grid.checked", "county", UUID(int=0), county, **counts)
        return counts

    log.info("grid_checked", county=county, **await database.run(system_caller(county), work))
