"""A caller's scopes, and the settings that row-level security reads."""

import pytest

from backend.core.scope import Caller, system_caller
from shared.auth import Role
from shared.types import uuid7
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY


def holding(*grants: tuple[Role, str], county: str = COUNTY) -> Caller:
    return Caller(uuid7(), "张敏", county, grants)


def test_scopes_are_the_widest_areas_least_first():
    caller = holding((Role.grid_worker, CELL), (Role.community_worker, COMMUNITY), (Role.grid_worker, OTHER_COMMUNITY))

    assert caller.scopes == (OTHER_COMMUNITY, COMMUNITY)


def test_a_volunteer_holds_no_area():
    assert holding((Role.volunteer, COUNTY)).scopes == ()


def test_an_account_without_an_area_gets_settings_that_open_nothing():
    settings = holding((Role.volunteer, COUNTY)).scope_settings

    assert "app.scopes = ''" in settings
    assert "app.lo = ''" in settings
    assert "app.hi = ''" in settings


def test_the_range_reaches_from_the_least_scope_to_the_end_of_the_greatest():
    settings = holding((Role.grid_worker, NEIGHBOUR), (Role.grid_worker, CELL)).scope_settings

    assert f"app.scopes = '{CELL},{NEIGHBOUR}'" in settings
    assert f"app.lo = '{CELL}'" in settings
    assert f"app.hi = '{NEIGHBOUR}:'" in settings


@pytest.mark.parametrize(
    "area",
    ["6103301", "61033010000", COMMUNITY + "1", "", "610330'; SET ROLE postgres; --", "６１０３３０", "610330\n"],
    ids=["seven", "eleven", "thirteen", "empty", "quoted", "full width", "newline"],
)
def test_only_codes_on_a_level_become_a_scope(area):
    with pytest.raises(ValueError, match="not a place code"):
        _ = holding((Role.grid_worker, area)).scope_settings
    with pytest.raises(ValueError, match="not a place code"):
        _ = holding((Role.grid_worker, CELL), county=area).scope_settings


@pytest.mark.parametrize("role", [Role.auditor, Role.partner, Role.volunteer])
def test_who_only_reads_may_write_nowhere(role):
    assert not holding((role, COUNTY)).may_write_in(CELL)


def test_a_worker_writes_in_their_area_only():
    worker = holding((Role.grid_worker, CELL), (Role.auditor, COUNTY))

    assert worker.may_write_in(CELL)
    assert not worker.may_write_in(NEIGHBOUR)


def test_the_county_itself_reaches_its_whole_county():
    assert system_caller(COUNTY).scopes == (COUNTY,)
