"""An archived county brought into an empty database: all of it and unchanged, or nothing."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import asyncpg

from backend.auth.directory import CHANNEL
from backend.core.settings import Keys, load_keys
from backend.exports import catalog
from backend.exports.archive import CODE_LISTS, FILES
from backend.exports.catalog import Table
from backend.exports.package import ArchiveRefused, Digest, Manifest, Member, PackageReader

LOCKED_S = 5


def key_at_hand(folder: Path) -> Keys | None:
    """Return the keys of the master key that is there. A new one, which a first start makes, would open nothing."""
    there = "GRIDHOOD_MASTER_KEY" in os.environ or (folder / "master.key").exists()
    return load_keys(folder) if there else None


async def import_all(url: str, package: PackageReader, folder: Path) -> Manifest:
    """Bring an archive into the database and the data folder, and compare every table with the archive before the end.

    The database must be at the archive's revision and hold no county.
    """
    conn = await asyncpg.connect(url)
    try:
        await _refuse_other_revision(conn, package.manifest)
        with _files_of(package, folder):
            async with conn.transaction():
                await _load(conn, package)
    except asyncpg.LockNotAvailableError as error:
        raise ArchiveRefused("The database is in use: stop the server that works on it first.") from error
    finally:
        await conn.close()
    return package.manifest


async def _refuse_other_revision(conn: asyncpg.Connection, manifest: Manifest) -> None:
    revision = await conn.fetchval("SELECT version_num FROM alembic_version")
    if revision != manifest.revision:
        raise ArchiveRefused(
            f"The archive is at revision {manifest.revision}, this database at {revision}: import it with the release"
            " that made it and migrate then."
        )


async def _load(conn: asyncpg.Connection, package: PackageReader) -> None:
    await conn.execute(f"{catalog.PLAIN_TEXT}; SET LOCAL lock_timeout = '{LOCKED_S}s'")
    tables = await catalog.tables(conn)
    _refuse_other_tables(tables, package.manifest)
    guarded = [table for table in tables if table.guarded]
    # COPY is refused under row-level security, and forced it binds the owner too. Undone with the transaction, and on
    # an empty database it keeps nobody waiting.
    await _force(conn, guarded, "NO FORCE")
    await _refuse_filled(conn, tables)
    for table in tables:
        await _fill(conn, table, package)
    for table in tables:
        await _compare(conn, table, package.manifest)
    await _force(conn, guarded, "FORCE")
    await conn.execute(f"NOTIFY {CHANNEL}")


async def _force(conn: asyncpg.Connection, tables: Sequence[Table], word: str) -> None:
    for table in tables:
        await conn.execute(f'ALTER TABLE "{table.name}" {word} ROW LEVEL SECURITY')


def _refuse_other_tables(tables: Sequence[Table], manifest: Manifest) -> None:
    here = {table.member: table.columns for table in tables}
    there = {member.name: member.columns for member in manifest.members if member.columns is not None}
    if here != there:
        differ = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
        raise ArchiveRefused(f"These tables are not the same here as in the archive: {', '.join(differ)}.")


async def _refuse_filled(conn: asyncpg.Connection, tables: Sequence[Table]) -> None:
    for table in tables:
        if table.of_county and await conn.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{table.name}")'):
            raise ArchiveRefused(f"The database is not empty: there are rows in {table.name}.")


async def _fill(conn: asyncpg.Connection, table: Table, package: PackageReader) -> None:
    if table.of_county:
        await _copy(conn, table, table.name, package)
        return
    # Reference data may be there already, written by the migrations; whether it is the same is seen at the end.
    await conn.execute(f'CREATE TEMPORARY TABLE "{table.name}_in" (LIKE "{table.name}") ON COMMIT DROP')
    await _copy(conn, table, f"{table.name}_in", package)
    columns = ", ".join(f'"{name}"' for name in table.columns)
    await conn.execute(
        f'INSERT INTO "{table.name}" ({columns}) SELECT {columns} FROM "{table.name}_in" ON CONFLICT DO NOTHING'
    )


async def _copy(conn: asyncpg.Connection, table: Table, into: str, package: PackageReader) -> None:
    pieces = _flowing(package.pieces(table.member))
    await conn.copy_to_table(into, source=pieces, columns=table.columns, format="csv", header=True)


async def _flowing(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _compare(conn: asyncpg.Connection, table: Table, manifest: Manifest) -> None:
    found = Digest()
    rows = await catalog.copy_out(conn, table, manifest.county_code, found, as_owner=True)
    wanted = manifest.member(table.member)
    if wanted is None or (rows, found.sha256) != (wanted.rows, wanted.sha256):
        raise ArchiveRefused(f"{table.name} is not the same here as in the archive: is this the same release?")


@contextmanager
def _files_of(package: PackageReader, folder: Path) -> Iterator[None]:
    """Have the county's files in place; they are taken away again when what follows fails."""
    placed: list[Path] = []
    try:
        for member in package.manifest.members:
            if member.columns is None and member.name != CODE_LISTS:
                _place(package, _home_of(member, package.manifest.county_code, folder), member.name, placed)
        yield
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        raise


def _home_of(member: Member, county: str, folder: Path) -> Path:
    name = PurePosixPath(member.name)
    if name.parts[0] != FILES or ".." in name.parts or len(name.parts) < 4 or name.parts[2] != county:
        raise ArchiveRefused(f"The archive names a file outside the county's folders: {member.name}.")
    return folder.joinpath(*name.parts[1:])


def _place(package: PackageReader, path: Path, name: str, placed: list[Path]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            placed.append(path)
            for piece in package.pieces(name):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ArchiveRefused(f"{path} cannot be written: {error.strerror}.") from error
