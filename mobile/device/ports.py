"""What the app asks of the phone. An adapter per platform fulfils these; view-models know nothing else."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DeviceFix:
    """A position in WGS-84 degrees with what the system says about its worth."""

    lon: float
    lat: float
    accuracy_m: float
    taken_at: datetime
    mock: bool = False


class NoFix(Exception):
    """No position, and why in words. Never a reason not to write something down."""

    sentence = "没有定位，照样能记"


class LocationDenied(NoFix):
    """The user has not allowed it."""

    sentence = "没有允许定位，照样能记"


class LocationTimeout(NoFix):
    """Nothing came in time."""

    sentence = "还没定到位，照样能记"


class Location(Protocol):
    async def fix(self, timeout_s: float) -> DeviceFix:
        """Return a position, or raise NoFix."""

    def last(self) -> DeviceFix | None:
        """The latest position without waiting."""


class Keystore(Protocol):
    def key(self) -> bytes:
        """The 32 bytes that seal this phone's stores, the same for ever, made at first use."""


class Notifications(Protocol):
    def notify(self, title: str, text: str) -> None: ...


class Dialer(Protocol):
    def dial(self, number: str) -> None:
        """Open the phone's dialer with the number; the user starts the call."""


class Clipboard(Protocol):
    def copy(self, text: str) -> None: ...


class Files(Protocol):
    def save(self, name: str, content: bytes) -> Path:
        """Put a file where its owner finds it; a name that is taken gets a number."""


class Speech(Protocol):
    @property
    def available(self) -> bool: ...

    def speak(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them, as one platform offers them."""

    location: Location
    keystore: Keystore
    notifications: Notifications
    dialer: Dialer
    clipboard: Clipboard
    files: Files
    speech: Speech
