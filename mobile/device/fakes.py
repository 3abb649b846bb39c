"""Scripted ports for tests: each remembers what was asked of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mobile.device.ports import DeviceFix, LocationTimeout, NoFix, NoPicture, Ports

KEY = bytes(range(32))


class ScriptedLocation:
    """Gives the listed fixes or problems in turn; the last one stays."""

    def __init__(self, *script: DeviceFix | NoFix) -> None:
        self._script = list(script) or [LocationTimeout()]
        self._last: DeviceFix | None = None

    async def fix(self, timeout_s: float) -> DeviceFix:
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, NoFix):
            raise step
        self._last = step
        return step

    def last(self) -> DeviceFix | None:
        return self._last


class ScriptedCamera:
    """Gives the listed pictures, changes of mind (None) or problems in turn; then nobody takes any."""

    def __init__(self, *script: bytes | NoPicture | None) -> None:
        self.script: list[bytes | NoPicture | None] = list(script)

    async def picture(self) -> bytes | None:
        step = self.script.pop(0) if self.script else None
        if isinstance(step, NoPicture):
            raise step
        return step


class FixedKeystore:
    def __init__(self, key: bytes = KEY) -> None:
        self._key = key

    def key(self) -> bytes:
        return self._key


@dataclass
class RecordedNotifications:
    shown: list[tuple[str, str]] = field(default_factory=list)

    def notify(self, title: str, text: str) -> None:
        self.shown.append((title, text))


@dataclass
class RecordedDialer:
    dialled: list[str] = field(default_factory=list)

    def dial(self, number: str) -> None:
        self.dialled.append(number)


@dataclass
class RecordedMaps:
    installed: bool = True
    sought: list[str] = field(default_factory=list)

    def find(self, place: str) -> bool:
        self.sought.append(place)
        return self.installed


@dataclass
class RecordedClipboard:
    text: str = ""

    def copy(self, text: str) -> None:
        self.text = text


@dataclass
class RecordedFiles:
    saved: dict[str, bytes] = field(default_factory=dict)

    def save(self, name: str, content: bytes) -> Path:
        self.saved[name] = content
        return Path("exports") / name


@dataclass
class RecordedSpeech:
    available: bool = True
    spoken: list[str] = field(default_factory=list)

    def speak(self, text: str) -> None:
        self.spoken.append(text)


@dataclass
class ScriptedTextDialog:
    """Gives the listed answers in turn; then it is left."""

    answers: list[str | None] = field(default_factory=list)
    available: bool = False
    asked: list[tuple[str, str, bool]] = field(default_factory=list)

    async def ask(self, title: str, given: str, *, multiline: bool) -> str | None:
        self.asked.append((title, given, multiline))
        return self.answers.pop(0) if self.answers else None


@dataclass
class FixedEdges:
    top: float = 0
    bottom: float = 0

    def read(self, tell: Callable[[float, float], None]) -> None:
        tell(self.top, self.bottom)


@dataclass
class RecordedPrivacy:
    hidden: bool = False

    def hide(self) -> None:
        self.hidden = True


def ports(location: ScriptedLocation | None = None, camera: ScriptedCamera | None = None) -> Ports:
    return Ports(
        location=location or ScriptedLocation(),
        keystore=FixedKeystore(),
        notifications=RecordedNotifications(),
        dialer=RecordedDialer(),
        maps=RecordedMaps(),
        clipboard=RecordedClipboard(),
        files=RecordedFiles(),
        speech=RecordedSpeech(),
        camera=camera or ScriptedCamera(),
        text_dialog=ScriptedTextDialog(),
        edges=FixedEdges(),
        privacy=RecordedPrivacy(),
    )
