"""What the app asks of the phone. An adapter per platform fulfils these; view-models know nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from shared.texts import _


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

    sentence = _("没有定位，照样能记")
    for_report = _("没有定位，照样能报")


class LocationDenied(NoFix):
    """The user has not allowed it."""

    sentence = _("没有允许定位，照样能记")
    for_report = _("没有允许定位，照样能报")


class LocationOff(NoFix):
    """The phone's receivers are switched off."""

    sentence = _("手机的定位没有打开，照样能记")
    for_report = _("手机的定位没有打开，照样能报")


class LocationTimeout(NoFix):
    """Nothing came in time."""

    sentence = _("还没定到位，照样能记")
    for_report = _("还没定到位，照样能报")


class Location(Protocol):
    async def fix(self, timeout_s: float) -> DeviceFix:
        """Return a position, or raise NoFix."""

    def last(self) -> DeviceFix | None:
        """The latest position without waiting."""


class NoPicture(Exception):
    """No camera, and why in words. Never a reason not to write something down."""

    sentence = _("相机打不开，不拍照也能记")


class CameraDenied(NoPicture):
    """The user has not allowed it."""

    sentence = _("没有允许用相机，不拍照也能记")


class Camera(Protocol):
    async def picture(self) -> bytes | None:
        """A picture as the system's camera made it, None when whoever took it changed their mind, or raise NoPicture.

        The app may be ended by the system meanwhile: what is open was kept before.
        """


class Keystore(Protocol):
    def key(self) -> bytes:
        """The 32 bytes that seal this phone's stores, the same for ever, made at first use.

        A key that is lost, as on a phone that was restored from another one's backup, is made anew; what was sealed
        under the old one is then put aside by whoever cannot open it.
        """


class Notifications(Protocol):
    def notify(self, title: str, text: str) -> None: ...


class Dialer(Protocol):
    def dial(self, number: str) -> None:
        """Open the phone's dialer with the number; the user starts the call."""


class Maps(Protocol):
    def find(self, place: str) -> bool:
        """Look a place up in the phone's own map app; False when there is none.

        In words: map apps here count coordinates in another system, which puts ours half a kilometre off.
        """


class Clipboard(Protocol):
    def copy(self, text: str) -> None: ...


class Files(Protocol):
    def save(self, name: str, content: bytes) -> Path:
        """Put a file where its owner finds it; a name that is taken gets a number."""


class Speech(Protocol):
    @property
    def available(self) -> bool: ...

    def speak(self, text: str) -> None: ...


class TextDialog(Protocol):
    """The system's own text field, for a keyboard that does not understand ours."""

    @property
    def available(self) -> bool: ...

    async def ask(self, title: str, given: str, *, multiline: bool) -> str | None:
        """Return what was written, starting from `given`, or None when it was left."""


class Edges(Protocol):
    def read(self, tell: Callable[[float, float], None]) -> None:
        """Tell soon, on the screen's thread, how many pixels of the window the system covers above and below."""


class Privacy(Protocol):
    def hide(self) -> None:
        """Keep the window out of screenshots and of the system's pictures of recent apps, from now on."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them, as one platform offers them."""

    location: Location
    keystore: Keystore
    notifications: Notifications
    dialer: Dialer
    maps: Maps
    clipboard: Clipboard
    files: Files
    speech: Speech
    camera: Camera
    text_dialog: TextDialog
    edges: Edges
    privacy: Privacy
