"""The ports on a desktop, where the app is built, tried and shown."""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from mobile.core.clock import system_now
from mobile.device.ports import DeviceFix, LocationTimeout, NoPicture, Ports
from mobile.device.private_file import free_name, write_private
from mobile.store.sealing import KEY_BYTES
from shared.texts import _

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


class NothingPhotographed(NoPicture):
    """There is no picture to take."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.sentence = _("电脑没有相机：先把一张照片放进 {folder}").format(folder=folder)


class FolderCamera:
    """A desk has no camera: the picture taken is the newest one that was put into a folder."""

    kinds = frozenset({".jpg", ".jpeg", ".png", ".webp"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def picture(self) -> bytes | None:
        newest = await asyncio.to_thread(self._newest)
        if newest is None:
            raise NothingPhotographed(self._folder)
        return await asyncio.to_thread(newest.read_bytes)

    def _newest(self) -> Path | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        pictures = [path for path in self._folder.iterdir() if path.suffix.lower() in self.kinds]
        return max(pictures, key=lambda path: path.stat().st_mtime_ns, default=None)


class FileKeystore:
    """The key in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def key(self) -> bytes:
        if not self._path.exists():
            self._make()
        elif self._path.stat().st_size != KEY_BYTES:
            self._path.replace(self._path.with_suffix(".broken"))
            self._make()
        return self._path.read_bytes()

    def _make(self) -> None:
        write_private(self._path, os.urandom(KEY_BYTES))


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


class NoMaps:
    """A desk has no map app that could be asked."""

    def find(self, place: str) -> bool:
        return False


class FolderFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, content: bytes) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = free_name(self._folder / name)
        path.write_bytes(content)
        return path


class NoTextDialog:
    """A desk's keyboard and Kivy's field get on well."""

    available = False

    async def ask(self, title: str, given: str, *, multiline: bool) -> str | None:
        return None


class WholeWindow:
    """A window on a desk is all its own."""

    def read(self, tell: Callable[[float, float], None]) -> None:
        tell(0, 0)


class OpenWindow:
    """A desk's system gives an app no say in who takes pictures of the screen."""

    def hide(self) -> None:
        pass


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
        maps=NoMaps(),
        clipboard=clipboard,
        files=FolderFiles(folder / "exports"),
        speech=NoSpeech(),
        camera=FolderCamera(folder / "camera"),
        text_dialog=NoTextDialog(),
        edges=WholeWindow(),
        privacy=OpenWindow(),
    )
