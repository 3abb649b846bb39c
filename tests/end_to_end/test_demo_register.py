"""The demo county once it is stored: what its register has seen is there to be worked on."""

import asyncpg

from backend.core.db import Database
from backend.demo.load import load_demo
from tests.conftest import KEYS
from tests.end_to_end.test_archive import empty_database

COUNTS = {
    "cell_duty": ("role = 'in_charge'", 24),
    "link": ("true", 16),
    "move": ("state = 'expected'", 3),
    "move m": ("m.received_at < now() - interval '15 days'", 1),
    "duplicate": ("state = 'open'", 3),
    "register_event": ("true", 11),
    "register_withdrawal": ("true", 0),
    "round_rule": ("state = 'live'", 2),
    "alert": ("from_day <= current_date + 1", 1),
    "resident": ("left_on IS NOT NULL", 5),
}


async def test_the_register_of_the_demo_county_has_work_in_it(cluster: str) -> None:
    async with empty_database(cluster) as url:
        database = await Database.connect(url, size=2, deadline_s=120)
        await load_demo(database, KEYS)
        await database.close()
        conn = await asyncpg.connect(url)
        found = {
            table: await conn.fetchval(f"SELECT count(*) FROM {table} WHERE {where}")
            for table, (where, _) in COUNTS.items()
        }
        late = await conn.fetchval(
            "SELECT count(*) FROM period p JOIN register_event_person e USING (county_code, resident_id)"
            " JOIN register_event r ON r.id = e.event_id AND r.kind IN ('birth', 'move_in')"
            " WHERE p.from_day <> r.on_day"
        )
        await conn.close()

    assert found == {table: count for table, (_, count) in COUNTS.items()}
    assert late == 0
