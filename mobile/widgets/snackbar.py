"""The line that says what was done and lets people take it back for some seconds."""

from collections.abc import Callable

from kivy.clock import Clock
from kivy.properties import NumericProperty, StringProperty

from mobile.widgets.layout import Col
from shared.texts import _


class Snackbar(Col):
    """Counts down once a second; ends by 撤销 or by itself, and says which exactly once."""

    text = StringProperty("")
    action = StringProperty(_("撤销"))
    left = NumericProperty(0)

    __events__ = ("on_close",)

    def __init__(
        self,
        text: str,
        seconds: int,
        on_undo: Callable[[], object] | None = None,
        on_end: Callable[[], object] | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.text, self.left, self.action = text, seconds, _("撤销") if on_undo else ""
        self._on_undo, self._on_end = on_undo, on_end
        self._clock = Clock.schedule_interval(self.tick, 1)

    def tick(self, *_: object) -> None:
        self.left -= 1
        if self.left <= 0:
            self._close(self._on_end)

    def undo(self) -> None:
        self._close(self._on_undo)

    def dismiss(self) -> None:
        """Something newer wants the place: what was done stands."""
        self._close(self._on_end)

    def on_close(self) -> None:
        """The shell takes the bar away."""

    def _close(self, then: Callable[[], object] | None) -> None:
        if self._clock is None:
            return
        self._clock.cancel()
        self._clock = None
        self.dispatch("on_close")
        if then:
            then()
