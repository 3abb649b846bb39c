"""Every widget of the kit by name. Importing this also makes them known to Kivy's factory."""

from mobile.widgets.fields import Field, Input, ListRow, SwitchRow, Tick, Toggle
from mobile.widgets.fitting import Even, Flow, LesserButtons, Pair, Spread
from mobile.widgets.frame import Badge, Header, SectionHead, SubHeader, Tab, TabBar
from mobile.widgets.layout import (
    Band,
    Body,
    Box,
    Card,
    Circ,
    Col,
    Gap,
    Group,
    Inset,
    Page,
    Row,
    Rule,
    Scroll,
    Sheet,
)
from mobile.widgets.lists import Item, Part, PressCol, PressRow, Rows, Tiles, Words
from mobile.widgets.long_rows import LongRows
from mobile.widgets.pictures import Drawing, EmptyState, Mark
from mobile.widgets.pieces import (
    Bars,
    ErrorBand,
    Fact,
    Figure,
    Figures,
    NoteLine,
    Progress,
    Reason,
    Step,
    StepLine,
    Steps,
    WhyBox,
)
from mobile.widgets.press import Asked, Btn, Chip, Choice, Link, Press, RowTile, Tile, UprightPress
from mobile.widgets.snackbar import Snackbar
from mobile.widgets.tags import StateBox, StateCounter, SyncChip, Tag
from mobile.widgets.text import Ico, IcoF, Nat, Txt
from mobile.widgets.tokens import T

__all__ = [
    "Asked", "Badge", "Band", "Bars", "Body", "Box", "Btn", "Card", "Chip", "Choice", "Circ", "Col", "Drawing",
    "EmptyState", "ErrorBand", "Even", "Fact", "Field", "Figure", "Figures", "Flow", "Gap", "Group", "Header",
    "Ico", "IcoF", "Input", "Inset", "Item", "LesserButtons", "Link", "ListRow", "LongRows", "Mark", "Nat", "NoteLine",
    "Page", "Pair", "Part", "Press", "PressCol", "PressRow", "Progress", "Reason", "Row", "RowTile", "Rows",
    "Rule", "Scroll", "SectionHead", "Sheet", "Snackbar", "Spread", "StateBox", "StateCounter", "Step", "StepLine",
    "Steps", "SubHeader", "SwitchRow", "SyncChip", "T", "Tab", "TabBar", "Tag", "Tick", "Tile", "Tiles", "Toggle",
    "Txt", "UprightPress", "WhyBox", "Words",
]  # fmt: skip
