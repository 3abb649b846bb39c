"""What must hold of every map."""

import math
from itertools import combinations

from kivy.metrics import dp

from mobile.grid.map import CellMap
from mobile.grid.marks import reach


def assert_marks_apart(ground: CellMap) -> None:
    """Unless they are dots, which have no number to cover."""
    if ground.crowded:
        return
    size = ground.mark_size
    for (a, at), (b, to) in combinations(ground.placed(), 2):
        assert math.dist(at, to) > reach(a.state, size) + reach(b.state, size) - dp(2), f"{a.key} lies on {b.key}"
