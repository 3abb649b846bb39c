"""Settings of a server: read once, when it starts."""

import os
import secrets
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class SettingsRefused(Exception):
    """A setting that must not be used; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of a county, all derived from one master key that never enters the database."""

    token: bytes
    seal: bytes
    blind_index: bytes
    ledger: bytes
    handover: bytes


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server needs to know."""

    database_url: str
    keys: Keys
    pool_size: int = 10
    deadline_s: float = 10.0
    work: bool = True
    """Run background ticks in this process."""
    files: Path | None = None
    """Folder of photos; without one none are taken."""
    imports: Path | None = None
    """Folder of sheets on their way into the register, apart from the files that are kept."""


def derive_keys(master: bytes) -> Keys:
    """Derive every key from the master key; a weak master is refused, a sample one above all."""
    typed = all(32 <= byte < 127 for byte in master)  # random bytes are never all printable
    if len(master) < KEY_BYTES or len(set(master)) < 8 or typed:
        raise SettingsRefused(f"The master key must be {KEY_BYTES} random bytes; this one is a sample or too short.")

    def derive(purpose: str) -> bytes:
        return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=f"gridhood {purpose}".encode()).derive(master)

    return Keys(derive("token"), derive("seal"), derive("blind index"), derive("ledger"), derive("handover"))


def load_keys(folder: Path) -> Keys:
    """Read the master key from GRIDHOOD_MASTER_KEY (base64) or the data folder, making it at the first start."""
    if given := os.environ.get("GRIDHOOD_MASTER_KEY"):
        try:
            return derive_keys(b64decode(given, validate=True))
        except ValueError as error:
            raise SettingsRefused("GRIDHOOD_MASTER_KEY is not base64.") from error
    path = folder / "master.key"
    if not path.exists():
        _write_new(path, secrets.token_bytes(KEY_BYTES))
    return derive_keys(path.read_bytes())


def _write_new(path: Path, content: bytes) -> None:
    """Write a secret that only its owner can read, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # another process may have been first: its key stands
    except FileExistsError:
        pass
    finally:
        draft.unlink()
