"""The seam to Java: what the adapters ask of pyjnius, so that a test can stand where the phone would."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Methods = Mapping[tuple[str, str], Callable[..., Any]]
"""(Java name, JNI signature): what answers. Two overloads of one name are two entries."""


class Java(Protocol):
    def cls(self, name: str) -> Any:
        """The Java class of this name, with dots; an inner one after a $."""

    def cast(self, name: str, thing: Any) -> Any:
        """The same object seen as another class: overloads are chosen by it."""

    def declare(self, name: str, methods: Mapping[str, str]) -> None:
        """Know a class by these methods (with JNI signatures) alone, from here on, also for `cast`.

        pyjnius takes any implemented object for any class when it chooses among overloads, and a wrong choice ends the
        process. Where two differ in nothing else the right one has to be named.
        """

    def implement(self, interface: str, methods: Methods) -> Any:
        """An object that Java can call. Java's reference does not keep it alive: the caller has to."""


class Pyjnius:
    """Java as pyjnius reaches it, on a phone or on a desktop's JVM."""

    def cls(self, name: str) -> Any:
        from jnius import autoclass

        return autoclass(name)

    def cast(self, name: str, thing: Any) -> Any:
        from jnius import cast

        return cast(name, thing)

    def declare(self, name: str, methods: Mapping[str, str]) -> None:
        from jnius import JavaClass, JavaMethod, MetaJavaClass

        members = {called: JavaMethod(signature) for called, signature in methods.items()}
        # pyjnius keeps a register of its classes, and this one takes its place there.
        MetaJavaClass(name.rpartition(".")[2], (JavaClass,), {"__javaclass__": name.replace(".", "/"), **members})

    def implement(self, interface: str, methods: Methods) -> Any:
        from jnius import PythonJavaClass, java_method

        members: dict[str, Any] = {
            "__javainterfaces__": [interface.replace(".", "/")],
            # Classes of the app itself, such as PythonActivity's, are unknown to the system's loader.
            "__javacontext__": "app",
        }
        for place, ((name, signature), answer) in enumerate(methods.items()):
            members[f"{name}_{place}"] = java_method(signature, name=name)(_method(answer))
        return type("Implemented", (PythonJavaClass,), members)()


def _method(answer: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _self, *given: answer(*given)


def thrown(problem: BaseException) -> str:
    """The class of a Java exception without its package; of any other problem nothing."""
    return str(getattr(problem, "classname", None) or "").rpartition(".")[2]


def chars(java: Java, words: str) -> Any:
    """Words as a CharSequence. Spelt out in UTF-8: rare characters of names are lost on pyjnius's own way."""
    return java.cast("java.lang.CharSequence", java.cls("java.lang.String")(words.encode(), "UTF-8"))
