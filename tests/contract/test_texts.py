"""Every text that somebody reads comes from the catalogue, and the catalogue is what the sources say."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from deploy.android.stage import stage
from deploy.texts import catalogues
from tests.contract import chinese

MARKED = "⟦{}⟧"


def test_every_chinese_literal_in_python_comes_from_the_catalogue():
    found = {
        f"{chinese.name_of(file)}:{literal.lineno}": ast.unparse(literal)
        for file in chinese.files(".py")
        for literal in chinese.in_python(file.read_text(encoding="utf-8"), chinese.name_of(file))
    }

    assert found == {}


@pytest.mark.parametrize(
    ("suffix", "reader"),
    [(".kv", chinese.in_kv), (".html", chinese.in_template), (".js", chinese.in_script)],
    ids=["kv", "templates", "scripts"],
)
def test_every_chinese_word_of_a_screen_or_page_comes_from_the_catalogue(suffix, reader):
    found = {
        f"{chinese.name_of(file)}:{line}": text
        for file in chinese.files(suffix)
        for line, text in reader(file.read_text(encoding="utf-8"))
    }

    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        'title = "我的"',
        'say(f"还有 {count} 户")',
        'say("、".join(names))',
        "WORDS = {1: '户'}",
        'say(_(f"还有 {n} 户"))',
    ],
)
def test_a_literal_that_goes_round_the_catalogue_would_be_found(line):
    assert list(chinese.in_python(line, "mobile/visits/form.py"))


@pytest.mark.parametrize(
    "line", ['"""走访."""', 'title = _("我的")', '_("还有 {count} 户").format(count=1)', 're.compile("第[0-9]+网格")']
)
def test_what_needs_no_catalogue_is_let_through(line):
    assert not list(chinese.in_python(line, "mobile/visits/form.py"))


def test_an_api_description_is_no_text_and_a_widget_title_is():
    field = 'name: str = Field(description="姓名")'

    assert not list(chinese.in_python(field, "shared/residents.py"))
    assert list(chinese.in_python(field, "mobile/residents/form.py"))


@pytest.mark.parametrize(
    ("reader", "line"),
    [
        (chinese.in_kv, "    text: '今日走访'"),
        (chinese.in_kv, "    text: _('是') if root.yes else '否'"),
        (chinese.in_template, "<p>在哪个县？</p>"),
        (chinese.in_template, '<p title="县">{{ _("在哪个县？") }}</p>'),
        (chinese.in_script, 'said.textContent = "正在定位…";'),
    ],
)
def test_a_bare_word_of_a_screen_or_page_would_be_found(reader, line):
    assert reader(line)


def test_no_function_asks_the_catalogue_by_a_name_that_it_uses_for_something_else():
    found = {
        f"{chinese.name_of(file)}:{line}"
        for file in chinese.files(".py")
        for line in chinese.shadowed(file.read_text(encoding="utf-8"))
    }

    assert found == set()
    assert chinese.shadowed('def show(*_):\n    say(_("我的"))\n') == [2]


def test_the_catalogues_hold_what_the_sources_say():
    now = catalogues.extracted()
    files = [catalogues.template(), *catalogues.translations()]

    assert [file.name for file in files if not catalogues.same(catalogues.read(file), now)] == [], "run make texts"


def test_a_catalogue_that_lacks_a_text_is_not_up_to_date():
    now, older = catalogues.extracted(), catalogues.extracted()
    older.delete(next(text.id for text in older if text.id))

    assert not catalogues.same(older, now)


def test_every_translation_keeps_the_places_of_its_text():
    assert [problem for file in catalogues.translations() for problem in catalogues.problems(file)] == []


@pytest.mark.parametrize("words", ["还剩 {conut} 户", "还剩几户", "还剩 {count 户", "{count} {count} 户"])
def test_words_that_would_break_a_sentence_are_refused(tmp_path, words):
    po = tmp_path / "zh" / "LC_MESSAGES" / "gridhood.po"
    po.parent.mkdir(parents=True)
    po.write_text(f'#, python-brace-format\nmsgid "还有 {{count}} 户"\nmsgstr "{words}"\n', encoding="utf-8")

    with pytest.raises(SystemExit, match="places"):
        catalogues.compile_all(tmp_path, locale=tmp_path)


@pytest.fixture(scope="module")
def marked(tmp_path_factory) -> Path:
    """The project with a language in which every text stands between two marks."""
    root = tmp_path_factory.mktemp("marked")
    (root / "shared").mkdir()
    for name in ("backend", "mobile", "tests", "deploy"):
        (root / name).symlink_to(chinese.ROOT / name)
    for file in (chinese.ROOT / "shared").iterdir():
        if file.name not in {"locale", "__pycache__"}:
            (root / "shared" / file.name).symlink_to(file)
    words = Catalog(locale="zh")
    for message in catalogues.extracted():
        if message.id:
            words.add(message.id, MARKED.format(message.id))
    mo = root / "shared" / "locale" / "marked" / "LC_MESSAGES" / "gridhood.mo"
    mo.parent.mkdir(parents=True)
    with mo.open("wb") as opened:
        write_mo(opened, words)
    return root


def run(root: Path, module: str, language: str, *arguments: str) -> dict[str, list[str]]:
    """What a process in that language says it showed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "GRIDHOOD_LANGUAGE": language, "SDL_VIDEODRIVER": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.display
def test_what_the_phone_shows_comes_from_the_catalogue(marked):
    screens = run(marked, "tests.contract.phone_texts", "marked")

    assert set(screens) == {"login", "today", "grid", "report", "me"}
    for screen, texts in screens.items():
        assert [text for text in texts if chinese.CHINESE.search(outside_marks(text))] == [], screen
        assert any("⟦" in text for text in texts), screen


def test_what_the_server_says_comes_from_the_catalogue(marked, database_url):
    said = run(marked, "tests.contract.server_texts", "marked", database_url)

    assert said["refusal"] == ["⟦请先登录。⟧"]
    assert "⟦账号⟧" in said["page"][0]
    assert not chinese.CHINESE.search(outside_marks(said["page"][0]))


@pytest.mark.parametrize("broken", [b"", b"\xde\x12\x04\x95", b"words"])
def test_a_broken_or_missing_catalogue_leaves_the_chinese_of_the_source(marked, database_url, broken):
    folder = marked / "shared" / "locale" / "broken" / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gridhood.mo").write_bytes(broken)

    assert run(marked, "tests.contract.server_texts", "broken", database_url)["refusal"] == ["请先登录。"]
    assert run(marked, "tests.contract.server_texts", "nowhere", database_url)["refusal"] == ["请先登录。"]


def test_the_android_package_brings_its_catalogue(tmp_path):
    app = stage(tmp_path / "app", with_fonts=False)

    assert (app / "shared" / "locale" / "zh" / "LC_MESSAGES" / "gridhood.mo").exists()


def outside_marks(text: str) -> str:
    """What is left when the innermost marked stretches are taken out until none is."""
    depth, left = 0, []
    for letter in text:
        depth += (letter == "⟦") - (letter == "⟧")
        if depth == 0 and letter != "⟧":
            left.append(letter)
    return "".join(left)
