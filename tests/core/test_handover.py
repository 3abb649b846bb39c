"""Beyond a caller's scope: one inside the other, and undone with a savepoint."""

from uuid import UUID

import pytest

from backend.core.handover import beyond_scope
from backend.core.scope import system_caller
from tests.factories import COUNTY

NOBODY = UUID(int=0)


async def role(tx):
    return await tx.conn.fetchval("SELECT current_user")


def crossing(tx):
    return beyond_scope(tx, "test.crossed", "county", NOBODY, COUNTY)


async def test_the_inner_one_leaves_the_outer_one_beyond_the_scope(database):
    async def work(tx):
        seen = [await role(tx)]
        async with crossing(tx):
            async with crossing(tx):
                seen.append(await role(tx))
            seen.append(await role(tx))
        return [*seen, await role(tx)]

    seen = await database.run(system_caller(COUNTY), work)

    assert seen == ["gridhood_app", "gridhood_transfer", "gridhood_transfer", "gridhood_app"]


async def test_what_a_savepoint_undoes_can_be_begun_again(database):
    async def work(tx):
        with pytest.raises(ValueError, match="undone"):
            async with tx.savepoint(), crossing(tx):
                raise ValueError("undone")
        back = await role(tx)
        async with crossing(tx):
            return back, await role(tx)

    assert await database.run(system_caller(COUNTY), work) == ("gridhood_app", "gridhood_transfer")
