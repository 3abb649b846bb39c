"""Finds Chinese that goes round the catalogue: in Python, kv, page templates and scripts."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u3001-\u303f\u3400-\u9fff\uff01-\uff65]")

NOT_TEXTS = {
    "shared/code_entries.py": "national standards: their names are data, the same in every language",
    "shared/codes.py": "the heads of those standards, as published",
    "backend/core/docs.py": "the API reference's title",
    "backend/demo": "a made-up county: names, places and what people said",
    "backend/imports/columns.py": "headers that are recognised in somebody's sheet",
    "backend/imports/words.py": "words that are recognised in somebody's sheet",
    "backend/imports/dates.py": "dates that are recognised in somebody's sheet",
    "backend/imports/checks.py:_ADDRESS": "addresses that are recognised in somebody's sheet",
    "backend/imports/sheets.py:_TOTALS": "rows that are recognised in somebody's sheet",
    "backend/imports/workbook.py:NO_VALUE": "a mark between two steps that nobody is shown",
    "backend/imports/workbook.py:_text": "a tick in a sheet, written as the next step reads it",
    "backend/exports/words.py:_BEGINS_A_FORMULA": "characters that a spreadsheet would take for a formula",
    "mobile/widgets/lines.py": "where Chinese lines may break",
}
"""Chinese that is no text, with the reason: a folder, a module, or one name in it."""

# What FastAPI and pydantic put into the API reference, which is written for developers in one language.
_REFERENCE = {
    "description", "summary", "tags", "examples", "openapi_examples", "json_schema_extra", "responses", "openapi_extra",
}  # fmt: skip


def in_python(source: str, path: str) -> Iterator[ast.expr]:
    """Literals of a module that are shown to somebody and do not come from the catalogue."""
    tree = ast.parse(source)
    for node in tree.body:
        if any(f"{path}:{name}" in NOT_TEXTS for name in _names(node)):
            continue
        yield from _bare(node, reference=not path.startswith("mobile/"))


def shadowed(source: str) -> list[int]:
    """Lines that ask the catalogue where `_` is a name of their own: they would fail when they are reached."""
    return [line for scope in _scopes(ast.parse(source)) if "_" in scope.bound for line in scope.asks]


def in_kv(source: str) -> list[tuple[int, str]]:
    lines = (line if not line.lstrip().startswith("#") else "" for line in source.splitlines())
    return [(number, text) for number, line in enumerate(lines, 1) for text in _kv_literals(line)]


def in_template(source: str) -> list[tuple[int, str]]:
    source = re.sub(r"\{#.*?#\}", _blank, source, flags=re.DOTALL)
    source = re.sub(r"\{% trans.*?endtrans %\}", _blank, source, flags=re.DOTALL)
    source = re.sub(r"""\b_\(("[^"]*"|'[^']*')\)""", _blank, source)
    return [(number, line) for number, line in enumerate(source.splitlines(), 1) if CHINESE.search(line)]


def in_script(source: str) -> list[tuple[int, str]]:
    lines = (re.sub(r"(^|\s)//.*", "", line) for line in source.splitlines())
    return [(number, line) for number, line in enumerate(lines, 1) if CHINESE.search(line)]


def files(*suffixes: str) -> list[Path]:
    """Every file of these kinds in which texts stand, listed data left out."""
    found = (file for room in ("mobile", "shared", "backend") for file in sorted((ROOT / room).rglob("*")))
    return [file for file in found if file.suffix in suffixes and not _is_data(file)]


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _is_data(file: Path) -> bool:
    name = name_of(file)
    return any(name == listed or name.startswith(f"{listed}/") for listed in NOT_TEXTS)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _bare(node: ast.AST, *, reference: bool) -> Iterator[ast.expr]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.JoinedStr) or _is_text(node):
        if CHINESE.search(ast.unparse(node)):
            yield node
        return
    for child in _asked(node, reference=reference):
        yield from _bare(child, reference=reference)


def _asked(node: ast.AST, *, reference: bool) -> Iterator[ast.AST]:
    """The parts of a node in which a text may stand."""
    if isinstance(node, ast.Dict) and reference:
        described = (isinstance(key, ast.Constant) and key.value in _REFERENCE for key in node.keys)
        parts = zip(node.keys, node.values, described, strict=True)
        yield from (part for key, value, is_described in parts if not is_described for part in (key, value) if part)
        return
    if not isinstance(node, ast.Call):
        yield from ast.iter_child_nodes(node)
        return
    called = ast.unparse(node.func)
    yield node.func
    if called == "_" and len(node.args) == 1 and _is_text(node.args[0]):
        return
    if reference and called == "example":
        return
    if called.startswith("re."):
        yield from node.args[1:]  # after the pattern
    elif ".str." not in called:  # a pattern for a column of a sheet
        yield from node.args
    for keyword in node.keywords:
        described = keyword.arg in _REFERENCE or (called == "FastAPI" and keyword.arg == "title")
        if not (reference and described):
            yield keyword.value


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


class _Scope:
    """A function, lambda, comprehension or module: which names it binds, and where it asks the catalogue."""

    def __init__(self, node: ast.AST) -> None:
        self.bound: set[str] = set()
        self.asks: list[int] = []
        self.inner: list[ast.AST] = []
        for child in ast.iter_child_nodes(node):
            self._read(child)

    def _read(self, node: ast.AST) -> None:
        if isinstance(node, ast.arg):
            self.bound.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            self.asks.append(node.lineno)
        if isinstance(node, _OPENS_A_SCOPE):
            self.inner.append(node)
        else:
            for child in ast.iter_child_nodes(node):
                self._read(child)


_OPENS_A_SCOPE = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip


def _scopes(node: ast.AST, outer: frozenset[str] = frozenset()) -> Iterator[_Scope]:
    scope = _Scope(node)
    scope.bound |= outer
    yield scope
    for inner in scope.inner:
        yield from _scopes(inner, frozenset(scope.bound))


def _kv_literals(line: str) -> Iterator[str]:
    """String tokens with Chinese that no `_(` stands before."""
    before = ("", "")
    with_line = io.StringIO(line.strip())
    try:
        for token in tokenize.generate_tokens(with_line.readline):
            if token.type == tokenize.STRING and CHINESE.search(token.string) and before != ("_", "("):
                yield token.string
            before = (before[1], token.string)
    except (tokenize.TokenError, IndentationError):
        # A line that goes on in the next one: its tokens have been seen.
        return


def _blank(hit: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", hit[0])
