"""照片."""

from collections.abc import Callable
from uuid import UUID

from kivy.properties import NumericProperty, ObjectProperty
from kivy.uix.screenmanager import Screen
from kivy.uix.widget import Widget

from mobile.attachments.album import Album
from mobile.attachments.strip import texture_of
from mobile.core.session import AppContext
from mobile.widgets.composed import load
from mobile.widgets.layout import Col
from mobile.widgets.lists import Item
from shared.sync import EntityKind


class WholePicture(Widget):
    """A photo as wide as there is room, whole."""

    content = ObjectProperty(b"")
    ratio = NumericProperty(1)
    texture = ObjectProperty(None, allownone=True)

    def on_content(self, _picture: object, content: bytes) -> None:
        self.texture = texture_of(content)


class AlbumPicture(Item, Col):
    """A photo, or why it is not to be seen."""


class AlbumScreen(Screen):
    vm: Album = ObjectProperty(rebind=True)

    def __init__(self, ctx: AppContext, vm: Album, **kwargs: object) -> None:
        super().__init__(vm=vm, **kwargs)
        self._ctx = ctx

    def on_pre_enter(self, *_: object) -> None:
        self.again()

    def again(self) -> None:
        self._ctx.spawn(self.vm.load())


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)

    def photos(kind: EntityKind, entity_id: UUID) -> Screen:
        return AlbumScreen(ctx, ctx.session.album(kind, entity_id))

    return {"photos": photos}
