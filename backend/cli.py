"""The `gridhood` command."""

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from backend import storage
from backend.auth.accounts import open_account
from backend.core.db import Database, UnsafeRole
from backend.core.errors import Refusal
from backend.core.postgres import PostgresFailed, default_data_folder
from backend.core.schema import NEWEST
from backend.core.settings import Settings, SettingsRefused, load_keys
from backend.demo.ensure import ensure_demo
from backend.demo.logins import as_json, table
from backend.doctor import examine
from backend.exports.archive import export_all, refuse_other_schema
from backend.exports.package import ArchiveRefused, PackageReader
from backend.exports.restore import import_all, key_at_hand
from backend.grid.founding import found
from backend.main import write_openapi
from backend.serving import CannotServe, Serving, serve
from shared.auth import Role
from shared.types import Crs

REFUSED = 2
"""Exit code when a setting or the database named is of no use."""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="gridhood", description="Gridhood 邻格: the server's command line.")
    commands = made.add_subparsers(dest="command", required=True)

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, default=default_data_folder(), help="data folder (default: %(default)s)")

    serving = commands.add_parser("serve", parents=[common], help="serve the API and do background work")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=_port, default=8000)
    serving.add_argument("--demo", action="store_true", help="load the demo county into an empty database")
    serving.add_argument("--no-worker", action="store_true", help="leave background work to another process")

    database = commands.add_parser("db", help="schema and county").add_subparsers(dest="action", required=True)
    database.add_parser("migrate", parents=[common], help="bring the database to this release's schema")
    founding = database.add_parser("found", parents=[common], help="found a county and open its first account")
    founding.add_argument("county", help="six digits of the national statistical code")
    founding.add_argument("--admin", required=True, metavar="NAME", help="login name of the county administrator")

    demo = commands.add_parser("demo", parents=[common], help="the made-up county")
    demo.add_argument("what", nargs="?", choices=["load", "accounts"], default="load")
    demo.add_argument("--json", action="store_true", help="print accounts for scripts")

    exporting = commands.add_parser("export", parents=[common], help="take a whole county out as one file")
    exporting.add_argument("--all", action="store_true", required=True, help="every table, file and code list")
    exporting.add_argument("county", help="six digits of the national statistical code")
    exporting.add_argument("file", type=Path)

    importing = commands.add_parser("import", parents=[common], help="bring a sheet, or an exported county, in")
    importing.add_argument("file", type=Path, help="CSV or XLSX of people, or a file of `gridhood export --all`")
    whole = importing.add_mutually_exclusive_group(required=True)
    whole.add_argument("--all", action="store_true", help="a whole county into an empty database")
    whole.add_argument(
        "--area", type=_place, metavar="CODE", help="community or cell of people whose row names no cell"
    )
    importing.add_argument("--sheet", default="", help="sheet of a workbook that holds several lists")
    importing.add_argument("--crs", type=Crs, choices=list(Crs), default=Crs.wgs84, help="of longitudes and latitudes")
    importing.add_argument("--map", type=Path, help="JSON object of header and column, where a header says nothing")
    importing.add_argument("--dry-run", action="store_true", help="check only; nothing is stored")
    importing.add_argument("--update", action="store_true", help="change people whom the register knows otherwise")

    commands.add_parser("doctor", parents=[common], help="name the broken part")
    drawing = commands.add_parser("openapi", help="write the API description")
    drawing.add_argument("file", type=Path)
    return made


def _port(word: str) -> int:
    port = int(word)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return port


