"""Bringing a database to the schema of this release."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

_FOLDER = Path(__file__).parent.parent / "migrations"


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(_FOLDER))
    made.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    return made


async def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at this URL to a revision, as the URL's own user."""
    engine = create_async_engine(make_url(url.replace("postgresql://", "postgresql+asyncpg://", 1)))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run, revision)
            await connection.commit()
    finally:
        await engine.dispose()


def _run(connection: Connection, revision: str) -> None:
    made = config()
    made.attributes["connection"] = connection
    down = revision == "base" or revision.startswith("-")
    (command.downgrade if down else command.upgrade)(made, revision)
