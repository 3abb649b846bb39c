"""照片: what was pictured at a visit or for a request, by whomever."""

from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.store.store import Store
from mobile.sync.errors import NetworkProblem, Refused
from shared.attachments import PHOTO_WORDS, PhotoOut, PhotoState
from shared.sync import EntityKind
from shared.texts import _

NONE = _("没有照片可看。")
ONLY_OWN = _("这里只有这部手机拍的。")
FETCHING = _("正在取…")


class Wire(Protocol):
    """What is asked of the server."""

    async def photos_of(self, kind: EntityKind, entity_id: UUID) -> list[PhotoOut]: ...

    async def photo(self, sha256: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Picture:
    """One photo; `words` say why it cannot be seen yet."""

    sha256: str
    width: int
    height: int
    content: bytes
    words: str = ""


class Album(EventDispatcher):
    """Those that this phone took are seen without a network. Others' are fetched, and kept only while they are looked
    at: they are pictures of people's homes."""

    pictures = ListProperty([])
    message, busy = StringProperty(""), BooleanProperty(False)

    def __init__(self, store: Store, wire: Wire, kind: EntityKind, entity_id: UUID) -> None:
        super().__init__()
        self._wire, self._subject = wire, (kind, entity_id)
        self.pictures = [
            Picture(one.sha256, one.width, one.height, content)
            for one in store.photos.of(entity_id)
            if (content := store.photos.whole(one.sha256))
        ]

    async def load(self) -> None:
        """Fetch what is not there yet, one after another; whatever stops it is said, and may be tried again."""
        if self.busy:
            return
        self.busy, self.message = True, ""
        try:
            await self._look()
            await self._fetch()
            self.message = "" if self.pictures else NONE
        except (NetworkProblem, Refused) as problem:
            self.message = problem.sentence + (ONLY_OWN if self.pictures else "")
        finally:
            self.busy = False

    async def _look(self) -> None:
        here = {one.sha256: one for one in self.pictures if one.content}
        found = await self._wire.photos_of(*self._subject)
        self.pictures = [here.get(one.sha256) or _named(one) for one in found]

    async def _fetch(self) -> None:
        for place, one in enumerate(self.pictures):
            if one.words == FETCHING:
                content = await self._wire.photo(one.sha256)
                self.pictures[place] = replace(one, content=content, words="")


def _named(one: PhotoOut) -> Picture:
    words = FETCHING if one.state is PhotoState.stored else PHOTO_WORDS[one.state]
    return Picture(one.sha256, one.width, one.height, b"", words)
