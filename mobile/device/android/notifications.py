"""Notifications of the system."""

import asyncio
from itertools import count
from typing import Any

from mobile.device.android.activity import Activity
from mobile.device.android.java import chars
from mobile.device.android.permissions import NOTIFICATIONS, Permissions
from shared.texts import _

CHANNEL, CHANNEL_NAME = "requests", _("求助和提醒")
CHANNELS_SINCE = 26


class AndroidNotifications:
    def __init__(self, activity: Activity, permissions: Permissions) -> None:
        self._activity, self._java, self._permissions = activity, activity.java, permissions
        self._ids = count(1)
        self._asking: set[asyncio.Task[None]] = set()

    def notify(self, title: str, text: str) -> None:
        if self._permissions.granted(NOTIFICATIONS):
            self._show(title, text)
            return
        asking = asyncio.ensure_future(self._ask_and_show(title, text))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _ask_and_show(self, title: str, text: str) -> None:
        if await self._permissions.ask(NOTIFICATIONS):
            self._show(title, text)

    def _show(self, title: str, text: str) -> None:
        manager = self._activity.service("notification", "android.app.NotificationManager")
        builder = self._builder(manager)
        builder.setSmallIcon(self._activity.it.getApplicationInfo().icon)
        builder.setContentTitle(chars(self._java, title))
        builder.setContentText(chars(self._java, text))
        builder.setContentIntent(self._back_here())
        builder.setAutoCancel(True)
        manager.notify(next(self._ids), builder.build())

    def _builder(self, manager: Any) -> Any:
        make = self._java.cls("android.app.Notification$Builder")
        if self._activity.sdk < CHANNELS_SINCE:
            return make(self._activity.context)
        importance = self._java.cls("android.app.NotificationManager").IMPORTANCE_DEFAULT
        name = chars(self._java, CHANNEL_NAME)
        # Made again it stays as the user has set it.
        manager.createNotificationChannel(self._java.cls("android.app.NotificationChannel")(CHANNEL, name, importance))
        return make(self._activity.context, CHANNEL)

    def _back_here(self) -> Any:
        """Opens the app. Immutable: since Android 12 anything else ends the app with an exception."""
        pending = self._java.cls("android.app.PendingIntent")
        intent = self._activity.it.getPackageManager().getLaunchIntentForPackage(self._activity.it.getPackageName())
        flags = pending.FLAG_IMMUTABLE | pending.FLAG_UPDATE_CURRENT
        return pending.getActivity(self._activity.context, 0, intent, flags)
