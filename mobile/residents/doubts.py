"""Doubts about the register that somebody brought back from a door: corrected in a form, or left with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.residents import homes, merged, rules
from mobile.residents.choices import Option
from mobile.store.entities import Effect
from mobile.store.store import Store
from shared.residents import ResidentOut
from shared.sync import EntityKind, OperationKind
from shared.texts import _
from shared.visits import CORRECTION_WORDS, CorrectionKind, CorrectionOut, CorrectionSettleIn, CorrectionState

ACCEPT = {
    CorrectionKind.phone: _("改电话"),
    CorrectionKind.moved_away: _("记迁出"),
    CorrectionKind.not_known: _("记迁出"),
    CorrectionKind.new_person: _("登记一人"),
    CorrectionKind.other: _("改资料"),
}
LEAVES = (CorrectionKind.moved_away, CorrectionKind.not_known)
REASONS: list[Option] = [
    (_("登记的没有错"), _("登记的没有错"), ""),
    (_("再问过，没有变"), _("再问过，没有变"), ""),
    (_("说的是别人"), _("说的是别人"), ""),
    (_("已经改好了"), _("已经改好了"), ""),
]
"""Why nothing is changed: whoever noted it reads this."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may be wrong, about whom, and what is done about it. Of somebody new there is no `resident_id`."""

    id: UUID
    kind: CorrectionKind
    title: str
    word: str
    door: str
    said: str
    noted: str
    accept: str
    household_id: UUID
    resident_id: UUID | None


def waiting(store: Store, now: Clock) -> list[Doubt]:
    """The open ones of households on this phone, in the order they came."""
    found = [one for one in store.entities.all(CorrectionOut) if one.state is CorrectionState.open]
    shown = (_shown(store, now, one) for one in sorted(found, key=lambda one: one.received_at))
    return [one for one in shown if one is not None]


def _shown(store: Store, now: Clock, one: CorrectionOut) -> Doubt | None:
    home = homes.standing(store.entities, one.household_id)
    if home is None:
        return None
    person = about(store, one)
    return Doubt(
        id=one.id,
        kind=one.what,
        title=person.name if person else rules.family_name(home),
        word=CORRECTION_WORDS[one.what],
        door=rules.door(home),
        said=one.said,
        noted=f"{texts.day_word(local_day(one.received_at), local_day(now()))} {one.noted_by}",
        accept=ACCEPT[one.what],
        household_id=home.id,
        resident_id=person.id if person else None,
    )


def about(store: Store, one: CorrectionOut) -> ResidentOut | None:
    """Whom it is about: whoever was named, else the head of the household. Somebody new is not there yet."""
    if one.what is CorrectionKind.new_person:
        return None
    home = homes.standing(store.entities, one.household_id)
    members = rules.in_family_order(store.entities.all(ResidentOut, home.id)) if home else []
    named = [member for member in members if one.resident_id in merged.rows_of(store.entities, member.id)]
    return next(iter(named or members), None)


def settle(
    store: Store,
    correction_id: UUID | None,
    state: CorrectionState,
    reason: str = "",
    after: UUID | None = None,
) -> UUID | None:
    """Keep what was decided; None when there is nothing left to decide. `after` is the correction itself: if that is
    refused, the doubt is open again."""
    one = store.entities.get(CorrectionOut, correction_id) if correction_id else None
    if one is None or one.state is not CorrectionState.open:
        return None
    body = CorrectionSettleIn.model_validate({"state": state, "reason": reason})
    person = about(store, one)
    return store.outbox.capture(
        OperationKind.correction_settle,
        one.id,
        body.model_dump(mode="json"),
        [Effect(EntityKind.correction, one.id, {"state": state.value, "reason": reason}, parent=one.household_id)],
        title=f"{person.name if person else ''}{CORRECTION_WORDS[one.what]} {_WORDS[state]}".strip(),
        after=after,
    )


def told(fields: Mapping[str, Any]) -> dict[str, str]:
    """What was decided, for 待核对 when the server did not take it."""
    decided = {_("核对"): _WORDS[CorrectionState(fields["state"])]}
    return decided | ({_("理由"): fields["reason"]} if fields["reason"] else {})


_WORDS = {CorrectionState.open: _("待核对"), CorrectionState.done: _("已更正"), CorrectionState.refused: _("不用改")}
