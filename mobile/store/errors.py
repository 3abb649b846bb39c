"""Why a store cannot be opened or written to, in the words a person reads."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from shared.texts import _


class StoreProblem(Exception):
    """The file is left as it is."""

    sentence = _("手机里的资料打不开。")


class NoRoom(StoreProblem):
    """The disk took nothing more. What was stored before is all there."""

    sentence = _("手机存满了，刚才这一下没有存上。请腾出一些地方再试；以前记的都还在。")


class NewerStore(StoreProblem):
    """A newer version of the app has written it: an older one would not know what it overlooks."""

    sentence = _("手机里的资料是新版应用存的，这一版打不开。请先更新应用；资料一点没动。")


class Unreadable(StoreProblem):
    """Nothing this app could do would bring its content back."""


class BrokenStore(Unreadable):
    """The file is not what SQLite wrote."""

    sentence = _("手机里的资料坏了，打不开。原来的文件没有删，另放着；没送出的记录可能还在里面，请告诉社区管理员。")


class WrongKey(Unreadable):
    """It was sealed under a key that this phone no longer has."""

    def __init__(self, unsent: int) -> None:
        super().__init__(f"{unsent} operations without an answer")
        self.unsent = unsent
        self.sentence = (
            _(
                "手机的钥匙变了，原来存的打不开，里面有 {unsent} 条没送出的记录，要重新记。原来的文件没有删，另放着。"
            ).format(unsent=unsent)
            if unsent
            else _("手机的钥匙变了，原来存的打不开。里面没有没送出的记录，登录以后会从服务器取回来。")
        )


_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


@contextmanager
def told_of_no_room() -> Iterator[None]:
    """Let a full disk be told from whatever else SQLite may find."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _NO_ROOM:
            raise NoRoom(str(error)) from error
        raise
