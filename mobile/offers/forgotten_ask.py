"""昨天陪到几点？ below the home screen and the task, until it is answered."""

from kivy.properties import ObjectProperty
from kivy.uix.widget import Widget

from mobile.core.navigation import shell_of
from mobile.offers.forgotten import Forgotten
from mobile.widgets.composed import Ask


class ForgottenAsk(Ask):
    """Three times, 没去成, and 还没结束 for who is still there."""

    vm: Forgotten = ObjectProperty(rebind=True)


def asks_with(screen: Widget, forgotten: Forgotten) -> None:
    """Say on this screen what was answered, while it is the one in sight."""

    def say(_forgotten: Forgotten, sentence: str) -> None:
        if screen.get_parent_window() is not None:
            shell_of(screen).snack(sentence, forgotten.undo_seconds, on_undo=forgotten.undo)

    forgotten.fbind("on_answered", say)
