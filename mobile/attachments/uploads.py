"""Sending photos: in pieces, after the record that announces them was accepted, from where the server says it is."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from mobile.store.photos import Photo, Standing
from mobile.store.store import Store
from mobile.sync.errors import NoAnswer, Refused
from shared.attachments import PhotoState, UploadOut
from shared.errors import Code
from shared.texts import _

PIECE = 64 << 10
"""What is lost at most when the connection breaks: the server keeps whole pieces."""

LOST = _("照片的文件坏了，送不出去。")
QUARANTINED = _("社区的服务器打不开这张照片，已经隔离。要用的话请再拍一张。")
FINAL = (Code.not_found, Code.area_not_allowed, Code.role_not_allowed, Code.malformed)
"""Asking again would be answered the same."""


class Wire(Protocol):
    """The two questions about a photo."""

    async def photo_status(self, sha256: str) -> UploadOut: ...

    async def send_chunk(self, sha256: str, offset: int, chunk: bytes) -> UploadOut: ...


class Uploads:
    """What is due is in the store: a kill loses at most the piece that was on its way."""

    def __init__(self, store: Store, wire: Wire) -> None:
        self._photos, self._wire = store.photos, wire

    async def send(self, interrupted: Callable[[], bool]) -> bool:
        """Send what is due. False: given up between two pieces, since something more important waits.

        A photo that is refused does not stop the next one; the first refusal is raised when all had their turn.
        """
        refusals: list[Refused] = []
        for photo in self._photos.due():
            try:
                if not await self._send_one(photo, interrupted):
                    return False
            except Refused as refusal:
                refusals.append(refusal)
        if refusals:
            raise refusals[0]
        return True

    async def _send_one(self, photo: Photo, interrupted: Callable[[], bool]) -> bool:
        content = await asyncio.to_thread(self._photos.whole, photo.sha256)
        if content is None:
            self._photos.settle(photo.sha256, Standing.refused, LOST)
            return True
        try:
            state = await self._send_content(photo, content, interrupted)
        except Refused as refusal:
            if refusal.code not in FINAL:
                raise
            self._photos.settle(photo.sha256, Standing.refused, refusal.sentence)
            return True
        if state is PhotoState.quarantined:
            self._photos.settle(photo.sha256, Standing.quarantined, QUARANTINED)
        elif state is PhotoState.stored:
            self._photos.settle(photo.sha256, Standing.stored)
        return state is not PhotoState.missing

    async def _send_content(self, photo: Photo, content: bytes, interrupted: Callable[[], bool]) -> PhotoState:
        """Piece after piece, as long as there are more; `missing` when it gave way."""
        at = await self._wire.photo_status(photo.sha256)
        while at.state is PhotoState.missing and not interrupted():
            before = at.received
            at = await self._wire.send_chunk(photo.sha256, before, content[before : before + PIECE])
            if at.state is PhotoState.missing and at.received <= before:
                raise NoAnswer("the server takes no more of a photo and does not say why")
        return at.state
