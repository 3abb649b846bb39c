"""Cards of the conflict queue in 待核对."""

from kivy.properties import NumericProperty, ObjectProperty

from mobile.conflicts.items import CALL
from mobile.widgets.fields import ListRow
from mobile.widgets.layout import Box, Card, Col
from mobile.widgets.lists import Item


class WaitingCard(Item, Col):
    """What it is about, the values beside each other, and what else can be done."""


class SideCard(Item, Box):
    """One of the values with its own button."""

    need_w = NumericProperty(0)


class SideLine(Item, Col):
    """A field of a side."""


class BaseLine(Item, Col):
    """A field as it was before either of them wrote."""


class SaidBox(Item, Col):
    """Why it is here, or why it is not decided here."""


class ActionRow(Item, ListRow):
    """A way out that is neither of the values."""

    item = ObjectProperty(rebind=True)

    def on_release(self) -> None:
        if self.item.what == CALL:
            self.vm.vm.queue.dial(self.item.item_id)
        else:
            self.vm.settle(self.item)


class NoticeCard(Item, Card):
    """What became of a decision that was not taken."""
