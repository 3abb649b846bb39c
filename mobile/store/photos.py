"""Photos on the phone: a row each, the picture sealed in a file beside the store, a small one sealed in the row."""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag

from mobile.core.clock import Clock
from mobile.store.database import Database

KEPT = timedelta(days=35)
"""After the server stored it: as long as the operation that announced it, and for the same reason."""

UNCLAIMED = timedelta(days=1)
"""A picture that no form and no operation holds is forgotten after this."""

_NAME = re.compile(r"[0-9a-f]{64}")


class Standing(StrEnum):
    """How far a photo is. `due`: the server has the record that announces it, and not yet the photo."""

    here = "here"
    due = "due"
    stored = "stored"
    quarantined = "quarantined"
    refused = "refused"


@dataclass(frozen=True, slots=True)
class Photo:
    """What a manifest says of a photo."""

    sha256: str
    size: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Returned:
    """A photo that the server did not keep, for the sync screen."""

    photo: Photo
    standing: Standing
    made_at: datetime
    sentence: str
    title: str


class Photos:
    """Files are named by the hash of what they hold, and bound to it by their seal."""

    def __init__(self, database: Database, folder: Path, now: Clock) -> None:
        self._db, self._folder, self._now = database, folder, now
        self._drop_strangers()

    def keep(self, photo: Photo, content: bytes, small: bytes) -> None:
        """Store a picture for good before anything names it: first the file, then its row. Nobody who opens the store
        meanwhile takes the file for a stranger's."""
        sealed = self._db.seal_bytes(content, "photo", photo.sha256)
        with self._db.transaction():
            self._write(photo.sha256, sealed)
            self._db.execute(
                "INSERT OR IGNORE INTO photo(sha256, size, width, height, standing, made_at, small) "
                "VALUES(?, ?, ?, ?, 'here', ?, ?)",
                photo.sha256,
                photo.size,
                photo.width,
                photo.height,
                _stamp(self._now()),
                self._db.seal_bytes(small, "small", photo.sha256),
            )

    def get(self, sha256: str) -> Photo | None:
        found = self._db.row("SELECT sha256, size, width, height FROM photo WHERE sha256=?", sha256)
        return Photo(*found) if found else None

    def of(self, entity_id: UUID) -> list[Photo]:
        """What this phone took for a visit or a request and still holds, in the order of taking."""
        found = self._db.rows(
            "SELECT DISTINCT p.sha256, p.size, p.width, p.height FROM photo p JOIN photo_of USING (sha256) "
            "JOIN outbox USING (device_seq) WHERE entity_id=? ORDER BY p.rowid",
            str(entity_id),
        )
        return [Photo(*row) for row in found]

    def content(self, sha256: str) -> bytes | None:
        path = self._path(sha256)
        return self._db.unseal_bytes(path.read_bytes(), "photo", sha256) if path.exists() else None

    def whole(self, sha256: str) -> bytes | None:
        """What the hash promises, or nothing: a file may have been damaged."""
        try:
            content = self.content(sha256)
        except (InvalidTag, OSError):
            return None
        return content if content and hashlib.sha256(content).hexdigest() == sha256 else None

    def small(self, sha256: str) -> bytes | None:
        found = self._db.row("SELECT small FROM photo WHERE sha256=?", sha256)
        return self._db.unseal_bytes(found[0], "small", sha256) if found else None

    def due(self) -> list[Photo]:
        """What may be sent now, the oldest first."""
        found = self._db.rows(
            "SELECT sha256, size, width, height FROM photo WHERE standing='due' ORDER BY made_at, sha256"
        )
        return [Photo(*row) for row in found]

    def counts(self) -> dict[Standing, int]:
        found = dict(self._db.rows("SELECT standing, count(*) FROM photo GROUP BY standing"))
        return {standing: int(found.get(standing.value, 0)) for standing in Standing}

    def settle(self, sha256: str, standing: Standing, sentence: str = "") -> None:
        """Write down the server's word on a photo."""
        self._db.execute(
            "UPDATE photo SET standing=?, sentence=?, answered_at=? WHERE sha256=?",
            standing.value,
            sentence,
            _stamp(self._now()),
            sha256,
        )

    def returned(self) -> list[Returned]:
        """Photos that the server did not keep, newest first, with what they were taken for."""
        found = self._db.rows(
            "SELECT sha256, size, width, height, standing, made_at, sentence FROM photo "
            "WHERE standing IN ('quarantined', 'refused') ORDER BY made_at DESC, sha256"
        )
        return [
            Returned(Photo(*row[:4]), Standing(row[4]), datetime.fromisoformat(row[5]), row[6], self._title(row[0]))
            for row in found
        ]

    def _title(self, sha256: str) -> str:
        found = self._db.row(
            "SELECT op_id, body FROM outbox JOIN photo_of USING (device_seq) WHERE sha256=? LIMIT 1", sha256
        )
        return str(self._db.unseal(found[1], "outbox", found[0])["title"]) if found else ""

    def drop(self, sha256: str) -> None:
        """The row first: a file that no row names is nobody's."""
        self._db.execute("DELETE FROM photo WHERE sha256=?", sha256)
        self._path(sha256).unlink(missing_ok=True)

    def forget_old(self, drafts: Any) -> None:
        """Drop what the server has had for long, and what was taken for something that was given up."""
        long_ago, before = _stamp(self._now() - KEPT), _stamp(self._now() - UNCLAIMED)
        held = json.dumps(drafts)
        given_up = self._db.rows(
            "SELECT sha256 FROM photo WHERE standing='here' AND made_at < ? "
            "AND NOT EXISTS (SELECT 1 FROM photo_of WHERE photo_of.sha256=photo.sha256)",
            before,
        )
        done = self._db.rows("SELECT sha256 FROM photo WHERE standing='stored' AND answered_at < ?", long_ago)
        self._drop_all([*(sha256 for (sha256,) in given_up if sha256 not in held), *(sha256 for (sha256,) in done)])

    def _drop_all(self, names: Iterable[str]) -> None:
        for name in names:
            self.drop(name)

    def _drop_strangers(self) -> None:
        """Files whose row was never written: the phone died in between, and nothing names them."""
        if not self._folder.exists():
            return
        with self._db.transaction():
            known = {sha256 for (sha256,) in self._db.rows("SELECT sha256 FROM photo")}
            for path in self._folder.iterdir():
                if path.name not in known:
                    path.unlink()

    def _write(self, sha256: str, sealed: bytes) -> None:
        """Beside and renamed: a file under its name is whole."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._folder / f"{sha256}.part"
        with part.open("wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path(sha256))
        _sync_folder(self._folder)

    def _path(self, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise ValueError(f"no name of a photo: {sha256[:80]}")
        return self._folder / sha256


def link(database: Database, device_seq: int, fields: dict[str, Any]) -> None:
    """Note which photos an operation announces, in the transaction that keeps it."""
    for photo in fields.get("photos") or ():
        database.execute("INSERT OR IGNORE INTO photo_of VALUES(?, ?)", device_seq, photo["sha256"])


def announced(database: Database, op_id: str) -> None:
    """The server has this operation: its photos may follow. After a restore they are asked about again."""
    database.execute(
        "UPDATE photo SET standing='due' WHERE standing IN ('here', 'stored', 'refused') AND sha256 IN "
        "(SELECT sha256 FROM photo_of JOIN outbox USING (device_seq) WHERE op_id=?)",
        op_id,
    )


def _sync_folder(folder: Path) -> None:
    """The new name must outlive the phone's end as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
