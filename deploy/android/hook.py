"""python-for-android calls this between writing the manifest and building: its template has no place for a provider."""

from pathlib import Path

PROVIDER = Path(__file__).with_name("provider.xml")
MANIFEST = Path("src/main/AndroidManifest.xml")
END = "</application>"


def after_apk_build(toolchain: object) -> None:
    """The working folder is the distribution's, and its manifest has just been written anew."""
    MANIFEST.write_text(with_provider(MANIFEST.read_text(encoding="utf-8")), encoding="utf-8")


def with_provider(manifest: str) -> str:
    if manifest.count(END) != 1:
        raise ValueError(f"{MANIFEST} has no single {END} to put the provider before")
    return manifest.replace(END, PROVIDER.read_text(encoding="utf-8") + END)
