"""When boundaries change every table with an area goes along, or stays for a reason that is written down."""

from backend.redrawing.moving import FOLLOW, STAYS
from tests.contract.rows import COUNTY_WIDE, area_tables

MOVED_WHOLE = {"dwelling", "household", "resident", "visit", "request", "offer", "task_card", "search_key"}
"""Moved by a statement of their own."""


def undecided(tables: list[str]) -> set[str]:
    """Return the tables that nobody has thought of."""
    follow = {table for following in FOLLOW.values() for table, *_ in following}
    return set(tables) - MOVED_WHOLE - follow - set(STAYS) - COUNTY_WIDE


def test_no_table_with_an_area_is_left_behind_without_a_reason():
    assert undecided(area_tables()) == set()


def test_a_table_that_nobody_has_thought_of_is_found():
    assert undecided([*area_tables(), "meeting"]) == {"meeting"}


def test_nothing_is_named_that_is_not_there():
    assert set(STAYS) - set(area_tables()) == set()
