"""The Android adapters' own decisions, with a stand-in for the phone's Java.

No phone was near: what Android itself does is not shown here.
"""

import asyncio
import compileall
import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.android.stage import stage
from mobile.device import android, fakes
from mobile.device.android.activity import Activity
from mobile.device.android.camera import AndroidCamera
from mobile.device.android.dialogs import AndroidTextDialog
from mobile.device.android.edges import AndroidEdges
from mobile.device.android.files import AndroidFiles
from mobile.device.android.hands import AndroidClipboard, AndroidDialer, AndroidMaps
from mobile.device.android.keystore import ALIAS, hardware_key
from mobile.device.android.location import MANAGER, AndroidLocation
from mobile.device.android.notifications import AndroidNotifications
from mobile.device.android.permissions import LOCATION, Permissions
from mobile.device.android.privacy import FLAG_SECURE, AndroidPrivacy
from mobile.device.android.speech import AndroidSpeech
from mobile.device.ports import LocationDenied, LocationOff, LocationTimeout, NoPicture
from tests.mobile.java_edge import FakeActivity, FakeJava, JavaProblem, Recorder
from tests.mobile.phone_parts import MORNING, Hands

FINE, COARSE = LOCATION.names
SECOND_NS = 1_000_000_000


def place(lon: float, accuracy: float | None, *, age_s: float = 0, mock: bool = False) -> Any:
    return SimpleNamespace(
        getLongitude=lambda: lon, getLatitude=lambda: 33.9, hasAccuracy=lambda: accuracy is not None,
        getAccuracy=lambda: accuracy, getElapsedRealtimeNanos=lambda: int((1000 - age_s) * SECOND_NS),
        isMock=lambda: mock, isFromMockProvider=lambda: mock,
    )  # fmt: skip


class Receivers(Recorder):
    """LocationManager: tells what it hears to whoever listens, at once and from its own thread."""

    def __init__(self, hears: list[Any], on: tuple[str, ...] = ("gps", "network"), refused: str = "") -> None:
        super().__init__()
        self.hears, self.on, self.refused = hears, on, refused

    def isProviderEnabled(self, name: str) -> bool:
        return name in self.on

    def requestLocationUpdates(self, name: str, _every: int, _apart: float, listener: Any, _looper: Any) -> None:
        if name == self.refused:
            raise JavaProblem("java.lang.SecurityException")
        self.calls.append(("listening", name, listener))
        for heard in self.hears:
            if isinstance(heard, list):
                several = SimpleNamespace(size=lambda heard=heard: len(heard), get=heard.__getitem__)
                listener.call_from_java("onLocationChanged", several, signature="List")
            else:
                listener.call_from_java("onLocationChanged", heard, signature="Location;")
        self.hears = []

    def getLastKnownLocation(self, name: str) -> Any:
        if name == self.refused:
            raise JavaProblem("java.lang.SecurityException")
        return place(106.5, 40, age_s=60) if name == "network" else None


def finder(receivers: Receivers, allows: set[str], sdk: int = 35) -> tuple[AndroidLocation, FakeActivity, FakeJava]:
    activity = FakeActivity(allows, {"location": receivers})
    java = FakeJava(
        activity, sdk,
        android__os__Looper=SimpleNamespace(getMainLooper=lambda: "main"),
        android__os__SystemClock=SimpleNamespace(elapsedRealtimeNanos=lambda: 1000 * SECOND_NS),
    )  # fmt: skip
    shell = Activity(java)
    return AndroidLocation(shell, Permissions(shell), Hands(MORNING)), activity, java


async def test_the_reason_is_said_before_the_system_asks_and_both_kinds_of_place_are_asked_for_together() -> None:
    location, activity, java = finder(Receivers([place(106.5, 8)]), {FINE, COARSE})

    await location.fix(1)

    assert java.dialog.shown[0]["message"] == LOCATION.reason
    assert activity.questions == [[FINE, COARSE]]


async def test_who_gives_only_the_approximate_place_gets_a_rough_position() -> None:
    receivers = Receivers([place(106.5, 2000)], refused="gps")
    location, _, _ = finder(receivers, {COARSE})

    assert (await location.fix(0.05)).accuracy_m == 2000
    assert [name for name, _ in receivers.given("listening")] == ["network"]


