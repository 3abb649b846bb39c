"""What live rules and warnings ask for today, from what this phone holds: the server's own function, without it."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from mobile.store.entities import Entities
from shared.residents import HouseholdOut, ResidentOut
from shared.rounds import AlertOut, Home, Person, RoundEntry, RoundRuleOut, RuleState, round_of

Asked = Mapping[UUID, RoundEntry]


def asked_today(entities: Entities, today: date) -> Asked:
    """Return whom to see by due day and rule. Without a rule that could apply nobody's facts are opened."""
    alerts = [alert for alert in entities.all(AlertOut) if alert.from_day <= today <= alert.last_day]
    kinds = {alert.kind for alert in alerts}
    live = [rule for rule in entities.all(RoundRuleOut) if rule.state is RuleState.live]
    rules = [rule for rule in live if rule.alert is None or rule.alert in kinds]
    if not rules:
        return {}
    members: dict[UUID, list[Person]] = {}
    for one in entities.each(ResidentOut):
        members.setdefault(one.household_id, []).append(Person(one.birth_date, one.care, one.residency))
    homes = (_home(household, members.get(household.id, [])) for household in entities.each(HouseholdOut))
    return {entry.household_id: entry for entry in round_of(homes, rules, alerts, today)}


def _home(household: HouseholdOut, members: Sequence[Person]) -> Home:
    return Home(
        id=household.id,
        area_code=household.area_code,
        size=household.size,
        last_visited_on=household.last_visited_on,
        last_seen_on=household.last_seen_on,
        due_on=household.due_on,
        due_reason=household.due_reason,
        members=members,
    )
