"""Keeping what is about people out of screenshots, recordings and the system's pictures of recent apps."""

from typing import Any

from mobile.device.android.activity import Activity

FLAG_SECURE = 0x2000
"""android.view.WindowManager.LayoutParams"""


def hide(window: Any) -> None:
    """On Android's thread. Each window has its own flag: a dialog does not take its activity's."""
    window.addFlags(FLAG_SECURE)


class AndroidPrivacy:
    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def hide(self) -> None:
        self._activity.on_ui(lambda: hide(self._activity.it.getWindow()))
