"""The cover in front of everything while the phone is locked, and the screen on which a PIN is chosen."""

from collections.abc import Callable

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen

from mobile.auth.lock import Lock, PinForm
from mobile.core.navigation import Shell, shell_of
from mobile.core.session import AppContext
from mobile.widgets.composed import Composed, Parts, load
from mobile.widgets.frame import SubHeader
from mobile.widgets.layout import Col, Page, Sheet
from mobile.widgets.press import Btn
from shared.texts import _


class Key(Btn):
    """A digit."""

    def press(self) -> None:
        owner = self.parent
        while not isinstance(owner, LockCover):
            owner = owner.parent
        owner.vm.digit(self.text)


class LockCover(Page):
    """Name, digits, and the others who use this phone."""

    vm: Lock = ObjectProperty(rebind=True)
    name = StringProperty("")
    asking, may_give_up = BooleanProperty(False), BooleanProperty(False)

    def __init__(self, vm: Lock, give_up: Callable[[], None]) -> None:
        super().__init__(vm=vm)
        self.give_up = give_up
        vm.bind(chosen=self._look)
        self._look()

    def _look(self, *_args: object) -> None:
        names = {str(holder.account_id): holder.name for holder in self.vm.holders}
        self.name = names.get(self.vm.chosen, "")
        self.asking, self.may_give_up = False, self.vm.may_give_up()
        self.ids.others.clear_widgets()
        for account_id, name in names.items():
            if account_id != self.vm.chosen:
                other = Btn(text=_("换成{name}").format(name=name), kind="outline", icon="user")
                other.fbind("on_release", lambda _btn, chosen=account_id: self.vm.choose(chosen))
                self.ids.others.add_widget(other)


class PinFields(Col):
    vm = ObjectProperty(rebind=True)


class PinBar(Sheet):
    lock = ObjectProperty(rebind=True)
    screen = ObjectProperty()


class PinScreen(Composed):
    """锁屏密码: set, changed or taken away by whoever is signed in."""

    vm: PinForm = ObjectProperty(rebind=True)

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        super().__init__(vm=PinForm(lock))

    def save(self) -> None:
        if self.vm.save():
            self._leave(_("锁屏密码设好了"))

    def remove(self) -> None:
        had = self._lock.has_pin
        self._lock.remove_pin()
        self._leave(_("不再用锁屏密码") if had else "")

    def _leave(self, said: str) -> None:
        shell = shell_of(self)
        shell.back()
        if said:
            shell.snack(said)

    def compose(self) -> tuple[Parts, Parts, Parts]:
        return [SubHeader(title=_("锁屏密码"))], [PinFields(vm=self.vm)], [PinBar(lock=self._lock, screen=self)]


def cover_while_locked(ctx: AppContext, shell: Shell) -> None:
    """Put the cover in front of whatever is open, and take it away again: a half-written form is still there."""
    load(__file__)

    def give_up() -> None:
        ctx.lock.give_up()
        if ctx.session is not None:
            ctx.sign_out()

    def look(*_: object) -> None:
        if ctx.lock.locked:
            shell.cover(LockCover(ctx.lock, give_up))
        else:
            shell.uncover()

    ctx.lock.fbind("locked", look)
    look()


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {"pin": lambda: PinScreen(ctx.lock)}
