"""同步情况: what is where, told truthfully; refused records first."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock
from mobile.residents.checks import REGISTER
from mobile.store.outbox import Entry, State
from mobile.store.store import Store
from mobile.sync.status import SyncStatus
from mobile.visits.rules import draft_key
from shared.sync import OperationKind
from shared.texts import _


@dataclass(frozen=True, slots=True)
class OperationLine:
    """An operation in words."""

    op_id: UUID
    title: str
    sub: str
    sentence: str
    time: str
    can_fix: bool
    can_check: bool


@dataclass(frozen=True, slots=True)
class PhotoLine:
    """A photo that the server did not keep, and why."""

    sha256: str
    title: str
    time: str
    sentence: str


class SyncScreen(EventDispatcher):
    """Counts come from `status`; the lists are read from the outbox itself."""

    refused, unsent, sent = ListProperty([]), ListProperty([]), ListProperty([])
    refused_title, unsent_title, sent_title = StringProperty(""), StringProperty(""), StringProperty("")
    photos_back, photos_title, photo_line = ListProperty([]), StringProperty(""), StringProperty("")
    loss_line = StringProperty("")
    last_line, problem_line = StringProperty(""), StringProperty("")
    rule_line = StringProperty(_("变绿才算数：社区的服务器收到并存好了。"))

    def __init__(self, store: Store, status: SyncStatus, now: Clock, send: Callable[[], None]) -> None:
        super().__init__()
        self.status = status
        self._store, self._now, self._send = store, now, send
        self.refresh()

    def refresh(self, *_args: object) -> None:
        self.refused = self._lines(State.refused)
        self.unsent, self.sent = self._lines(State.unsent), self._lines(State.sent)
        self.refused_title = _("被退回 {count} 条，等您改").format(count=len(self.refused)) if self.refused else ""
        self.unsent_title = _("在手机里 {count} 条").format(count=len(self.unsent)) if self.unsent else ""
        self.sent_title = _("已送达，等回执 {count} 条").format(count=len(self.sent)) if self.sent else ""
        self._refresh_photos()
        self.loss_line = self._store.loss()
        self.problem_line = self.status.problem or self.status.clock_line
        self.last_line = _("上次和服务器通上话：{last_talk}").format(last_talk=self.status.last_talk)

    def _refresh_photos(self) -> None:
        self.photos_back = [
            PhotoLine(
                back.photo.sha256,
                _("{title} 的照片").format(title=back.title) if back.title else _("照片"),
                texts.when(back.made_at, self._now()),
                back.sentence,
            )
            for back in self._store.photos.returned()
        ]
        self.photos_title = _("{count} 张照片没存上").format(count=len(self.photos_back)) if self.photos_back else ""
        waiting = self.status.photos
        self.photo_line = (
            _("还有 {waiting} 张照片在手机里，连上网会接着送。").format(waiting=waiting) if waiting else ""
        )

    def drop_photo(self, sha256: str) -> None:
        """知道了: the person has read why a photo was not kept; it leaves this phone."""
        self._store.photos.drop(sha256)
        self._store.changed()

    def read_loss(self) -> None:
        """知道了: what was put aside stays where it is."""
        self._store.keep_loss("")
        self._store.changed()

    def send_now(self) -> None:
        self._send()

    def fix(self, op_id: UUID) -> UUID | None:
        """去改: put the refused visit back into its form; return the household whose form to open.

        The refused record stays until the corrected one is saved.
        """
        entry = self._store.outbox.entry(op_id)
        if entry is None or not _can_fix(entry):
            return None
        household_id = UUID(entry.fields["household_id"])
        self._store.keep_draft(draft_key(household_id), _as_draft(entry))
        return household_id

    def put_aside(self, op_id: UUID) -> None:
        """知道了: for what cannot be done again. What belongs to the register is decided in 待核对."""
        entry = self._store.outbox.entry(op_id)
        if (
            entry is not None
            and not _can_fix(entry)
            and entry.kind not in REGISTER
            and self._store.outbox.put_aside(op_id)
        ):
            self._store.changed()

    def _lines(self, state: State) -> list[OperationLine]:
        return [self._line(entry) for entry in self._store.outbox.entries(state)]

    def _line(self, entry: Entry) -> OperationLine:
        time = texts.when(entry.made_at, self._now())
        return OperationLine(
            op_id=entry.op_id,
            title=entry.title,
            sub=f"{time} · {self._standing(entry)}",
            sentence=entry.sentence,
            time=time,
            can_fix=_can_fix(entry),
            can_check=entry.kind in REGISTER,
        )

    def _standing(self, entry: Entry) -> str:
        if entry.state is State.refused:
            return _("被退回")
        if entry.state is State.sent:
            return entry.sentence or _("等回执")
        return _("等网络") if self.status.offline else _("就要送出")


def _can_fix(entry: Entry) -> bool:
    return entry.state is State.refused and entry.kind == OperationKind.visit_record


def _as_draft(entry: Entry) -> dict[str, object]:
    fields = entry.fields
    return {
        "mode": fields["mode"],
        "outcome": fields["outcome"],
        "findings": fields["findings"],
        "return_choice": "",
        "note": fields["note"],
        "photos": [photo["sha256"] for photo in fields.get("photos", ())],
        "replaces": str(entry.op_id),
    }
