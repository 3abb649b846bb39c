"""Having the demo county there, at little cost when it is there already."""

from backend.core.db import Database
from backend.core.settings import Keys
from backend.demo.words.places import COUNTY
from backend.grid.founding import is_demo


async def ensure_demo(database: Database, keys: Keys) -> bool:
    """Load the demo county unless there is a county already; say whether a demo county is there now."""
    there = await is_demo(database, COUNTY)
    if there is not None:
        return there
    from backend.demo.load import load_demo  # making a county up needs modules that no later start should pay for

    await load_demo(database, keys)
    return True
