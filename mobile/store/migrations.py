"""The tables of an account's store, as the steps that lead to them. A step that was released is never changed."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mobile.store.errors import NewerStore, told_of_no_room

# Files of schema 1 exist whose tables were made and whose number was not written yet: hence IF NOT EXISTS.
_FOUNDING = (
    """CREATE TABLE IF NOT EXISTS entity(
    kind TEXT NOT NULL, id TEXT NOT NULL, parent_id TEXT, area_code TEXT NOT NULL, rev INTEGER NOT NULL,
    round INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS entity_parent ON entity(kind, parent_id)",
    """CREATE TABLE IF NOT EXISTS outbox(
    device_seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, entity_id TEXT NOT NULL,
    author_id TEXT NOT NULL, made_at TEXT NOT NULL, hold_until TEXT,
    state TEXT NOT NULL CHECK(state IN ('unsent', 'sent', 'accepted', 'refused')),
    tries INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL, outcome TEXT, code TEXT, sentence TEXT, answered_at TEXT)""",
    "CREATE INDEX IF NOT EXISTS outbox_state ON outbox(state, device_seq)",
    """CREATE TABLE IF NOT EXISTS effect(
    device_seq INTEGER NOT NULL REFERENCES outbox ON DELETE CASCADE, kind TEXT NOT NULL, id TEXT NOT NULL,
    parent_id TEXT, whole INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 1, body BLOB NOT NULL,
    PRIMARY KEY(device_seq, kind, id)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS effect_target ON effect(kind, id)",
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
)

# A photo outlives its operation on the phone, and may belong to several: the link is a table of its own.
_PHOTOS = (
    """CREATE TABLE photo(
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    standing TEXT NOT NULL CHECK(standing IN ('here', 'due', 'stored', 'quarantined', 'refused')),
    made_at TEXT NOT NULL, answered_at TEXT, sentence TEXT NOT NULL DEFAULT '', small BLOB NOT NULL)""",
    "CREATE INDEX photo_standing ON photo(standing, made_at)",
    """CREATE TABLE photo_of(
    device_seq INTEGER NOT NULL REFERENCES outbox ON DELETE CASCADE, sha256 TEXT NOT NULL,
    PRIMARY KEY(device_seq, sha256)) WITHOUT ROWID""",
    "CREATE INDEX photo_of_photo ON photo_of(sha256)",
)

STEPS: tuple[tuple[str, ...], ...] = (_FOUNDING, _PHOTOS)
SCHEMA = len(STEPS)


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Bring a file to this app's schema, each step complete with its number or not at all."""
    if schema_of(connection) > len(steps):
        raise NewerStore
    for number in range(schema_of(connection) + 1, len(steps) + 1):
        with whole(connection):
            if schema_of(connection) >= number:
                continue  # another process has done it since
            for statement in steps[number - 1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number}")


def schema_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def whole(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing, a commit that fails included: what is left open would swallow whatever is written next."""
    with told_of_no_room():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # on a full disk SQLite has ended it by itself
                connection.execute("ROLLBACK")
            raise
