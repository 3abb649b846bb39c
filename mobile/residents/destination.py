"""Where somebody moves to: a cell that this phone knows, another county, or nobody can tell."""

import re

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.grid.rules import short_name
from mobile.residents.choices import Option
from mobile.store.store import Store
from shared.grid import CellKind, CellOut
from shared.register import MoveTo
from shared.texts import _

CELL: Option = ("cell", _("本县网格"), "map-trifold")
COUNTY: Option = ("county", _("外县"), "car")
UNKNOWN: Option = ("unknown", _("说不清"), "question")
WORDS = {"county": _("外县"), "unknown": _("说不清")}


class Destination(EventDispatcher):
    """Community first, then its cell; with one of either there is nothing to choose."""

    options, choice = ListProperty([]), StringProperty("")
    communities, community = ListProperty([]), StringProperty("")
    cells, cell = ListProperty([]), StringProperty("")
    ready = BooleanProperty(False)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._all = sorted(store.entities.all(CellOut), key=lambda cell: cell.code)
        self._known: list[CellOut] = []
        self.leave_out("")

    def leave_out(self, own_cell: str) -> None:
        """Nobody moves to where they live."""
        self._known = [cell for cell in self._all if cell.code != own_cell and cell.kind is CellKind.basic]
        self.options = [*([CELL] if self._known else []), COUNTY, UNKNOWN]
        names = {cell.community_code: _community(cell.name) for cell in self._known}
        self.communities = [(code, name, "") for code, name in names.items()] if len(names) > 1 else []
        self.choose("")

    def choose(self, value: str) -> None:
        self.choice, self.community, self.cell, self.cells = value, "", "", []
        if value == CELL[0] and not self.communities:
            self.choose_community(self._known[0].community_code)
        self._look()

    def choose_community(self, code: str) -> None:
        self.community, self.cell = code, ""
        inside = [cell for cell in self._known if cell.community_code == code]
        self.cells = [(cell.code, short_name(cell.name), "") for cell in inside]
        if len(inside) == 1:
            self.cell = inside[0].code
        self._look()

    def choose_cell(self, code: str) -> None:
        self.cell = code
        self._look()

    def restore(self, choice: str, community: str, cell: str) -> None:
        """The answers of a draft, as far as this phone still knows the places."""
        known = {one.code: one.community_code for one in self._known}
        if choice in {value for value, _word, _icon in self.options}:
            self.choose(choice)
            if community in known.values():
                self.choose_community(community)
            if cell in known:
                self.choose_cell(cell)

    def wire(self) -> MoveTo:
        if self.cell:
            return MoveTo(cell_code=self.cell)
        return MoveTo(words=WORDS[self.choice], leaves_county=self.choice == COUNTY[0])

    def _look(self) -> None:
        self.ready = bool(self.cell) or self.choice in WORDS


def _community(cell_name: str) -> str:
    """杨家坪社区 of 杨家坪社区第3网格."""
    return re.sub(r"第?[0-9一二三四五六七八九十百]+网格$", "", cell_name) or cell_name
