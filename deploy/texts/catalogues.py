"""The catalogues of `shared/locale`: brought up to date with the sources, checked, and compiled.

The key of a text is its Chinese, so a sentence that changes is a new one: nothing is guessed from what is similar, and
the words that somebody gave the old one stay in the file as obsolete.
"""

import os
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from deploy.texts import kv

ROOT = Path(__file__).parents[2]
LOCALE = ROOT / "shared" / "locale"
DOMAIN = "gridhood"
ROOMS = ("backend", "mobile", "shared")
METHODS = [("**.py", "python"), ("**.kv", kv.extract), ("**/templates/**.html", "jinja2.ext:babel_extract")]
# What pages write as {% trans %} reaches Babel as `gettext`.
ASKED_BY = {"_": None, "gettext": None}
_HEADER = """\
# Gridhood 邻格. An empty msgstr says it as the source does.
# `make texts` brings this file up to date, `make setup` puts it to use."""


def extracted(root: Path = ROOT) -> Catalog:
    """Every text of the sources, with the files it stands in."""
    catalogue = Catalog(project="Gridhood", domain=DOMAIN, header_comment=_HEADER, charset="utf-8")
    for room in ROOMS:
        found = extract_from_dir(root / room, METHODS, keywords=ASKED_BY)
        for file, _line, text, comments, context in sorted(found, key=lambda each: each[:2]):
            # Without lines: they change with every edit, and the file says enough.
            catalogue.add(
                text, locations=[(f"{room}/{Path(file).as_posix()}", 1)], auto_comments=comments, context=context
            )
    for message in catalogue:
        message.locations = list(dict.fromkeys(message.locations))
    return catalogue


def template() -> Path:
    return LOCALE / f"{DOMAIN}.pot"


def translations(locale: Path = LOCALE) -> list[Path]:
    return sorted(locale.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def update() -> list[Path]:
    """Write what has changed, and say which files those were."""
    now = extracted()
    changed = []
    if not template().exists() or not same(read(template()), now):
        now.creation_date = datetime.now(UTC)
        _write(template(), now)
        changed.append(template())
    for file in translations():
        words = read(file)
        if not same(words, now):
            words.update(now, no_fuzzy_matching=True, update_header_comment=True)
            for key in [key for key, gone in words.obsolete.items() if not gone.string]:
                del words.obsolete[key]
            _write(file, words)
            changed.append(file)
    return changed


def same(one: Catalog, other: Catalog) -> bool:
    """Whether both hold the same texts from the same files."""
    return _contents(one) == _contents(other)


def _contents(catalogue: Catalog) -> set[tuple[str, frozenset[str]]]:
    return {(str(each.id), frozenset(file for file, _line in each.locations)) for each in catalogue if each.id}


def read(file: Path) -> Catalog:
    with file.open("rb") as opened:
        return read_po(opened, locale=None if file.suffix == ".pot" else _language(file), domain=DOMAIN)


def _language(file: Path) -> str:
    return file.parent.parent.name


def _write(file: Path, catalogue: Catalog) -> None:
    with file.open("wb") as opened:
        write_po(opened, catalogue, width=120, sort_by_file=True, include_lineno=False)


def problems(file: Path) -> list[str]:
    """What would go wrong with these words on a screen: places that are missing, or that nobody fills."""
    return [f"{file.parent.parent.name}: {problem}" for problem in problems_of(read(file))]


def problems_of(catalogue: Catalog) -> Iterator[str]:
    for message in catalogue:
        if message.id and message.string:
            for problem in message.check(catalogue):
                yield f"{message.id!r}: {problem}"
            if places(str(message.id)) != places(str(message.string)) and "python-brace-format" in message.flags:
                yield f"{message.id!r}: the places are not those of {message.string!r}"


def places(text: str) -> list[str]:
    """The names in braces, sorted; a text that cannot be read has none that fit."""
    try:
        return sorted(name for _text, name, _spec, _how in string.Formatter().parse(text) if name is not None)
    except ValueError:
        return [text]


def compile_all(into: Path = LOCALE, *, locale: Path = LOCALE) -> list[Path]:
    """Put every catalogue to use; one that would break a sentence is refused."""
    made = []
    for file in translations(locale):
        found = problems(file)
        if found:
            raise SystemExit("\n".join(found))
        target = into / file.relative_to(locale).with_suffix(".mo")
        target.parent.mkdir(parents=True, exist_ok=True)
        # As a whole: a server that starts at this moment reads the old words or the new ones.
        beside = target.with_suffix(".new")
        with beside.open("wb") as opened:
            write_mo(opened, read(file))
        os.replace(beside, target)
        made.append(target)
    return made
