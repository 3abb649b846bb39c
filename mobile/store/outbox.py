"""Operations on their way to the server. Nothing leaves this table before the server has answered for it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from mobile.core.clock import Clock
from mobile.store import photos
from mobile.store.database import Database
from mobile.store.entities import Effect, as_json
from shared.conflicts import ConflictChoice
from shared.sync import Answer, EntityKind, Operation, OperationKind, Outcome
from shared.types import uuid7

KEPT = timedelta(days=35)
"""Longer than a county keeps backups: after a restore the phone can give back what the server has lost."""

LONGEST_HOLD = timedelta(minutes=10)
"""Much longer than anything can be taken back. What seems to be held longer was written while the clock ran ahead."""

BATCH_BYTES = 1 << 20
"""What one push carries at most, before it is zipped: the server takes four times as much."""

UNTIL_A_RECEIPT = datetime.max.replace(tzinfo=UTC)
"""How long an operation is held that comes after another one."""

DONE = (Outcome.applied, Outcome.duplicate)
BACK = (Outcome.rejected, Outcome.conflict)
"""Neither was written by the server: it is for whoever made it to say what becomes of it."""


def _is_of(answer: Answer, operations: Sequence[dict[str, Any]]) -> bool:
    """Whether it answers one of these: something between the phone and its server may give back another push's."""
    if not 0 <= answer.index < len(operations):
        return False
    return answer.op_id is None or str(answer.op_id) == operations[answer.index]["op_id"]


