"""`gridhood export --all` and `import --all`: a county taken out, brought into an empty database, the same there."""

import asyncio
import json
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlmodel import SQLModel

from backend.cli import main
from backend.core.db import Database
from backend.core.migrate import migrate
from backend.core.scope import system_caller
from backend.core.settings import Settings, derive_keys
from backend.demo.load import load_demo
from backend.exports import catalog
from backend.exports.archive import export_all
from backend.exports.package import SEAL, ArchiveRefused, Manifest, PackageReader, seal_of
from backend.exports.restore import import_all, key_at_hand
from backend.main import build
from tests.conftest import KEYS, Running, on_database
from tests.contract.rows import EXEMPT, fill, loosen
from tests.end_to_end.server import Server
from tests.end_to_end.test_serve import gridhood
from tests.factories import CELL, COUNTY, Factory, plot_of
from tests.postgres15 import postgres15

OTHER_KEYS = derive_keys(bytes(range(100, 132)))


@asynccontextmanager
async def empty_database(cluster: str) -> AsyncIterator[str]:
    """A database with the schema and nothing in it."""
    name = f"e{uuid4().hex[:12]}"
    admin = await asyncpg.connect(cluster)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        await migrate(on_database(cluster, name))
        yield on_database(cluster, name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def empty(cluster: str) -> AsyncIterator[str]:
    async with empty_database(cluster) as url:
        yield url


class Taken:
    """The demo county as an archive, with a photo in its data folder."""

    def __init__(self, home: Path) -> None:
        self.folder, self.file = home / "data", home / "county.zip"
        self.photo = self.folder / "photos" / COUNTY / "ab" / "abcd"
        self.manifest: Manifest
        self.rows: dict[str, int] = {}
        self.known: set[str] = set()

    async def take(self, cluster: str) -> None:
        self.photo.parent.mkdir(parents=True)
        self.photo.write_bytes(b"a photo")
        (self.folder / "master.key").write_bytes(b"secret")
        (self.folder / "photos" / "610331").mkdir()
        (self.folder / "photos" / "610331" / "foreign").write_bytes(b"of another county")
        async with empty_database(cluster) as url:
            database = await Database.connect(url, size=2, deadline_s=120)
            await load_demo(database, KEYS)
            await database.close()
            await self._count(url)
            self.manifest = await export_all(url, KEYS, self.folder, COUNTY, self.file)

    async def _count(self, url: str) -> None:
        """Count as the superuser, whom no policy binds: an export in a role that saw less would be found out."""
        conn = await asyncpg.connect(url)
        names = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        self.known = {row[0] for row in names}
        self.rows = {name: await conn.fetchval(f'SELECT count(*) FROM "{name}"') for name in self.known}
        await conn.close()


@pytest.fixture(scope="module")
def taken(cluster: str) -> Iterator[Taken]:
    home = Path(tempfile.mkdtemp(prefix="gridhood-"))
    made = Taken(home)
    asyncio.run(made.take(cluster))
    yield made
    shutil.rmtree(home)


def table_hashes(manifest: Manifest) -> dict[str, tuple[str, int | None]]:
    return {member.name: (member.sha256, member.rows) for member in manifest.members}


def test_every_table_and_every_row_is_in_the_archive_or_left_out_by_name(taken: Taken) -> None:
    found = {Path(one.name).stem: one.rows for one in taken.manifest.members if one.columns is not None}

    assert found.keys() == taken.known - catalog.LEFT_OUT.keys()
    assert found == {name: rows for name, rows in taken.rows.items() if name not in catalog.LEFT_OUT}
    assert found["resident"]
    assert found["account"]
    assert found.keys() | catalog.LEFT_OUT.keys() >= EXEMPT


async def test_a_row_of_any_table_leaves_with_its_county_and_none_of_another_county_does(
    database_url: str, tmp_path: Path
) -> None:
    conn = await asyncpg.connect(database_url)
    await loosen(conn)
    names = [table.name for table in SQLModel.metadata.sorted_tables if "county_code" in table.c]
    for name in names:
        if name != "county":
            await fill(conn, name, [COUNTY + "199001001"])
        await fill(conn, name, ["610331199001001"], county="610331")
    await conn.close()

    manifest = await export_all(database_url, KEYS, tmp_path, COUNTY, tmp_path / "county.zip")

    rows = {Path(one.name).stem: one.rows for one in manifest.members if one.name.startswith("tables/")}
    assert [name for name in names if not rows.get(name)] == []
    with zipfile.ZipFile(tmp_path / "county.zip") as archive:
        tables = {name: archive.read(name) for name in archive.namelist() if name.startswith("tables/")}
    assert [name for name, content in tables.items() if b'"610331"' in content] == []


def test_the_countys_files_are_inside_and_neither_the_key_nor_another_countys(taken: Taken) -> None:
    with zipfile.ZipFile(taken.file) as archive:
        files = {name for name in archive.namelist() if name.startswith("files/")}
        lists = json.loads(archive.read("code_lists.json"))

    assert files == {f"files/photos/{COUNTY}/ab/abcd"}
    assert {"GB/T 2261.1", "GB/T 4761"} <= {one["standard"].split("-")[0].strip() for one in lists}
    assert taken.file.stat().st_mode & 0o077 == 0


def test_no_identity_number_is_readable_in_the_archive(taken: Taken) -> None:
    with zipfile.ZipFile(taken.file) as archive:
        residents = archive.read("tables/resident.csv").decode()

    header = residents.splitlines()[0].split(",")
    assert "id_sealed" in [name.strip('"') for name in header]
    assert "id_number" not in header


async def test_an_imported_county_gives_the_same_archive_again(taken: Taken, empty: str, tmp_path: Path) -> None:
    await import_all(empty, PackageReader(taken.file, KEYS), tmp_path)

    again = await export_all(empty, KEYS, tmp_path, COUNTY, tmp_path / "again.zip")

    assert table_hashes(again) == table_hashes(taken.manifest)
    assert (tmp_path / "photos" / COUNTY / "ab" / "abcd").read_bytes() == b"a photo"


async def test_the_code_of_a_unit_goes_along(make: Factory, database_url: str, empty: str, tmp_path: Path) -> None:
    school = {"name": "凤县中学网格", "kind": "special", "geometry": plot_of(CELL), "unit_code": "12100000400000624D"}
    made = await (await make.admin()).client.put(f"/api/v1/cells/{CELL}", json=school)
    await export_all(database_url, KEYS, tmp_path, COUNTY, tmp_path / "county.zip")

    await import_all(empty, PackageReader(tmp_path / "county.zip", KEYS), tmp_path)

    conn = await asyncpg.connect(empty)
    there = await conn.fetchval("SELECT unit_code FROM cell WHERE area_code = $1", CELL)
    await conn.close()
    assert (made.status_code, there) == (201, school["unit_code"])


async def test_a_server_on_the_imported_county_reads_people_and_opens_their_numbers(
    taken: Taken, empty: str, tmp_path: Path
) -> None:
    await import_all(empty, PackageReader(taken.file, KEYS), tmp_path)
    app = build(Settings(empty, KEYS, work=False))

    async with app.router.lifespan_context(app):
        running = Running(app)
        admin = await Factory(app, running.client).admin()
        listed = (await admin.client.get("/api/v1/residents", params={"limit": 200})).json()["items"]
        person = next(one for one in listed if one["id_on_file"])
        read = await admin.client.get(f"/api/v1/residents/{person['id']}")
        asked = f"/api/v1/residents/{person['id']}/identity/reveal"
        shown = await admin.client.post(asked, json={"reason": "核对证件"})
        for client in running.clients:
            await client.aclose()

    assert read.json() == person
    number = shown.json()["id_number"]
    assert person["birth_date"].replace("-", "") == number[6:14]


async def test_row_level_security_is_forced_again_after_an_import(taken: Taken, empty: str, tmp_path: Path) -> None:
    await import_all(empty, PackageReader(taken.file, KEYS), tmp_path)

    conn = await asyncpg.connect(empty)
    unforced = await conn.fetch(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"
        " AND relnamespace = 'public'::regnamespace"
    )
    await conn.close()

    assert unforced == []


async def test_taking_a_county_out_is_in_its_audit_trail(database: Database, database_url: str, tmp_path: Path) -> None:
    conn = await asyncpg.connect(database_url)
    await conn.execute("INSERT INTO account VALUES ($1, gen_random_uuid(), 'a', 'A', NULL, NULL, true, now())", COUNTY)
    await conn.close()

    await export_all(database_url, KEYS, tmp_path, COUNTY, tmp_path / "county.zip")

    async def work(tx):
        return await tx.conn.fetchval("SELECT count(*) FROM audit WHERE action = 'county.exported'")

    assert await database.run(system_caller(COUNTY), work) == 1


def flipped(content: bytes) -> bytes:
    """Flip one bit in the middle, where a table's data is."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def cut(content: bytes) -> bytes:
    return content[: len(content) * 9 // 10]


@pytest.mark.parametrize("damage", [flipped, cut, lambda _content: b"", lambda _content: b"PK no archive"])
def test_a_damaged_archive_is_refused(taken: Taken, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(damage(taken.file.read_bytes()))

    with pytest.raises(ArchiveRefused):
        PackageReader(broken, KEYS)


def rewritten(taken: Taken, into: Path, changed: dict[str, bytes], more: dict[str, bytes] | None = None) -> Path:
    """Copy the archive with some members changed or added, as somebody who has no master key could."""
    with zipfile.ZipFile(taken.file) as source, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, changed.get(name) or source.read(name))
        for name, content in (more or {}).items():
            target.writestr(name, content)
    return into


def with_a_grant(taken: Taken) -> tuple[dict[str, bytes], bytes]:
    """Return a table of grants that says something else, and a manifest that fits it."""
    grants = "tables/role_grant.csv"
    with zipfile.ZipFile(taken.file) as archive:
        content = archive.read(grants).replace(b"grid_worker", b"county_admi", 1)
    manifest = taken.manifest.model_copy(deep=True)
    member = manifest.member(grants)
    assert member is not None
    member.sha256, member.size = sha256(content).hexdigest(), len(content)
    written = manifest.model_dump_json(indent=1).encode()
    return {grants: content, "manifest.json": written}, written


def test_a_member_changed_by_somebody_is_refused_even_with_its_hash_corrected(taken: Taken, tmp_path: Path) -> None:
    changed, written = with_a_grant(taken)

    with pytest.raises(ArchiveRefused, match=r"manifest .* was changed"):
        PackageReader(rewritten(taken, tmp_path / "a.zip", changed), KEYS)
    del changed["manifest.json"]
    with pytest.raises(ArchiveRefused, match=r"role_grant\.csv .* not what its manifest says"):
        PackageReader(rewritten(taken, tmp_path / "b.zip", changed), KEYS)
    with_key = {**changed, "manifest.json": written, SEAL: seal_of(KEYS, written)}
    assert PackageReader(rewritten(taken, tmp_path / "control.zip", with_key), KEYS)


def test_a_member_that_the_manifest_does_not_name_is_refused(taken: Taken, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="members"):
        PackageReader(rewritten(taken, tmp_path / "a.zip", {}, {"files/photos/../../x": b"x"}), KEYS)


def test_another_master_key_or_none_is_refused_and_the_one_needed_is_named(taken: Taken, tmp_path: Path) -> None:
    for keys in (OTHER_KEYS, key_at_hand(tmp_path)):
        with pytest.raises(ArchiveRefused, match=f"needs the master key with fingerprint {taken.manifest.key_id}"):
            PackageReader(taken.file, keys)

    assert not (tmp_path / "master.key").exists()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def rows_in(url: str) -> int:
    conn = await asyncpg.connect(url)
    found: int = await conn.fetchval("SELECT (SELECT count(*) FROM resident) + (SELECT count(*) FROM account)")
    await conn.close()
    return found


async def test_a_database_that_is_not_empty_is_refused_and_left_as_it_is(
    taken: Taken, empty: str, tmp_path: Path
) -> None:
    conn = await asyncpg.connect(empty)
    await conn.execute("INSERT INTO county VALUES ('610331', '邻县', 'e', false, now())")
    await conn.close()

    with pytest.raises(ArchiveRefused, match="not empty: there are rows in county"):
        await import_all(empty, PackageReader(taken.file, KEYS), tmp_path)

    assert await rows_in(empty) == 0
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("breach", "words"),
    [
        ("UPDATE alembic_version SET version_num = '2026_11_22_founding'", "revision"),
        ("ALTER TABLE visit ADD COLUMN more text", r"tables/visit\.csv"),
        ("INSERT INTO division VALUES ('99', 'province', '别处', NULL)", "division is not the same"),
    ],
)
async def test_another_schema_or_other_reference_data_is_refused(
    taken: Taken, empty: str, tmp_path: Path, breach: str, words: str
) -> None:
    conn = await asyncpg.connect(empty)
    await conn.execute(breach)
    await conn.close()

    with pytest.raises(ArchiveRefused, match=words):
        await import_all(empty, PackageReader(taken.file, KEYS), tmp_path)

    assert await rows_in(empty) == 0


async def test_a_county_that_is_not_there_leaves_no_file(empty: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="no county 610399"):
        await export_all(empty, KEYS, tmp_path, "610399", tmp_path / "none.zip")

    assert files_in(tmp_path) == []


async def test_a_file_that_is_there_is_not_overwritten(empty: str, taken: Taken, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="already"):
        await export_all(empty, KEYS, tmp_path, COUNTY, taken.file)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="gridhood-"))
    yield made
    shutil.rmtree(made)


def test_from_the_embedded_database_to_an_operators_own_postgresql_15_by_the_command_line(
    server: Server, elsewhere: Path
) -> None:
    folder, file, again = elsewhere / "data", elsewhere / "county.zip", elsewhere / "again.zip"
    key = server.accounts()["partner_key"]
    first = server.ask("/api/v1/residents?limit=1", key)
    with postgres15() as socket:
        _make_owner(socket)
        env = {"GRIDHOOD_DATABASE_URL": f"postgresql://with_password:right@/county?host={socket}"}
        taken = gridhood("export", "--all", COUNTY, str(file), "--data", str(server.folder))
        no_key = gridhood("import", "--all", str(file), "--data", str(folder), **env)
        folder.mkdir()
        shutil.copy(server.folder / "master.key", folder / "master.key")
        brought = gridhood("import", "--all", str(file), "--data", str(folder), **env)
        taken_again = gridhood("export", "--all", COUNTY, str(again), "--data", str(folder), **env)
        there = Server(folder, env=env)
        there.start()
        try:
            found = there.ask("/api/v1/residents?limit=1", key)
        finally:
            there.stop()

    said = [one.returncode for one in (taken, no_key, brought, taken_again)]
    assert said == [0, 2, 0, 0], taken.stderr + brought.stderr + taken_again.stderr
    assert "there is none here" in no_key.stderr
    assert found == first
    assert _members(file) == _members(again)


@pytest.mark.parametrize("more", [["--dry-run"], ["--update"], ["--sheet", "一组"], ["--map", "map.json"]])
def test_what_is_said_of_a_sheet_does_not_bring_a_county_in(tmp_path: Path, more: list[str]) -> None:
    folder = tmp_path / "data"

    with pytest.raises(SystemExit) as ended:
        main(["import", "--all", str(tmp_path / "county.zip"), "--data", str(folder), *more])

    assert ended.value.code == 2
    assert not folder.exists()


@pytest.mark.parametrize("place", ["abc", "610330", "６１０３３０１００００８"])
def test_a_sheet_goes_to_a_community_or_a_cell(tmp_path: Path, place: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["import", str(tmp_path / "people.csv"), "--area", place, "--data", str(tmp_path / "data")])

    assert ended.value.code == 2


def _make_owner(socket: Path) -> None:
    """An owner that is no superuser: forced row-level security binds it."""

    async def make() -> None:
        conn = await asyncpg.connect(host=str(socket), user="postgres", database="gridhood")
        await conn.execute("ALTER ROLE with_password CREATEROLE")
        await conn.execute("CREATE DATABASE county OWNER with_password TEMPLATE template0 ENCODING 'UTF8'")
        await conn.close()

    asyncio.run(make())


def _members(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        manifest = Manifest.model_validate_json(archive.read("manifest.json"))
    return {member.name: member.sha256 for member in manifest.members}
