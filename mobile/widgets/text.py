"""The only labels: Txt wraps to its width, Nat is as wide as its text, Ico and IcoF draw an icon by name."""

from kivy.clock import Clock
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.label import Label

from mobile.core.icons import glyph
from mobile.widgets.lines import measure_with, natural_width, wrap


class Txt(Label):
    """Set `raw`; `text` is what line breaking made of it. `natural` is the width one line would need."""

    raw = StringProperty("")
    style = StringProperty("body")
    natural = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        later = Clock.create_trigger(self._flow, -1)
        for name in ("raw", "width", "font_size", "bold"):
            self.fbind(name, later)
        for name in ("raw", "font_size", "bold"):
            self.fbind(name, self._measure)
        self._measure()
        later()

    @property
    def face(self) -> str:
        return "Semi" if self.bold else "Text"

    def _measure(self, *_: object) -> None:
        self.natural = natural_width(self.raw, self.face, self.font_size) + 2 if self.raw else 0

    def _flow(self, *_: object) -> None:
        self.text = wrap(self.raw, self.width - 1, measure_with(self.face, self.font_size))


class Nat(Label):
    """For short words beside other things; a text that may be long belongs in Txt."""

    style = StringProperty("body")


class Ico(Nat):
    icon = StringProperty("")
    face = StringProperty("IconBold")

    def on_icon(self, _widget: object, name: str) -> None:
        self.text = glyph(name)


class IcoF(Ico):
    """The filled form: chosen things and states."""
