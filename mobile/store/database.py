"""One SQLite file per account: its tables, its transactions and its sealed values."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mobile.store.sealing import Sealer

SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS entity(
    kind TEXT NOT NULL, id TEXT NOT NULL, parent_id TEXT, area_code TEXT NOT NULL, rev INTEGER NOT NULL,
    round INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_parent ON entity(kind, parent_id);
CREATE TABLE IF NOT EXISTS outbox(
    device_seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, entity_id TEXT NOT NULL,
    author_id TEXT NOT NULL, made_at TEXT NOT NULL, hold_until TEXT,
    state TEXT NOT NULL CHECK(state IN ('unsent', 'sent', 'accepted', 'refused')),
    tries INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL, outcome TEXT, code TEXT, sentence TEXT, answered_at TEXT);
CREATE INDEX IF NOT EXISTS outbox_state ON outbox(state, device_seq);
CREATE TABLE IF NOT EXISTS effect(
    device_seq INTEGER NOT NULL REFERENCES outbox ON DELETE CASCADE, kind TEXT NOT NULL, id TEXT NOT NULL,
    parent_id TEXT, whole INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 1, body BLOB NOT NULL,
    PRIMARY KEY(device_seq, kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS effect_target ON effect(kind, id);
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open a file whose every commit is on the disk before the call returns: a phone may die the moment after."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")
    return connection


class Database:
    """The connection of one account's store, used by the screen and by a sync thread in turn.

    Every value that says something about a person goes through `seal`: only ids, states, times, place codes and
    revisions lie open.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection, self._sealer, self._lock = connect(path), Sealer(key), threading.RLock()
        self._connection.executescript(_TABLES)
        self._connection.execute(f"PRAGMA user_version={SCHEMA}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. A transaction inside another joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement and return how many rows it touched."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            found: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return found

    def seal(self, value: object, *place: object) -> bytes:
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return self._sealer.seal(plain, _bound(place))

    def unseal(self, sealed: bytes, *place: object) -> Any:
        return json.loads(self._sealer.open(sealed, _bound(place)))

    def put_meta(self, key: str, value: object) -> None:
        sealed = self.seal(value, "meta", key)
        self.execute("INSERT INTO meta VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value", key, sealed)

    def meta(self, key: str) -> Any:
        """The stored value, or None."""
        found = self.row("SELECT value FROM meta WHERE key=?", key)
        return None if found is None else self.unseal(found[0], "meta", key)

    def drop_meta(self, key: str) -> None:
        self.execute("DELETE FROM meta WHERE key=?", key)

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _bound(place: tuple[object, ...]) -> str:
    return "|".join(str(part) for part in (*place, SCHEMA))
