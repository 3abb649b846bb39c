"""Which versions of operations are understood: the newest and the two before it."""

from dataclasses import dataclass

from backend.core.errors import Refusal
from shared.errors import Code
from shared.sync import SCHEMA

KEPT = 3


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that a server speaks. What a phone holds in an older one is never thrown away: it is told so."""

    newest: int = SCHEMA

    @property
    def oldest(self) -> int:
        return max(1, self.newest - KEPT + 1)

    def admit(self, spoken: int) -> None:
        """Refuse an app that is too old as a whole, before anything of it is read."""
        if spoken < self.oldest:
            raise Refusal(Code.client_too_old)

    def waits_for(self, written: int) -> Code | None:
        """Say why an operation of this version stays on its phone for now; None for one that can be read."""
        if written > self.newest:
            return Code.server_behind
        return Code.client_too_old if written < self.oldest else None


SPOKEN = Versions()
