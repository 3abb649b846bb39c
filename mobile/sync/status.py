"""How sending stands, in one word and four numbers, for the chip on every screen."""

from datetime import datetime

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock
from mobile.store.outbox import State
from mobile.store.store import Store
from mobile.sync.errors import NetworkProblem, Refused, SignInNeeded

ICONS = {
    "sign_in": "key",
    "refused": "arrow-u-up-left",
    "sending": "paper-plane-tilt",
    "offline": "wifi-slash",
    "unsent": "device-mobile",
    "accepted": "cloud-check",
}
KIT_STATES = {"sending": "sent", "sign_in": "refused"}


class SyncStatus(EventDispatcher):
    """Observable. Green (`accepted`) only when the server has given its receipt for everything."""

    unsent, sent = NumericProperty(0), NumericProperty(0)
    accepted, refused = NumericProperty(0), NumericProperty(0)
    sending = BooleanProperty(False)
    offline = BooleanProperty(False)
    needs_sign_in = BooleanProperty(False)
    first_pull_done = BooleanProperty(False)
    last_talk = StringProperty("还没有")
    problem = StringProperty("")
    state, kit_state, icon = StringProperty("accepted"), StringProperty("accepted"), StringProperty("cloud-check")
    count = NumericProperty(0)
    text = StringProperty("")

    def __init__(self, store: Store, now: Clock) -> None:
        super().__init__()
        self._store, self._now = store, now
        self.refresh()

    def begin(self) -> None:
        self.sending = True
        self._say()

    def end(self, problem: Exception | None, at: datetime) -> None:
        """Note how an attempt ended. A refusal is also an answer: the server was reached."""
        self.sending = False
        self.offline = isinstance(problem, NetworkProblem)
        self.needs_sign_in = isinstance(problem, SignInNeeded)
        self.problem = problem.sentence if isinstance(problem, (NetworkProblem, Refused)) else ""
        if problem is None or isinstance(problem, Refused):
            self._store.keep_last_talk(at)
        self.refresh()

    def refresh(self, *_: object) -> None:
        counts = self._store.outbox.counts()
        self.unsent, self.sent = counts[State.unsent], counts[State.sent]
        self.accepted, self.refused = counts[State.accepted], counts[State.refused]
        self.first_pull_done = self._store.first_pull_done()
        talked = self._store.last_talk()
        self.last_talk = texts.when(talked, self._now()) if talked else "还没有"
        self._say()

    def _say(self) -> None:
        self.state, self.count, self.text = self._words()
        self.kit_state, self.icon = KIT_STATES.get(self.state, self.state), ICONS[self.state]

    def _words(self) -> tuple[str, int, str]:
        waiting = self.unsent + self.sent
        if self.needs_sign_in:
            return "sign_in", waiting, "请重新登录"
        if self.refused:
            return "refused", self.refused, f"{self.refused} 条被退回"
        if self.sending and waiting:
            return "sending", waiting, "正在送"
        if self.offline and not waiting:
            return "offline", 0, "没有网络，照常记"
        if waiting:
            return "unsent", waiting, f"{waiting} 条在手机里"
        if self.problem:
            return "offline", 0, "服务器暂时不行"
        return "accepted", 0, "已送到"
