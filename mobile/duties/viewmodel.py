"""我的分工: who answers for my cells, and the households that are mine to look after."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.residents import rules
from mobile.store.store import Store
from shared.auth import MeOut
from shared.duties import DUTY_WORDS, CellTeam, DutyOut, DutyRole
from shared.residents import HouseholdOut
from shared.texts import _

ICONS = {DutyRole.in_charge: "flag", DutyRole.informed: "eye", DutyRole.serving: "hand-heart"}
SHOWN_DOORS = 5


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role and who has it today; `mine` when that is me, standing in or not."""

    icon: str
    role: str
    name: str
    sub: str
    mine: bool


@dataclass(frozen=True, slots=True)
class CellLine:
    """One cell: its roles, and who looks after how many households."""

    name: str
    roles: list[RoleLine]
    shares: list[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class DoorLine:
    """A household that is mine to look after."""

    household_id: UUID
    title: str
    sub: str
    due: str


class Duties(EventDispatcher):
    """As of today: whoever begins later or has ended is not named."""

    cells, doors = ListProperty([]), ListProperty([])
    doors_title, doors_rest, trail = StringProperty(""), StringProperty(""), StringProperty("")
    empty = BooleanProperty(True)

    def __init__(self, store: Store, me: MeOut, now: Clock) -> None:
        super().__init__()
        self._store, self._me, self._now = store, me, now
        self._all_doors = False
        self.refresh()

    def refresh(self, *_args: object) -> None:
        teams = sorted(self._store.entities.all(CellTeam), key=lambda team: team.code)
        homes = self._store.entities.all(HouseholdOut)
        self.cells = [self._cell(team, homes) for team in teams]
        self._show_doors(teams, homes)
        self.empty = not teams
        mine = dict.fromkeys(line.role for cell in self.cells for line in cell.roles if line.mine)
        self.trail = _("、").join(mine)

    def show_all_doors(self) -> None:
        self._all_doors = True
        self.refresh()

    def _cell(self, team: CellTeam, homes: list[HouseholdOut]) -> CellLine:
        today = local_day(self._now())
        held = [one for one in team.duties if _holds(one.from_day, one.until_day, today)]
        roles = [line for role in DutyRole for line in self._roles(role, held, today)]
        here = {home.id for home in homes if home.area_code == team.code}
        shares = [(one.name, len(here & set(one.household_ids)), one.account_id) for one in team.looked_after]
        counted = [(name, _("{count} 户").format(count=n), who == self._me.account_id) for name, n, who in shares if n]
        return CellLine(team.name, roles, counted)

    def _roles(self, role: DutyRole, held: list[DutyOut], today: date) -> list[RoleLine]:
        found = [self._role(one, today) for one in held if one.role is role]
        return found or [RoleLine(ICONS[role], DUTY_WORDS[role], _("还没有人"), "", False)]

    def _role(self, one: DutyOut, today: date) -> RoleLine:
        spare = one.stand_in
        away = spare is not None and spare.from_day <= today < spare.until_day
        until = _("，到{day}").format(day=texts.day_word(one.until_day, today)) if one.until_day else ""
        sub = _("{day}起{until}").format(day=texts.day_word(one.from_day, today), until=until)
        if spare is not None and today < spare.until_day:
            days = _("{from_day}到{until_day}").format(
                from_day=texts.day_word(spare.from_day, today), until_day=texts.day_word(spare.until_day, today)
            )
            sub = _("{days}由{name}代").format(days=days, name=spare.name)
        mine = self._me.account_id in (one.account_id, spare.account_id if away and spare else None)
        return RoleLine(ICONS[one.role], DUTY_WORDS[one.role], one.name, sub, mine)

    def _show_doors(self, teams: list[CellTeam], every: list[HouseholdOut]) -> None:
        """Those to be visited first come first."""
        lists = [one for team in teams for one in team.looked_after if one.account_id == self._me.account_id]
        mine = {household_id for one in lists for household_id in one.household_ids}
        homes = sorted(
            (home for home in every if home.id in mine),
            key=lambda home: (home.due_on or date.max, rules.door(home)),
        )
        shown = homes if self._all_doors else homes[:SHOWN_DOORS]
        self.doors = [self._door(home) for home in shown]
        self.doors_title = _("我包 {count} 户").format(count=len(homes)) if homes else ""
        self.doors_rest = _("全部 {count} 户").format(count=len(homes)) if len(homes) > len(shown) else ""

    def _door(self, home: HouseholdOut) -> DoorLine:
        due = texts.due(home.due_on, local_day(self._now())) if home.due_on else ""
        return DoorLine(home.id, rules.family_name(home), rules.door(home), due)


def _holds(first: date, until: date | None, day: date) -> bool:
    return first <= day and (until is None or day < until)
