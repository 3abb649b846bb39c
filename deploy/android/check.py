"""What can be known of the Android package without building it: `python -m deploy.android.check`, part of `make check`.

python-for-android's own code resolves the requirements. Each is pinned, at its recipe's version where it has one;
pydantic gets the pydantic-core that it names; nothing that a requirement needs, and nothing that the app imports, is
missing; and the staged app compiles.
"""

import compileall
import logging
import os
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from buildozer.specparser import SpecParser
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.android import imports
from deploy.android.stage import ROOT, stage

SPEC = ROOT / "mobile" / "buildozer.spec"
PHONE = {"python_version": "3.14", "python_full_version": "3.14.2", "sys_platform": "android", "extra": ""}
# Same at both ends of the wire, so that what one side takes the other side reads the same.
SAME_AS_HERE = {"pydantic", "pydantic-core", "httpx"}
# On the phone Kivy is its recipe: what it says of itself is about desktops.
SELF_CONTAINED = {"kivy"}


def main() -> None:
    spec = read(SPEC)
    found = spec_problems(spec)
    with tempfile.TemporaryDirectory() as folder:
        app = stage(Path(folder) / "app", with_fonts=False)
        found += imports.problems(app, set(pins(spec)))
        found += compile_problems(app)
    if found:
        sys.exit("\n".join(f"android: {problem}" for problem in found))


def read(path: Path) -> SpecParser:
    """With buildozer's own reader: it knows lists of its own kind."""
    spec = SpecParser()
    with path.open(encoding="utf-8") as file:
        spec.read_file(file)
    return spec


def pins(spec: SpecParser) -> dict[str, str]:
    """Requirement names as packages are called, with their versions; '' for one that is not pinned."""
    listed = (line.partition("==") for line in spec.getlist("app", "requirements", []) if line)
    return {_package(name): pinned for name, _, pinned in listed}


def _package(name: str) -> str:
    return str(canonicalize_name(name))


def spec_problems(spec: SpecParser) -> list[str]:
    named = pins(spec)
    try:
        recipes, modules = resolve(list(named), spec.get("app", "p4a.bootstrap"))
    except Exception as problem:
        # python-for-android says in words which recipes cannot go together.
        return [f"the requirements do not resolve: {problem}"]
    return [
        *_unpinned(named, modules),
        *_beside_recipe(named, recipes),
        *_other_than_here(named),
        *_missing(named, {*named, *map(_package, [*recipes, *modules])}),
    ]


def resolve(names: list[str], bootstrap: str) -> tuple[dict[str, str], list[str]]:
    """Recipes with their versions, and modules without a recipe, as python-for-android would order and install them."""
    _make_quiet()
    from pythonforandroid.bootstrap import Bootstrap
    from pythonforandroid.build import Context
    from pythonforandroid.graph import get_recipe_order_and_bootstrap
    from pythonforandroid.recipe import Recipe

    context = Context()
    recipes, modules, _ = get_recipe_order_and_bootstrap(context, names, Bootstrap.get_bootstrap(bootstrap, context))
    return {name: Recipe.get_recipe(name, context).version or "" for name in recipes}, modules


def _make_quiet() -> None:
    """It reports each step, and would take the version of a recipe from the environment."""
    for name in [name for name in os.environ if name.startswith("VERSION_")]:
        del os.environ[name]
    from pythonforandroid.logger import logger

    logger.setLevel(logging.ERROR)


def _unpinned(named: dict[str, str], modules: list[str]) -> list[str]:
    packed = {*named, *map(_package, modules)}
    return [f"{name} is packed without a version" for name in sorted(packed) if not named.get(name)]


def _beside_recipe(named: dict[str, str], recipes: dict[str, str]) -> list[str]:
    built = {_package(name): built for name, built in recipes.items()}
    return [
        f"{name} is {pinned} but its recipe builds {built[name]}"
        for name, pinned in named.items()
        if pinned and built.get(name) and built[name] != pinned
    ]


def _other_than_here(named: dict[str, str]) -> list[str]:
    return [
        f"{name} is {named[name]} but tested here is {version(name)}"
        for name in sorted(SAME_AS_HERE & set(named))
        if named[name] != version(name)
    ]


def _missing(named: dict[str, str], packed: set[str]) -> list[str]:
    """What a requirement names in its metadata, with the versions it allows. pip would find this out on the phone's
    Python only, and python-for-android installs without asking."""
    return [problem for name in sorted(set(named) - SELF_CONTAINED) for problem in _needs(name, named, packed)]


def _needs(name: str, named: dict[str, str], packed: set[str]) -> list[str]:
    found = []
    for need in _requirements(name):
        wanted = _package(need.name)
        if wanted not in packed:
            found.append(f"{name} needs {wanted}, which is in no requirement")
        elif named.get(wanted) and named[wanted] not in need.specifier:
            found.append(f"{name} needs {need} but {wanted} is {named[wanted]}")
    return found


def _requirements(name: str) -> list[Requirement]:
    try:
        listed = requires(name) or []
    except PackageNotFoundError:
        # A recipe that is not a package here, such as python3.
        return []
    needs = map(Requirement, listed)
    return [need for need in needs if need.marker is None or need.marker.evaluate(PHONE)]


def compile_problems(app: Path) -> list[str]:
    """Without assertions and docstrings, as a release would be."""
    whole = compileall.compile_dir(app, quiet=1, optimize=2, force=True)
    return [] if whole else ["the staged app does not compile"]


if __name__ == "__main__":
    main()
