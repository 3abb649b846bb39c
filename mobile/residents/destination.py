"""Where somebody moves to: a cell of the county, another county, or nobody can tell."""

import re

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.grid.rules import short_name
from mobile.residents.choices import Option
from mobile.store.store import Store
from shared.grid import CellKind, CellName, CellOut
from shared.register import MoveTo
from shared.texts import _
from shared.types import community_of

CELL: Option = ("cell", _("本县网格"), "map-trifold")
COUNTY: Option = ("county", _("外县"), "car")
UNKNOWN: Option = ("unknown", _("说不清"), "question")
WORDS_AT_MOST = 100
WORDS = {"county": _("外县"), "unknown": _("说不清")}


class Destination(EventDispatcher):
    """Community first, then its cell; with one of either there is nothing to choose."""

    options, choice = ListProperty([]), StringProperty("")
    communities, community = ListProperty([]), StringProperty("")
    cells, cell = ListProperty([]), StringProperty("")
    words, asks_words = StringProperty(""), BooleanProperty(False)
    ready = BooleanProperty(False)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._all = _cells(store)
        self._known: list[CellName] = []
        self.leave_out("")

    def leave_out(self, own_cell: str) -> None:
        """Nobody moves to where they live. What lies near comes first: the own community, then the own town."""
        others = (cell for cell in self._all if cell.code != own_cell)
        self._known = sorted(others, key=lambda cell: (*_far(cell.code, own_cell), cell.code))
        self.options = [*([CELL] if self._known else []), COUNTY, UNKNOWN]
        names: dict[str, str] = {}
        for cell in self._known:
            names.setdefault(community_of(cell.code), _community(cell.name))
        self.communities = [(code, name, "") for code, name in names.items()] if len(names) > 1 else []
        self.choose("")

    def choose(self, value: str) -> None:
        self.choice, self.community, self.cell, self.cells, self.words = value, "", "", [], ""
        if value == CELL[0] and not self.communities:
            self.choose_community(community_of(self._known[0].code))
        self._look()

    def choose_community(self, code: str) -> None:
        self.community, self.cell = code, ""
        inside = [cell for cell in self._known if community_of(cell.code) == code]
        self.cells = [(cell.code, short_name(cell.name), "") for cell in inside]
        if len(inside) == 1:
            self.cell = inside[0].code
        self._look()

    def choose_cell(self, code: str) -> None:
        self.cell = code
        self._look()

    def restore(self, choice: str, community: str, cell: str, words: str = "") -> None:
        """The answers of a draft, as far as this phone still knows the places."""
        known = {one.code: community_of(one.code) for one in self._known}
        if choice in {value for value, _word, _icon in self.options}:
            self.choose(choice)
            self.words = words
            if community in known.values():
                self.choose_community(community)
            if cell in known:
                self.choose_cell(cell)

    def wire(self) -> MoveTo:
        if self.cell:
            return MoveTo(cell_code=self.cell)
        words = self.words.strip()[:WORDS_AT_MOST] or WORDS[self.choice]
        return MoveTo(words=words, leaves_county=self.choice == COUNTY[0])

    def _look(self) -> None:
        self.asks_words = self.choice in WORDS
        self.ready = bool(self.cell) or self.asks_words


def _cells(store: Store) -> list[CellName]:
    """What the server has named, and what this phone holds itself: as it is until the names have come."""
    held = [cell for cell in store.entities.all(CellOut) if cell.kind is CellKind.basic]
    known = {one.code: one for one in store.cell_names()}
    known |= {one.code: CellName(code=one.code, name=one.name) for one in held}
    return [known[code] for code in sorted(known)]


def _far(code: str, own_cell: str) -> tuple[bool, bool]:
    return code[:12] != own_cell[:12], code[:9] != own_cell[:9]


def _community(cell_name: str) -> str:
    """杨家坪社区 of 杨家坪社区第3网格."""
    return re.sub(r"第?[0-9一二三四五六七八九十百]+网格$", "", cell_name) or cell_name
