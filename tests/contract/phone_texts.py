"""Run by test_texts in a process of its own, in the language that its environment names: what the screens say."""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mobile import driver

TABS = ("today", "grid", "report", "me")


async def read(folder: Path) -> dict[str, list[str]]:
    # After the driver, which fixes the window.
    from mobile.app import build_shell
    from tests.mobile.app_parts import an_app, signed_in
    from tests.mobile.county import County
    from tests.mobile.phone_parts import me

    # Whose name and cells are no text of ours: they are written without Chinese.
    worker = me(name="Zhang").model_copy(update={"county_name": "Feng"})
    said = {}
    ctx = an_app(folder / "nobody", County(worker))
    async with driver.open_phone(lambda: build_shell(ctx, animate=False)) as phone:
        said["login"] = phone.texts()
        phone.root.close()
        await ctx.close()
    ctx = await signed_in(folder / "worker", County(worker))
    async with driver.open_phone(lambda: build_shell(ctx, animate=False)) as phone:
        for tab in TABS:
            phone.root.tab(tab)
            await phone.settle()
            said[tab] = phone.texts()
        phone.root.close()
        await ctx.close()
    return said


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(asyncio.run(read(Path(folder)))) + "\n")
