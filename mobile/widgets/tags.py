"""States as word + icon + form: tags, the sync chip and the four counters of the sync screen."""

from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.behaviors import ButtonBehavior

from mobile.widgets.fitting import Even
from mobile.widgets.layout import Box
from mobile.widgets.lines import natural_width
from mobile.widgets.tokens import T
from shared.texts import _

# kind: icon, fill token, ink token, edge token
TAG_KINDS: dict[str, tuple[str, str, str, str]] = {
    "over": ("warning", "pepper", "white", "clear"),
    "due": ("clock", "honey_t", "honey", "honey_e"),
    "later": ("calendar-blank", "inset", "ink2", "grey_e"),
    "care": ("", "plum_t", "plum", "plum_e"),
    "ok": ("check-circle", "pine_t", "pine_d", "pine_e"),
    "sent": ("paper-plane-tilt", "river_t", "river", "river_e"),
    "unsent": ("device-mobile", "white", "honey", "honey_i"),
    "refused": ("arrow-u-up-left", "pepper", "white", "clear"),
    "offline": ("wifi-slash", "white", "honey", "honey_i"),
    "grey": ("", "inset", "ink2", "grey_e"),
    "pale": ("", "pepper_t", "pepper", "pepper_e"),
}
# state: what a tag of that kind looks like, the words, and the shorter words of 大字版
SYNC_STATES: dict[str, tuple[str, str, str, str]] = {
    "unsent": ("unsent", "device-mobile", _("{} 条在手机里"), _("{} 条没送")),
    "sent": ("sent", "paper-plane-tilt", _("{} 条等回执"), _("{} 条等回执")),
    "accepted": ("ok", "cloud-check", _("已全部送到"), _("已送到")),
    "refused": ("refused", "arrow-u-up-left", _("{} 条被退回"), _("{} 条退回")),
    "offline": ("offline", "wifi-slash", _("没网"), _("没网")),
}


class Kinded(Box):
    """A surface whose colour, edge and usual icon come from `kind`."""

    kind = OptionProperty("grey", options=list(TAG_KINDS))
    ink = ColorProperty((0, 0, 0, 1))

    def usual_icon(self, kind: str) -> str:
        return TAG_KINDS[kind][0]

    def colour(self, kind: str, place: int, _contrast: bool) -> object:
        """kv names the contrast so that it asks again when that changes."""
        return getattr(T, TAG_KINDS[kind][place])


class Tag(Kinded):
    """`kind` gives colour, edge and the usual icon; `icon` replaces that icon."""

    text = StringProperty("")
    icon = StringProperty("")
    minh = NumericProperty(dp(26))
    font_size = NumericProperty(14)
    icon_size = NumericProperty(16)


class SyncChip(ButtonBehavior, AnchorLayout):
    """Forty high to look at, forty-eight to touch. `brief`: the shorter words also without 大字版."""

    brief = BooleanProperty(False)
    count = NumericProperty(0)
    status = OptionProperty("accepted", options=list(SYNC_STATES))

    def words(self, status: str, count: float, large: bool) -> str:
        return SYNC_STATES[status][3 if large else 2].format(int(count))

    def look(self, status: str, place: int) -> str:
        return SYNC_STATES[status][place]


class StateBox(Kinded):
    """One counter: icon, number, word."""

    icon = StringProperty("")
    number = NumericProperty(0)
    word = StringProperty("")
    need_w = NumericProperty(0)

    def measured(self, word: str, size: float, number: float, number_size: float) -> float:
        wide = max(natural_width(word, "Semi", size), natural_width(str(int(number)), "Semi", number_size))
        return wide + dp(20)


class StateCounter(Even):
    """What is on the phone, sent, accepted and refused: green only after the server's receipt, red only when
    something was refused."""

    unsent = NumericProperty(0)
    sent = NumericProperty(0)
    accepted = NumericProperty(0)
    refused = NumericProperty(0)
