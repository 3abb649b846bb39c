"""The file of a whole county: a ZIP whose manifest names every member with its SHA-256, sealed by the master key."""

import hmac
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from pydantic import BaseModel, Field, ValidationError

from backend.core.settings import Keys

FORMAT: Final = 1
MANIFEST, SEAL = "manifest.json", "manifest.hmac"
PIECE = 1 << 20
_MANIFEST_LIMIT = 64 << 20
_DAMAGE: Final = (OSError, EOFError, RuntimeError, ValueError, KeyError, struct.error, zipfile.BadZipFile, zlib.error)
"""What the library raises for one wrong byte or another, most of all in the directory at the end of a file."""


class ArchiveRefused(Exception):
    """Why an archive is not written or not read; one sentence for the operator."""


class Member(BaseModel):
    """A file of the archive. A table's has columns and rows."""

    name: str
    size: int
    sha256: str
    columns: list[str] | None = None
    rows: int | None = None


class Manifest(BaseModel):
    """What an archive holds and what is needed to use it."""

    format: int = FORMAT
    county_code: str = Field(pattern=r"^[0-9]{6}$")
    made_at: str
    revision: str
    postgres: str
    key_id: str
    notes: list[str]
    left_out: dict[str, str]
    members: list[Member]

    def member(self, name: str) -> Member | None:
        return next((one for one in self.members if one.name == name), None)

    def in_words(self) -> str:
        tables = [member.rows for member in self.members if member.rows is not None]
        return f"{self.county_code} ({len(tables)} tables, {sum(tables)} rows; master key {self.key_id})"


def key_id(keys: Keys) -> str:
    """Return a fingerprint that tells one master key from another and says nothing about it."""
    return hmac.digest(keys.seal, b"key id", "sha256").hex()[:16]


def seal_of(keys: Keys, manifest: bytes) -> bytes:
    """Hashes alone would let anybody change a member, a grant for one, and its line in the manifest with it."""
    return hmac.digest(keys.ledger, b"archive manifest" + manifest, "sha256").hex().encode()


@dataclass
class Digest:
    """Counts and hashes what passes."""

    size: int = 0
    _hash: Any = field(default_factory=sha256)

    async def write(self, piece: bytes) -> None:
        self.add(piece)

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._hash.update(piece)

    @property
    def sha256(self) -> str:
        return str(self._hash.hexdigest())


@dataclass
class Part(Digest):
    """A member being written."""

    into: IO[bytes] | None = None

    def add(self, piece: bytes) -> None:
        super().add(piece)
        assert self.into is not None
        self.into.write(piece)


class PackageWriter:
    """Writes members one after the other, and the manifest last."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.members: list[Member] = []

    @contextmanager
    def part(self, name: str, columns: list[str] | None = None) -> Iterator[tuple[Part, Member]]:
        member = Member(name=name, size=0, sha256="", columns=columns)
        with self._zip.open(name, "w", force_zip64=True) as into:
            part = Part(into=into)
            yield part, member
        member.size, member.sha256 = part.size, part.sha256
        self.members.append(member)

    def seal(self, manifest: Manifest, keys: Keys) -> None:
        written = manifest.model_dump_json(indent=1).encode()
        self._zip.writestr(MANIFEST, written)
        self._zip.writestr(SEAL, seal_of(keys, written))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()


@contextmanager
def new_file(target: Path) -> Iterator[IO[bytes]]:
    """Have a file that only its owner reads, and that gets its name when it is whole."""
    if target.exists():
        raise ArchiveRefused(f"There is a file {target} already.")
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except OSError as error:
        raise ArchiveRefused(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


class PackageReader:
    """An archive that is whole, unchanged, and made with this master key: anything else is refused at once."""

    def __init__(self, file: Path, keys: Keys | None) -> None:
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
            self.manifest = self._manifest(keys)
            self._check_names()
            for member in self.manifest.members:
                self._check(member)
        except _DAMAGE as error:
            raise ArchiveRefused(f"{file} cannot be read, is damaged or was cut short: {error}.") from error

    def _manifest(self, keys: Keys | None) -> Manifest:
        if not {MANIFEST, SEAL} <= set(self._zip.namelist()) or self._zip.getinfo(MANIFEST).file_size > _MANIFEST_LIMIT:
            raise ArchiveRefused(f"{self._file} is no archive of a county: it has no manifest.")
        written = self._zip.read(MANIFEST)
        try:
            manifest = Manifest.model_validate_json(written)
        except ValidationError as error:
            raise ArchiveRefused(f"The manifest of {self._file} cannot be read.") from error
        if keys is None or manifest.key_id != key_id(keys):
            found = f"the one here is {key_id(keys)}" if keys else "there is none here"
            raise ArchiveRefused(f"{self._file} needs the master key with fingerprint {manifest.key_id}; {found}.")
        if manifest.format != FORMAT or not hmac.compare_digest(seal_of(keys, written), self._zip.read(SEAL)):
            raise ArchiveRefused(f"The manifest of {self._file} was changed, or is of another format.")
        return manifest

    def _check_names(self) -> None:
        named = [member.name for member in self.manifest.members]
        if sorted(self._zip.namelist()) != sorted([*named, MANIFEST, SEAL]):
            raise ArchiveRefused(f"{self._file} does not have the members that its manifest names.")

    def _check(self, member: Member) -> None:
        found = Digest()
        for piece in self.pieces(member.name):
            found.add(piece)
            if found.size > member.size:
                break
        if (found.size, found.sha256) != (member.size, member.sha256):
            raise ArchiveRefused(f"{member.name} in {self._file} is not what its manifest says.")

    def pieces(self, name: str) -> Iterator[bytes]:
        with self._zip.open(name) as part:
            while piece := part.read(PIECE):
                yield piece
