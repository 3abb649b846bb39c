"""Asking for what Android's user may refuse: at first use, with the reason, once while the app runs."""

from dataclasses import dataclass

from mobile.device.android.activity import Activity
from mobile.device.android.dialogs import explain
from shared.texts import _


@dataclass(frozen=True, slots=True)
class Wish:
    """Permissions asked for together; one of them is enough."""

    names: tuple[str, ...]
    title: str
    reason: str
    since_sdk: int = 23


# Both in one question: the user may give the approximate place only, and that is taken as it is.
LOCATION = Wish(
    ("android.permission.ACCESS_FINE_LOCATION", "android.permission.ACCESS_COARSE_LOCATION"),
    _("为什么要用定位"),
    _("记的时候附上您所在的位置，只在您记的时候取一次，平时不跟踪。不允许也照样能记。"),
)
NOTIFICATIONS = Wish(
    ("android.permission.POST_NOTIFICATIONS",),
    _("为什么要发通知"),
    _("有人找您帮忙时提醒您。不允许也能用，打开应用就能看到。"),
    since_sdk=33,
)


class Permissions:
    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._asked: set[Wish] = set()

    def granted(self, wish: Wish) -> bool:
        if self._activity.sdk < wish.since_sdk:
            return True
        return any(self._activity.allowed(name) for name in wish.names)

    async def ask(self, wish: Wish) -> bool:
        """Returns whether it is allowed. A no is not asked about again before the next start."""
        if self.granted(wish) or wish in self._asked:
            return self.granted(wish)
        self._asked.add(wish)
        if await explain(self._activity, wish.title, wish.reason):
            await self._activity.request(list(wish.names))
        return self.granted(wish)
