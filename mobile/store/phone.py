"""What belongs to the phone and not to an account: its id, its operation counter, its settings."""

import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

from mobile.store.database import connect
from mobile.store.errors import told_of_no_room
from shared.types import uuid7

_TABLE = "CREATE TABLE IF NOT EXISTS phone(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
_COUNT = """INSERT INTO phone VALUES('device_seq', '1')
ON CONFLICT(key) DO UPDATE SET value=CAST(value AS INTEGER) + 1 RETURNING CAST(value AS INTEGER)"""

_RAISE = """INSERT INTO phone VALUES('device_seq', ?)
ON CONFLICT(key) DO UPDATE SET value=excluded.value WHERE CAST(value AS INTEGER) < CAST(excluded.value AS INTEGER)"""


class PhoneFile:
    """The small file beside the accounts' stores. Nothing in it is about a resident, so it is not sealed.

    A broken one is kept beside, and the phone begins as another device: `began_anew`. Its number of operations is
    lost, and two operations of one device must never share one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._connection, self.began_anew = _opened(folder / "phone.db")

    @property
    def device_id(self) -> UUID:
        found = self.get("device_id")
        if found is None:
            found = str(uuid7())
            self.put("device_id", found)
        return UUID(found)

    def next_seq(self) -> int:
        """Give out the next number of this device. It is never given twice, whichever account asks."""
        # Read to the end: SQLite commits the count only when the statement is finished.
        return int(self._write(_COUNT)[0][0])

    def count_from(self, seq: int) -> None:
        """Give out only higher numbers from now on: a store may hold operations from before this file began."""
        self._write(_RAISE, str(seq))

    def get(self, key: str) -> str | None:
        found = self._connection.execute("SELECT value FROM phone WHERE key=?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def starting_with(self, prefix: str) -> list[tuple[str, str]]:
        """Keys that begin so, with their values."""
        rows = self._connection.execute("SELECT key, value FROM phone WHERE substr(key, 1, ?)=?", (len(prefix), prefix))
        return [(str(key), str(value)) for key, value in rows]

    def put(self, key: str, value: str) -> None:
        self._write("INSERT INTO phone VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value", key, value)

    def drop(self, key: str) -> None:
        self._write("DELETE FROM phone WHERE key=?", key)

    def _write(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with told_of_no_room():
            return self._connection.execute(sql, values).fetchall()

    def accounts(self) -> list[UUID]:
        """Everybody who has a store here; what was put aside is nobody's any more."""
        names = [path.name for path in (self.folder / "accounts").glob("*") if "." not in path.name]
        return sorted(UUID(name) for name in names)

    def store_path(self, account_id: UUID) -> Path:
        return self.folder / "accounts" / str(account_id) / "store.db"

    def close(self) -> None:
        self._connection.close()


def _opened(path: Path) -> tuple[sqlite3.Connection, bool]:
    try:
        return _connected(path), False
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        for part in path.parent.glob(f"{path.name}*"):
            part.rename(part.with_name(f"{part.name}.aside-{uuid7().hex}"))
        return _connected(path), True


def _connected(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        connection.execute(_TABLE)
        connection.execute("SELECT * FROM phone").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
