"""A doubt about the register in 待核对: what was heard, and the two ways out."""

from mobile.widgets.layout import Card
from mobile.widgets.lists import Item


class DoubtCard(Item, Card):
    """Correcting it opens the form it belongs to; leaving it asks why."""
