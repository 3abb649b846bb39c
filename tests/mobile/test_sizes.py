"""Every screen of the volunteers and of everybody, at every letter size."""

from pathlib import Path

import pytest

from tests.mobile import test_common_screens as common
from tests.mobile import test_volunteer_screens as volunteers
from tests.mobile.app_parts import Shown, shown, stands_all_sizes

pytestmark = pytest.mark.display

SCREENS: dict[str, Shown] = {
    **{f"common-{name}": show for name, show in common.SCREENS.items()},
    **{f"volunteer-{name}": show for name, show in volunteers.SCREENS.items()},
}


@pytest.mark.parametrize("name", SCREENS)
async def test_no_word_is_cut_at_any_letter_size(phone, tmp_path: Path, name: str) -> None:
    ctx, show = await SCREENS[name](tmp_path)
    async with shown(phone, ctx) as p:
        await show(p)

        await stands_all_sizes(p, ctx, name)
