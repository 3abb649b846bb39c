"""The schema: migrations and models say the same, in one line of revisions that can be walked back."""

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Integer, MetaData, Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from backend import tables
from backend.core.migrate import config, migrate
from backend.core.schema import NEWEST, current

assert tables.__all__, "importing it registers every table"


async def differences(url: str, metadata: MetaData) -> list[object]:
    engine = create_async_engine(make_url(url.replace("postgresql://", "postgresql+asyncpg://", 1)))

    def compare(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


async def test_the_migrated_schema_is_the_one_the_models_declare(shared_url):
    assert await differences(shared_url, SQLModel.metadata) == []


async def test_a_table_without_a_migration_is_found(shared_url):
    ahead = MetaData()
    for table in SQLModel.metadata.sorted_tables:
        table.to_metadata(ahead)
    Table("forgotten", ahead, Column("id", Integer, primary_key=True))

    found = await differences(shared_url, ahead)

    assert [(kind, table.name) for kind, table in found] == [("add_table", "forgotten")]


def test_revisions_stand_in_one_line():
    scripts = ScriptDirectory.from_config(config())

    assert scripts.get_heads() == [NEWEST]
    assert not any(revision.is_branch_point or revision.is_merge_point for revision in scripts.walk_revisions())


async def test_the_schema_goes_down_to_nothing_and_up_again(database_url):
    await migrate(database_url, "base")
    owner = await asyncpg.connect(database_url)
    left = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    await owner.close()
    await migrate(database_url)

    assert [row["relname"] for row in left] == ["alembic_version"]
    assert await current(database_url) == NEWEST
    assert await differences(database_url, SQLModel.metadata) == []


async def test_a_migration_gives_up_on_a_lock_before_everybody_waits_behind_it(database_url):
    busy = await asyncpg.connect(database_url)
    await busy.execute("BEGIN; LOCK TABLE visit IN ACCESS SHARE MODE")
    try:
        with pytest.raises(DBAPIError, match="lock timeout"):
            await migrate(database_url, "base")
    finally:
        await busy.close()

    assert await current(database_url) is not None
