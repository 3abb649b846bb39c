"""Positions from the phone's own receivers: no vendor's service, so WGS-84 and no account."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from mobile.device.android.activity import Activity
from mobile.device.android.java import thrown
from mobile.device.android.permissions import LOCATION, Permissions
from mobile.device.ports import DeviceFix, LocationDenied, LocationOff, LocationTimeout

LISTENER = "android.location.LocationListener"
MANAGER = "android.location.LocationManager"
# removeUpdates also takes a PendingIntent, and pyjnius could not tell.
MANAGER_METHODS = {
    "isProviderEnabled": "(Ljava/lang/String;)Z",
    "getLastKnownLocation": "(Ljava/lang/String;)Landroid/location/Location;",
    "requestLocationUpdates": "(Ljava/lang/String;JFLandroid/location/LocationListener;Landroid/os/Looper;)V",
    "removeUpdates": "(Landroid/location/LocationListener;)V",
}
PROVIDERS = ("gps", "network")
GOOD_M = 30.0
"""Good enough to stop waiting for a better one."""
UNKNOWN_M = 5000.0
"""A receiver that does not say how sure it is."""
IS_MOCK_SINCE = 31


class AndroidLocation:
    def __init__(self, activity: Activity, permissions: Permissions, now: Callable[[], datetime]) -> None:
        self._activity, self._permissions, self._now = activity, permissions, now
        self._listening: set[Any] = set()

    async def fix(self, timeout_s: float) -> DeviceFix:
        """The best position within the time, or the first good one."""
        if not await self._permissions.ask(LOCATION):
            raise LocationDenied
        heard: asyncio.Queue[DeviceFix] = asyncio.Queue()
        listener = self._listener(heard)
        self._listening.add(listener)
        try:
            self._subscribe(listener)
            return await _best(heard, timeout_s)
        finally:
            self._manager.removeUpdates(listener)
            self._listening.discard(listener)

    def last(self) -> DeviceFix | None:
        if not self._permissions.granted(LOCATION):
            return None
        known = [fix for name in PROVIDERS if (fix := self._last_of(name)) is not None]
        return max(known, key=lambda fix: fix.taken_at, default=None)

    @cached_property
    def _manager(self) -> Any:
        self._activity.java.declare(MANAGER, MANAGER_METHODS)
        return self._activity.service("location", MANAGER)

    def _subscribe(self, listener: Any) -> None:
        looper = self._activity.java.cls("android.os.Looper").getMainLooper()
        used = [name for name in PROVIDERS if self._subscribe_to(name, listener, looper)]
        if not used:
            raise LocationOff

    def _subscribe_to(self, name: str, listener: Any, looper: Any) -> bool:
        """A phone may lack a receiver, have it off, or refuse it to whoever may only know roughly."""
        manager = self._manager
        try:
            if not manager.isProviderEnabled(name):
                return False
            manager.requestLocationUpdates(name, 0, 0.0, listener, looper)
        except Exception as problem:
            if thrown(problem) not in {"SecurityException", "IllegalArgumentException"}:
                raise
            return False
        return True

    def _last_of(self, name: str) -> DeviceFix | None:
        try:
            found = self._manager.getLastKnownLocation(name)
        except Exception as problem:
            if thrown(problem) not in {"SecurityException", "IllegalArgumentException"}:
                raise
            return None
        return None if found is None else self._read(found)

    def _listener(self, heard: "asyncio.Queue[DeviceFix]") -> Any:
        """With every method of the interface: newer systems call the ones that older ones do not have."""
        loop = asyncio.get_running_loop()

        def hear(location: Any) -> None:
            loop.call_soon_threadsafe(heard.put_nowait, self._read(location))

        def hear_several(locations: Any) -> None:
            for place in range(locations.size()):
                hear(self._activity.java.cast("android.location.Location", locations.get(place)))

        return self._activity.java.implement(
            LISTENER,
            {
                ("onLocationChanged", "(Landroid/location/Location;)V"): hear,
                ("onLocationChanged", "(Ljava/util/List;)V"): hear_several,
                ("onFlushComplete", "(I)V"): _nothing,
                ("onStatusChanged", "(Ljava/lang/String;ILandroid/os/Bundle;)V"): _nothing,
                ("onProviderEnabled", "(Ljava/lang/String;)V"): _nothing,
                ("onProviderDisabled", "(Ljava/lang/String;)V"): _nothing,
            },
        )

    def _read(self, location: Any) -> DeviceFix:
        """Its age by the phone's running time, not its date: a receiver's date may be wrong by years."""
        clock = self._activity.java.cls("android.os.SystemClock")
        age_ns = max(0, clock.elapsedRealtimeNanos() - location.getElapsedRealtimeNanos())
        mock = location.isMock() if self._activity.sdk >= IS_MOCK_SINCE else location.isFromMockProvider()
        return DeviceFix(
            location.getLongitude(),
            location.getLatitude(),
            float(location.getAccuracy()) if location.hasAccuracy() else UNKNOWN_M,
            self._now() - timedelta(microseconds=age_ns // 1000),
            mock=bool(mock),
        )


async def _best(heard: "asyncio.Queue[DeviceFix]", timeout_s: float) -> DeviceFix:
    best: DeviceFix | None = None
    try:
        async with asyncio.timeout(timeout_s):
            while best is None or best.accuracy_m > GOOD_M:
                found = await heard.get()
                best = found if best is None else min(best, found, key=lambda fix: fix.accuracy_m)
    except TimeoutError:
        if best is None:
            raise LocationTimeout from None
    return best


def _nothing(*_: object) -> None:
    """News about the receiver, not about where we are."""
