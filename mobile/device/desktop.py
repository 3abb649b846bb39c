"""The ports on a desktop, where the app is built, tried and shown."""

import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from mobile.core.clock import system_now
from mobile.device.ports import DeviceFix, LocationTimeout, Ports
from mobile.store.sealing import KEY_BYTES

log = logging.getLogger(__name__)


class GivenLocation:
    """A desktop has no receiver: it stands where it is told to ("lon,lat" or "lon,lat,accuracy"), and says so."""

    def __init__(self, place: str, now: Callable[[], datetime] = system_now) -> None:
        self._numbers, self._now = [float(part) for part in place.split(",") if part.strip()], now

    async def fix(self, timeout_s: float) -> DeviceFix:
        found = self.last()
        if found is None:
            raise LocationTimeout
        return found

    def last(self) -> DeviceFix | None:
        if len(self._numbers) < 2:
            return None
        lon, lat, accuracy = [*self._numbers, 10.0][:3]
        return DeviceFix(lon, lat, accuracy, self._now(), mock=True)


class FileKeystore:
    """The key in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def key(self) -> bytes:
        if not self._path.exists():
            self._make()
        return self._path.read_bytes()

    def _make(self) -> None:
        """Write beside and rename: half a key would lock the store for ever."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)


class LoggedNotifications:
    def notify(self, title: str, text: str) -> None:
        log.info("notification: %s %s", title, text)


class KivyClipboard:
    def copy(self, text: str) -> None:
        from kivy.core.clipboard import Clipboard

        Clipboard.copy(text)


class ClipboardDialer:
    """A desk has no dialer, so the number goes where it can be pasted."""

    def __init__(self, clipboard: KivyClipboard) -> None:
        self._clipboard = clipboard

    def dial(self, number: str) -> None:
        self._clipboard.copy(number)


class FolderFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, content: bytes) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted, number = self._folder / name, 1
        path = wanted
        while path.exists():
            number += 1
            path = wanted.with_stem(f"{wanted.stem} ({number})")
        path.write_bytes(content)
        return path


class NoSpeech:
    available = False

    def speak(self, text: str) -> None:
        log.info("speech is not available here")


def ports(folder: Path, place: str = "") -> Ports:
    """The desktop's ports for an app whose data lies in `folder`."""
    clipboard = KivyClipboard()
    return Ports(
        location=GivenLocation(place),
        keystore=FileKeystore(folder / "key"),
        notifications=LoggedNotifications(),
        dialer=ClipboardDialer(clipboard),
        clipboard=clipboard,
        files=FolderFiles(folder / "exports"),
        speech=NoSpeech(),
    )