@pytest.mark.parametrize("press", ["继续", "暂不", "(left)"])
async def test_a_no_is_taken_and_not_asked_about_again(press: str) -> None:
    location, activity, java = finder(Receivers([place(106.5, 8)]), set())
    java.dialog.press = press

    for _ in range(2):
        with pytest.raises(LocationDenied):
            await location.fix(1)

    assert len(java.dialog.shown) == 1
    assert len(activity.questions) == (press == "继续")


async def test_the_first_good_position_ends_the_waiting_and_the_listening() -> None:
    receivers = Receivers([place(106.1, 500), [place(106.2, 90), place(106.3, 12)], place(106.4, 5)])
    location, _, _ = finder(receivers, {FINE})

    found = await location.fix(60)

    assert (found.lon, found.lat, found.accuracy_m, found.mock) == (106.3, 33.9, 12, False)
    listener = receivers.given("listening")[0][1]
    assert receivers.given("removeUpdates") == [(listener,)]


async def test_at_the_end_of_the_time_the_best_so_far_is_given() -> None:
    location, _, _ = finder(Receivers([place(106.1, 500), place(106.2, 90), place(106.3, None)]), {FINE})

    assert (await location.fix(0.05)).accuracy_m == 90


async def test_the_age_of_a_position_counts_by_the_phones_running_time() -> None:
    location, _, _ = finder(Receivers([place(106.1, 5, age_s=90)]), {FINE})

    assert (await location.fix(1)).taken_at == MORNING - timedelta(seconds=90)


@pytest.mark.parametrize("sdk", [28, 35])
async def test_a_made_up_position_is_said_to_be_one(sdk: int) -> None:
    location, _, _ = finder(Receivers([place(106.1, 5, mock=True)]), {FINE}, sdk)

    assert (await location.fix(1)).mock


async def test_silence_and_switched_off_receivers_are_told_apart() -> None:
    silent, _, _ = finder(Receivers([]), {FINE})
    off, _, _ = finder(Receivers([], on=()), {FINE})

    with pytest.raises(LocationTimeout):
        await silent.fix(0.05)
    with pytest.raises(LocationOff):
        await off.fix(1)


async def test_the_last_place_is_told_without_asking_anybody() -> None:
    location, activity, _ = finder(Receivers([], refused="gps"), {FINE})

    before = location.last()
    activity.allowed = {FINE}

    assert before is None
    assert location.last().taken_at == MORNING - timedelta(seconds=60)
    assert activity.questions == []


async def test_the_listener_has_every_method_of_every_version_of_the_interface() -> None:
    """One that is missing ends the app on the first phone that calls it."""
    receivers = Receivers([place(106.1, 5)])
    location, _, java = finder(receivers, {FINE})
    await location.fix(1)

    # Its other overload takes a PendingIntent: chosen wrongly it ends the process, as a JVM has shown.
    assert java.declared[MANAGER]["removeUpdates"] == "(Landroid/location/LocationListener;)V"
    assert set(receivers.given("listening")[0][1].methods) == {
        ("onLocationChanged", "(Landroid/location/Location;)V"), ("onLocationChanged", "(Ljava/util/List;)V"),
        ("onFlushComplete", "(I)V"), ("onProviderEnabled", "(Ljava/lang/String;)V"),
        ("onProviderDisabled", "(Ljava/lang/String;)V"),
        ("onStatusChanged", "(Ljava/lang/String;ILandroid/os/Bundle;)V"),
    }  # fmt: skip


def camera(folder: Path, result: int | Exception, takes: bytes = b"jpeg") -> tuple[AndroidCamera, list[Any]]:
    shared: list[Any] = []

    def start(intent: Any, code: int) -> None:
        if isinstance(result, Exception):
            raise result
        if takes:
            Path(intent.given("putExtra")[0][1]).write_bytes(takes)
        activity.result_listener.call_from_java("onActivityResult", 1, 0, None)
        activity.result_listener.call_from_java("onActivityResult", code, result, None)

    activity = FakeActivity(
        getCacheDir=lambda: SimpleNamespace(getAbsolutePath=lambda: str(folder)), startActivityForResult=start
    )

    def uri_for(_context: Any, authority: str, file: str) -> str:
        shared.append(authority)
        return file

    intents = type("Intent", (Recorder,), {
        "__init__": lambda self, action: Recorder.__init__(self, action=action),
        "FLAG_GRANT_WRITE_URI_PERMISSION": 2, "FLAG_GRANT_READ_URI_PERMISSION": 1,
    })  # fmt: skip
    java = FakeJava(
        activity, android__content__Intent=intents, java__io__File=str,
        android__provider__MediaStore=SimpleNamespace(ACTION_IMAGE_CAPTURE="capture", EXTRA_OUTPUT="output"),
        androidx__core__content__FileProvider=SimpleNamespace(getUriForFile=uri_for),
    )  # fmt: skip
    return AndroidCamera(Activity(java)), shared


