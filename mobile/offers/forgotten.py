"""A forgotten 签退: the morning after, the phone asks until when it was."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock
from mobile.offers import rules
from mobile.store.entities import Effect
from mobile.store.store import Store
from shared.matching import TaskOut, TaskState
from shared.sync import EntityKind, OperationKind
from shared.texts import _

UNDO_SECONDS = 10
DID_NOT_GO = _("没去成")


class Forgotten(EventDispatcher):
    """One task at a time, the oldest first. Who is still there says so, and is asked again at the next opening."""

    __events__ = ("on_answered",)
    open = BooleanProperty(False)
    task_id = ObjectProperty(None, allownone=True)
    title, text = StringProperty(""), StringProperty("")
    options = ListProperty([])
    undo_seconds = UNDO_SECONDS

    def __init__(self, store: Store, now: Clock) -> None:
        super().__init__()
        self._store, self._now = store, now
        self._still_there: set[UUID] = set()
        self._answer: UUID | None = None
        self.refresh()

    def on_answered(self, sentence: str) -> None:
        """Event: it is kept; 撤销 is open for some seconds."""

    def refresh(self, *_args: object) -> None:
        task, now = self._task(), self._now()
        self.open, self.task_id = task is not None, task.id if task else None
        if task is not None and task.checked_in_at is not None:
            begun = task.checked_in_at
            self.title = _("{day}陪到几点？").format(
                day=texts.day_word(texts.local(begun).date(), texts.local(now).date())
            )
            self.text = _("{title}，{clock} 签到，还没有签退。补的时间要等社区核实。").format(
                title=task.title, clock=texts.clock(begun)
            )
            times = rules.likely_ends(begun, task.minutes, now)
            self.options = [(moment.isoformat(), texts.clock(moment), "") for moment in times]

    def answer(self, moment: str) -> None:
        """It was until then."""
        at = datetime.fromisoformat(moment).isoformat()
        patch = {"state": TaskState.finished.value, "checked_out_at": at}
        self._capture(OperationKind.task_check_out, {"at": at}, patch, _("补签退"))

    def did_not_go(self) -> None:
        """Nothing was served: somebody else is asked, if it is not too late."""
        patch = {"state": TaskState.handed_back.value}
        self._capture(OperationKind.task_hand_back, {"reason": DID_NOT_GO}, patch, DID_NOT_GO)

    def still_there(self) -> None:
        if self.task_id is not None:
            self._still_there.add(self.task_id)
            self.refresh()

    def undo(self) -> bool:
        """Ask again, as long as the answer has not left the phone."""
        answer, self._answer = self._answer, None
        undone = answer is not None and self._store.outbox.take_back(answer)
        self._store.captured()
        return undone

    def _task(self) -> TaskOut | None:
        asked = [
            task
            for task in self._store.entities.all(TaskOut)
            if task.id not in self._still_there and rules.is_forgotten(task, self._now())
        ]
        return min(asked, key=lambda task: (task.checked_in_at or task.accepted_at, task.id), default=None)

    def _capture(self, kind: OperationKind, fields: dict[str, Any], patch: dict[str, Any], word: str) -> None:
        task = self._task()
        if task is None:
            return
        self._answer = self._store.outbox.capture(
            kind,
            task.id,
            fields,
            [Effect(EntityKind.task, task.id, patch)],
            title=_("{word}：{title}").format(word=word, title=task.title),
            hold=timedelta(seconds=UNDO_SECONDS),
        )
        self._store.captured()
        self.dispatch("on_answered", _("记下了：{word}").format(word=word))
