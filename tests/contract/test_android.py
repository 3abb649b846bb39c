"""The Android package as far as a computer without its SDK can know it. `make check` asks the same of the real one."""

import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
import pythonforandroid

from deploy.android import check, hook, imports
from deploy.android.stage import stage

P4A = Path(pythonforandroid.__file__).parent
ANDROID = "{http://schemas.android.com/apk/res/android}"
RESOURCES = check.ROOT / "deploy" / "android" / "res" / "xml"


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Path:
    return stage(tmp_path_factory.mktemp("android") / "app", with_fonts=False)


@pytest.fixture(scope="module")
def manifest() -> ET.Element:
    """As python-for-android's own template writes it for this project, with the hook's provider."""
    spec = check.read(check.SPEC)
    args = SimpleNamespace(
        permissions=[{"name": name} for name in spec.getlist("app", "android.permissions")],
        allow_backup=str(spec.getboolean("app", "android.allow_backup")).lower(),
        extra_manifest_application_arguments=(
            check.SPEC.parent / spec.get("app", "android.extra_manifest_application_arguments")
        ).read_text(),
        min_sdk_version=spec.getint("app", "android.minapi"), numeric_version=1, version="1", window=True,
        android_apptheme="theme", manifest_orientation="portrait", android_entrypoint="entry", package="org.gridhood",
    )  # fmt: skip
    template = P4A / "bootstraps/_sdl_common/build/templates/AndroidManifest.tmpl.xml"
    made = jinja2.Template(template.read_text()).render(args=args, android_api=35)
    return ET.fromstring(hook.with_provider(made))


def spec_with(old: str, new: str) -> check.SpecParser:
    text = check.SPEC.read_text(encoding="utf-8")
    assert old in text
    spec = check.SpecParser()
    spec.read_string(text.replace(old, new))
    return spec


def test_the_package_holds_together_as_far_as_can_be_known_here(app):
    spec = check.read(check.SPEC)

    assert check.spec_problems(spec) == []
    assert imports.problems(app, set(check.pins(spec))) == []
    assert check.compile_problems(app) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    httpcore==1.0.9,\n", "", "httpcore is packed without a version"),
        ("    annotated-types==0.8.0,\n", "", "pydantic needs annotated-types, which is in no requirement"),
        ("pydantic==2.12.3", "pydantic==2.12.5", "pydantic is 2.12.5 but tested here is 2.12.3"),
        ("pydantic-core==2.41.4", "pydantic-core==2.41.5", "pydantic-core is 2.41.5 but its recipe builds 2.41.4"),
        ("pydantic-core==2.41.4", "pydantic-core==2.41.5", "pydantic needs pydantic-core==2.41.4 but"),
        ("    kivy==2.3.1,", "    kivy==2.3.1,\n    sdl3,", "the requirements do not resolve"),
        ("openpyxl==3.1.5", "openpyxl", "openpyxl is packed without a version"),
    ],
)
def test_a_requirement_that_does_not_fit_is_named(old, new, said):
    assert any(problem.startswith(said) for problem in check.spec_problems(spec_with(old, new)))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import orjson\n", "orjson is in no requirement"),
        ("def f():\n    from backend.core import db\n", "belongs to the server"),
        ("from mobile.device import desktop\n", "mobile.device.desktop is not in the package"),
        ("from concurrent.futures import ProcessPoolExecutor\n", "is missing in the phone's Python"),
        ("def f():\n    import fontTools\n", "fontTools is in no requirement"),
    ],
)
def test_an_import_that_the_phone_cannot_follow_is_named(tmp_path, source, said):
    (tmp_path / "mobile" / "device").mkdir(parents=True)
    (tmp_path / "mobile" / "device" / "__init__.py").write_text('"""Ports."""\n')
    (tmp_path / "mobile" / "clock.py").write_text(f"import kivy.clock, sqlite3\n{source}")

    (found,) = imports.problems(tmp_path, set(check.pins(check.read(check.SPEC))))

    assert found.startswith("mobile/clock.py: ")
    assert said in found


def test_what_only_desktops_need_may_be_imported_on_the_way_to_them(tmp_path):
    (tmp_path / "main.py").write_text("def _desktop():\n    from mobile.device import desktop\n")

    assert imports.problems(tmp_path, set()) == []


def test_a_file_that_does_not_compile_is_noticed(tmp_path):
    (tmp_path / "main.py").write_text("def f(:\n")

    assert check.compile_problems(tmp_path) != []


def test_what_stands_in_for_a_phone_is_not_packed(app):
    names = {path.relative_to(app).as_posix() for path in app.rglob("*")}

    assert {"main.py", "mobile/main.py", "mobile/device/android/keystore.py", "mobile/widgets/theme.kv"} <= names
    assert names.isdisjoint({"mobile/device/desktop.py", "mobile/device/fakes.py", "mobile/pictures", "backend"})


def test_the_app_asks_for_these_permissions_and_no_others(manifest):
    asked = {tag.get(f"{ANDROID}name").removeprefix("android.permission.") for tag in manifest.iter("uses-permission")}

    assert asked == {
        "INTERNET", "ACCESS_NETWORK_STATE", "ACCESS_COARSE_LOCATION", "ACCESS_FINE_LOCATION", "POST_NOTIFICATIONS",
    }  # fmt: skip


def test_nothing_of_the_app_is_backed_up_or_shared_but_one_folder(manifest):
    application = manifest.find("application")
    provider = application.find("provider")

    assert application.get(f"{ANDROID}allowBackup") == "false"
    assert application.get(f"{ANDROID}dataExtractionRules") == "@xml/nothing_leaves"
    assert provider.get(f"{ANDROID}exported") == "false"
    assert [(p.tag, p.get("path")) for p in ET.parse(RESOURCES / "shared_files.xml").getroot()] == [
        ("cache-path", "pictures/")
    ]


def test_every_xml_that_the_manifest_names_is_there(manifest):
    names = {
        value.removeprefix("@xml/")
        for tag in manifest.iter() for value in tag.attrib.values() if value.startswith("@xml/")
    }  # fmt: skip

    assert names == {path.stem for path in RESOURCES.glob("*.xml") if ET.parse(path)}


def test_what_the_adapters_call_on_the_activity_is_in_its_source():
    source = (P4A / "bootstraps/sdl2/build/src/main/java/org/kivy/android/PythonActivity.java").read_text()

    for signature in (
        "boolean checkCurrentPermission(String permission)",
        "void requestPermissionsWithRequestCode(String[] permissions, int requestCode)",
        "void addPermissionsCallback(PermissionsCallback callback)",
        "void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults)",
        "void registerActivityResultListener(ActivityResultListener listener)",
        "void unregisterActivityResultListener(ActivityResultListener listener)",
        "void onActivityResult(int requestCode, int resultCode, Intent data)",
        "static ViewGroup getLayout()",
    ):
        assert signature in source
