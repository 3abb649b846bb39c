"""Reads the texts of Kivy's kv files for Babel."""

import ast
import re
from collections.abc import Collection, Iterator
from typing import IO, Any

_LITERAL = r"(?:'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
_ASKED = re.compile(rf"(?<![\w.])_\(\s*((?:{_LITERAL}\s*)+)\)")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)

Message = tuple[int, str, str, list[str]]


def extract(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[Message]:
    """Babel's interface: line, function, text and comments of every `_('…')`."""
    source = _COMMENT.sub("", file.read().decode("utf-8"))
    for asked in _ASKED.finditer(source):
        yield source.count("\n", 0, asked.start()) + 1, "_", ast.literal_eval(f"({asked[1]})"), []
