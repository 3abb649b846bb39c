"""Unfinished forms: kept while they are written, shown again when the same form is opened, gone once it is saved."""

from collections.abc import Iterable
from typing import Any

from kivy.clock import Clock
from kivy.event import EventDispatcher

from mobile.store.store import Store

SECONDS = 0.5
"""After the last change. What the system ends sooner is kept by `keep`, which the app calls when it is paused."""


class Draft:
    """Keeps what is written in one form under `key`: its properties `names` (`day.choice` is one of `form.day`), or
    what its own `draft()` returns and its `restore(values)` takes. A form that is empty returns {}. The draft ends with
    the form's event `on_saved`; where a form has `on_taken_back`, that brings it back.

    `stamp` is what the form was opened upon, such as a person's revision: a draft of another one is not shown again,
    since it would put old values over newer ones.
    """

    def __init__(
        self, store: Store, key: str, form: EventDispatcher, names: Iterable[str], *, stamp: object = None
    ) -> None:
        self._store, self._key, self._form, self._names, self._stamp = store, key, form, tuple(names), stamp
        self._later = Clock.create_trigger(self.keep, SECONDS)
        self._restore()
        self._kept, self._stopped = self._values(), False
        for name in self._names:
            owner, own = self._owner(name)
            owner.fbind(own, self._changed)
        form.fbind("on_saved", self._done)
        if form.is_event_type("on_taken_back"):
            form.fbind("on_taken_back", self._again)

    def keep(self, *_: object) -> None:
        """Write down what has changed since the form was opened or last kept."""
        self._later.cancel()
        if not self._stopped and (values := self._values()) != self._kept:
            self._store.keep_draft(self._key, {"stamp": self._stamp, "values": values} if values else None)
            self._kept = values

    def stop(self) -> None:
        """The store is going away: what is written from now on is kept nowhere."""
        self._later.cancel()
        self._stopped = True

    def _changed(self, *_: object) -> None:
        self._later()

    def _done(self, *_: object) -> None:
        self._later.cancel()
        self._kept = self._values()
        self._store.keep_draft(self._key, None)

    def _again(self, *_: object) -> None:
        """What was saved is as unfinished as before."""
        self._kept = {}
        self.keep()

    def _restore(self) -> None:
        kept = self._store.draft(self._key)
        # Without values it was kept by an older version in another shape.
        if kept and "values" in kept and kept["stamp"] == self._stamp:
            getattr(self._form, "restore", self._put)(kept["values"])

    def _put(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            owner, own = self._owner(name)
            setattr(owner, own, value)

    def _values(self) -> dict[str, Any]:
        if hasattr(self._form, "draft"):
            drafted: dict[str, Any] = self._form.draft()
            return drafted
        return {name: _plain(getattr(*self._owner(name))) for name in self._names}

    def _owner(self, name: str) -> tuple[EventDispatcher, str]:
        *path, own = name.split(".")
        owner = self._form
        for part in path:
            owner = getattr(owner, part)
        return owner, own


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, list) else value
