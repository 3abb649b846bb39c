"""Java as the Android adapters meet it, without a phone: classes that a test fills in, answers from another thread."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from mobile.device.android.java import Methods


class JavaProblem(Exception):
    """As pyjnius raises what Java throws."""

    def __init__(self, classname: str) -> None:
        super().__init__(classname)
        self.classname = classname


@dataclass(eq=False)
class Implemented:
    interface: str
    methods: Methods

    def call(self, name: str, *given: Any, signature: str = "") -> Any:
        (answer,) = (
            answer for (called, types), answer in self.methods.items() if called == name and signature in types
        )
        return answer(*given)

    def call_from_java(self, name: str, *given: Any, signature: str = "") -> None:
        """On a thread that is not the event loop's, as Android's own is."""
        thread = threading.Thread(target=self.call, args=(name, *given), kwargs={"signature": signature})
        thread.start()
        thread.join()


class Recorder:
    """A Java object of which only the calls matter. What it should answer is given by name."""

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given: self.calls.append((name, *given))

    def given(self, name: str) -> list[Any]:
        """The arguments of every call of this name."""
        return [call[1:] for call in self.calls if call[0] == name]


class FakeActivity(Recorder):
    """PythonActivity on a phone whose user answers the system's questions from `allows`."""

    def __init__(self, allows: set[str] = frozenset(), services: dict[str, Any] | None = None, **answers: Any) -> None:
        super().__init__(**answers)
        self.allows, self.allowed, self.services = set(allows), set(), services or {}
        self.questions: list[list[str]] = []
        self.permission_listener: Any = None
        self.result_listener: Any = None

    def getSystemService(self, name: str) -> Any:
        return self.services[name]

    def checkCurrentPermission(self, name: str) -> bool:
        return name in self.allowed

    def addPermissionsCallback(self, listener: Implemented) -> None:
        self.permission_listener = listener

    def requestPermissionsWithRequestCode(self, names: list[str], code: int) -> None:
        self.questions.append(names)
        self.allowed |= self.allows & set(names)
        self.permission_listener.call_from_java("onRequestPermissionsResult", code, names, [])

    def registerActivityResultListener(self, listener: Implemented) -> None:
        self.result_listener = listener

    def runOnUiThread(self, work: Implemented) -> None:
        work.call_from_java("run")

    def getPackageName(self) -> str:
        return "org.gridhood.gridhood"


@dataclass
class AlertDialog:
    """Android's builder. When shown, somebody presses `press`, or leaves the dialog."""

    press: str = "继续"
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, _context: Any) -> Any:
        parts: dict[str, Any] = {"buttons": {}}
        builder = Recorder()

        def show() -> None:
            self.shown.append(parts)
            if self.press in parts["buttons"]:
                parts["buttons"][self.press].call("onClick", None, 0)
            else:
                parts["cancel"].call("onCancel", None)

        builder.setTitle = lambda title: parts.update(title=title)
        builder.setMessage = lambda message: parts.update(message=message)
        builder.setView = lambda view: parts.update(view=view)
        builder.setPositiveButton = builder.setNegativeButton = lambda word, click: parts["buttons"].update(
            {word: click}
        )
        builder.setOnCancelListener = lambda cancel: parts.update(cancel=cancel)
        window = SimpleNamespace(addFlags=lambda flags: parts.update(flags=flags))
        builder.create = lambda: SimpleNamespace(getWindow=lambda: window, show=show)
        return builder


class FakeJava:
    def __init__(self, activity: FakeActivity, sdk: int = 35, **classes: Any) -> None:
        self.dialog = AlertDialog()
        self.classes: dict[str, Any] = {
            "org.kivy.android.PythonActivity": SimpleNamespace(mActivity=activity),
            "android.os.Build$VERSION": SimpleNamespace(SDK_INT=sdk),
            "android.app.AlertDialog$Builder": self.dialog,
            "java.lang.String": lambda content, charset: content.decode(charset),
            **{name.replace("__", "."): made for name, made in classes.items()},
        }

    def cls(self, name: str) -> Any:
        return self.classes[name]

    def cast(self, name: str, thing: Any) -> Any:
        return thing

    def declare(self, name: str, methods: dict[str, str]) -> None:
        self.declared = {name: methods}

    def implement(self, interface: str, methods: Methods) -> Implemented:
        return Implemented(interface, methods)
