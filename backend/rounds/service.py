"""Rules and warnings, tried and put to use; and today's round."""

from datetime import date, timedelta
from uuid import UUID

from backend.core import operations
from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.scope import Caller, system_caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import service as grid
from backend.rounds import queries
from shared import rounds
from shared.errors import Code
from shared.rounds import (
    AlertIn,
    AlertOut,
    RoundEntry,
    RoundOut,
    RoundRuleIn,
    RoundRuleOut,
    RoundTryIn,
    RuleState,
    TriedOut,
)
from shared.sync import EntityKind
from shared.texts import _
from shared.types import is_within, uuid7

SHOWN = 500
TRIED_SHOWN = 50
TRIALS_KEPT = timedelta(days=30)
COMMUNITY_LENGTH = 12
ALERTS = "/alerts"


async def try_out(tx: Transaction, worker: Caller, body: RoundTryIn) -> TriedOut:
    """Count whom a rule holds of on the present register. Only what was tried may go live."""
    await _require_area(tx, worker, body.area_code)
    day, matched = county_day(tx.now), 0
    found: list[RoundEntry] = []
    async for home in queries.homes(tx.conn, tx.county, body.area_code, day, [body.conditions]):
        if rounds.holds(body.conditions, home, day):
            matched += 1
            if len(found) < TRIED_SHOWN:
                found.append(_tried(home, body, day))
    trial = (uuid7(), body.area_code, body.content(), worker.account_id, matched)
    await queries.add_trial(tx.conn, tx.county, *trial, tx.now)
    return TriedOut(matched=matched, items=found)


def _tried(home: rounds.Home, body: RoundTryIn, day: date) -> RoundEntry:
    words = rounds.why(body.conditions)
    return RoundEntry(household_id=home.id, area_code=home.area_code, due_on=day, priority=5, reasons=[words])


async def _require_area(tx: Transaction, worker: Caller, area: str) -> None:
    if not worker.may_write_in(area):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    await grid.area_to_list(tx, worker, area)


async def prune_trials(database: Database, county: str) -> None:
    """Forget trials of a month ago: the register has changed, and who wants the rule tries it again."""

    async def work(tx: Transaction) -> None:
        await queries.prune_trials(tx.conn, tx.county, tx.now - TRIALS_KEPT)

    await database.run(system_caller(county), work)


async def rules(tx: Transaction) -> list[RoundRuleOut]:
    return await queries.rules(tx.conn, tx.county)


async def put_rule(tx: Transaction, worker: Caller, rule_id: UUID, body: RoundRuleIn) -> RoundRuleOut:
    """Write a rule down or change it. It goes live only when this very effect was tried before."""
    await _require_area(tx, worker, body.area_code)
    before = (await queries.rules_by_ids(tx.conn, tx.county, [rule_id])).get(rule_id)
    if before and not worker.may_write_in(before.area_code):
        raise Refusal(Code.area_not_allowed)
    if before and before.model_dump(include=set(RoundRuleIn.model_fields)) == body.model_dump():
        return before
    if body.state is RuleState.live and not await queries.was_tried(tx.conn, tx.county, body.content()):
        raise Refusal(Code.rule_not_tried, pointer="/state")
    await queries.put_rule(tx.conn, tx.county, rule_id, body, tx.now)
    if before and before.area_code != body.area_code:
        await _tell(tx, EntityKind.round_rule, rule_id, before.area_code, gone=True)
    await _tell(tx, EntityKind.round_rule, rule_id, body.area_code)
    tx.audit("round_rule.put", "round_rule", rule_id, body.area_code, state=body.state)
    return (await queries.rules_by_ids(tx.conn, tx.county, [rule_id]))[rule_id]


async def alerts(tx: Transaction) -> list[AlertOut]:
    return await queries.alerts(tx.conn, tx.county, county_day(tx.now))


async def warn(tx: Transaction, keys: Keys, worker: Caller, key: str | None, body: AlertIn) -> AlertOut:
    """Warn an area: what live rules say about this kind of warning holds from its first day on."""
    alert_id = uuid7()
    if key:
        op_id = operations.of_key(worker.account_id, ALERTS, key)
        content = operations.fingerprint(keys.ledger, ALERTS, op_id, body)
        if known := await operations.repeated(tx, op_id, content, Code.key_reused):
            return await _alert(tx, known.entity_id)
        tx.settled(operations.applied(op_id, ALERTS, alert_id, content))
    await _require_area(tx, worker, body.area_code)
    await queries.add_alert(tx.conn, tx.county, alert_id, body, worker.name, tx.now)
    await _tell(tx, EntityKind.alert, alert_id, body.area_code)
    tx.audit("alert.issued", "alert", alert_id, body.area_code, warning=body.kind)
    return await _alert(tx, alert_id)


async def end(tx: Transaction, worker: Caller, alert_id: UUID) -> AlertOut:
    """End a warning with today; one that is over stays as it is."""
    found, today = await _alert(tx, alert_id), county_day(tx.now)
    if not worker.may_write_in(found.area_code):
        raise Refusal(Code.area_not_allowed)
    if found.last_day <= today:
        return found
    await queries.end_alert(tx.conn, tx.county, alert_id, today)
    await _tell(tx, EntityKind.alert, alert_id, found.area_code)
    tx.audit("alert.ended", "alert", alert_id, found.area_code)
    return await _alert(tx, alert_id)


async def _alert(tx: Transaction, alert_id: UUID) -> AlertOut:
    found = (await queries.alerts_by_ids(tx.conn, tx.county, [alert_id])).get(alert_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def _tell(tx: Transaction, kind: EntityKind, entity_id: UUID, area: str, *, gone: bool = False) -> None:
    """Tell every cell of the area: a phone follows its own cell, and hears nothing of what is wider."""
    for code in await queries.cells(tx.conn, tx.county, area):
        tx.changed(kind, entity_id, code, gone=gone)


async def tell_new_cell(tx: Transaction, code: str) -> None:
    """Bring to a cell that was just founded what was said to its community or county before."""
    for said, entity_id in await queries.spoken_over(tx.conn, tx.county, code, county_day(tx.now)):
        tx.changed(EntityKind(said), entity_id, code)


async def today(tx: Transaction, worker: Caller, area: str | None) -> RoundOut:
    """Return whom to see today in a cell or community, by the function that phones use without network."""
    day, wanted = county_day(tx.now), await _one_area(tx, worker, area)
    warnings = [one for one in await queries.alerts(tx.conn, tx.county, day) if one.from_day <= day]
    kinds = {one.kind for one in warnings}
    live = [
        rule for rule in await queries.rules(tx.conn, tx.county)
        if rule.state is RuleState.live and (rule.alert is None or rule.alert in kinds)
        and (is_within(wanted, rule.area_code) or is_within(rule.area_code, wanted))
    ]  # fmt: skip
    asked = [rule.conditions for rule in live]
    homes = [home async for home in queries.homes(tx.conn, tx.county, wanted, day, asked, due=True)]
    found = rounds.round_of(homes, live, warnings, day)
    return RoundOut(day=day, total=len(found), items=found[:SHOWN])


async def _one_area(tx: Transaction, worker: Caller, area: str | None) -> str:
    """A round is walked: of the areas that a worker holds it takes the first, and none wider than a community."""
    wanted = area or worker.scopes[0]
    if len(wanted) < COMMUNITY_LENGTH:
        raise Refusal(Code.malformed, _("请选到社区或网格。"), pointer="/area_code")
    return await grid.area_to_list(tx, worker, wanted)
