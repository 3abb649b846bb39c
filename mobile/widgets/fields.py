"""Where people type or switch, and rows that lead somewhere."""

import asyncio

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ColorProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from mobile.widgets.layout import Box, Col, Row, Slotted


class Field(TextInput):
    """Kivy's default `input_type` tells Android there is no rich editor, and Chinese keyboards fall back to Latin."""

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("input_type", "text")
        kwargs.setdefault("keyboard_suggestions", True)
        super().__init__(**kwargs)


class Typing(EventDispatcher):
    """`dialog` is the system's own text field, where the phone has one. Every Input then leads to it."""

    dialog = ObjectProperty(None, allownone=True)


TYPING = Typing()


class Input(Col):
    """A label above a text field. A password can be shown, in words."""

    label = StringProperty("")
    text = StringProperty("")
    hint = StringProperty("")
    password = BooleanProperty(False)
    hidden = BooleanProperty(True)
    multiline = BooleanProperty(False)
    focus = BooleanProperty(False)
    input_filter = ObjectProperty(None, allownone=True)
    writing = ObjectProperty(None, allownone=True)

    __events__ = ("on_enter",)

    def write_elsewhere(self) -> None:
        """Open the system's field. The task is held here: asyncio itself would forget it."""
        self.focus = False
        self.writing = asyncio.ensure_future(self._write_elsewhere())

    async def _write_elsewhere(self) -> None:
        written = await TYPING.dialog.ask(self.label, self.text, multiline=self.multiline)
        if written is not None:
            self.text = written

    def on_enter(self) -> None:
        """The keyboard's enter key in a one-line field."""


class ListRow(ButtonBehavior, Slotted, Box):
    """A row that leads somewhere. Children stand between its words and the chevron."""

    last_part = "end"

    icon = StringProperty("")
    title = StringProperty("")
    sub = StringProperty("")
    trail = StringProperty("")
    chevron = BooleanProperty(True)
    filled = BooleanProperty(False)
    bold = BooleanProperty(False)
    icon_color = ColorProperty((0, 0, 0, 1))


class Toggle(Widget):
    on = BooleanProperty(False)


class SwitchRow(ButtonBehavior, Row):
    """The whole row flips the switch."""

    icon = StringProperty("")
    title = StringProperty("")
    sub = StringProperty("")
    on = BooleanProperty(False)

    def on_release(self) -> None:
        self.on = not self.on


class Tick(ButtonBehavior, Slotted, Row):
    """A round tick before a sentence, such as a consent. Children, such as a link to it, stand in its line."""

    slot = last_part = "flow"

    text = StringProperty("")
    on = BooleanProperty(False)

    def on_release(self) -> None:
        self.on = not self.on
