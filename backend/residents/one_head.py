"""A household has one head: the database keeps it so, and here its word is put plainly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from backend.core.errors import Refusal
from shared.errors import Code
from shared.texts import _

INDEX: Final = "resident_one_head"
SENTENCE: Final = _("这一户已经有户主了。要换，请用“换户主”，把每个人与新户主的关系一起写上。")


@contextmanager
def one_head() -> Iterator[None]:
    """Refuse what would make a second head; whatever else the database refuses is for others to say."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != INDEX:
            raise
        raise Refusal(Code.one_head, SENTENCE, pointer="/relation") from error
