"""Rows that came from the server, seen through what this phone has done and the server does not show yet."""

import json
import logging
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from mobile.store.database import Database
from mobile.store.sealing import NONCE_BYTES
from shared.conflicts import ConflictOut
from shared.duties import CellTeam
from shared.grid import CellOut
from shared.links import DuplicateOut, LinkOut
from shared.matching import OfferOut, TaskOut
from shared.register import EventOut, MoveOut, PersonPast
from shared.requests import RequestOut
from shared.residents import FoldedHomes, HouseholdOut, MergedRows, ResidentOut
from shared.rounds import AlertOut, RoundRuleOut
from shared.sync import Change, EntityKind
from shared.visits import CorrectionOut, VisitOut
from shared.volunteers import ServiceRecordOut, VolunteerOut

Entity = TypeVar("Entity", bound=BaseModel)

KINDS: dict[type[BaseModel], EntityKind] = {
    CellOut: EntityKind.cell,
    CellTeam: EntityKind.cell,
    HouseholdOut: EntityKind.household,
    FoldedHomes: EntityKind.household,
    ResidentOut: EntityKind.resident,
    PersonPast: EntityKind.resident,
    MergedRows: EntityKind.resident,
    LinkOut: EntityKind.link,
    VisitOut: EntityKind.visit,
    CorrectionOut: EntityKind.correction,
    EventOut: EntityKind.register_event,
    MoveOut: EntityKind.move,
    RequestOut: EntityKind.request,
    VolunteerOut: EntityKind.volunteer,
    OfferOut: EntityKind.offer,
    TaskOut: EntityKind.task,
    ServiceRecordOut: EntityKind.service_record,
    RoundRuleOut: EntityKind.round_rule,
    AlertOut: EntityKind.alert,
    DuplicateOut: EntityKind.duplicate,
    ConflictOut: EntityKind.conflict,
}


