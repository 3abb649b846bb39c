"""免打扰: from when to when nobody is to ring."""

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty

from mobile.volunteers import rules
from mobile.volunteers.own import Own
from shared.texts import _
from shared.volunteers import QUIET_FROM, QUIET_UNTIL, QuietIn

FROM = (20 * 60, 21 * 60, QUIET_FROM, 22 * 60, 23 * 60)
UNTIL = (6 * 60, 7 * 60, QUIET_UNTIL, 8 * 60, 9 * 60)


class Quiet(EventDispatcher):
    """Common hours as taps; an hour of one's own that is none of them stands among them."""

    __events__ = ("on_saved",)
    on = BooleanProperty(True)
    start, end = NumericProperty(QUIET_FROM), NumericProperty(QUIET_UNTIL)
    starts, ends = ListProperty([]), ListProperty([])
    known, can_save = BooleanProperty(False), BooleanProperty(False)
    line = StringProperty("")
    danger_line = StringProperty(_("有人有生命危险时，还是会找您。"))

    def __init__(self, own: Own) -> None:
        super().__init__()
        self._own = own
        self._kept = (QUIET_FROM, QUIET_UNTIL)
        self.bind(on=self._show, start=self._show, end=self._show)
        row = own.row
        if row is not None:
            self.known, self._kept = True, (row.quiet_from, row.quiet_until)
            self.on = row.quiet_from != row.quiet_until
            if self.on:
                self.start, self.end = self._kept
        self.starts, self.ends = _options(FROM, self.start), _options(UNTIL, self.end)
        self._show()

    def on_saved(self, sentence: str) -> None:
        """Event: it is kept on this phone."""

    def save(self) -> None:
        if self.can_save:
            start, end = self._chosen()
            self._own.set_quiet(QuietIn(from_minute=start, until_minute=end))
            self.dispatch(
                "on_saved", _("记下了：{line}").format(line=self.line) if self.on else _("记下了：不设免打扰")
            )

    def _chosen(self) -> tuple[int, int]:
        return (int(self.start), int(self.end)) if self.on else (0, 0)

    def _show(self, *_args: object) -> None:
        words = rules.quiet_line(int(self.start), int(self.end))
        self.line = _("{words} 不打扰您").format(words=words) if self.on else _("什么时候都可以找您")
        same = self._chosen() == self._kept or (not self.on and self._kept[0] == self._kept[1])
        self.can_save = self.known and not same


def _options(usual: tuple[int, ...], kept: float) -> list[tuple[int, str, str]]:
    return [(minute, rules.minute_word(minute), "") for minute in sorted({*usual, int(kept)})]
