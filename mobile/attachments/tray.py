"""The photos of a form while it is filled in."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import asdict
from typing import Any

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.attachments.shrinking import NotAPicture, shrink
from mobile.device.ports import NoPicture, Ports
from mobile.store.errors import NoRoom
from mobile.store.photos import Photo
from mobile.store.store import Store
from shared.attachments import MOST, PhotoIn
from shared.texts import _

FULL = _("手机存不下照片了，文字照样能记")

Spawn = Callable[[Coroutine[Any, Any, object]], None]


class PhotoTray(EventDispatcher):
    """Takes, shows and gives up photos. What is in `photos` lies sealed on the phone already."""

    photos = ListProperty([])
    message = StringProperty("")
    busy = BooleanProperty(False)
    can_take = BooleanProperty(True)

    def __init__(self, store: Store, ports: Ports, spawn: Spawn) -> None:
        super().__init__()
        self._store, self._ports, self._spawn = store, ports, spawn
        self.bind(photos=self._look, busy=self._look)

    def press(self) -> None:
        """拍照 was tapped."""
        self._spawn(self.take())

    async def take(self) -> bool:
        """Take a picture and keep it. Whatever is wrong with the camera is said in `message`, and stops nothing."""
        if not self.can_take:
            return False
        self.busy, self.message = True, ""
        try:
            picture = await self._ports.camera.picture()
            return picture is not None and await self._keep(picture)
        except (NoPicture, NotAPicture) as problem:
            self.message = problem.sentence
        except (OSError, NoRoom):
            self.message = FULL
        finally:
            self.busy = False
        return False

    async def _keep(self, picture: bytes) -> bool:
        photo = await asyncio.to_thread(self._shrunk, picture)
        if photo not in self.photos:
            self.photos = [*self.photos, photo]
        return True

    def _shrunk(self, picture: bytes) -> Photo:
        made = shrink(picture)
        self._store.photos.keep(made.photo, made.content, made.small)
        return made.photo

    def remove(self, sha256: str) -> None:
        """Take a photo off this form; the phone forgets it when nothing else holds it."""
        self.photos = [photo for photo in self.photos if photo.sha256 != sha256]

    def small(self, sha256: str) -> bytes | None:
        """The small picture of a photo, as JPEG."""
        return self._store.photos.small(sha256)

    def manifest(self) -> list[PhotoIn]:
        """What the record announces."""
        return [PhotoIn(**asdict(photo)) for photo in self.photos]

    def draft(self) -> list[str]:
        """What of this belongs into the form's draft."""
        return [photo.sha256 for photo in self.photos]

    def restore(self, names: Iterable[str]) -> None:
        """Show again what a draft names, as far as it is still on this phone."""
        found = (self._store.photos.get(name) for name in names)
        self.photos = [photo for photo in found if photo is not None]

    def _look(self, *_: object) -> None:
        self.can_take = not self.busy and len(self.photos) < MOST
