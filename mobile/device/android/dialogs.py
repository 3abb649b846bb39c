"""Android's own dialogs: a text field that every keyboard understands, and a reason before the system's question."""

import asyncio
from collections.abc import Callable
from typing import Any

from mobile.device.android.activity import Activity, settle
from mobile.device.android.java import chars
from mobile.device.android.privacy import hide
from shared.texts import _

CLICK = ("onClick", "(Landroid/content/DialogInterface;I)V")
CANCEL = ("onCancel", "(Landroid/content/DialogInterface;)V")
# android.text.InputType: TYPE_CLASS_TEXT, TYPE_TEXT_FLAG_MULTI_LINE
PLAIN_TEXT, SEVERAL_LINES = 0x1, 0x20000


class Dialog:
    """One dialog, from showing it to its answer. It holds what Java calls, so it has to live that long."""

    def __init__(self, activity: Activity) -> None:
        self._activity, self._java = activity, activity.java
        self._answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._held: list[Any] = []

    async def answer(self, fill: Callable[["Dialog", Any], None]) -> Any:
        """Show what `fill` puts into the builder. Called on Android's thread, it may make Android's widgets."""
        self._activity.on_ui(lambda: self._show(fill))
        return await self._answer

    def button(self, add: Callable[[Any, Any], Any], words: str, answer: Callable[[], object]) -> None:
        click = self._java.implement(
            "android.content.DialogInterface$OnClickListener", {CLICK: lambda *_: settle(self._answer, answer())}
        )
        self._held.append(click)
        add(chars(self._java, words), click)

    def _show(self, fill: Callable[["Dialog", Any], None]) -> None:
        try:
            builder = self._java.cls("android.app.AlertDialog$Builder")(self._activity.context)
            fill(self, builder)
            self._on_cancel(builder)
            shown = builder.create()
            # What is asked may be about a resident, and so is what is written.
            hide(shown.getWindow())
            shown.show()
        except Exception as problem:
            # Raised here it would end the app on a thread where nobody listens.
            settle(self._answer, problem)

    def _on_cancel(self, builder: Any) -> None:
        cancel = self._java.implement(
            "android.content.DialogInterface$OnCancelListener", {CANCEL: lambda *_: settle(self._answer, None)}
        )
        self._held.append(cancel)
        builder.setOnCancelListener(cancel)


async def explain(activity: Activity, title: str, reason: str) -> bool:
    """Say why something is about to be asked for; False when it was waved away."""

    def fill(dialog: Dialog, builder: Any) -> None:
        builder.setTitle(chars(activity.java, title))
        builder.setMessage(chars(activity.java, reason))
        dialog.button(builder.setPositiveButton, _("继续"), lambda: True)
        dialog.button(builder.setNegativeButton, _("暂不"), lambda: None)

    return bool(await Dialog(activity).answer(fill))


class AndroidTextDialog:
    """The way out where a keyboard and Kivy's own field do not understand each other."""

    available = True

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    async def ask(self, title: str, given: str, *, multiline: bool) -> str | None:
        def fill(dialog: Dialog, builder: Any) -> None:
            field = self._field(given, multiline)
            builder.setTitle(chars(self._activity.java, title))
            builder.setView(self._activity.java.cast("android.view.View", field))
            dialog.button(builder.setPositiveButton, _("写好了"), lambda: str(field.getText().toString()))
            dialog.button(builder.setNegativeButton, _("取消"), lambda: None)

        written: str | None = await Dialog(self._activity).answer(fill)
        return written

    def _field(self, given: str, multiline: bool) -> Any:
        field = self._activity.java.cls("android.widget.EditText")(self._activity.context)
        field.setInputType(PLAIN_TEXT | SEVERAL_LINES if multiline else PLAIN_TEXT)
        field.setText(chars(self._activity.java, given))
        field.setSelection(field.length())
        return field
