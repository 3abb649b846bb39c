"""A row of photos and the tile that takes the next one, for any form."""

from functools import partial
from io import BytesIO

from kivy.clock import Clock
from kivy.core.image import Image as CoreImage
from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.widget import Widget

from mobile.attachments.tray import PhotoTray
from mobile.store.photos import Photo
from mobile.widgets.layout import Col


class PhotoThumb(ButtonBehavior, Widget):
    """A small picture. A tap asks what is to become of it."""

    texture = ObjectProperty(None, allownone=True)
    on = BooleanProperty(False)

    def middle(self, texture: Texture | None) -> tuple[float, ...]:
        """The square in a picture's middle, as texture coordinates."""
        if texture is None:
            return (0, 0, 1, 0, 1, 1, 0, 1)
        wide, high = texture.size
        u0, v0, u1, v1 = texture.tex_coords[0], texture.tex_coords[1], texture.tex_coords[4], texture.tex_coords[5]
        cut_u, cut_v = (u1 - u0) * max(0, 1 - high / wide) / 2, (v1 - v0) * max(0, 1 - wide / high) / 2
        left, right, low, top = u0 + cut_u, u1 - cut_u, v0 + cut_v, v1 - cut_v
        return (left, low, right, low, right, top, left, top)


class PhotoStrip(Col):
    """Shows a PhotoTray: `tray: root.form.tray`. `chosen` is the photo that was tapped."""

    tray: PhotoTray | None = ObjectProperty(None, allownone=True, rebind=True)
    chosen = StringProperty("")

    def __init__(self, **kwargs: object) -> None:
        self._thumbs: dict[str, PhotoThumb] = {}
        self._again = Clock.create_trigger(self._show, -1)
        super().__init__(**kwargs)
        self._again()

    def on_tray(self, _strip: object, tray: PhotoTray | None) -> None:
        if tray is not None:
            tray.fbind("photos", self._again)
        self._again()

    def on_chosen(self, _strip: object, chosen: str) -> None:
        for sha256, thumb in self._thumbs.items():
            thumb.on = sha256 == chosen

    def choose(self, sha256: str, *_: object) -> None:
        self.chosen = "" if self.chosen == sha256 else sha256

    def drop(self) -> None:
        gone, self.chosen = self.chosen, ""
        if self.tray is not None:
            self.tray.remove(gone)

    def _show(self, *_: object) -> None:
        """Thumbs before the tile, each read from the store once."""
        if self.tray is None:
            return
        flow, tile = self.ids.flow, self.ids.tile
        flow.clear_widgets()
        self._thumbs = {photo.sha256: self._thumb(self.tray, photo) for photo in self.tray.photos}
        self.chosen = self.chosen if self.chosen in self._thumbs else ""
        for widget in (*self._thumbs.values(), tile):
            flow.add_widget(widget)

    def _thumb(self, tray: PhotoTray, photo: Photo) -> PhotoThumb:
        known = self._thumbs.get(photo.sha256)
        if known is not None:
            return known
        thumb = PhotoThumb(texture=texture_of(tray.small(photo.sha256)))
        thumb.fbind("on_release", partial(self.choose, photo.sha256))
        return thumb


def texture_of(jpeg: bytes | None) -> object:
    """A picture to be drawn; None as long as there is none."""
    return CoreImage(BytesIO(jpeg), ext="jpg").texture if jpeg else None
