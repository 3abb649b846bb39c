"""Lay out what goes into the Android package: `python -m deploy.android.stage`.

The phone, the wire models, the compiled texts and the built fonts, and a main.py that starts them. Left out: pictures
for README, and what stands in for a phone on a desktop, so that no package can ever keep its key in a plain file.
"""

import shutil
from pathlib import Path

from deploy.texts import catalogues

ROOT = Path(__file__).parents[2]
APP = ROOT / "build" / "android" / "app"
FONTS = ("Text.ttf", "Semi.ttf", "IconBold.ttf", "IconFill.ttf", "OFL.txt", "PHOSPHOR-LICENSE.txt", "built.json")
KINDS = {".py", ".kv", ".json", ".txt"}
LEFT_OUT = {Path("mobile/device/desktop.py"), Path("mobile/device/fakes.py")}

MAIN = '''"""Where python-for-android begins."""

from mobile.main import main

main([])
'''


def stage(app: Path = APP, *, with_fonts: bool = True) -> Path:
    """Empty the folder and fill it. Without fonts it can be looked at, not shipped."""
    shutil.rmtree(app, ignore_errors=True)
    app.mkdir(parents=True)
    for file in sources():
        _copy(file, app)
    catalogues.compile_all(app / "shared" / "locale")
    if with_fonts:
        _stage_fonts(app)
    (app / "main.py").write_text(MAIN, encoding="utf-8")
    return app


def sources() -> list[Path]:
    """Every file of the app, relative to the project."""
    found = (file for room in ("mobile", "shared") for file in (ROOT / room).rglob("*") if file.suffix in KINDS)
    files = (file.relative_to(ROOT) for file in found)
    return sorted(file for file in files if file not in LEFT_OUT and file.parts[:2] != ("mobile", "fonts"))


def _stage_fonts(app: Path) -> None:
    fonts = Path("mobile") / "fonts"
    missing = [name for name in FONTS if not (ROOT / fonts / name).exists()]
    if missing:
        raise SystemExit(f"no fonts to stage ({', '.join(missing)}): run make setup first")
    for name in FONTS:
        _copy(fonts / name, app)


def _copy(file: Path, app: Path) -> None:
    (app / file).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / file, app / file)


if __name__ == "__main__":
    stage()
