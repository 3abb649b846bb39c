"""The lock in front of the app, and whose turn it is on a shared phone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.auth.pins import LENGTHS, Holder, Pins
from mobile.core.clock import Clock
from shared.texts import _

AWAY = timedelta(seconds=60)
"""A look at another app does not lock; a phone put down does."""

WRONG = _("不对，再试一次。")


class Lock(EventDispatcher):
    """`locked` covers everything. Whoever types their PIN goes on as themselves, also after somebody else."""

    locked = BooleanProperty(False)
    holders, chosen = ListProperty(), StringProperty("")
    typed, message = StringProperty(""), StringProperty("")
    has_pin = BooleanProperty(False)

    def __init__(
        self, pins: Pins, now: Clock, present: Callable[[], Holder | None], go_on_as: Callable[[UUID], str]
    ) -> None:
        """`go_on_as` opens somebody's place and returns '', or the sentence why it could not."""
        super().__init__()
        self._pins, self._now, self._present, self._go_on_as = pins, now, present, go_on_as
        self._left_at: datetime | None = None
        self.look()

    def look(self, *_: object) -> None:
        """Somebody came or went. With nobody signed in there is nothing behind a lock."""
        present = self._present()
        self.has_pin = present is not None and self._pins.has(present.account_id)
        if present is None:
            self.locked = False

    def lock(self) -> None:
        """Only where the one who is signed in has a PIN: nobody is locked out."""
        present = self._present()
        self.look()
        if present is not None and self.has_pin:
            self._cover(present.account_id)

    def whose_turn(self) -> None:
        """Nobody is signed in: who has a PIN goes on without a network."""
        if holders := self._pins.holders():
            self._cover(holders[0].account_id)

    def _cover(self, chosen: UUID) -> None:
        self.holders, self.chosen = self._pins.holders(), str(chosen)
        self.typed = self.message = ""
        self.locked = True

    def left(self) -> None:
        """The app went out of sight."""
        self._left_at = self._now()

    def came_back(self) -> None:
        if self._left_at is not None and self._now() - self._left_at >= AWAY:
            self.lock()
        self._left_at = None

    def choose(self, account_id: str) -> None:
        self.chosen, self.typed, self.message = account_id, "", ""

    def digit(self, digit: str) -> None:
        if len(self.typed) < LENGTHS[-1]:
            self.typed, self.message = self.typed + digit, ""

    def erase(self) -> None:
        self.typed = self.typed[:-1]

    def open(self) -> bool:
        """Try what was typed."""
        account_id, typed, self.typed = UUID(self.chosen), self.typed, ""
        if wait := self._pins.wait(account_id):
            self.message = _wait_words(wait)
            return False
        if not self._pins.opens(account_id, typed):
            self.message = _wait_words(self._pins.wait(account_id)) or WRONG
            return False
        self.message = self._go_on_as(account_id)
        if self.message:
            return False
        self.locked = False
        self.look()
        return True

    def may_give_up(self) -> bool:
        """A colleague's forgotten PIN is no reason to sign out whoever is signed in."""
        present = self._present()
        return present is None or str(present.account_id) == self.chosen

    def give_up(self) -> None:
        """忘了: the way back in is the password, which proves more than the PIN that goes."""
        self._pins.drop(UUID(self.chosen))
        self.locked = False

    def forget(self, *account_ids: UUID) -> None:
        """These accounts have left this phone."""
        for account_id in account_ids:
            self._pins.drop(account_id)

    def set_pin(self, pin: str) -> None:
        present = self._present()
        assert present is not None
        self._pins.put(present.account_id, present.name, pin)
        self.look()

    def remove_pin(self) -> None:
        present = self._present()
        assert present is not None
        self._pins.drop(present.account_id)
        self.look()


def _wait_words(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    if not seconds:
        return ""
    return (
        _("错的次数多了，请等 {seconds} 秒。").format(seconds=seconds)
        if seconds < 100
        else _("错的次数多了，请等 {minutes} 分钟。").format(minutes=seconds // 60 + 1)
    )


class PinForm(EventDispatcher):
    """Choosing a PIN: typed twice, the same both times."""

    first, second, message = StringProperty(""), StringProperty(""), StringProperty("")

    def __init__(self, lock: Lock) -> None:
        super().__init__()
        self._lock = lock

    def save(self) -> bool:
        if len(self.first) not in LENGTHS or not (self.first.isascii() and self.first.isdigit()):
            self.message = _("请写 4 到 6 位数字。")
        elif self.first != self.second:
            self.message = _("两次写的不一样。")
        else:
            self._lock.set_pin(self.first)
            return True
        return False
