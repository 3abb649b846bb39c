"""Storing what the demo's register has seen, as its workers would: through the rooms' own use cases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.demo.records import DemoCounty, Event
from backend.duties import queries as duties
from backend.residents import events, links, seeking
from backend.rounds import service as rounds
from shared.duties import DutyIn
from shared.links import LinkIn
from shared.register import EventIn, MoveTo
from shared.residents import Care, ResidentIn
from shared.rounds import AlertIn, AlertKind, Conditions, RoundRuleIn, RoundTryIn, RuleState

WARNED: Final = "610330100008"
_FRAIL = Conditions(care_all=[Care.alone, Care.frail])
_OLD = Conditions(age_from=80, care_all=[Care.alone])


async def load_register(tx: Transaction, keys: Keys, county: DemoCounty) -> None:
    """Store duties, links, twins, events with the moves that follow from them, rules and a warning."""
    for duty in county.duties:
        body = DutyIn(role=duty.role, account_id=duty.worker_id, from_day=duty.since)
        await duties.put_duty(tx.conn, tx.county, duty.id, duty.cell_code, body, tx.now)
    for link in county.links:
        about = LinkIn(
            kind=link.kind, helper=link.helper, name=link.name, phone=link.phone, relation=link.relation,
            person_id=link.person_id, from_day=link.since,
        )  # fmt: skip
        await links.put(tx, keys, tx.caller, await links.person(tx, link.resident_id), link.id, about, None)
    for twin in county.twins:
        await seeking.look_around(tx, twin.id)
    await _events(tx, keys, county)
    await _rounds(tx, keys, county)


async def _events(tx: Transaction, keys: Keys, county: DemoCounty) -> None:
    names = {worker.id: worker.name for worker in county.workers}
    for event in county.events:
        worker = Caller(event.worker_id, names[event.worker_id], tx.county, tx.caller.grants)
        with _then(tx, event.noted_at):
            await events.record(tx, keys, worker, event.id, _body(event))


@contextmanager
def _then(tx: Transaction, moment: datetime) -> Iterator[None]:
    """Let it be an earlier moment, at which something was noted."""
    now, tx.now = tx.now, moment
    try:
        yield
    finally:
        tx.now = now


def _body(event: Event) -> EventIn:
    if one := event.newcomer:
        new = ResidentIn(
            household_id=one.household_id, name=one.name, sex=one.sex, birth_date=one.birth_date,
            relation=one.relation, residency=one.residency,
        )  # fmt: skip
        return EventIn(kind=event.kind, on=event.on, new_resident_id=one.id, new_resident=new)
    to = MoveTo(cell_code=event.to_cell) if event.to_cell else None
    return EventIn(kind=event.kind, on=event.on, resident_ids=[event.resident_id], to=to)


async def _rounds(tx: Transaction, keys: Keys, county: DemoCounty) -> None:
    tried = (
        ("独居体弱老人十天看一次", RoundTryIn(conditions=_FRAIL, area_code=tx.county, every_days=10)),
        ("寒潮看高龄独居老人", RoundTryIn(conditions=_OLD, area_code=tx.county, alert=AlertKind.cold)),
    )
    for (name, effect), rule_id in zip(tried, county.rule_ids, strict=True):
        await rounds.try_out(tx, tx.caller, effect)
        rule = RoundRuleIn(**dict(effect), name=name, priority=2, state=RuleState.live)
        await rounds.put_rule(tx, tx.caller, rule_id, rule)
    last = county.today + timedelta(days=2)
    alert = AlertIn(
        kind=AlertKind.cold, area_code=WARNED, from_day=county.today, last_day=last, words="今夜起降温 12 度"
    )
    await rounds.warn(tx, keys, tx.caller, None, alert)
