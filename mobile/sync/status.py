"""How sending stands, in one word and four numbers, for the chip on every screen."""

from contextlib import suppress
from datetime import datetime, timedelta

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock
from mobile.store.errors import NoRoom, StoreProblem
from mobile.store.outbox import State
from mobile.store.photos import Standing
from mobile.store.store import Store
from mobile.sync.errors import NetworkProblem, Refused, SignInNeeded
from shared.texts import _

ICONS = {
    "sign_in": "key",
    "update": "download-simple",
    "refused": "arrow-u-up-left",
    "sending": "paper-plane-tilt",
    "offline": "wifi-slash",
    "unsent": "device-mobile",
    "accepted": "cloud-check",
}
KIT_STATES = {"sending": "sent", "sign_in": "refused", "update": "refused"}
TOO_OLD = 426
UNTOLD = _("这一次没同步成，手机里的都还在，过一会儿会再试。")


CLOCK_TOLERANCE = timedelta(minutes=10)


def _clock_line(ahead: timedelta) -> str:
    off = abs(ahead)
    if off <= CLOCK_TOLERANCE:
        return ""
    much = _("{days} 天").format(days=off.days) if off.days else _("{seconds} 分钟").format(seconds=off.seconds // 60)
    way = _("快") if ahead > timedelta() else _("慢")
    return _("这部手机的时间{way}了 {much}，记下的日期会跟着错。请在系统设置里打开自动校时。").format(
        way=way, much=much
    )


class SyncStatus(EventDispatcher):
    """Observable. Green (`accepted`) only when the server has given its receipt for everything."""

    unsent, sent = NumericProperty(0), NumericProperty(0)
    accepted, refused = NumericProperty(0), NumericProperty(0)
    photos, photos_back = NumericProperty(0), NumericProperty(0)
    sending = BooleanProperty(False)
    offline = BooleanProperty(False)
    needs_sign_in = BooleanProperty(False)
    needs_update = BooleanProperty(False)
    own_fault = BooleanProperty(False)
    first_pull_done = BooleanProperty(False)
    last_talk = StringProperty(_("还没有"))
    problem = StringProperty("")
    clock_line = StringProperty("")
    state, kit_state, icon = StringProperty("accepted"), StringProperty("accepted"), StringProperty("cloud-check")
    count = NumericProperty(0)
    text = StringProperty("")

    def __init__(self, store: Store, now: Clock) -> None:
        super().__init__()
        self._store, self._now = store, now
        self.refresh()

    @property
    def only_photos(self) -> bool:
        """Every record has its receipt, and a photo is still on its way."""
        return bool(self.photos and not self.unsent + self.sent)

    def begin(self) -> None:
        self.sending = True
        self._say()

    def end(self, problem: Exception | None, at: datetime) -> None:
        """Note how an attempt ended. A refusal is also an answer: the server was reached."""
        self.sending = False
        self.offline = isinstance(problem, NetworkProblem)
        self.needs_sign_in = isinstance(problem, SignInNeeded)
        self.needs_update = isinstance(problem, Refused) and problem.status == TOO_OLD
        told = problem.sentence if isinstance(problem, (NetworkProblem, Refused, StoreProblem)) else UNTOLD
        self.problem = told if problem else ""
        self.own_fault = bool(problem) and not isinstance(problem, (NetworkProblem, Refused))
        if problem is None or isinstance(problem, Refused):
            with suppress(NoRoom):
                self._store.keep_last_talk(at)
        self.clock_line = _clock_line(self._store.clock_ahead)
        self.refresh()

    def refresh(self, *_args: object) -> None:
        counts = self._store.outbox.counts()
        self.unsent, self.sent = counts[State.unsent], counts[State.sent]
        self.accepted, self.refused = counts[State.accepted], counts[State.refused]
        photos = self._store.photos.counts()
        self.photos, self.photos_back = photos[Standing.due], photos[Standing.quarantined] + photos[Standing.refused]
        self.first_pull_done = self._store.first_pull_done()
        talked = self._store.last_talk()
        self.last_talk = texts.when(talked, self._now()) if talked else _("还没有")
        self._say()

    def _say(self) -> None:
        self.state, self.count, self.text = self._words()
        self.kit_state, self.icon = KIT_STATES.get(self.state, self.state), ICONS[self.state]

    def _words(self) -> tuple[str, int, str]:
        waiting, back = self.unsent + self.sent, self.refused + self.photos_back
        if self.needs_sign_in:
            return "sign_in", waiting, _("请重新登录")
        if self.needs_update:
            return "update", waiting, _("请更新应用，记录都还在手机里")
        if back:
            return "refused", back, _("{back} 条被退回").format(back=back)
        if self.sending and (waiting or self.photos):
            return "sending", waiting or self.photos, _("正在送") if waiting else _("正在送照片")
        if self.offline and not (waiting or self.photos):
            return "offline", 0, _("没有网络，照常记")
        if waiting:
            return "unsent", waiting, _("{waiting} 条在手机里").format(waiting=waiting)
        if self.photos:
            return "unsent", self.photos, _("{photos} 张照片没送").format(photos=self.photos)
        if self.problem:
            return "offline", 0, _("手机没同步成") if self.own_fault else _("服务器暂时不行")
        return "accepted", 0, _("已送到")