async def test_a_picture_comes_back_and_no_plain_copy_stays_behind(tmp_path: Path) -> None:
    taker, shared = camera(tmp_path, -1)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "left.jpg").write_bytes(b"when the system ended the app")

    assert await taker.picture() == b"jpeg"
    assert list((tmp_path / "pictures").iterdir()) == []
    assert shared == ["org.gridhood.gridhood.files"]


@pytest.mark.parametrize(("result", "takes"), [(0, b"half"), (-1, b"")])
async def test_a_change_of_mind_is_no_picture(tmp_path: Path, result: int, takes: bytes) -> None:
    taker, _ = camera(tmp_path, result, takes)

    assert await taker.picture() is None
    assert list((tmp_path / "pictures").iterdir()) == []


async def test_a_phone_without_a_camera_app_is_told_in_words(tmp_path: Path) -> None:
    taker, _ = camera(tmp_path, JavaProblem("android.content.ActivityNotFoundException"))

    with pytest.raises(NoPicture):
        await taker.picture()


def test_the_wrapping_key_stays_inside_and_chooses_its_own_nonces() -> None:
    built = Recorder(build=lambda: "how")
    generator = Recorder(generateKey=lambda: "key")
    store = Recorder(containsAlias=lambda alias: False)
    java = FakeJava(FakeActivity(), java__security__KeyStore=SimpleNamespace(getInstance=lambda name: store))
    java.classes |= {
        "android.security.keystore.KeyProperties": SimpleNamespace(
            PURPOSE_ENCRYPT=1, PURPOSE_DECRYPT=2, BLOCK_MODE_GCM="GCM", ENCRYPTION_PADDING_NONE="NoPadding",
            KEY_ALGORITHM_AES="AES",
        ),
        "android.security.keystore.KeyGenParameterSpec$Builder": lambda *given: built.calls.append(given) or built,
        "javax.crypto.KeyGenerator": SimpleNamespace(getInstance=lambda *given: generator),
    }  # fmt: skip

    assert hardware_key(java, False) is None
    assert hardware_key(java, True) == "key"
    assert built.calls == [
        (ALIAS, 3), ("setBlockModes", "GCM"), ("setEncryptionPaddings", "NoPadding"), ("setKeySize", 256),
        ("setRandomizedEncryptionRequired", True),
    ]  # fmt: skip
    assert generator.calls == [("init", "how")]


def notifier(sdk: int, allows: set[str]) -> tuple[AndroidNotifications, FakeActivity, Recorder, list[Any]]:
    manager, flags = Recorder(), []
    activity = FakeActivity(
        allows, {"notification": manager}, getApplicationInfo=lambda: SimpleNamespace(icon=7),
        getPackageManager=lambda: SimpleNamespace(getLaunchIntentForPackage=lambda name: name),
    )  # fmt: skip
    java = FakeJava(
        activity, sdk,
        android__app__NotificationManager=SimpleNamespace(IMPORTANCE_DEFAULT=3),
        android__app__NotificationChannel=lambda *given: given,
        android__app__PendingIntent=SimpleNamespace(
            FLAG_IMMUTABLE=1 << 26, FLAG_UPDATE_CURRENT=1 << 27, getActivity=lambda *given: flags.append(given[-1])
        ),
    )  # fmt: skip
    java.classes["android.app.Notification$Builder"] = lambda *given: Recorder(build=lambda: given[1:])
    shell = Activity(java)
    return AndroidNotifications(shell, Permissions(shell)), activity, manager, flags


