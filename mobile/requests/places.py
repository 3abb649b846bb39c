"""Where something was seen: found by the phone, or chosen by a tap where it finds nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock
from mobile.device.ports import DeviceFix, NoFix, Ports
from mobile.grid.ground import Ring, inside
from mobile.grid.rules import LonLat, metres, rings, short_name
from mobile.residents.choices import Option
from mobile.store.store import Store
from shared.grid import CellOut
from shared.requests import RequestIn
from shared.residents import HouseholdOut
from shared.texts import _
from shared.types import Crs, Position

LOCATE_SECONDS = 15.0
STILL_HERE = timedelta(minutes=2)
"""Whoever reports has walked on since an older position."""
NEAR_M = 80
HERE: Option = ("here", _("现在的位置"), "crosshair")
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in words and degrees. `cell` is '' outside of the worker's own cells."""

    lon: float
    lat: float
    cell: str
    words: str


def at_fix(fix: DeviceFix, cells: Iterable[CellOut], households: Iterable[HouseholdOut]) -> Spot:
    """3号楼附近: the nearest door that this phone knows names the place, without network."""
    here = (fix.lon, fix.lat)
    cell = next((cell for cell in cells if inside(here, rings(cell.geometry))), None)
    ways = [(metres(here, (home.lon, home.lat)), home) for home in households if home.lon and home.lat]
    way, home = min(ways, key=lambda pair: pair[0], default=(NEAR_M + 1.0, None))
    if home is not None and way <= NEAR_M:
        words = f"{home.compound} {home.building}".strip() + _("附近")
    else:
        words = short_name(cell.name) if cell else _("自己的网格以外")
    return Spot(*here, cell.code if cell else "", words)


def in_cell(cell: CellOut) -> Spot:
    """A point that certainly lies in the cell, whatever its shape."""
    lon, lat = _middle(rings(cell.geometry))
    return Spot(lon, lat, cell.code, short_name(cell.name))


def in_compound(name: str, households: Sequence[HouseholdOut]) -> Spot:
    """The middle of a compound's doors; a compound lies in the cell of its first door."""
    places = [(home.lon, home.lat) for home in households if home.lon is not None and home.lat is not None]
    lon, lat = (sum(axis) / len(places) for axis in zip(*places, strict=True))
    return Spot(lon, lat, households[0].area_code, name)


def _middle(shape: Sequence[Ring]) -> LonLat:
    """The middle of the widest part at half height: a plain centre may lie outside a bent cell."""
    lats = [lat for ring in shape for _lon, lat in ring]
    # A little off the half, so that the line meets no corner.
    y = min(lats) + (max(lats) - min(lats)) * 0.4999
    crossings = sorted(
        ax + (y - ay) / (by - ay) * (bx - ax)
        for ring in shape
        for (ax, ay), (bx, by) in pairwise([*ring, ring[0]])
        if (ay > y) != (by > y)
    )
    west, east = max(zip(crossings[::2], crossings[1::2], strict=True), key=lambda part: part[1] - part[0])
    return (west + east) / 2, y


class Whereabouts(EventDispatcher):
    """The place of a report. It looks by itself; choosing another one never waits for it."""

    title, line = StringProperty(_("正在定位…")), StringProperty("")
    ok = BooleanProperty(False)
    options, choice = ListProperty([]), StringProperty(HERE[0])
    landmark = StringProperty("")

    def __init__(self, store: Store, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._ports, self._now = store, ports, now
        self._problem, self._spots = "", dict[str, Spot]()
        self._fix: DeviceFix | None = None
        self.refresh()
        self.bind(choice=self._show, landmark=self._show)

    @property
    def spot(self) -> Spot | None:
        """Where it is. Without a position the only cell stands for it; of several one has to be tapped."""
        if self.choice != HERE[0]:
            return self._spots.get(self.choice)
        return self._here or (self._only_cell if self._fix is None else None)

    @property
    def guessed(self) -> bool:
        """A whole cell stands for the place, until a position comes."""
        return self.choice == HERE[0] and self._here is None

    def refresh(self, *_: object) -> None:
        """What may be chosen: the cells, and the compounds whose doors have places."""
        self._cells = sorted(self._store.entities.all(CellOut), key=lambda cell: cell.code)
        self._homes = [home for home in self._store.entities.all(HouseholdOut) if home.lon is not None]
        by_name: dict[str, list[HouseholdOut]] = {}
        for home in self._homes:
            by_name.setdefault(home.compound, []).append(home)
        cells = {cell.code: in_cell(cell) for cell in self._cells}
        compounds = {name: in_compound(name, homes) for name, homes in sorted(by_name.items())}
        self._spots = cells | compounds
        self._only_cell = next(iter(cells.values())) if len(cells) == 1 else None
        icons = [*("map-trifold" for _ in cells), *("buildings" for _ in compounds)]
        chosen = zip(self._spots.items(), icons, strict=True)
        self.options = [HERE, *((key, spot.words, icon) for (key, spot), icon in chosen)]
        self._place_fix(self._ports.location.last())

    async def locate(self) -> Spot | None:
        """Look where the phone is, and say what was found. Nothing waits for this."""
        try:
            self._place_fix(await self._ports.location.fix(LOCATE_SECONDS))
        except NoFix as problem:
            self._problem = problem.for_report
            self._show()
            return None
        return self._here

    def choose(self, value: str) -> None:
        self.choice = value

    def start_over(self) -> None:
        """The next report is about another place."""
        self.choice, self.landmark = HERE[0], ""

    def wire(self) -> tuple[Position, str]:
        """The place and its words, as they are sent. Only when there is a spot."""
        spot = self.spot
        assert spot is not None
        return on_the_wire(spot, self.landmark)

    def _place_fix(self, fix: DeviceFix | None) -> None:
        known = fix is not None and self._now() - fix.taken_at <= STILL_HERE
        self._fix = fix if known else None
        self._here = at_fix(self._fix, self._cells, self._homes) if self._fix else None
        self._show()

    def _show(self, *_args: object) -> None:
        spot, self.ok = self.spot, self.spot is not None and not self.guessed
        words = f"{spot.words} {self.landmark.strip()}".strip() if spot else ""
        if self.guessed:
            self.title, self.line = words or self._problem or _("正在定位…"), self._unlocated(spot)
        else:
            self.title, self.line = words, " · ".join(filter(None, (self._cell_name(spot), self._worth())))

    def _unlocated(self, spot: Spot | None) -> str:
        looking = self._problem or _("正在定位…")
        return looking if spot else _("点“改位置”，选网格或者小区")

    def _cell_name(self, spot: Spot | None) -> str:
        names = {cell.code: short_name(cell.name) for cell in self._cells}
        name = names.get(spot.cell, "") if spot else ""
        return "" if spot and name == spot.words else name

    def _worth(self) -> str:
        if self.choice != HERE[0] or self._fix is None:
            return _("选的位置")
        return _("误差 {distance} · {ago}定位").format(
            distance=texts.distance(self._fix.accuracy_m), ago=texts.ago(self._fix.taken_at, self._now())
        )


def on_the_wire(spot: Spot, landmark: str) -> tuple[Position, str]:
    words = f"{spot.words} {landmark.strip()}".strip()[:LONGEST]
    return Position(lon=spot.lon, lat=spot.lat, crs=Crs.wgs84), words


def placed(body: RequestIn, place: Position, words: str) -> RequestIn:
    """The same report with the position that has come meanwhile."""
    return body.model_copy(update={"place": place, "place_note": words})
