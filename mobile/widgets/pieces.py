"""Small composed pieces: reasons, facts, notes, progress, steps and figures."""

from collections.abc import Sequence

from kivy.clock import Clock
from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.widgets.fitting import Even, Spread
from mobile.widgets.layout import Box, Col, Row, Slotted
from mobile.widgets.lines import natural_width
from mobile.widgets.tokens import T


class WhyBox(Box):
    """Why to go there, as a sentence, never a score."""

    text = StringProperty("")
    icon = StringProperty("chat-circle-text")


class ErrorBand(Box):
    """What is wrong and what to do. Without a text it takes no room."""

    text = StringProperty("")
    icon = StringProperty("warning")


class NoteLine(Row):
    text = StringProperty("")
    icon = StringProperty("lock-key")
    icon_color = ColorProperty((0, 0, 0, 1))


class Fact(Slotted, Row):
    """An icon, what it is about, and a quieter line; children go to the right end."""

    icon = StringProperty("")
    title = StringProperty("")
    sub = StringProperty("")
    icon_color = ColorProperty((0, 0, 0, 1))
    sub_color = ColorProperty((0, 0, 0, 1))
    title_style = StringProperty("head")
    sub_style = StringProperty("sub")


class Reason(Row):
    icon = StringProperty("")
    text = StringProperty("")


class Bars(Widget):
    """One bar for each thing to do; with too many for the width they become one."""

    natural = NumericProperty(0)
    done = NumericProperty(0)
    total = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        draw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "done", "total"):
            self.fbind(name, draw)

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        gap, total = dp(4), int(self.total)
        wide = (self.width - (total - 1) * gap) / total if total else 0
        with self.canvas:
            if wide >= dp(6):
                for place in range(total):
                    self._bar(self.x + place * (wide + gap), wide, place < self.done)
            elif total:
                self._bar(self.x, self.width, False)
                self._bar(self.x, self.width * self.done / total, True)

    def _bar(self, x: float, wide: float, done: bool) -> None:
        Color(*(T.pine if done else T.off))
        SmoothRoundedRectangle(pos=(x, self.y), size=(max(wide, 1), self.height), radius=[self.height / 2])


class Progress(Spread):
    """Bars and their words (markup), under one another when letters are large."""

    done = NumericProperty(0)
    total = NumericProperty(0)
    text = StringProperty("")


class Step(Col):
    word = StringProperty("")
    time = StringProperty("")
    done = BooleanProperty(False)


class StepLine(Widget):
    owner = ObjectProperty()
    done = BooleanProperty(False)


class Steps(BoxLayout):
    """`steps` are (word, time); the first `done` of them are finished. The lines between give way to the words."""

    steps = ListProperty()
    done = NumericProperty(0)
    line = NumericProperty(0)

    def line_for(self, width: float, steps: Sequence[tuple[str, str]], word: float, time: float) -> float:
        """What the columns leave when none of them may break a word, at most the usual length."""
        wide = [natural_width(said, "Semi", word) for said, _ in steps]
        wide += [natural_width(part, "Text", time) for _, said in steps for part in said.split()]
        room = (width - len(steps) * (max(wide, default=0) + dp(3))) / max(len(steps) - 1, 1)
        return max(dp(6), min(dp(36), room))

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        build = Clock.create_trigger(self._build, -1)
        self.fbind("steps", build)
        self.fbind("done", build)

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        for place, (word, time) in enumerate(self.steps):
            if place:
                self.add_widget(StepLine(owner=self, done=place < self.done))
            self.add_widget(Step(word=word, time=time, done=place < self.done))


class Figure(Col):
    number = StringProperty("")
    word = StringProperty("")
    color = ColorProperty((0, 0, 0, 1))


class Figures(Even):
    """`figures` are (number, word, colour), as in 9 走访户."""

    figures = ListProperty()

    def on_figures(self, *_: object) -> None:
        self.clear_widgets()
        self.cols = max(len(self.figures), 1)
        for number, word, color in self.figures:
            self.add_widget(Figure(number=str(number), word=word, color=color))