async def test_a_notification_has_a_channel_and_an_intent_that_nobody_can_change() -> None:
    told, activity, manager, flags = notifier(31, set())

    told.notify("有人找您帮忙", "陪同就医")

    assert manager.given("createNotificationChannel") == [(("requests", "求助和提醒", 3),)]
    assert manager.given("notify") == [(1, ("requests",))]
    assert flags[0] & (1 << 26)
    assert activity.questions == []


async def test_from_android_13_on_it_is_asked_first_and_a_no_stays_quiet() -> None:
    for allows, shown in (({"android.permission.POST_NOTIFICATIONS"}, 1), (set(), 0)):
        told, activity, manager, _ = notifier(33, allows)

        told.notify("有人找您帮忙", "陪同就医")
        await asyncio.gather(*told._asking)

        assert activity.questions == [["android.permission.POST_NOTIFICATIONS"]]
        assert len(manager.given("notify")) == shown


def test_a_number_is_shown_in_the_dialer_and_never_called() -> None:
    activity = FakeActivity()
    intents = type("Intent", (), {"ACTION_DIAL": "dial", "__new__": lambda cls, *given: given})
    java = FakeJava(
        activity, android__content__Intent=intents,
        android__net__Uri=SimpleNamespace(fromParts=lambda *parts: parts),
    )  # fmt: skip

    AndroidDialer(Activity(java)).dial("126 0000 4417")

    assert activity.given("startActivity") == [(("dial", ("tel", "126 0000 4417", None)),)]


def test_a_place_is_looked_up_by_its_name_in_whichever_map_app_there_is() -> None:
    activity = FakeActivity()
    intents = type("Intent", (), {"ACTION_VIEW": "view", "__new__": lambda cls, *given: given})
    java = FakeJava(activity, android__content__Intent=intents, android__net__Uri=SimpleNamespace(parse=str))

    found = AndroidMaps(Activity(java)).find("凤县 18 号院")

    assert found
    assert activity.given("startActivity") == [(("view", "geo:0,0?q=%E5%87%A4%E5%8E%BF%2018%20%E5%8F%B7%E9%99%A2"),)]


def test_copied_text_keeps_rare_characters() -> None:
    board = Recorder()
    java = FakeJava(
        FakeActivity(services={"clipboard": board}),
        android__content__ClipData=SimpleNamespace(newPlainText=lambda label, text: text),
    )

    AndroidClipboard(Activity(java)).copy("𬭎先生")

    assert board.given("setPrimaryClip") == [("𬭎先生",)]


