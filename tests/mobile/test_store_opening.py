"""Opening a store: of an older app, of a newer one, broken, or sealed under a key that is gone."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from mobile.core.session import AppContext
from mobile.device import fakes
from mobile.device.desktop import FileKeystore
from mobile.store.migrations import SCHEMA, STEPS, migrate, schema_of
from mobile.store.outbox import State
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.sync.client import Client
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import Syncer
from shared.grid import CellOut
from shared.residents import HouseholdOut, ResidentOut
from shared.visits import VisitOut
from tests.mobile.county import County
from tests.mobile.phone_parts import Desk, Hands, household, me
from tests.mobile.test_outbox import capture

OLD = Path(__file__).parent / "old_stores"
ACCOUNT, DEVICE = UUID("0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01"), "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02"
HOME = UUID("0199c3a2-7b1e-7c44-9d55-3f0a6b2c8f00")
OTHER_KEY = bytes(range(1, 33))


def a_phone(folder: Path) -> PhoneFile:
    """The phone of the old files; somebody is signed in on it."""
    phone = PhoneFile(folder)
    phone.put("device_id", DEVICE)
    phone.put("account", str(ACCOUNT))
    return phone


def with_old_store(folder: Path, schema: int = 1) -> PhoneFile:
    phone = a_phone(folder)
    path = phone.store_path(ACCOUNT)
    path.parent.mkdir(parents=True)
    shutil.copy(OLD / f"schema-{schema}.store", path)
    return phone


def opened(phone: PhoneFile, schema: int = 1) -> Store:
    key = bytes.fromhex((OLD / f"schema-{schema}.hex").read_text())
    return Store(phone.store_path(ACCOUNT), key, ACCOUNT, phone, Hands())


def an_app(folder: Path, county: County, key: bytes = fakes.KEY) -> AppContext:
    ports = fakes.ports()
    object.__setattr__(ports, "keystore", fakes.FixedKeystore(key))
    return AppContext(
        folder,
        ports,
        Hands(),
        make_client=lambda server, tokens: Client(server, tokens, transport=county.transport()),
        start_syncing=False,
    )


async def sign_in(app: AppContext, county: County) -> bool:
    app.login.username, app.login.password, app.login.consent = county.me.username, county.password, True
    return await app.login.sign_in()


@pytest.fixture
def county() -> County:
    return County(me(account_id=ACCOUNT))


def test_there_is_an_old_file_of_every_schema_before_this_one() -> None:
    assert {path.name for path in OLD.glob("*.store")} == {f"schema-{number}.store" for number in range(1, SCHEMA)}


@pytest.mark.parametrize("schema", range(1, SCHEMA))
def test_what_an_older_app_kept_is_all_there(tmp_path: Path, schema: int) -> None:
    store = opened(with_old_store(tmp_path, schema), schema)

    assert [cell.name for cell in store.entities.all(CellOut)] == ["杨家坪第3网格"]
    assert {home.head_name for home in store.entities.all(HouseholdOut)} == {"何长顺", "赵桂兰", "王改萍", "孙淑琴"}
    assert len(store.entities.all(ResidentOut)) == 4
    assert {visit.note for visit in store.entities.all(VisitOut)} == {"炉子没装烟道", "药在按时吃", "刀口恢复好"}
    assert store.outbox.counts() == {State.unsent: 1, State.sent: 1, State.accepted: 1, State.refused: 1}
    assert store.draft(f"visit|{HOME}")["note"] == "写到一半"
    assert store.me() is not None


async def test_what_an_older_app_did_not_send_is_sent(tmp_path: Path, county: County) -> None:
    phone = with_old_store(tmp_path)
    county.devices.add(DEVICE)
    county.settled_seq = 2
    store = opened(phone)
    store.drop_cursor()
    waiting = {str(entry.op_id) for entry in store.outbox.entries(State.unsent, State.sent)}
    client = Client("http://county", county.tokens(), transport=county.transport())
    syncer = Syncer(store, client, SyncStatus(store, Hands()), Hands())

    settled = await syncer.sync_once()
    await client.close()

    assert settled
    assert len(waiting) == 2
    assert set(county.applied) == waiting
    assert store.outbox.counts()[State.unsent] == store.outbox.counts()[State.sent] == 0


DIES = """
import os, shutil, signal, sqlite3, sys
from mobile.store.migrations import STEPS, migrate
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
first, *others = STEPS[1]
if sys.argv[2] == "whole":
    migrate(connection, (STEPS[0], (first, "SELECT die()", *others)))
