"""How much of the window lies under the system's bars. From Android 15 on every app is drawn under them."""

import asyncio
from collections.abc import Callable
from typing import Any

from mobile.device.android.activity import ACTIVITY, Activity

TYPED_INSETS_SINCE = 30


class AndroidEdges:
    def __init__(self, activity: Activity) -> None:
        self._activity, self._java = activity, activity.java

    def read(self, tell: Callable[[float, float], None]) -> None:
        loop = asyncio.get_running_loop()

        def measure() -> None:
            found = self._measure()
            if found is not None:
                loop.call_soon_threadsafe(tell, *found)

        self._activity.on_ui(measure)

    def _measure(self) -> tuple[float, float] | None:
        """Pixels of our own view that are covered above and below. Where the system keeps us out of the bars, none."""
        window = self._activity.it.getWindow()
        decor = window.getDecorView()
        insets, view = decor.getRootWindowInsets(), self._java.cls(ACTIVITY).getLayout()
        if insets is None or view is None:
            return None
        self._dark_signs(window)
        top, bottom = self._bars(insets)
        ours = self._java.cls("android.graphics.Rect")()
        view.getGlobalVisibleRect(ours)
        return max(0, top - ours.top), max(0, ours.bottom - (decor.getHeight() - bottom))

    def _bars(self, insets: Any) -> tuple[int, int]:
        if self._activity.sdk < TYPED_INSETS_SINCE:
            return insets.getSystemWindowInsetTop(), insets.getSystemWindowInsetBottom()
        kinds = self._java.cls("android.view.WindowInsets$Type")
        bars = insets.getInsets(kinds.systemBars() | kinds.displayCutout())
        return bars.top, bars.bottom

    def _dark_signs(self, window: Any) -> None:
        """The app's ground is light, so clock and battery above it have to be dark."""
        if self._activity.sdk < TYPED_INSETS_SINCE:
            return
        controller = window.getInsetsController()
        light = self._java.cls("android.view.WindowInsetsController")
        both = light.APPEARANCE_LIGHT_STATUS_BARS | light.APPEARANCE_LIGHT_NAVIGATION_BARS
        if controller is not None:
            controller.setSystemBarsAppearance(both, both)
