"""锁屏密码: who may go on without a network on a phone that several people use.

A PIN keeps a colleague from writing under another's name. It does not seal anything: the key of the stores does that.
"""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mobile.core.clock import Clock
from mobile.store.phone import PhoneFile

LENGTHS = range(4, 7)
FREE_TRIES = 5
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
_PREFIX = "pin:"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who can unlock this phone."""

    account_id: UUID
    name: str


class Pins:
    """The PINs of this phone's accounts. Only what proves them is kept, and wrong tries cost time."""

    def __init__(self, phone: PhoneFile, now: Clock) -> None:
        self._phone, self._now = phone, now

    def put(self, account_id: UUID, name: str, pin: str) -> None:
        if len(pin) not in LENGTHS or not (pin.isascii() and pin.isdigit()):
            raise ValueError("a PIN has four to six digits")
        salt = os.urandom(16)
        self._keep(account_id, {"name": name, "salt": salt.hex(), "proof": _proof(pin, salt), "wrong": 0})

    def drop(self, account_id: UUID) -> None:
        self._phone.drop(_PREFIX + str(account_id))

    def has(self, account_id: UUID) -> bool:
        return self._kept(account_id) is not None

    def holders(self) -> list[Holder]:
        found = [Holder(UUID(key.removeprefix(_PREFIX)), json.loads(kept)["name"]) for key, kept in self._all()]
        return sorted(found, key=lambda holder: holder.name)

    def wait(self, account_id: UUID) -> timedelta:
        """How long until the next try counts."""
        kept = self._kept(account_id) or {}
        until = datetime.fromisoformat(kept["until"]) if kept.get("until") else self._now()
        return max(until - self._now(), timedelta())

    def opens(self, account_id: UUID, pin: str) -> bool:
        """Whether this is the PIN. While one has to wait, nothing is."""
        kept = self._kept(account_id)
        if kept is None or self.wait(account_id):
            return False
        if hmac.compare_digest(kept["proof"], _proof(pin, bytes.fromhex(kept["salt"]))):
            self._keep(account_id, {**kept, "wrong": 0, "until": None})
            return True
        wrong = kept["wrong"] + 1
        until = None
        if wrong >= FREE_TRIES:
            pause = min(FIRST_WAIT * 2 ** min(wrong - FREE_TRIES, 10), LONGEST_WAIT)
            until = (self._now() + pause).isoformat()
        self._keep(account_id, {**kept, "wrong": wrong, "until": until})
        return False

    def _all(self) -> list[tuple[str, str]]:
        return self._phone.starting_with(_PREFIX)

    def _kept(self, account_id: UUID) -> dict[str, Any] | None:
        kept = self._phone.get(_PREFIX + str(account_id))
        return None if kept is None else json.loads(kept)

    def _keep(self, account_id: UUID, record: dict[str, Any]) -> None:
        self._phone.put(_PREFIX + str(account_id), json.dumps(record, ensure_ascii=False))


def _proof(pin: str, salt: bytes) -> str:
    # Six digits are few: it takes a tenth of a second to try one, and the file is in the app's own folder.
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1).hex()