FEW = 200
"""Up to so many changed rows are opened one by one; more of them all together."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an operation changes on this phone at once: fields laid over the server's row, a whole new row, or, without
    a body, that the row is gone. `parent` is the household in whose list this is to be seen."""

    kind: EntityKind
    id: UUID
    body: dict[str, Any] | None
    whole: bool = False
    parent: UUID | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A row that a page makes new or changes; `before` is what this phone showed of it, its own effects included."""

    kind: EntityKind
    before: dict[str, Any] | None
    after: dict[str, Any]


class Entities:
    """Reading joins the two layers; a pull replaces only the lower one, so it cannot undo what is still unsent.

    A row with a value that this version does not know stays in the file and is left out of everything that is read:
    the other rows must not wait for it, and the version that knows the value finds it.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._left_out: set[tuple[str, str]] = set()
        self._gleaned: dict[tuple[str, tuple[str, ...]], dict[str, tuple[bytes, tuple[Any, ...]]]] = {}

    def get(self, model: type[Entity], entity_id: UUID | str) -> Entity | None:
        body = self._shown(KINDS[model].value, str(entity_id))
        return None if body is None else self._read(model, str(entity_id), body)

    def _read(self, model: type[Entity], key: str, body: dict[str, Any]) -> Entity | None:
        try:
            return model.model_validate(body)
        except ValidationError:
            place = (KINDS[model].value, key)
            if place not in self._left_out:
                self._left_out.add(place)
                log.warning("left out a row that this version cannot read: %s %s", *place)
            return None

    def changed(self, changes: Iterable[Change], kinds: Container[EntityKind]) -> list[Changed]:
        """What a page that is about to be stored changes in rows of these kinds."""
        bodies = {
            (change.kind.value, str(change.id)): (change.kind, change.body)
            for change in changes
            if change.kind in kinds and change.body is not None and not change.gone
        }
        revs = self._revs(bodies)
        return [
            Changed(kind, self._readable(kind, place[1], self._shown(*place)), body)
            for place, (kind, body) in bodies.items()
            if revs.get(place) != int(body.get("rev") or 0) and self._readable(kind, place[1], body)
        ]

    def _readable(self, kind: EntityKind, key: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """The body if whoever asks for rows of this kind can read it."""
        models = [model for model, its_kind in KINDS.items() if its_kind is kind]
        return body if body and all(self._read(model, key, body) is not None for model in models) else None

    def _revs(self, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Asked at once and without opening a seal: a pull from the beginning brings thousands of rows as they were."""
        if not places:
            return {}
        kinds, ids = {kind for kind, _id in places}, {key for _kind, key in places}
        marks = [", ".join("?" for _ in some) for some in (kinds, ids)]
        sql = f"SELECT kind, id, rev FROM entity WHERE kind IN ({marks[0]}) AND id IN ({marks[1]})"
        return {(kind, key): rev for kind, key, rev in self._db.rows(sql, *kinds, *ids)}

    def _shown(self, kind: str, key: str) -> dict[str, Any] | None:
        found = self._db.row("SELECT body FROM entity WHERE kind=? AND id=?", kind, key)
        laid = self._db.rows(
            "SELECT device_seq, id, whole, body FROM effect WHERE kind=? AND id=? AND shown ORDER BY device_seq",
            kind,
            key,
        )
        body = None if found is None else self._db.unseal(found[0], kind, key)
        return self._lay_over(kind, body, laid)

    def all(self, model: type[Entity], parent: UUID | None = None) -> list[Entity]:
        """Everything of a kind, or only what belongs to one household."""
        return list(self.each(model, parent))

    def each(self, model: type[Entity], parent: UUID | None = None) -> Iterator[Entity]:
        """The same one by one: thousands of rows together take more of a phone's memory than all its screens."""
        for key, body in self._bodies(KINDS[model].value, parent):
            row = self._read(model, key, body)
            if row is not None:
                yield row

    def _bodies(
        self, kind: str, parent: UUID | None = None, only: Container[str] | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        mine = "" if parent is None else " AND parent_id=?"
        values = (kind,) if parent is None else (kind, str(parent))
        # Left to itself SQLite reads the whole kind for one household: it has no statistics on a phone.
        of_one = "" if parent is None else " INDEXED BY entity_parent"
        found = self._db.rows(f"SELECT id, body FROM entity{of_one} WHERE kind=?{mine}", *values)
        laid: dict[str, list[tuple[Any, ...]]] = {}
        for row in self._db.rows(
            "SELECT device_seq, id, whole, body FROM effect WHERE kind=? AND shown" + mine + " ORDER BY device_seq",
            *values,
        ):
            laid.setdefault(row[1], []).append(row)
        sealed = dict(found)
        for key in [*sealed, *(key for key in laid if key not in sealed)]:
            if only is not None and key not in only:
                continue
            below = self._db.unseal(sealed[key], kind, key) if key in sealed else None
            body = self._lay_over(kind, below, laid.get(key, ()))
            if body is not None:
                yield key, body

    def fields(self, model: type[BaseModel], *names: str) -> dict[str, tuple[Any, ...]]:
        """These fields of every row of a kind by its id, as JSON has them. Opening thousands of seals takes long
        enough to be seen, so they are kept, and only rows that changed since the last asking are opened."""
        kind = KINDS[model].value
        known, stamps = self._gleaned.get((kind, names), {}), self.stamps(model)
        changed = [key for key, stamp in stamps.items() if key not in known or known[key][0] != stamp]
        many = len(changed) > FEW
        bodies = self._bodies(kind, only=set(changed)) if many else ((key, self._shown(kind, key)) for key in changed)
        now = {key: known[key] for key in stamps.keys() - set(changed)}
        for key, body in bodies:
            if body and key in stamps and key not in now:
                now[key] = stamps[key], tuple(body.get(name) for name in names)
        self._gleaned[kind, names] = now
        return {key: values for key, (_stamp, values) in now.items()}

    def stamps(self, model: type[Entity]) -> dict[str, bytes]:
        """Something for each row that differs whenever the row does, so that an index reads anew only what changed.

        It is made of the nonces of its seals, which are drawn afresh at every writing.
        """
        kind = KINDS[model].value
        found = dict(self._db.rows("SELECT id, substr(body, 1, ?) FROM entity WHERE kind=?", NONCE_BYTES, kind))
        laid = "SELECT id, substr(body, 1, ?) FROM effect WHERE kind=? AND shown ORDER BY device_seq"
        for key, nonce in self._db.rows(laid, NONCE_BYTES, kind):
            found[key] = found.get(key, b"") + nonce
        return found

    def _lay_over(
        self, kind: str, body: dict[str, Any] | None, laid: Iterable[tuple[Any, ...]]
    ) -> dict[str, Any] | None:
        """The server's row, None when it has none, and what this phone did to it, in that order."""
        for seq, key, whole, sealed in laid:
            patch = self._db.unseal(sealed, "effect", seq, kind, key)
            if patch is None:
                body = None
            elif whole:
                # The server's own row of a new thing knows more than the phone's guess at it.
                body = {**patch, **(body or {})}
            elif body is not None:
                body = {**body, **patch}
        return body

    def put(self, changes: Iterable[Change], round_: int) -> None:
        """Store one page of a pull. The caller stores the cursor in the same transaction."""
        for gone, some in groupby(changes, lambda change: change.gone or change.body is None):
            if gone:
                self._db.execute_many(_REMOVE, [_place(change) for change in some])
            else:
                self._db.execute_many(_REPLACE, (self._row(change, round_) for change in some))

    def _row(self, change: Change, round_: int) -> tuple[object, ...]:
        kind, key, area = _place(change)
        body = change.body or {}
        sealed = self._db.seal(body, kind, key)
        return kind, key, body.get("household_id"), area, int(body.get("rev") or 0), round_, sealed

    def remove_areas(self, prefixes: Iterable[str]) -> None:
        """Forget the rows of areas that are no longer this account's."""
        for prefix in prefixes:
            self._db.execute("DELETE FROM entity WHERE area_code >= ? AND area_code < ? || ':'", prefix, prefix)

    def sweep(self, round_: int) -> None:
        """After a complete pull from the beginning: forget what it did not bring."""
        self._db.execute("DELETE FROM entity WHERE round < ?", round_)


def _place(change: Change) -> tuple[str, str, str]:
    return change.kind.value, str(change.id), change.area_code


_REPLACE = (
    "INSERT INTO entity VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(kind, id) DO UPDATE SET parent_id=excluded.parent_id, "
    "area_code=excluded.area_code, rev=excluded.rev, round=excluded.round, body=excluded.body"
)

# An entity that moved to another area of the same worker is gone from one area and present in the other.
_REMOVE = "DELETE FROM entity WHERE kind=? AND id=? AND area_code=?"


def as_json(model: BaseModel) -> dict[str, Any]:
    """A wire model as the plain values that go into SQLite and into a push."""
    values: dict[str, Any] = json.loads(model.model_dump_json())
    return values
