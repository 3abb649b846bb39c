"""待核对: who is expected here, and what came back to be decided. Nothing in it is lost by waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, NumericProperty, ObjectProperty, StringProperty

from mobile.conflicts.viewmodel import ConflictQueue
from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.device.ports import Ports
from mobile.requests import returned as returned_requests
from mobile.residents import doubts, effects, links, twins
from mobile.residents.choices import Option
from mobile.residents.doubts import Doubt
from mobile.residents.told import NOTHING, told
from mobile.residents.twins import Twin
from mobile.store.entities import Effect
from mobile.store.outbox import Entry, State
from mobile.store.store import Store
from shared.errors import Code
from shared.grid import CellOut
from shared.links import DuplicateOut, LinkOut, SettleIn, link_fields
from shared.register import MoveOut, MoveSettleIn, MoveState
from shared.residents import HouseholdOut, ResidentIn, ResidentOut
from shared.sync import EntityKind, OperationKind, Outcome
from shared.texts import _
from shared.types import is_within
from shared.visits import CorrectionState

UNDO_SECONDS = 10
COUNTY_DIGITS = 6
REGISTER = frozenset(
    {
        OperationKind.household_put,
        OperationKind.resident_put,
        OperationKind.resident_edit,
        OperationKind.register_event,
        OperationKind.move_settle,
        OperationKind.duplicate_settle,
        OperationKind.correction_settle,
        OperationKind.conflict_settle,
        OperationKind.follow_up_open,
        OperationKind.link_put,
        OperationKind.link_edit,
        OperationKind.link_end,
        *returned_requests.KINDS,
    }
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who moved out elsewhere and should live here now."""

    id: UUID
    title: str
    line: str
    late: str
    can_call: bool


