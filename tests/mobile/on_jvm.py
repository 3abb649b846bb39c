"""Run by test_android_adapters in a process of its own: the parts of the Android adapters that any Java can show.

pyjnius, the shape of its calls, the cipher and its failures are real. Android's key store is not: the wrapping key is
an ordinary one.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from mobile.device.android.activity import settle
from mobile.device.android.java import Java, Pyjnius, chars
from mobile.device.android.keystore import AndroidKeystore


def fresh_key(java: Java) -> Any:
    generator = java.cls("javax.crypto.KeyGenerator").getInstance("AES")
    generator.init(256)
    return generator.generateKey()


def keystore(folder: Path, java: Java) -> dict[str, object]:
    path, first, other = folder / "key.wrapped", fresh_key(java), fresh_key(java)
    made = AndroidKeystore(path, java, lambda _java, _make: first).key()
    kept = path.read_bytes()
    again = AndroidKeystore(path, java, lambda _java, _make: first).key()
    elsewhere = AndroidKeystore(path, java, lambda _java, _make: other).key()
    lost = path.with_suffix(".lost").read_bytes()
    return {
        "bytes": len(made),
        "same_again": again == made,
        "readable_in_file": made in kept,
        "mode": oct(path.stat().st_mode & 0o777),
        "new_on_another_phone": elsewhere != made,
        "old_one_put_aside": lost == kept,
        "new_after_lost_alias": _without_alias(path, java) != elsewhere,
        "kept_through_a_passing_failure": _passing_failure(path, java),
    }


def _without_alias(path: Path, java: Java) -> bytes:
    key = fresh_key(java)
    return AndroidKeystore(path, java, lambda _java, make: key if make else None).key()


def _passing_failure(path: Path, java: Java) -> bool:
    before = path.read_bytes()
    wrong_kind = java.cls("javax.crypto.KeyGenerator").getInstance("HmacSHA256").generateKey()
    try:
        AndroidKeystore(path, java, lambda _java, _make: wrong_kind).key()
    except Exception:
        return path.read_bytes() == before
    return False


async def calls(java: Java) -> dict[str, object]:
    """A call from a thread of Java's, two overloads of one name, and characters that need four bytes."""
    answer = asyncio.get_running_loop().create_future()
    run = java.implement("java.lang.Runnable", {("run", "()V"): lambda: settle(answer, "from Java's thread")})
    _pool(java).execute(run)
    overloads: list[str] = []
    pile = java.implement(
        "java.util.Collection",
        {
            ("toArray", "()[Ljava/lang/Object;"): lambda: overloads.append("plain") or [],
            ("toArray", "([Ljava/lang/Object;)[Ljava/lang/Object;"): lambda given: overloads.append("given") or given,
        },
    )
    outer = java.cls("java.util.Collections").unmodifiableCollection(pile)
    outer.toArray()
    outer.toArray([])
    return {
        "called": await asyncio.wait_for(answer, 20),
        "overloads": overloads,
        "can_be_held": len({run, pile}) == 2,
        "text": chars(java, "𬭎先生").toString(),
    }


def _pool(java: Java) -> Any:
    """Its `execute` takes a Runnable or a ForkJoinTask: what pyjnius cannot tell apart by itself."""
    java.declare("java.util.concurrent.ForkJoinPool", {"execute": "(Ljava/lang/Runnable;)V"})
    return java.cast(
        "java.util.concurrent.ForkJoinPool", java.cls("java.util.concurrent.Executors").newWorkStealingPool()
    )


if __name__ == "__main__":
    seen = Pyjnius()
    print(json.dumps({**keystore(Path(sys.argv[1]), seen), **asyncio.run(calls(seen))}))  # noqa: T201
