"""One SQLite file per account: its tables, its transactions and its sealed values."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from pydantic_core import from_json, to_json

from mobile.store.errors import BrokenStore, WrongKey, told_of_no_room
from mobile.store.migrations import migrate, whole
from mobile.store.sealing import Sealer

SEAL = 1
"""How values are sealed. It is part of what every seal is bound to, so it stays while the tables change."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a file whose every commit is on the disk before the call returns: a phone may die the moment after."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


class Database:
    """The connection of one account's store, used by the screen and by a sync thread in turn.

    Every value that says something about a person goes through `seal`: only ids, states, times, place codes and
    revisions lie open.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sealer, self._lock = Sealer(key), threading.RLock()
        self.written = 0
        self._connection = _opened(path)
        try:
            migrate(self._connection)
            self._require_key()
        except BaseException:
            self._connection.close()
            raise

    def _require_key(self) -> None:
        """What is sealed must open, or everything that follows would fail one by one."""
        try:
            for key, value in self.rows("SELECT key, value FROM meta LIMIT 1"):
                self.unseal(value, "meta", key)
            for op_id, body in self.rows("SELECT op_id, body FROM outbox LIMIT 1"):
                self.unseal(body, "outbox", op_id)
        except InvalidTag as error:
            unsent = self.row("SELECT count(*) FROM outbox WHERE state IN ('unsent', 'sent')")
            raise WrongKey(unsent[0] if unsent else 0) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. A transaction inside another joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            with whole(self._connection):
                yield

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement and return how many rows it touched; `written` counts them."""
        with self._lock:
            touched = self.note(sql, *values)
            self.written += max(touched, 0)
            return touched

    def note(self, sql: str, *values: object) -> int:
        """Like `execute`, for the bookkeeping of a sync: no record on any screen looks different for it."""
        with self._lock, told_of_no_room():
            return self._connection.execute(sql, values).rowcount

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """`execute` for each of many rows, in a third of the time."""
        with self._lock:
            self.written += max(self._connection.executemany(sql, rows).rowcount, 0)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        with self._lock:
            found: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
            return found

    def seal(self, value: object, *place: object) -> bytes:
        return self._sealer.seal(to_json(value), _bound(place))

    def unseal(self, sealed: bytes, *place: object) -> Any:
        return from_json(self._sealer.open(sealed, _bound(place)))

    def seal_bytes(self, plain: bytes, *place: object) -> bytes:
        return self._sealer.seal(plain, _bound(place))

    def unseal_bytes(self, sealed: bytes, *place: object) -> bytes:
        return self._sealer.open(sealed, _bound(place))

    def put_meta(self, key: str, value: object) -> None:
        sealed = self.seal(value, "meta", key)
        self.note("INSERT INTO meta VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value", key, sealed)

    def meta(self, key: str) -> Any:
        """The stored value, or None."""
        found = self.row("SELECT value FROM meta WHERE key=?", key)
        return None if found is None else self.unseal(found[0], "meta", key)

    def drop_meta(self, key: str) -> None:
        self.note("DELETE FROM meta WHERE key=?", key)

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _opened(path: Path) -> sqlite3.Connection:
    """The file, if SQLite finds it whole. Read only here: a broken one is left as it is."""
    try:
        connection = connect(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise BrokenStore(str(error)) from error
    if problem := _problem(connection):
        connection.close()
        raise BrokenStore(problem)
    return connection


def _problem(connection: sqlite3.Connection) -> str:
    """What SQLite finds wrong; a county's largest store is looked through in some hundredths of a second."""
    try:
        found: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else found


def _bound(place: tuple[object, ...]) -> str:
    return "|".join(str(part) for part in (*place, SEAL))