connection.execute(first)
connection.execute("SELECT die()")
"""


def killed_in_a_migration(path: Path, how: str) -> int:
    arguments = [sys.executable, "-c", DIES, str(path), how]
    return subprocess.run(arguments, check=False, cwd=Path(__file__).parents[2], env=dict(os.environ)).returncode


def test_a_phone_that_died_in_a_migration_opens_the_next_time(tmp_path: Path) -> None:
    phone = with_old_store(tmp_path)

    died = killed_in_a_migration(phone.store_path(ACCOUNT), "whole")
    store = opened(phone)

    assert died == -signal.SIGKILL
    assert store.outbox.counts()[State.unsent] == 1
    assert store.photos.due() == []


def test_a_migration_that_were_not_whole_would_lock_the_phone_out(tmp_path: Path) -> None:
    """The control of the one above."""
    phone = with_old_store(tmp_path)

    killed_in_a_migration(phone.store_path(ACCOUNT), "apart")

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        opened(phone)


def test_a_migration_that_fails_leaves_the_file_as_it_was() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, STEPS[:1])

    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (STEPS[0], (*STEPS[1], "CREATE TABLE outbox(x)")))

    assert schema_of(connection) == 1
    migrate(connection)
    assert schema_of(connection) == SCHEMA


async def test_a_file_of_a_newer_app_is_refused_in_words_and_left_untouched(tmp_path: Path, county: County) -> None:
    phone = with_old_store(tmp_path)
    path = phone.store_path(ACCOUNT)
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version={SCHEMA + 1}")
    newer.close()
    before = path.read_bytes()
    app = an_app(tmp_path, county)

    resumed, said = app.resume(), app.login.error
    signed_in = await sign_in(app, county)

    assert (resumed, signed_in) == (False, False)
    assert said == app.login.error == "手机里的资料是新版应用存的，这一版打不开。请先更新应用；资料一点没动。"
    assert path.read_bytes() == before
    assert [each.name for each in (tmp_path / "accounts").iterdir()] == [str(ACCOUNT)]
    await app.close()


def put_aside(folder: Path) -> list[Path]:
    return [each for each in (folder / "accounts").iterdir() if ".aside-" in each.name]


async def test_with_another_key_the_old_store_is_kept_aside_and_what_was_lost_is_said(
    tmp_path: Path, county: County
) -> None:
    with_old_store(tmp_path)
    app = an_app(tmp_path, county, OTHER_KEY)
    said = "手机的钥匙变了，原来存的打不开，里面有 2 条没送出的记录，要重新记。原来的文件没有删，另放着。"

    resumed, at_login = app.resume(), app.login.error
    assert await sign_in(app, county), app.login.error
    screen = app.session.sync_screen
    shown = screen.loss_line
    screen.read_loss()

    assert not resumed
    assert at_login == shown == said
    assert screen.loss_line == ""
    [aside] = put_aside(tmp_path)
    kept = Store(aside / "store.db", fakes.KEY, ACCOUNT, app.phone, Hands())
    assert kept.outbox.counts()[State.unsent] == 1, "with its own key it still opens"
    await app.close()


async def test_with_the_right_key_nothing_is_put_aside(tmp_path: Path, county: County) -> None:
    """The control of the one above."""
    with_old_store(tmp_path)
    app = an_app(tmp_path, county)

    assert app.resume()
    assert (app.login.error, put_aside(tmp_path)) == ("", [])
    await app.close()


def no_database(content: bytes) -> bytes:
    return b"\0" * 4096 + content[4096:]


def torn(content: bytes) -> bytes:
    return content[: 3 * 4096] + os.urandom(4096 * 5) + content[8 * 4096 :]


def cut_short(content: bytes) -> bytes:
    return content[: 5 * 4096 + 100]


@pytest.mark.parametrize("damage", [no_database, torn, cut_short])
async def test_a_broken_file_is_kept_aside_and_the_phone_goes_on(
    tmp_path: Path, county: County, damage: Callable[[bytes], bytes]
) -> None:
    path = with_old_store(tmp_path).store_path(ACCOUNT)
    path.write_bytes(damage(path.read_bytes()))
    broken = path.read_bytes()
    app = an_app(tmp_path, county)

    resumed, said = app.resume(), app.login.error
    assert await sign_in(app, county), app.login.error

    assert not resumed
    assert "坏了" in said
    assert "没有删" in said
    [aside] = put_aside(tmp_path)
    assert (aside / "store.db").read_bytes() == broken
    assert app.session.sync_screen.loss_line == said
    await app.close()


def test_a_key_file_of_the_wrong_length_is_kept_and_a_new_key_made(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"half a key")

    made = FileKeystore(path).key()

    assert len(made) == 32
    assert FileKeystore(path).key() == made
    assert (tmp_path / "key.broken").read_bytes() == b"half a key"


def contents(folder: Path, pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob(pattern)]


@pytest.mark.parametrize("content", [b"no database at all" * 300, b"\0" * 8192], ids=["words", "nothing"])
async def test_a_broken_phone_file_is_kept_and_the_phone_begins_as_another_device(
    tmp_path: Path, county: County, content: bytes
) -> None:
    with_old_store(tmp_path).close()
    (tmp_path / "phone.db").write_bytes(content)
    app = an_app(tmp_path, county)

    resumed, said = app.resume(), app.login.error
    assert await sign_in(app, county), app.login.error

    assert (resumed, "重新登录" in said) == (False, True)
    assert str(app.phone.device_id) != DEVICE
    assert contents(tmp_path, "phone.db.aside-*") == [content]
    assert app.session.store.outbox.counts()[State.unsent] == 1
    await app.close()


async def test_two_losses_lie_beside_each_other(tmp_path: Path, county: County) -> None:
    with_old_store(tmp_path)
    for key in (OTHER_KEY, fakes.KEY):
        app = an_app(tmp_path, county, key)
        app.resume()
        assert await sign_in(app, county), app.login.error
        await app.close()

    assert len(put_aside(tmp_path)) == 2


def test_the_seal_does_not_depend_on_the_schema(tmp_path: Path) -> None:
    """Were the schema bound into the seals again, raising it would make every row unreadable."""
    desk = Desk(tmp_path)
    desk.holds(household())
    capture(desk)
    path = desk.phone.store_path(desk.me.account_id)
    desk.store.close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE photo_of")
    connection.execute("DROP TABLE photo")
    connection.execute("PRAGMA user_version=1")
    connection.close()

    again = desk.open()

    assert len(again.entities.all(HouseholdOut)) == 1
    assert again.outbox.counts()[State.unsent] == 1
