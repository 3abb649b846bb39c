"""我的任务: the three steps after a yes, and what is needed to go there."""

from typing import Any
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock
from mobile.device.ports import Ports
from mobile.offers import rules
from mobile.store.entities import Effect
from mobile.store.outbox import State
from mobile.store.store import Store
from shared.matching import OfferOut, OfferState, TaskOut, TaskState
from shared.sync import EntityKind, OperationKind
from shared.texts import _
from shared.volunteers import VolunteerOut

ACTIONS = {TaskState.accepted: ("check_in", _("签到")), TaskState.serving: ("check_out", _("签退"))}


class TaskBoard(EventDispatcher):
    """One task at a time, the one being served first. Door and phone are shown only while it lasts."""

    has_task, tasks = BooleanProperty(False), NumericProperty(0)
    shown = ObjectProperty(None, allownone=True)
    title, when = StringProperty(""), StringProperty("")
    steps, done_steps = ListProperty([]), NumericProperty(0)
    state_word, state_kind = StringProperty(""), StringProperty("sent")
    person_name, age_text, note = StringProperty(""), StringProperty(""), StringProperty("")
    door, phone = StringProperty(""), StringProperty("")
    route_line, way_in, yard = StringProperty(""), StringProperty(""), StringProperty("")
    waiting, waiting_line = BooleanProperty(False), StringProperty("")
    served_word, minutes_text = StringProperty(""), StringProperty("")
    action, action_text = StringProperty(""), StringProperty("")
    late_said, can_speak = BooleanProperty(False), BooleanProperty(False)
    privacy_line = StringProperty(_("门牌和电话只给您看，任务结束后会收起。"))
    empty_title = StringProperty(_("现在没有任务"))
    empty_text = StringProperty(_("答应了邀请以后，\n时间、门牌和电话都在这里。"))

    def __init__(self, store: Store, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._ports, self._now = store, ports, now
        self._open: list[TaskOut] = []
        self.refresh()

    def refresh(self, *_: object) -> None:
        every = self._store.entities.all(TaskOut)
        self._open = sorted(
            (task for task in every if task.state in rules.OPEN_STATES),
            key=lambda task: (task.state is not TaskState.serving, task.starts_at or task.accepted_at),
        )
        self.tasks, self.has_task = len(self._open), bool(self._open)
        self.can_speak = self._ports.speech.available
        self._show_waiting({task.id for task in every})
        self._show()

    def next_task(self) -> None:
        if self._open:
            ids = [task.id for task in self._open]
            at = ids.index(self.shown) if self.shown in ids else 0
            self.shown = ids[(at + 1) % len(ids)]
            self._show()

    def tick(self, *_: object) -> None:
        """The minutes go on while the screen stays open."""
        self._show_minutes(self._current())

    def act(self) -> None:
        """签到 or 签退, whichever is next."""
        task = self._current()
        if task is None or task.state not in ACTIONS:
            return
        at = {"at": self._now().isoformat()}
        if task.state is TaskState.accepted:
            patch = {"state": TaskState.serving.value, "checked_in_at": at["at"]}
            self._capture(OperationKind.task_check_in, task, at, patch, _("签到：{title}").format(title=task.title))
        else:
            patch = {"state": TaskState.finished.value, "checked_out_at": at["at"]}
            self._capture(OperationKind.task_check_out, task, at, patch, _("签退：{title}").format(title=task.title))

    def is_early(self) -> bool:
        """签到 is asked about first: minutes would count from now on, and it cannot be taken back."""
        task = self._current()
        return task is not None and rules.is_early(task, self._now())

    def late(self) -> None:
        """会晚一点: said once is enough."""
        task = self._current()
        if task is not None and not task.late:
            self._capture(
                OperationKind.task_late, task, {}, {"late": True}, _("会晚一点：{title}").format(title=task.title)
            )

    def hand_back(self, reason: str = "") -> None:
        """去不了了: somebody else is asked."""
        task = self._current()
        if task is not None:
            patch = {"state": TaskState.handed_back.value}
            fields = {"reason": reason.strip()[:100]}
            self._capture(
                OperationKind.task_hand_back, task, fields, patch, _("去不了了：{title}").format(title=task.title)
            )

    def speak(self) -> None:
        """念给我听: what, when, who and where, in the order of the page."""
        person = _("，").join(filter(None, (self.person_name, self.age_text)))
        self._ports.speech.speak("".join(_("{words}。").format(words=words) for words in self._told(person) if words))

    def _told(self, person: str) -> tuple[str, ...]:
        return self.title, self.when, person, self.note.rstrip(_("。")), self.door

    def dial(self) -> None:
        task = self._current()
        if task is not None and task.phone:
            self._ports.dialer.dial(task.phone)

    def find_way(self) -> bool:
        """Ask the phone's map app for the yard, in the county; False when there is no such app."""
        me = self._store.me()
        return bool(self.yard) and self._ports.maps.find(f"{me.county_name if me else ''}{self.yard}")

    def _current(self) -> TaskOut | None:
        return next((task for task in self._open if task.id == self.shown), next(iter(self._open), None))

    def _capture(
        self, kind: OperationKind, task: TaskOut, fields: dict[str, Any], patch: dict[str, Any], title: str
    ) -> None:
        effect = Effect(EntityKind.task, task.id, patch)
        self._store.outbox.capture(kind, task.id, fields, [effect], title=title)
        self._store.captured()

    def _show_waiting(self, known: set[UUID]) -> None:
        """Somebody said yes on this phone, and the server has not sent the task yet."""
        expected = self._store.outbox.in_effect(OperationKind.offer_accept) - known
        offers = [self._store.entities.get(OfferOut, offer_id) for offer_id in sorted(expected)]
        coming = [offer for offer in offers if offer and offer.state is OfferState.accepted]
        self.waiting = bool(coming)
        unsent = bool(self._store.outbox.entries(State.unsent))
        later = _("有网络就送出答应，送到后") if unsent else _("社区服务器回话后，")
        self.waiting_line = (
            _("{title}：{later}这里就有门牌和电话。").format(title=coming[0].title, later=later) if coming else ""
        )

    def _show(self) -> None:
        task = self._current()
        self._show_minutes(task)
        self.action, self.action_text = ACTIONS[task.state] if task else ("", "")
        if task is None:
            self.shown = None
            self.title = self.when = self.person_name = self.age_text = self.note = self.door = self.phone = ""
            self.route_line = self.way_in = self.yard = ""
            self.steps, self.done_steps, self.state_word, self.late_said = [], 0, "", False
            return
        self.shown = task.id
        self.title, self.when = task.title, rules.time_words(task, self._now())[0]
        self.steps, self.done_steps = rules.steps(task, self._now())
        self.state_word = rules.STATE_WORDS[task.state]
        self.state_kind = rules.STATE_KINDS[task.state]
        self._show_person(task)
        self.late_said = task.late

    def _show_person(self, task: TaskOut) -> None:
        self.person_name, self.note, self.door = task.person_name, task.person_note, task.door
        self.age_text = _("{person_age} 岁").format(person_age=task.person_age) if task.person_age is not None else ""
        self.phone = texts.phone(task.phone)
        self.way_in, self.yard = rules.way_in(task.door), rules.yard_of(task.door)
        fix, mine = self._ports.location.last(), self._store.entities.get(VolunteerOut, task.volunteer_id)
        here, home = (fix.lon, fix.lat) if fix else None, (mine.lon, mine.lat) if mine else None
        # Somebody who is there already is not told the way.
        self.route_line = rules.route(task, here, home) if task.state is TaskState.accepted else ""

    def _show_minutes(self, task: TaskOut | None) -> None:
        serving = task is not None and task.checked_in_at is not None
        minutes = rules.minutes_served(task, self._now()) if task and serving else task.minutes if task else 0
        self.served_word = _("已经帮了") if serving else _("大约要")
        self.minutes_text = _("{minutes} 分钟").format(minutes=minutes) if task else ""
