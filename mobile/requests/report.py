"""上报事件: a thing at a place, written down in three taps."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty

from mobile.attachments.tray import PhotoTray
from mobile.core.clock import Clock
from mobile.device.ports import Ports
from mobile.requests import rules
from mobile.requests.asking import UNDO_SECONDS, Asking
from mobile.requests.places import Whereabouts, on_the_wire, placed
from mobile.residents.choices import Option
from mobile.store.store import Store
from shared.auth import MeOut
from shared.requests import CATEGORIES, RequestIn, RequestKind, Urgency
from shared.texts import _

WRITTEN = ("category", "urgency", "note")
USUAL: dict[str, Any] = {"category": "", "urgency": Urgency.soon.value, "note": "", "photos": []}


@dataclass(frozen=True, slots=True)
class _Sent:
    """The latest report: what 撤销 puts back, and whether its place is still to come."""

    body: RequestIn
    written: dict[str, Any]
    landmark: str
    guessed: bool


class ReportForm(EventDispatcher):
    """One form for the whole session: after a report it is empty again. It never waits for a position or a network."""

    __events__ = ("on_saved",)
    kinds: ClassVar[list[Option]] = rules.options(RequestKind.incident)
    urgencies: ClassVar[list[Option]] = rules.URGENCY_OPTIONS
    category, urgency, note = StringProperty(""), StringProperty(Urgency.soon.value), StringProperty("")
    place: Whereabouts = ObjectProperty(rebind=True)
    tray: PhotoTray = ObjectProperty(rebind=True)
    can_report = BooleanProperty(False)
    danger_line: ClassVar[str] = _("有人受伤、着火、触电，先打 120、119")
    undo_seconds = UNDO_SECONDS
    drafted = (*WRITTEN, "tray.photos")

    def __init__(self, store: Store, me: MeOut, ports: Ports, now: Clock, tray: PhotoTray) -> None:
        super().__init__(place=Whereabouts(store, ports, now), tray=tray)
        self._asking = Asking(store, me, now)
        self._sent: _Sent | None = None
        self.bind(category=self._look)
        self.place.bind(title=self._look, ok=self._look)
        self.tray.bind(busy=self._look)
        self._look()

    def on_saved(self, sentence: str) -> None:
        """Event: the report is safe on this phone."""

    def refresh(self, *_: object) -> None:
        self.place.refresh()

    async def locate(self) -> None:
        """A report that was faster than its position still gets it while it waits for 撤销."""
        here = await self.place.locate()
        if here is not None and self._sent is not None and self._sent.guessed:
            body = placed(self._sent.body, *on_the_wire(here, self._sent.landmark))
            self._sent = replace(self._sent, body=body, guessed=False)
            self._asking.amend(body, here.cell)

    def choose_kind(self, value: str) -> None:
        self.category = value

    def choose_urgency(self, value: str) -> None:
        self.urgency = Urgency(value).value

    def report(self) -> bool:
        if not self.can_report:
            return False
        place, words = self.place.wire()
        body = RequestIn(
            kind=RequestKind.incident,
            category=self.category,
            detail=self.note,
            place=place,
            place_note=words,
            urgency=Urgency(self.urgency),
            photos=self.tray.manifest(),
        )
        title = CATEGORIES[self.category].title
        self._sent = _Sent(body, self._written(), self.place.landmark, self.place.guessed)
        self._asking.send(body, _("上报 {title}").format(title=title), cell=self._cell())
        self._write(USUAL)
        self.place.start_over()
        self.dispatch("on_saved", _("已上报：{title}").format(title=title))
        return True

    def undo(self) -> bool:
        """Take the report back; what was written stands in the form again."""
        if self._sent is None or not self._asking.take_back():
            return False
        self._write(self._sent.written)
        self._sent = None
        return True

    def draft(self) -> dict[str, Any]:
        written = self._written()
        return {} if written == USUAL else written

    def restore(self, values: dict[str, Any]) -> None:
        self._write(values)

    def _cell(self) -> str:
        return self.place.spot.cell if self.place.spot else ""

    def _write(self, values: dict[str, Any]) -> None:
        for name in WRITTEN:
            setattr(self, name, values[name])
        self.tray.restore(values["photos"])

    def _written(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in WRITTEN}, "photos": self.tray.draft()}

    def _look(self, *_: object) -> None:
        self.can_report = bool(self.category) and self.place.spot is not None and not self.tray.busy