class State(StrEnum):
    """What the phone knows of an operation. Only `accepted` means that the server has stored it."""

    unsent = "unsent"
    sent = "sent"
    accepted = "accepted"
    refused = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation as the sync screen shows it."""

    op_id: UUID
    kind: str
    entity_id: UUID
    state: State
    made_at: datetime
    title: str
    fields: dict[str, Any]
    base: dict[str, Any] | None
    outcome: str | None
    code: str | None
    sentence: str


class Outbox:
    """Author and device are those of the moment of capture, whoever signs in later."""

    def __init__(
        self, database: Database, author_id: UUID, device_id: UUID, next_seq: Callable[[], int], now: Clock
    ) -> None:
        self._db, self._author, self._device = database, author_id, device_id
        self._next_seq, self._now = next_seq, now
        self.on_refused: Callable[[UUID], None] = lambda _op_id: None

    def capture(
        self,
        kind: OperationKind,
        entity_id: UUID,
        fields: dict[str, Any],
        effects: Sequence[Effect],
        *,
        title: str,
        hold: timedelta = timedelta(),
        after: UUID | None = None,
        replaces: UUID | None = None,
        base_rev: int | None = None,
        base: dict[str, Any] | None = None,
    ) -> UUID:
        """Keep an operation and show its effect, both or neither. `hold` leaves time to take it back unsent. What
        comes `after` another operation waits for that one's receipt, and is dropped when that one is refused.

        An edit says what it is based on: `base_rev`, and in `base` the values that it replaces.
        """
        operation = self._operation(kind, entity_id, fields, base_rev, base)
        with self._db.transaction():
            if replaces is not None:
                self._db.execute("DELETE FROM outbox WHERE op_id=? AND state='refused'", str(replaces))
            self._insert(operation, title, hold, after)
            photos.link(self._db, operation.device_seq, operation.fields)
            for effect in effects:
                self._insert_effect(operation.device_seq, effect)
        return operation.op_id

    def _operation(
        self,
        kind: OperationKind,
        entity_id: UUID,
        fields: dict[str, Any],
        base_rev: int | None,
        base: dict[str, Any] | None,
    ) -> Operation:
        return Operation(
            op_id=uuid7(),
            kind=kind.value,
            entity_id=entity_id,
            author_id=self._author,
            device_id=self._device,
            device_seq=self._next_seq(),
            base_rev=base_rev,
            base=base,
            fields=fields,
            made_at=self._now(),
        )

    def _insert(self, operation: Operation, title: str, hold: timedelta, after: UUID | None) -> None:
        until = UNTIL_A_RECEIPT if after else operation.made_at + hold
        kept = {"title": title, "operation": as_json(operation)} | ({"after": str(after)} if after else {})
        self._db.execute(
            "INSERT INTO outbox(device_seq, op_id, kind, entity_id, author_id, made_at, hold_until, state, body) "
            "VALUES(?, ?, ?, ?, ?, ?, ?, 'unsent', ?)",
            operation.device_seq,
            str(operation.op_id),
            operation.kind,
            str(operation.entity_id),
            str(operation.author_id),
            _stamp(operation.made_at),
            _stamp(until) if hold or after else None,
            self._db.seal(kept, "outbox", operation.op_id),
        )

    def _insert_effect(self, seq: int, effect: Effect) -> None:
        parent = effect.parent or (effect.body or {}).get("household_id")
        self._db.execute(
            "INSERT INTO effect(device_seq, kind, id, parent_id, whole, body) VALUES(?, ?, ?, ?, ?, ?)",
            seq,
            effect.kind.value,
            str(effect.id),
            None if parent is None else str(parent),
            effect.whole,
            self._db.seal(effect.body, "effect", seq, effect.kind.value, effect.id),
        )

    def amend(self, op_id: UUID, fields: dict[str, Any], effects: Sequence[Effect]) -> bool:
        """Complete an operation that has not left yet, as with a position that took longer than the writing."""
        with self._db.transaction():
            found = self._db.row(
                "SELECT device_seq, body FROM outbox WHERE op_id=? AND state='unsent' AND tries=0", str(op_id)
            )
            if found is None:
                return False
            seq, kept = found[0], self._db.unseal(found[1], "outbox", op_id)
            kept["operation"]["fields"] = fields
            self._db.execute("UPDATE outbox SET body=? WHERE device_seq=?", self._db.seal(kept, "outbox", op_id), seq)
            self._db.execute("DELETE FROM effect WHERE device_seq=?", seq)
            for effect in effects:
                self._insert_effect(seq, effect)
        return True

    def take_back(self, op_id: UUID) -> bool:
        """Remove an operation with its effect as if it had not been. False: it has already left the phone."""
        return self._db.execute("DELETE FROM outbox WHERE op_id=? AND state='unsent' AND tries=0", str(op_id)) == 1

    def put_aside(self, op_id: UUID) -> bool:
        """The user has read why it was refused and lets it go."""
        return self._db.execute("DELETE FROM outbox WHERE op_id=? AND state='refused'", str(op_id)) == 1

    def send_anew(self, op_id: UUID, base_rev: int | None) -> UUID | None:
        """再送一次: a refused operation as a new one, since the server answers the old one as it did. Its effect shows
        again."""
        with self._db.transaction():
            found = self._db.row("SELECT device_seq, body FROM outbox WHERE op_id=? AND state='refused'", str(op_id))
            if found is None:
                return None
            kept = self._db.unseal(found[1], "outbox", op_id)
            old = Operation.model_validate(kept["operation"])
            return self.capture(
                OperationKind(old.kind),
                old.entity_id,
                old.fields,
                self._effects_of(found[0]),
                title=kept["title"],
                replaces=op_id,
                base_rev=base_rev,
                base=old.base,
            )

    def _effects_of(self, seq: int) -> list[Effect]:
        found = self._db.rows("SELECT kind, id, parent_id, whole, body FROM effect WHERE device_seq=?", seq)
        return [
            Effect(
                EntityKind(kind),
                UUID(key),
                self._db.unseal(body, "effect", seq, kind, key),
                bool(whole),
                UUID(parent) if parent else None,
            )
            for kind, key, parent, whole, body in found
        ]

    def take_batch(self, limit: int, after: int = 0) -> list[dict[str, Any]]:
        """The oldest operations without an answer that come `after` a number, marked sent: from here on nobody can
        take them back."""
        due = (*self._due(), after)
        waiting = f"{_WAITING} AND device_seq > ?"
        with self._db.transaction():
            found = self._db.rows(f"SELECT device_seq, op_id, body {waiting} ORDER BY device_seq LIMIT ?", *due, limit)
            found = _that_fit(found)
            if found:
                self._db.note(
                    "UPDATE outbox SET state='sent', hold_until=NULL, tries=tries + 1 "
                    f"WHERE device_seq IN (SELECT device_seq {waiting} AND device_seq <= ?)",
                    *due,
                    found[-1][0],
                )
        return [self._db.unseal(body, "outbox", op_id)["operation"] for _seq, op_id, body in found]

    def never_left(self, operations: Iterable[dict[str, Any]]) -> None:
        """The server took nothing of this push. What no earlier push may have brought there is only on the phone."""
        with self._db.transaction():
            for operation in operations:
                self._db.note(
                    "UPDATE outbox SET tries=tries - 1, state=CASE tries WHEN 1 THEN 'unsent' ELSE state END "
                    "WHERE op_id=? AND state='sent'",
                    operation["op_id"],
                )

    def settle(
        self, operations: Sequence[dict[str, Any]], answers: Iterable[Answer], answered_at: datetime | None = None
    ) -> None:
        """Write down the receipts of one push, with the server's time. What has no answer stays sent and is asked for
        again."""
        at = _stamp(answered_at or self._now())
        answered = [(operations[one.index], one) for one in answers if _is_of(one, operations)]
        with self._db.transaction():
            self._db.execute_many(
                "UPDATE outbox SET state=?, outcome=?, code=?, sentence=?, answered_at=? WHERE op_id=?",
                (
                    (_state_after(one).value, one.outcome.value, one.code, one.sentence, at, operation["op_id"])
                    for operation, one in answered
                ),
            )
            waiting = self._waiting_for_a_receipt()
            for operation, one in answered:
                self._follow(operation, _state_after(one), waiting.get(operation["op_id"], ()))

    def _follow(self, operation: dict[str, Any], state: State, waiting: Iterable[str]) -> None:
        """What a receipt brings about besides."""
        if state is State.sent:
            return
        for other in waiting:
            if state is State.accepted:
                self._db.execute("UPDATE outbox SET hold_until=NULL WHERE op_id=?", other)
            else:  # as if it had not been written
                self._db.execute("DELETE FROM outbox WHERE op_id=?", other)
        if state is State.refused:
            self._hide_refused(operation["op_id"])
            self.on_refused(UUID(operation["op_id"]))
            return
        if operation["fields"].get("photos"):
            photos.announced(self._db, operation["op_id"])
        if operation["kind"] == OperationKind.conflict_settle:
            self._let_go_of_decided(operation)

    def _waiting_for_a_receipt(self) -> dict[str, list[str]]:
        """Operations that wait, by the one whose receipt they wait for."""
        found = self._db.rows(
            "SELECT op_id, body FROM outbox WHERE state='unsent' AND hold_until=?", _stamp(UNTIL_A_RECEIPT)
        )
        waiting: dict[str, list[str]] = {}
        for op_id, body in found:
            waiting.setdefault(self._db.unseal(body, "outbox", op_id).get("after"), []).append(op_id)
        return waiting

    def _let_go_of_decided(self, decision: dict[str, Any]) -> None:
        """A decision was taken: what it was about, if it came back to this phone, waits here no longer."""
        if decision.get("base"):
            self.let_go(UUID(decision["base"]["op_id"]), done=decision["fields"]["choice"] == ConflictChoice.mine)

    def let_go(self, op_id: UUID, *, done: bool) -> None:
        """Somebody has decided about what came back. `done`: the server has it after all, and its photos may follow."""
        at = _stamp(self._now())
        if not done:
            self.put_aside(op_id)
        elif self._db.execute(
            "UPDATE outbox SET state='accepted', answered_at=? WHERE op_id=? AND state='refused'", at, str(op_id)
        ):
            photos.announced(self._db, str(op_id))

    def _hide_refused(self, op_id: str) -> None:
        self._db.execute(
            "UPDATE effect SET shown=0 WHERE device_seq=(SELECT device_seq FROM outbox WHERE op_id=?)", op_id
        )

    def last_seq(self) -> int:
        """The highest number in use here, 0 when there is none."""
        found = self._db.row("SELECT max(device_seq) FROM outbox")
        return int(found[0] or 0) if found else 0

    def accepted_seqs(self) -> list[int]:
        """Operations with a receipt whose effect is still laid over: a pull that begins now brings what they did."""
        found = self._db.rows(
            "SELECT DISTINCT device_seq FROM effect JOIN outbox USING (device_seq) WHERE shown AND state='accepted'"
        )
        return [seq for (seq,) in found]

    def in_effect(self, kind: OperationKind) -> set[UUID]:
        """What operations of this kind were about, while the server's rows do not show it yet."""
        found = self._db.rows(
            "SELECT entity_id FROM outbox JOIN effect USING (device_seq) WHERE outbox.kind=? AND shown", kind.value
        )
        return {UUID(entity_id) for (entity_id,) in found}

    def unanswered(self, kind: EntityKind) -> set[UUID]:
        """Rows of this kind that something without a receipt has changed: they are shown as 未上传."""
        found = self._db.rows(
            "SELECT DISTINCT effect.id FROM effect JOIN outbox USING (device_seq) "
            "WHERE effect.kind=? AND shown AND state IN ('unsent', 'sent')",
            kind.value,
        )
        return {UUID(key) for (key,) in found}

    def hide_effects(self, seqs: Iterable[int]) -> None:
        """The server's rows now contain what these operations did."""
        self._db.execute_many(
            "UPDATE effect SET shown=0 WHERE device_seq=? AND shown "
            "AND EXISTS (SELECT 1 FROM outbox WHERE device_seq=effect.device_seq AND state='accepted')",
            ((seq,) for seq in seqs),
        )

    def send_again(self) -> int:
        """The server has lost what it once acknowledged: give it back, and show the effects meanwhile."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE effect SET shown=1 WHERE device_seq IN (SELECT device_seq FROM outbox WHERE state='accepted')"
            )
            return self._db.execute("UPDATE outbox SET state='unsent' WHERE state='accepted'")

    def forget_old(self, now: datetime) -> None:
        """`now` is the server's: a phone whose clock jumps ahead must not forget what a restored server will miss."""
        self._db.execute("DELETE FROM outbox WHERE state='accepted' AND answered_at < ?", _stamp(now - KEPT))

    def counts(self) -> dict[State, int]:
        found = dict(self._db.rows("SELECT state, count(*) FROM outbox GROUP BY state"))
        return {state: int(found.get(state.value, 0)) for state in State}

    def waiting(self, before: int | None = None) -> bool:
        """Whether something without an answer may be pushed now; if a number is given, something that comes before."""
        earlier = "" if before is None else f" AND device_seq < {before:d}"
        return self._db.row(f"SELECT 1 {_WAITING}{earlier}", *self._due()) is not None

    def is_due(self) -> bool:
        """Whether something that was never pushed may be pushed now."""
        return self._db.row(f"SELECT 1 FROM outbox WHERE state='unsent' AND {_DUE}", *self._due()) is not None

    def _due(self) -> tuple[str, str, str]:
        """The values that `_DUE` asks for."""
        now = self._now()
        return _stamp(now), _stamp(now + LONGEST_HOLD), _stamp(UNTIL_A_RECEIPT)

    def next_hold(self) -> datetime | None:
        """When the earliest operation that can still be taken back becomes due."""
        found = self._db.row(
            "SELECT min(hold_until) FROM outbox WHERE state='unsent' AND hold_until > ?", _stamp(self._now())
        )
        return datetime.fromisoformat(found[0]) if found and found[0] else None

    def entries(self, *states: State) -> list[Entry]:
        """Operations in these states, newest first."""
        marks = ", ".join("?" for _ in states)
        found = self._db.rows(
            f"SELECT op_id, state, outcome, code, sentence, body FROM outbox WHERE state IN ({marks}) "
            "ORDER BY device_seq DESC",
            *(state.value for state in states),
        )
        return [self._entry(*row) for row in found]

    def of_kind(self, kind: OperationKind) -> list[Entry]:
        """Everything of one kind that this phone still knows of, newest first."""
        found = self._db.rows(
            "SELECT op_id, state, outcome, code, sentence, body FROM outbox WHERE kind=? ORDER BY device_seq DESC",
            kind.value,
        )
        return [self._entry(*row) for row in found]

    def entry(self, op_id: UUID) -> Entry | None:
        found = self._db.row("SELECT op_id, state, outcome, code, sentence, body FROM outbox WHERE op_id=?", str(op_id))
        return None if found is None else self._entry(*found)

    def _entry(
        self, op_id: str, state: str, outcome: str | None, code: str | None, sentence: str | None, body: bytes
    ) -> Entry:
        kept = self._db.unseal(body, "outbox", op_id)
        operation = Operation.model_validate(kept["operation"])
        return Entry(
            op_id=operation.op_id,
            kind=operation.kind,
            entity_id=operation.entity_id,
            state=State(state),
            made_at=operation.made_at,
            title=kept["title"],
            fields=operation.fields,
            base=operation.base,
            outcome=outcome,
            code=code,
            sentence=sentence or "",
        )


_DUE = "(hold_until IS NULL OR hold_until <= ? OR (hold_until > ? AND hold_until < ?))"
_WAITING = f"FROM outbox WHERE state IN ('unsent', 'sent') AND {_DUE}"


def _that_fit(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """As many from the front as one push should carry, at least one."""
    fit, size = 0, 0
    while fit < len(found) and (not fit or size + len(found[fit][2]) <= BATCH_BYTES):
        size += len(found[fit][2])
        fit += 1
    return found[:fit]


def _state_after(answer: Answer) -> State:
    if answer.outcome in DONE:
        return State.accepted
    return State.refused if answer.outcome in BACK else State.sent


def _stamp(moment: datetime) -> str:
    """UTC text of one fixed length, so that SQLite compares times as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