class Downloads(Recorder):
    """The system's list of downloads, which gives a taken name a number."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.fails, self.written = fails, b""

    def insert(self, _where: Any, row: dict[str, Any]) -> str:
        self.calls.append(("insert", dict(row)))
        return "content://1"

    def openOutputStream(self, _place: str) -> Any:
        def write(content: bytes) -> None:
            if self.fails:
                raise JavaProblem("java.io.IOException")
            self.written = content

        return SimpleNamespace(write=write, close=lambda: None)

    def query(self, *_: Any) -> Any:
        return SimpleNamespace(moveToFirst=lambda: True, getString=lambda at: "走访台账 (1).xlsx", close=lambda: None)


def filer(resolver: Downloads, folder: Path, sdk: int) -> AndroidFiles:
    class Row(dict):  # type: ignore[type-arg]
        put = dict.__setitem__

    activity = FakeActivity(
        getContentResolver=lambda: resolver,
        getExternalFilesDir=lambda kind: SimpleNamespace(getAbsolutePath=lambda: str(folder)),
    )
    java = FakeJava(activity, sdk, android__content__ContentValues=Row, java__lang__Integer=int)
    java.classes["android.provider.MediaStore$Downloads"] = SimpleNamespace(EXTERNAL_CONTENT_URI="downloads")
    java.classes["android.os.Environment"] = SimpleNamespace(DIRECTORY_DOWNLOADS="Download")
    return AndroidFiles(Activity(java))


def test_a_file_is_pending_until_it_is_whole_and_has_the_name_the_phone_gave_it(tmp_path: Path) -> None:
    resolver = Downloads()

    path = filer(resolver, tmp_path, 35).save("走访台账.xlsx", b"sheet")

    assert path == Path("Download/走访台账 (1).xlsx")
    assert resolver.written == b"sheet"
    assert resolver.given("insert")[0][0]["is_pending"] == 1
    assert resolver.given("update") == [("content://1", {"is_pending": 0}, None, None)]


def test_half_a_file_is_taken_away_again(tmp_path: Path) -> None:
    resolver = Downloads(fails=True)

    with pytest.raises(JavaProblem):
        filer(resolver, tmp_path, 35).save("走访台账.xlsx", b"sheet")

    assert resolver.given("delete") == [("content://1", None, None)]
    assert resolver.given("update") == []


def test_before_android_10_files_lie_in_the_apps_outer_folder(tmp_path: Path) -> None:
    files = filer(Downloads(), tmp_path, 28)

    paths = [files.save("走访台账.xlsx", content) for content in (b"1", b"2")]

    assert [path.name for path in paths] == ["走访台账.xlsx", "走访台账 (2).xlsx"]


@pytest.mark.parametrize(("status", "language", "said"), [(0, 0, ["您好"]), (0, -2, []), (-1, 0, [])])
def test_the_voice_says_what_was_waiting_or_that_it_cannot(status: int, language: int, said: list[str]) -> None:
    engine = Recorder(setLanguage=lambda locale: language)
    java = FakeJava(FakeActivity(), java__util__Locale=SimpleNamespace(CHINA="zh_CN"))
    java.classes["android.speech.tts.TextToSpeech"] = lambda _context, listener: engine
    speech = AndroidSpeech(Activity(java))

    speech.speak("您好")
    before = speech.available
    speech._listener.call_from_java("onInit", status)

    assert before
    assert speech.available == bool(said)
    assert [text for text, *_ in engine.given("speak")] == said


@pytest.mark.parametrize(("press", "written"), [("写好了", "改过的"), ("取消", None), ("(left)", None)])
async def test_the_systems_text_field_starts_with_what_is_there_and_gives_back_what_was_written(
    press: str, written: str | None
) -> None:
    field = Recorder(getText=lambda: SimpleNamespace(toString=lambda: "改过的"), length=lambda: 2)
    java = FakeJava(FakeActivity(), android__widget__EditText=lambda _context: field)
    java.dialog.press = press

    assert await AndroidTextDialog(Activity(java)).ask("备注", "原来", multiline=True) == written
    assert field.given("setText") == [("原来",)]
    assert field.given("setInputType") == [(0x20001,)]


async def test_what_is_written_in_a_dialog_is_in_no_picture_of_the_screen() -> None:
    java = FakeJava(FakeActivity(), android__widget__EditText=lambda _context: Recorder(length=lambda: 0))

    await AndroidTextDialog(Activity(java)).ask("备注", "常服药", multiline=True)

    assert [shown["flags"] for shown in java.dialog.shown] == [FLAG_SECURE]


def test_the_window_is_hidden_on_androids_own_thread_the_only_one_that_may() -> None:
    asked: list[Any] = []
    window = SimpleNamespace(addFlags=lambda flags: asked.append((flags, threading.current_thread())))
    java = FakeJava(FakeActivity(getWindow=lambda: window))

    AndroidPrivacy(Activity(java)).hide()

    [(flags, thread)] = asked
    assert flags == 0x2000, "android.view.WindowManager.LayoutParams.FLAG_SECURE"
    assert thread is not threading.current_thread()


async def test_a_dialog_that_cannot_be_made_is_a_problem_of_whoever_asked() -> None:
    def refuse(_context: Any) -> None:
        raise JavaProblem("android.view.InflateException")

    java = FakeJava(FakeActivity(), android__widget__EditText=refuse)

    with pytest.raises(JavaProblem):
        await AndroidTextDialog(Activity(java)).ask("备注", "", multiline=False)


@pytest.mark.parametrize(
    ("sdk", "view", "covered"),
    [(35, (0, 2400), (90, 120)), (34, (90, 2280), (0, 0)), (28, (0, 2400), (60, 100)), (28, (60, 2300), (0, 0))],
)
async def test_only_what_the_bars_really_cover_is_kept_clear(sdk: int, view: tuple[int, int], covered: Any) -> None:
    insets = SimpleNamespace(
        getInsets=lambda kinds: SimpleNamespace(top=90, bottom=120) if kinds == 3 else None,
        getSystemWindowInsetTop=lambda: 60, getSystemWindowInsetBottom=lambda: 100,
    )  # fmt: skip
    decor = SimpleNamespace(getRootWindowInsets=lambda: insets, getHeight=lambda: 2400)
    signs = Recorder()
    window = SimpleNamespace(getDecorView=lambda: decor, getInsetsController=lambda: signs)
    activity = FakeActivity(getWindow=lambda: window)
    java = FakeJava(activity, sdk)
    java.classes["org.kivy.android.PythonActivity"].getLayout = lambda: SimpleNamespace(
        getGlobalVisibleRect=lambda rect: rect.__dict__.update(top=view[0], bottom=view[1])
    )
    java.classes |= {
        "android.graphics.Rect": SimpleNamespace,
        "android.view.WindowInsets$Type": SimpleNamespace(systemBars=lambda: 1, displayCutout=lambda: 2),
        "android.view.WindowInsetsController": SimpleNamespace(
            APPEARANCE_LIGHT_STATUS_BARS=8, APPEARANCE_LIGHT_NAVIGATION_BARS=16
        ),
    }
    told: asyncio.Queue[tuple[float, float]] = asyncio.Queue()

    AndroidEdges(Activity(java)).read(lambda *edges: told.put_nowait(edges))

    assert await told.get() == covered
    assert signs.given("setSystemBarsAppearance") == ([(24, 24)] if sdk >= 30 else [])


def test_every_port_has_an_adapter_and_none_touches_java_before_it_is_used(tmp_path: Path) -> None:
    class Untouched:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"Java was asked for {name}")

    made = android.ports(tmp_path, Untouched())  # type: ignore[arg-type]

    assert all(type(getattr(made, name)).__module__.startswith("mobile.device.android") for name in made.__slots__)


def test_a_picture_that_outlived_the_app_is_gone_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "cache" / "pictures" / "left.jpg"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"somebody's kitchen")

    android.ports(tmp_path / "files", object())  # type: ignore[arg-type]

    assert not left.exists()


async def test_an_input_leads_to_the_systems_field_where_there_is_one(phone: Any) -> None:
    from kivy.metrics import Metrics

    from mobile import widgets
    from mobile.widgets.fields import TYPING, Input
    from mobile.widgets.layout import Col

    widgets.load()
    note, secret, form = Input(label="备注", text="原来"), Input(label="密码", password=True), Col()
    form.add_widget(note)
    form.add_widget(secret)
    dialog = fakes.ScriptedTextDialog(["改过的", None])

    async with phone(lambda: form) as p:
        assert not p.shows("换个框写")
        TYPING.dialog = dialog
        try:
            await p.settle()
            for scale in (1.6, 1.0):
                Metrics.fontscale = scale
                await p.settle()
                p.assert_nothing_clipped()
                p.assert_touch_targets()
            for _ in range(2):
                await p.tap("换个框写")
                await note.writing
        finally:
            TYPING.dialog = None

    assert note.text == "改过的"
    assert dialog.asked == [("备注", "原来", False), ("备注", "改过的", False)]


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java on this machine")
def test_what_any_java_can_show_of_the_key_and_of_calls_from_its_threads(tmp_path: Path) -> None:
    """In a process of its own: a wrong call ends it. The wrapping key is an ordinary one, not Android's."""
    root = Path(__file__).parents[2]

    run = subprocess.run(
        [sys.executable, "-m", "tests.mobile.on_jvm", str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "bytes": 32, "same_again": True, "readable_in_file": False, "mode": "0o600", "new_on_another_phone": True,
        "old_one_put_aside": True, "new_after_lost_alias": True, "kept_through_a_passing_failure": True,
        "called": "from Java's thread", "overloads": ["plain", "given"], "can_be_held": True, "text": "𬭎先生",
    }  # fmt: skip


def test_the_staged_app_starts_from_compiled_files_alone(tmp_path: Path) -> None:
    """Whatever reads its own source, or lies outside of what is staged, would end here and on the phone."""
    app, data = stage(tmp_path / "app"), tmp_path / "data"
    data.mkdir()
    compileall.compile_dir(app, quiet=1, optimize=2, legacy=True, workers=1)
    for source in app.rglob("*.py"):
        source.unlink()

    run = subprocess.run(
        [sys.executable, "-OO", str(Path(__file__).with_name("staged_start.py")), str(app), str(data)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {
        "route": "login", "insets": [30, 20], "dialog": True, "hidden": True, "from": [".pyc"], "elsewhere": [],
    }  # fmt: skip
