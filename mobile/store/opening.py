"""Opening an account's store; what cannot be opened is put aside whole, and a new store begins."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from mobile.core.clock import Clock
from mobile.store.errors import Unreadable
from mobile.store.phone import PhoneFile
from mobile.store.store import Store


def open_store(key: bytes, account_id: UUID, phone: PhoneFile, now: Clock) -> Store:
    """Open it, or raise NewerStore. A store that began because the old one is unreadable says so: `loss()`."""
    path = phone.store_path(account_id)
    try:
        return Store(path, key, account_id, phone, now)
    except Unreadable as problem:
        put_aside(path.parent, now())
        store = Store(path, key, account_id, phone, now)
        store.keep_loss(problem.sentence)
        return store


def put_aside(folder: Path, at: datetime) -> Path:
    """Rename an account's folder, database, log and photos together. Nothing in it is ever deleted by the app."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    aside, number = folder.with_name(f"{folder.name}.aside-{stamp}"), 1
    while aside.exists():
        number += 1
        aside = folder.with_name(f"{folder.name}.aside-{stamp}-{number}")
    return folder.rename(aside)
