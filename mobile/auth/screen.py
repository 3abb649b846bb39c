"""登录 and 《隐私说明》."""

from collections.abc import Callable

from kivy.metrics import dp
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen

from mobile.auth import mine_screen
from mobile.auth.privacy import PARAGRAPHS
from mobile.auth.viewmodel import LoginForm
from mobile.core.navigation import shell_of
from mobile.core.session import AppContext
from mobile.core.settings import Settings
from mobile.widgets.composed import Composed, Parts, load
from mobile.widgets.frame import SubHeader
from mobile.widgets.layout import Card, Col, Row
from mobile.widgets.tokens import T
from shared.texts import _


class LargeSwitch(Row):
    """大字版 before anybody has signed in."""

    settings = ObjectProperty(rebind=True)


class LoginFields(Col):
    vm = ObjectProperty(rebind=True)
    screen = ObjectProperty()


class LoginFoot(Col):
    vm = ObjectProperty(rebind=True)
    screen = ObjectProperty()


class LoginScreen(Composed):
    """`again`: somebody is signed in, and the server wants the password once more."""

    vm: LoginForm = ObjectProperty(rebind=True)
    settings: Settings = ObjectProperty(rebind=True)

    def __init__(self, ctx: AppContext, *, again: bool = False) -> None:
        self._ctx, self._again_head = ctx, again
        super().__init__(vm=ctx.login, settings=ctx.settings)

    def sign_in(self) -> None:
        self._ctx.spawn(self.vm.sign_in())

    def open(self, route: str) -> None:
        shell_of(self).push(route)

    def compose(self) -> tuple[Parts, Parts, Parts]:
        head = SubHeader(title=_("重新登录")) if self._again_head else LargeSwitch(settings=self.settings)
        fields, foot = LoginFields(vm=self.vm, screen=self), LoginFoot(vm=self.vm, screen=self)
        # Large letters leave no room for a foot that stays.
        return ([head], [fields, foot], []) if T.sp("body") > dp(20) else ([head], [fields], [foot])


class PrivacyCard(Card):
    icon, title, text = StringProperty(""), StringProperty(""), StringProperty("")


class PrivacyScreen(Composed):
    def compose(self) -> tuple[Parts, Parts, Parts]:
        cards = Col(spacing=dp(12))
        for icon, title, text in PARAGRAPHS:
            cards.add_widget(PrivacyCard(icon=icon, title=title, text=text))
        return [SubHeader(title=_("隐私说明"))], [cards], []


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {
        "login": lambda: LoginScreen(ctx),
        "sign_in": lambda: LoginScreen(ctx, again=True),
        "privacy": lambda: PrivacyScreen(),
        **mine_screen.routes(ctx),
    }
