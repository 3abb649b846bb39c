"""The faces the app is drawn with, and how Chinese lines break."""

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from mobile.core import fonts
from mobile.core.icons import CODE_POINTS, FIRST, ICONS, glyph
from mobile.widgets.lines import wrap


@pytest.mark.parametrize("face", ["Text", "Semi"])
def test_both_weights_draw_every_character_a_name_may_have(face: str) -> None:
    with TTFont(fonts.FOLDER / f"{face}.ttf", lazy=True) as font:
        characters = font.getBestCmap()

    # 喆 堃 珺 玥 昇 are missing in GB2312; 㛃 𬭎 in GBK.
    assert not [c for c in "邻格喆堃珺玥昇㛃𬭎，。（）0129AaZz●–·" if ord(c) not in characters]
    assert len(characters) > 30_000


@pytest.mark.parametrize("face", ["Text", "Semi"])
def test_the_line_box_is_one_and_two_fifths_of_an_em(face: str) -> None:
    with TTFont(fonts.FOLDER / f"{face}.ttf", lazy=True) as font:
        em, hhea, os2 = font["head"].unitsPerEm, font["hhea"], font["OS/2"]

        assert hhea.ascent / em == os2.usWinAscent / em == pytest.approx(1.08)
        assert -hhea.descent / em == os2.usWinDescent / em == pytest.approx(0.32)


@pytest.mark.parametrize("face", ["IconBold", "IconFill"])
def test_every_icon_of_the_list_is_drawn_inside_one_em(face: str) -> None:
    with TTFont(fonts.FOLDER / f"{face}.ttf", lazy=True) as font:
        characters, shapes = font.getBestCmap(), font["glyf"]

        for name, point in CODE_POINTS.items():
            shape = shapes[characters[point]]
            assert shape.numberOfContours > 0, name
            # A round join may reach a hair beyond the box, as in handshake.
            assert shape.xMin > -8, name
            assert shape.xMax < fonts.ICON_EM + 8, name


def test_icons_are_listed_once_and_in_name_order_so_that_code_points_are_stable() -> None:
    assert list(ICONS) == sorted(set(ICONS))
    assert glyph(ICONS[0]) == chr(FIRST)


def test_an_icon_that_is_not_in_the_font_is_a_mistake_and_not_a_box() -> None:
    with pytest.raises(KeyError):
        glyph("unicorn")


def test_fonts_are_made_once_and_licences_lie_beside_them() -> None:
    assert fonts.build() == []
    assert "SIL OPEN FONT LICENSE" in (fonts.FOLDER / "OFL.txt").read_text()
    assert "MIT" in (fonts.FOLDER / "PHOSPHOR-LICENSE.txt").read_text()


def test_a_changed_icon_list_makes_only_the_icon_faces_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in fonts.FOLDER.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "built.json").unlink()
    (tmp_path / "built.json").write_text((fonts.FOLDER / "built.json").read_text().replace("fill", "older"))
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", _Here)

    assert fonts.build(tmp_path) == ["IconFill"]
    assert fonts.build(tmp_path) == []


def test_without_fonts_the_app_says_which_command_makes_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"python -m mobile\.core\.fonts"):
        fonts.register(tmp_path)


class _Here:
    """Runs the work in this process: two icon faces are not worth a pool."""

    def __init__(self, max_workers: int) -> None:
        pass

    def __enter__(self) -> "_Here":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    map = staticmethod(map)


# A fixed measure makes the rules visible: every character is ten wide, a space five.
def _ten(text: str) -> float:
    return sum(5 if c == " " else 10 for c in text)


def test_a_number_stays_with_its_measure_word() -> None:
    assert "600 米" in wrap("离您大约 600 米左右", 60, _ten)
    assert "10\n" not in wrap("一共陪了 10 分钟左右", 70, _ten)


def test_no_line_starts_with_closing_punctuation() -> None:
    lines = wrap("有人陪着就好，不方便不用勉强。", 60, _ten).split("\n")

    assert all(line[0] not in "，。、；：？！）》”’" for line in lines)


def test_the_last_line_is_never_one_character() -> None:
    assert wrap("账号或密码不对再看一眼。", 110, _ten).split("\n")[-1] == "一眼。"


def test_breaks_that_are_there_stay() -> None:
    assert wrap("一共 9 户。\n明天有 4 户。", 500, _ten) == "一共 9 户。\n明天有 4 户。"