def _place(word: str) -> str:
    if not (word.isascii() and word.isdigit() and len(word) in (12, 15)):
        raise argparse.ArgumentTypeError("must be a community (12 digits) or a cell (15)")
    return word


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    """Read a command. What is said about a sheet says nothing about a county: a dry run of one would not be dry."""
    commands = parser()
    asked = commands.parse_args(words)
    if asked.command == "import" and asked.all and (asked.map or asked.dry_run or asked.update or asked.sheet):
        commands.error("--map, --sheet, --dry-run and --update are for a sheet, not for --all")
    return asked


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a refusal is one sentence on standard error."""
    asked = _asked(words)
    try:
        return _run(asked)
    except (PostgresFailed, SettingsRefused, UnsafeRole, CannotServe, ArchiveRefused) as error:
        print(f"gridhood: {error}", file=sys.stderr)
        return REFUSED
    except Refusal as error:
        print(f"gridhood: {error.detail or error.problem().title}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _run(asked: argparse.Namespace) -> int:
    match asked.command:
        case "serve":
            serve(Serving(asked.host, asked.port, asked.data, asked.demo, not asked.no_worker))
        case "db" if asked.action == "migrate":
            asyncio.run(_migrate(asked.data))
        case "db":
            asyncio.run(_found(asked.data, asked.county, asked.admin))
        case "demo" if asked.what == "accounts":
            keys = load_keys(asked.data)
            print(json.dumps(as_json(keys), ensure_ascii=False, indent=2) if asked.json else table(keys))
        case "demo":
            asyncio.run(_load_demo(asked.data))
        case "export":
            asyncio.run(_export_all(asked.data, asked.county, asked.file))
        case "import" if asked.all:
            asyncio.run(_import_all(asked.data, asked.file))
        case "import":
            return asyncio.run(_import_sheet(asked))
        case "doctor":
            return asyncio.run(_doctor(asked.data))
        case "openapi":
            write_openapi(asked.file)
    return 0


async def _migrate(folder: Path) -> None:
    with storage.started(folder) as server:
        await storage.bring_up_to_date(await storage.reach(server))
    print(f"The database is at {NEWEST}.")


async def _open(folder: Path, url: str) -> tuple[Database, Settings]:
    await storage.bring_up_to_date(url)
    settings = Settings(url, load_keys(folder))
    return await Database.connect(url, size=2, deadline_s=120), settings


async def _found(folder: Path, county: str, admin: str) -> None:
    """Found a county; the first password is made here and printed once."""
    with storage.started(folder) as server:
        database, _settings = await _open(folder, await storage.reach(server))
        try:
            if not await found(database, county):
                print(f"County {county} was founded before.")
                return
            password = secrets.token_urlsafe(12)
            await open_account(database, county, admin, password, admin, [(Role.county_admin, county)])
            print(f"County {county} is founded. Sign in as {admin} with {password}")
        finally:
            await database.close()


async def _load_demo(folder: Path) -> None:
    with storage.started(folder) as server:
        database, settings = await _open(folder, await storage.reach(server))
        try:
            is_demo = await ensure_demo(database, settings.keys)
        finally:
            await database.close()
    print(table(settings.keys) if is_demo else "The database holds a real county: no demo data was loaded.")


async def _export_all(folder: Path, county: str, file: Path) -> None:
    if (keys := key_at_hand(folder)) is None:
        raise ArchiveRefused(f"There is no master key in {folder}, so no county either.")
    with storage.started(folder) as server:
        url = await storage.reach(server)
        await refuse_other_schema(url)
        print(f"County {(await export_all(url, keys, folder, county, file)).in_words()} is in {file}.")


async def _import_all(folder: Path, file: Path) -> None:
    package = PackageReader(file, key_at_hand(folder))  # refused before a database is made for nothing
    with storage.started(folder) as server:
        url = await storage.reach(server)
        await storage.bring_up_to_date(url)
        print(f"County {(await import_all(url, package, folder)).in_words()} is in this database, compared by hash.")


async def _import_sheet(asked: argparse.Namespace) -> int:
    from backend.imports.command import import_file  # reading sheets takes packages that no other command needs
    from shared.imports import Known

    with storage.started(asked.data) as server:
        database, settings = await _open(asked.data, await storage.reach(server))
        try:
            worked = await import_file(
                database, settings.keys, asked.data / "imports", asked.file, asked.area, mapping=asked.map,
                dry_run=asked.dry_run, known=Known.update if asked.update else Known.keep, sheet=asked.sheet,
                crs=asked.crs,
            )  # fmt: skip
        finally:
            await database.close()
    return 0 if worked else 1


async def _doctor(folder: Path) -> int:
    broken = 0
    async for finding in examine(folder):
        print(f"{'ok    ' if finding.sound else 'BROKEN'} {finding.part}: {finding.words}")
        broken += not finding.sound
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
