"""A whole county as one file: every table, its files, the code lists; one moment throughout, in constant memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import orjson

from backend.core.db import SNAPSHOT, Database
from backend.core.schema import NEWEST, current
from backend.core.scope import system_caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.exports import catalog
from backend.exports.package import PIECE, ArchiveRefused, Manifest, PackageWriter, key_id, new_file
from shared.codes import code_lists
from shared.types import uuid7

CODE_LISTS = "code_lists.json"
FILES = "files"
NOT_KEPT = frozenset({"postgres", "imports"})
"""Parts of the data folder that stay: the database itself, and sheets on their way in, in which nothing is sealed."""

NOTES = [
    "Sealed values (identity numbers and the like) are inside as they are sealed. The master key is not inside: without"
    " the one whose fingerprint is key_id they cannot be opened, and this archive cannot be imported.",
    "Names, telephone numbers and addresses are inside in plain: keep this file as safe as the database.",
    "The county's stored epoch is inside unchanged. What phones compare also names the database server, so they notice"
    " that they meet another one and read anew.",
    "The job queue is left out: it is filled again from what is due.",
]


async def export_all(url: str, keys: Keys, folder: Path, county: str, target: Path) -> Manifest:
    """Write an archive of one county and note in its audit trail that it was taken.

    The note is written after the snapshot: an archive of the county imported elsewhere is equal to this one.
    """
    with new_file(target) as file:
        with PackageWriter(file) as package:
            manifest = await _fill(url, package, keys, folder, county)
            package.seal(manifest, keys)
        await _note(url, county, manifest)
    return manifest


async def _fill(url: str, package: PackageWriter, keys: Keys, folder: Path, county: str) -> Manifest:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(f"{SNAPSHOT}{catalog.PLAIN_TEXT}")
        return await _take(conn, package, keys, folder, county)
    finally:
        await conn.close()


async def _take(conn: asyncpg.Connection, package: PackageWriter, keys: Keys, folder: Path, county: str) -> Manifest:
    revision = await conn.fetchval("SELECT version_num FROM alembic_version")
    if county not in await founded(conn):
        raise ArchiveRefused(f"There is no county {county} in this database.")
    await conn.execute(f"SET LOCAL app.county = '{county}'")
    for table in await catalog.tables(conn):
        with package.part(table.member, table.columns) as (part, member):
            member.rows = await catalog.copy_out(conn, table, county, part)
    with package.part(CODE_LISTS) as (part, _member):
        part.add(orjson.dumps([one.model_dump(mode="json") for one in code_lists()], option=orjson.OPT_INDENT_2))
    add_files(package, folder, county)
    return Manifest(
        county_code=county, made_at=datetime.now(UTC).isoformat(timespec="seconds"), revision=revision,
        postgres=".".join(map(str, conn.get_server_version()[:2])), key_id=key_id(keys), notes=NOTES,
        left_out=catalog.LEFT_OUT, members=package.members,
    )  # fmt: skip


async def founded(conn: asyncpg.Connection) -> set[str]:
    """Return the counties that have accounts. The table of counties itself is under row-level security."""
    return {row[0] for row in await conn.fetch("SELECT DISTINCT county_code FROM account")}


def files_of(folder: Path, county: str) -> Iterator[Path]:
    """Yield the files below each folder of the data folder that has one for the county."""
    for home in sorted(folder.glob(f"*/{county}")):
        if home.parent.name not in NOT_KEPT:
            yield from sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink())


def add_files(package: PackageWriter, folder: Path, county: str) -> None:
    """Add the county's files. They are written once and before the row that names them, so all of the snapshot's are
    there."""
    for path in files_of(folder, county):
        with path.open("rb") as file, package.part(f"{FILES}/{path.relative_to(folder).as_posix()}") as (part, _member):
            while piece := file.read(PIECE):
                part.add(piece)


async def _note(url: str, county: str, manifest: Manifest) -> None:
    rows = sum(member.rows or 0 for member in manifest.members)

    async def work(tx: Transaction) -> None:
        tx.audit("county.exported", "county", uuid7(), county, rows=rows, members=len(manifest.members))

    database = await Database.connect(url, size=2, deadline_s=60)
    try:
        await database.run(system_caller(county), work)
    finally:
        await database.close()


async def refuse_other_schema(url: str) -> None:
    """An archive is of this release's schema, or its revision would promise columns that are not there."""
    if (found := await current(url)) != NEWEST:
        raise ArchiveRefused(f"The database is at {found}, not {NEWEST}: run `gridhood db migrate` first.")
