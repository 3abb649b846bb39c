"""登记一户: a door that has not been on the register."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.core.clock import Clock
from mobile.device.ports import NoFix, Ports
from mobile.grid.ground import inside
from mobile.grid.rules import rings, short_name
from mobile.residents import effects, rules
from mobile.residents.choices import Option
from mobile.residents.spelling import plain
from mobile.store.store import Store
from shared.grid import CellKind, CellOut
from shared.residents import HouseholdIn, HouseholdOut
from shared.sync import OperationKind
from shared.texts import _
from shared.types import Crs, Position, uuid7

LOCATE_SECONDS = 15.0
MOST_OFFERED = 8
DOOR = ("compound", "building", "unit", "room")


class HouseholdForm(EventDispatcher):
    """Compounds, houses and units that the phone knows are offered, so that most doors are written by one number."""

    __events__ = ("on_saved",)
    cells, cell = ListProperty([]), StringProperty("")
    compound, building = StringProperty(""), StringProperty("")
    unit, room = StringProperty(""), StringProperty("")
    compounds, buildings, units = ListProperty([]), ListProperty([]), ListProperty([])
    here, place_line = BooleanProperty(True), StringProperty(_("正在定位…"))
    can_save, problem = BooleanProperty(False), StringProperty("")

    def __init__(self, store: Store, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._ports, self._now = store, ports, now
        self._homes = store.entities.all(HouseholdOut)
        mine = sorted(store.entities.all(CellOut), key=lambda cell: cell.code)
        self._mine = [cell for cell in mine if cell.kind is CellKind.basic]
        near = len({cell.community_code for cell in self._mine}) == 1
        self.cells = [(cell.code, short_name(cell.name) if near else cell.name, "") for cell in self._mine]
        for name in ("cell", *DOOR):
            self.fbind(name, self._look)
        self.cell = self.cells[0][0] if len(self.cells) == 1 else ""
        self._look()
        self._show_place()

    def on_saved(self, household_id: UUID, sentence: str) -> None:
        """Event: the household is safe on this phone."""

    async def locate(self) -> None:
        """Where the phone is now is where the door is, unless somebody says no."""
        try:
            await self._ports.location.fix(LOCATE_SECONDS)
        except NoFix as problem:
            self.place_line = problem.sentence if self._ports.location.last() is None else self.place_line
            return
        self._show_place()

    def save(self) -> bool:
        if not self.can_save:
            return False
        household_id, new = uuid7(), self._wire()
        row = effects.household_row(household_id, new, self._now())
        self._store.outbox.capture(
            OperationKind.household_put,
            household_id,
            new.model_dump(mode="json", exclude_none=True),
            effects.put_household(row),
            title=_("{door} 登记一户").format(door=rules.door_short(row)),
        )
        self._store.captured()
        self.dispatch("on_saved", household_id, _("已登记：{door}").format(door=rules.door_short(row)))
        return True

    def draft(self) -> dict[str, Any]:
        """What is written so far. A cell alone was found by the phone, and may be another one next time."""
        written = {name: getattr(self, name) for name in DOOR}
        return {**written, "cell": self.cell, "here": self.here} if any(written.values()) else {}

    def restore(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def _wire(self) -> HouseholdIn:
        words = {name: getattr(self, name).strip() for name in DOOR}
        return HouseholdIn(cell_code=self.cell, position=self._position(), **words)

    def _position(self) -> Position | None:
        fix = self._ports.location.last() if self.here else None
        return Position(lon=fix.lon, lat=fix.lat, crs=Crs.wgs84) if fix else None

    def _look(self, *_: object) -> None:
        homes = [home for home in self._homes if not self.cell or home.area_code == self.cell]
        self.compounds = _offered(home.compound for home in homes)
        homes = [home for home in homes if home.compound == self.compound.strip()]
        self.buildings = _offered(home.building for home in homes)
        homes = [home for home in homes if home.building == self.building.strip()]
        self.units = _offered(home.unit for home in homes)
        self.problem = self._problem()
        written = any(getattr(self, name).strip() for name in DOOR)
        self.can_save = bool(self.cell) and written and not self.problem

    def _problem(self) -> str:
        """A door that is there already is said at once; two households behind one door are for 住户详情 to tell."""
        mine = [plain(getattr(self, name)) for name in DOOR]
        if not any(mine[1:]):
            return ""
        same = (home for home in self._homes if [plain(getattr(home, name)) for name in DOOR] == mine)
        taken = next((home for home in same if home.area_code == self.cell), None)
        return _("这个门牌已经登记过了：{family}").format(family=rules.family_name(taken)) if taken else ""

    def _show_place(self) -> None:
        fix = self._ports.location.last()
        if fix is not None:
            self.place_line = _("误差 {metres} 米").format(metres=round(fix.accuracy_m))
            at = (fix.lon, fix.lat)
            around = (cell.code for cell in self._mine if inside(at, rings(cell.geometry)))
            self.cell = self.cell or next(around, "")


def _offered(words: Iterable[str]) -> list[Option]:
    """The commonest first, in the order of their names."""
    listed = [word for word in words if word]
    common = sorted(set(listed), key=lambda word: (-listed.count(word), word))[:MOST_OFFERED]
    return [(word, word, "") for word in sorted(common, key=lambda word: (len(word), word))]
