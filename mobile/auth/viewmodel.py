"""登录 and 我的: who is using this phone."""

from collections.abc import Awaitable, Callable

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from mobile.core.clock import Clock, local_day
from mobile.core.settings import Settings
from mobile.store.errors import StoreProblem
from mobile.store.outbox import State
from mobile.store.store import Store
from mobile.sync.errors import NetworkProblem, Refused
from shared.auth import ROLE_WORDS, MeOut
from shared.grid import CellOut
from shared.residents import HouseholdOut
from shared.texts import _

SignIn = Callable[[str, str], Awaitable[None]]


class LoginForm(EventDispatcher):
    """The first sign-in needs the network; after it the phone stays signed in until 退出登录."""

    username, password = StringProperty(""), StringProperty("")
    show_password = BooleanProperty(False)
    consent = BooleanProperty(False)
    can_sign_in, busy = BooleanProperty(False), BooleanProperty(False)
    error = StringProperty("")
    county_line = StringProperty(_("凤县社区网格与志愿服务"))
    forgot_line = StringProperty(_("忘了密码？请所在社区的管理员重设。"))

    def __init__(self, settings: Settings, sign_in: SignIn, username: str = "") -> None:
        super().__init__()
        self._settings, self._sign_in = settings, sign_in
        self.username, self.consent = username, settings.consent
        self.bind(username=self._look, password=self._look, consent=self._look, busy=self._look)

    async def sign_in(self) -> bool:
        """Sign in, or say in `error` why not. Never raises into the screen."""
        if not self.can_sign_in:
            self.error = self._missing()
            return False
        self.busy, self.error = True, ""
        try:
            await self._sign_in(self.username.strip(), self.password)
        except (NetworkProblem, Refused, StoreProblem) as problem:
            self.error = problem.sentence
            return False
        finally:
            self.busy = False
        self.password, self.show_password = "", False
        return True

    def _missing(self) -> str:
        if self.busy:
            return ""
        if not self.username.strip() or not self.password:
            return _("请填上账号和密码。")
        return _("请先看一看《隐私说明》，同意后勾上。")

    def _look(self, *_: object) -> None:
        self._settings.consent = self.consent
        filled = bool(self.username.strip() and self.password)
        self.can_sign_in = filled and self.consent and not self.busy


class Mine(EventDispatcher):
    """我的: name, role, how the day went, the way out."""

    name, role_line, today_line = StringProperty(""), StringProperty(""), StringProperty("")
    server = StringProperty("")
    unsent, sign_out_warning = NumericProperty(0), StringProperty("")

    def __init__(self, store: Store, me: MeOut, settings: Settings, now: Clock, sign_out: Callable[[], None]) -> None:
        super().__init__()
        self._store, self._me, self._settings, self._now = store, me, settings, now
        self._sign_out = sign_out
        self.refresh()

    def refresh(self, *_args: object) -> None:
        self.name, self.role_line, self.server = self._me.display_name, self._role_line(), self._settings.server
        counts = self._store.outbox.counts()
        self.unsent = counts[State.unsent] + counts[State.sent]
        self.sign_out_warning = (
            _("还有 {unsent} 条在手机里没送到。退出后它们留在这部手机里，您再登录时接着送。").format(unsent=self.unsent)
            if self.unsent
            else ""
        )
        today = local_day(self._now())
        seen = sum(household.last_visited_on == today for household in self._store.entities.all(HouseholdOut))
        self.today_line = _("今天看了 {seen} 户").format(seen=seen)

    def sign_out(self) -> None:
        """Forget who is signed in and what they could see; what was not sent stays."""
        self._sign_out()

    def _role_line(self) -> str:
        roles = list(dict.fromkeys(ROLE_WORDS[grant.role] for grant in self._me.grants))
        cells = self._store.entities.all(CellOut)
        place = (
            cells[0].name
            if len(cells) == 1
            else _("{count} 个网格").format(count=len(cells))
            if cells
            else self._me.county_name
        )
        return _("{roles} · {place}").format(roles=_("、").join(roles) or _("志愿者"), place=place)