@dataclass(frozen=True, slots=True)
class Value:
    """A field as I wrote it and as the community has it now."""

    label: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Something that I wrote and the server did not take; of a `conflict` somebody else had changed the same.
    `elsewhere`: others decide about it, and nothing can be done here."""

    op_id: UUID
    title: str
    time: str
    reason: str
    values: list[Value]
    conflict: bool
    elsewhere: bool


class Checks(EventDispatcher):
    """Counted on the tab of 我的; each item is settled by one or two taps."""

    reasons: ClassVar[list[Option]] = doubts.REASONS
    arrivals, doubts, twins, returned = (ListProperty([]) for _ in range(4))
    arrivals_title, doubts_title, twins_title, returned_title = (StringProperty("") for _ in range(4))
    count, count_text = NumericProperty(0), StringProperty("")
    queue = ObjectProperty(rebind=True)
    undo_seconds: ClassVar[int] = UNDO_SECONDS

    def __init__(self, store: Store, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._ports, self._now = store, ports, now
        self._settled: UUID | None = None
        self.queue = ConflictQueue(store, ports, now)
        self.refresh()

    def refresh(self, *_args: object) -> None:
        expected = self._expected()
        names = self._cell_names() if expected else {}
        self.arrivals = [self._arrival(move, names) for move in expected]
        self.doubts = doubts.waiting(self._store, self._now)
        self.twins = [twins.shown(pair) for pair in twins.waiting(self._store)]
        self.queue.refresh()
        self.returned = [self._returned(entry) for entry in self._came_back()]
        self.arrivals_title = _("有人要搬来 {count} 件").format(count=len(self.arrivals)) if self.arrivals else ""
        self.doubts_title = _("登记可能有误 {count} 件").format(count=len(self.doubts)) if self.doubts else ""
        self.twins_title = _("可能登记重了 {count} 件").format(count=len(self.twins)) if self.twins else ""
        self.returned_title = _("没有收下 {count} 件").format(count=len(self.returned)) if self.returned else ""
        self.count = len(self.arrivals) + len(self.doubts) + len(self.twins) + len(self.returned) + self.queue.count
        self.count_text = _("{count} 件").format(count=self.count) if self.count else ""

    def arrived(self, move_id: UUID, household_id: UUID) -> str:
        """They were met at the door of this household."""
        return self._settle(move_id, household_id)

    def not_arrived(self, move_id: UUID) -> str:
        """Somebody looked, and they had not come."""
        return self._settle(move_id, None)

    def decide(self, twin: Twin, same: bool) -> str:
        """同一个人 or 不是, of two rows. It waits on this phone for the time of 撤销."""
        pair = self._store.entities.get(DuplicateOut, twin.id)
        if pair is None:
            return ""
        word = _("是同一个人") if same else _("不是同一个人")
        body = SettleIn(
            same=same, keep=twins.kept(pair).id if same else None, reason=_("手机上核对：{word}").format(word=word)
        )
        self._settled = self._store.outbox.capture(
            OperationKind.duplicate_settle,
            pair.id,
            body.model_dump(mode="json", exclude_none=True),
            twins.decided(self._store, pair, body),
            title=f"{twin.title} {word}",
            hold=timedelta(seconds=UNDO_SECONDS),
            base_rev=pair.rev,
        )
        self._store.captured()
        return _("已记：{title} {word}").format(title=twin.title, word=word)

    def undo(self) -> bool:
        """Ask again about what was settled last. False: it has already left the phone."""
        if self._settled is None or not self._store.outbox.take_back(self._settled):
            return False
        self._settled = None
        self._store.captured()
        return True

    def leave(self, doubt: Doubt, reason: str) -> str:
        """不用改: the register stays as it is, and whoever noted it reads why."""
        if doubts.settle(self._store, doubt.id, CorrectionState.refused, reason) is None:
            return ""
        self._store.captured()
        return _("已记：{title}的登记不用改").format(title=doubt.title)

    def dial(self, move_id: UUID) -> None:
        move = self._store.entities.get(MoveOut, move_id)
        number = next((mover.phone for mover in move.movers if mover.phone), None) if move else None
        if number:
            self._ports.dialer.dial(number)

    def send_again(self, op_id: UUID) -> None:
        """再送一次, based on what is stored now: whoever presses it has seen both values."""
        entry = self._store.outbox.entry(op_id)
        if entry is not None and entry.kind in returned_requests.KINDS:
            returned_requests.send_again(self._store, entry)
            self._store.captured()
        elif entry is not None:
            model = _EDITED.get(entry.kind)
            row = self._store.entities.get(model, entry.entity_id) if model else None
            self._store.outbox.send_anew(op_id, row.rev if row else None)
            self._store.captured()

    def give_up(self, op_id: UUID) -> None:
        """放弃: what the community has stays as it is."""
        if self._store.outbox.put_aside(op_id):
            self._store.changed()

    def _came_back(self) -> list[Entry]:
        """What is of the register and has no card in the conflict queue."""
        shown = self.queue.covers()
        found = [entry for entry in self._store.outbox.entries(State.refused) if entry.op_id not in shown]
        return [entry for entry in found if entry.kind in REGISTER and entry.kind != OperationKind.conflict_settle]

    def _expected(self) -> list[MoveOut]:
        """Also what waits at a community because its cell was closed: whoever works there decides about it."""
        me = self._store.me()
        areas = [cell.code for cell in self._store.entities.all(CellOut)]
        areas += [grant.area_code for grant in me.grants] if me else []
        moves = [move for move in self._store.entities.all(MoveOut) if move.state is MoveState.expected]
        here = [move for move in moves if any(is_within(move.area_code, area) for area in areas)]
        return sorted(here, key=lambda move: move.out_on)

    def _arrival(self, move: MoveOut, names: Mapping[str, str]) -> Arrival:
        today = local_day(self._now())
        days = (today - move.out_on).days
        line = _("{day}从{place}迁出").format(day=texts.day_word(move.out_on, today), place=_from(move, names))
        return Arrival(
            id=move.id,
            title=_("、").join(mover.name for mover in move.movers),
            line=_("{line}，去“{words}”").format(line=line, words=move.words) if move.words else line,
            late=_("{days} 天了还没核实").format(days=days) if move.overdue else "",
            can_call=any(mover.phone for mover in move.movers),
        )

    def _cell_names(self) -> dict[str, str]:
        names = {cell.code: cell.name for cell in self._store.cell_names()}
        return names | {cell.code: cell.name for cell in self._store.entities.all(CellOut)}

    def _settle(self, move_id: UUID, household_id: UUID | None) -> str:
        move = self._store.entities.get(MoveOut, move_id)
        if move is None:
            return ""
        found = MoveSettleIn(arrived=household_id is not None, on=local_day(self._now()), household_id=household_id)
        names = _("、").join(mover.name for mover in move.movers)
        words = _("{names} {arrived}").format(names=names, arrived=_("到了") if found.arrived else _("没有来"))
        self._settled = self._store.outbox.capture(
            OperationKind.move_settle,
            move_id,
            found.model_dump(mode="json", exclude_none=True),
            [_settled(move, found), *self._came(move, found)],
            title=words,
            hold=timedelta(seconds=UNDO_SECONDS),
            base_rev=move.rev,
        )
        self._store.captured()
        return _("已记：{words}").format(words=words)

    def _came(self, move: MoveOut, found: MoveSettleIn) -> list[Effect]:
        home = self._store.entities.get(HouseholdOut, found.household_id) if found.household_id else None
        if home is None:
            return []
        rows = []
        for mover in move.movers:
            new = ResidentIn(household_id=home.id, name=mover.name, phone=mover.phone, residency=found.residency)
            rows.append(effects.resident_row(mover.resident_id, new, home.area_code, self._now()))
        return effects.put_residents(self._store, rows)

    def _returned(self, entry: Entry) -> Returned:
        return Returned(
            op_id=entry.op_id,
            title=entry.title,
            time=texts.when(entry.made_at, self._now()),
            reason=entry.sentence,
            values=self._values(entry),
            conflict=entry.outcome == Outcome.conflict,
            elsewhere=entry.code in (Code.handed_over, Code.rescued),
        )

    def _values(self, entry: Entry) -> list[Value]:
        if entry.kind in returned_requests.KINDS:
            return [Value(*words) for words in returned_requests.told(self._store, entry)]
        if entry.kind in _COMPARED:
            model, words = _COMPARED[entry.kind]
            row = self._store.entities.get(model, entry.entity_id)
            now = _fields_of(row) if row else {}
            theirs = words({name: now.get(name) for name in entry.fields})
            return [Value(label, mine, theirs.get(label, "")) for label, mine in words(entry.fields).items()]
        spoken = _TOLD.get(entry.kind, told)(entry.fields)
        return [Value(label, mine, "") for label, mine in spoken.items() if mine != NOTHING]


_COMPARED: dict[str, tuple[type[ResidentOut | LinkOut], Callable[[Mapping[str, Any]], dict[str, str]]]] = {
    OperationKind.resident_edit: (ResidentOut, told),
    OperationKind.link_edit: (LinkOut, links.edited),
}
_EDITED: dict[str, type[ResidentOut | LinkOut]] = {
    **{kind: model for kind, (model, _words) in _COMPARED.items()},
    OperationKind.link_end: LinkOut,
}
_TOLD: dict[str, Callable[[Mapping[str, Any]], dict[str, str]]] = {
    OperationKind.correction_settle: doubts.told,
    OperationKind.follow_up_open: lambda _fields: {},
    OperationKind.link_put: links.told,
    OperationKind.link_end: links.told,
}


def _from(move: MoveOut, names: Mapping[str, str]) -> str:
    if move.from_area_code[:COUNTY_DIGITS] != move.area_code[:COUNTY_DIGITS]:
        return _("外县")
    return names.get(move.from_area_code, _("本县别的网格"))


def _fields_of(row: ResidentOut | LinkOut) -> dict[str, Any]:
    """A row as an edit of it names its fields."""
    return link_fields(row) if isinstance(row, LinkOut) else row.model_dump(mode="json")


def _settled(move: MoveOut, found: MoveSettleIn) -> Effect:
    state = MoveState.arrived if found.arrived else MoveState.not_arrived
    return Effect(EntityKind.move, move.id, {"state": state.value, "settled_on": found.on.isoformat()})
