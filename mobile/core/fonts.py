"""Build the app's fonts from installed packages, and register them with Kivy.

The full Chinese faces are 10 MB each, so they are made at setup instead of being kept in the repository:
`python -m mobile.core.fonts [--force]`.
"""

import argparse
import hashlib
import importlib.resources
import json
import shutil
from importlib.metadata import distribution
from pathlib import Path

from mobile.core.icons import CODE_POINTS

FOLDER = Path(__file__).parent.parent / "fonts"
WEIGHTS = {"Text": 400, "Semi": 600}
ICON_STYLES = {"IconBold": "bold", "IconFill": "fill"}
# Together 1.40 em, so that characters sit in the middle of buttons and chips without padding tricks.
ASCENT, DESCENT = 1.08, 0.32
ICON_EM, SVG_EDGE = 1024, 256
# Layout tables only serve vertical text and other languages here, and cost seconds while instancing.
UNUSED_TABLES = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "HVAR", "vhea", "vmtx", "DSIG")
RECIPE = 1


def build(folder: Path = FOLDER, *, force: bool = False) -> list[str]:
    """Make what is missing or was made by another recipe or icon list; return the names that were made."""
    folder.mkdir(parents=True, exist_ok=True)
    stamps = {} if force else _read_stamps(folder)
    wanted = _wanted_stamps()
    due = [n for n, stamp in wanted.items() if stamps.get(n) != stamp or not (folder / f"{n}.ttf").exists()]
    if due:
        # Only here: a phone has no processes to share, and its Python fails on this import.
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(max_workers=2) as pool:
            list(pool.map(_make, due, [folder] * len(due)))
        _copy_licences(folder)
        (folder / "built.json").write_text(json.dumps(wanted))
    return due


def register(folder: Path = FOLDER) -> None:
    """Name the faces for Kivy. Roboto is replaced too: it is the default of every label and text field."""
    from kivy.core.text import LabelBase

    path = {name: str(folder / f"{name}.ttf") for name in (*WEIGHTS, *ICON_STYLES)}
    if not all(Path(p).exists() for p in path.values()):
        raise FileNotFoundError(f"{folder} has no fonts yet: run python -m mobile.core.fonts")
    for name in ("Roboto", "Text"):
        LabelBase.register(name, path["Text"], fn_italic=path["Text"], fn_bold=path["Semi"], fn_bolditalic=path["Semi"])
    for name in ("Semi", *ICON_STYLES):
        LabelBase.register(name, path[name])


def _read_stamps(folder: Path) -> dict[str, str]:
    stamp = folder / "built.json"
    return dict(json.loads(stamp.read_text())) if stamp.exists() else {}


def _wanted_stamps() -> dict[str, str]:
    icons = hashlib.sha256(" ".join(CODE_POINTS).encode()).hexdigest()[:16]
    return {
        **{name: f"{RECIPE} {weight}" for name, weight in WEIGHTS.items()},
        **{name: f"{RECIPE} {style} {icons}" for name, style in ICON_STYLES.items()},
    }


def _make(name: str, folder: Path) -> None:
    """A half-written font would be taken for a finished one, so the last step is a rename."""
    part = folder / f"{name}.part"
    if name in WEIGHTS:
        _make_chinese(WEIGHTS[name], name, part)
    else:
        _make_icons(ICON_STYLES[name], name, part)
    part.replace(folder / f"{name}.ttf")


def _noto() -> Path:
    # The package names its data folder only by its files.
    return Path(str(importlib.resources.files("justmytype_intl_cjk"))) / "fonts" / "ofl" / "notosanssc"


def _make_chinese(weight: int, name: str, target: Path) -> None:
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    font = TTFont(_noto() / "NotoSansSC[wght].ttf", lazy=True)
    for tag in UNUSED_TABLES:
        if tag in font:
            del font[tag]
    instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True, optimize=False)
    _set_line_box(font, round(ASCENT * font["head"].unitsPerEm), round(DESCENT * font["head"].unitsPerEm))
    font["post"].formatType = 3.0
    # The OFL reserves no name here, but a changed font should not answer to the original one.
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = f"Gridhood {name}"
    font.save(target)


def _set_line_box(font: object, up: int, down: int) -> None:
    hhea, os2 = font["hhea"], font["OS/2"]  # type: ignore[index]
    hhea.ascent, hhea.descent, hhea.lineGap = up, -down, 0
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = up, -down, 0
    os2.usWinAscent, os2.usWinDescent = up, down


def _make_icons(style: str, name: str, target: Path) -> None:
    """The line box is one em and an icon fills it, so an icon of 24 sp is 24 high and needs no nudging."""
    from fontTools.fontBuilder import FontBuilder

    drop = ICON_EM // 8
    glyphs = {".notdef": _empty_glyph(), **{n: _icon_glyph(n, style, drop) for n in CODE_POINTS}}
    builder = FontBuilder(ICON_EM, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({point: n for n, point in CODE_POINTS.items()})
    builder.setupGlyf(glyphs)
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics({n: (ICON_EM, getattr(table[n], "xMin", 0)) for n in glyphs})
    builder.setupHorizontalHeader(ascent=ICON_EM - drop, descent=-drop)
    builder.setupOS2(sTypoAscender=ICON_EM - drop, sTypoDescender=-drop, usWinAscent=ICON_EM - drop, usWinDescent=drop)
    builder.setupNameTable({"familyName": f"Gridhood {name}", "styleName": "Regular"})
    builder.setupPost(keepGlyphNames=False)
    builder.save(str(target))


def _empty_glyph() -> object:
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    return TTGlyphPen(None).glyph()


def _icon_glyph(name: str, style: str, drop: int) -> object:
    """SVG's y runs down and its curves are cubic; a TrueType glyph wants the opposite of both."""
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.svgLib import SVGPath

    flat = importlib.resources.files("py_phosphor_icons") / "svgs" / "flat"
    svg = (flat / style / f"{name}-{style}.svg").read_bytes()
    scale = ICON_EM / SVG_EDGE
    pen = TTGlyphPen(None)
    quadratic = Cu2QuPen(pen, max_err=1.0, reverse_direction=True)
    SVGPath.fromstring(svg).draw(TransformPen(quadratic, (scale, 0, 0, -scale, 0, ICON_EM - drop)))
    return pen.glyph()


def _copy_licences(folder: Path) -> None:
    shutil.copyfile(_noto() / "OFL.txt", folder / "OFL.txt")
    text = distribution("py-phosphor-icons").read_text("licenses/LICENSE")
    heading = "Drawn from Phosphor Icons (https://phosphoricons.com), MIT licence, as packed by py-phosphor-icons:\n\n"
    (folder / "PHOSPHOR-LICENSE.txt").write_text(heading + (text or ""))


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the phone app's fonts")
    parser.add_argument("--force", action="store_true", help="build again although the fonts are there")
    made = build(force=parser.parse_args().force)
    print(f"fonts made: {', '.join(made)}" if made else "fonts are up to date")  # noqa: T201


if __name__ == "__main__":
    main()
