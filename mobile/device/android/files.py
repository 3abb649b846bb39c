"""Files for their owner: in the phone's Downloads, or in the app's outer folder on systems before Android 10."""

from pathlib import Path
from typing import Any

from mobile.device.android.activity import Activity
from mobile.device.private_file import free_name

DOWNLOADS_SINCE = 29
TYPES = {".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".csv": "text/csv"}


class AndroidFiles:
    def __init__(self, activity: Activity) -> None:
        self._activity, self._java = activity, activity.java

    def save(self, name: str, content: bytes) -> Path:
        if self._activity.sdk >= DOWNLOADS_SINCE:
            return self._into_downloads(name, content)
        return self._into_own_folder(name, content)

    def _into_downloads(self, name: str, content: bytes) -> Path:
        """Pending until it is whole, so that no other app opens half a file. The system numbers a taken name."""
        resolver = self._activity.it.getContentResolver()
        place = resolver.insert(
            self._java.cls("android.provider.MediaStore$Downloads").EXTERNAL_CONTENT_URI,
            _row(
                self._java,
                {"_display_name": name, "mime_type": TYPES.get(Path(name).suffix, "application/octet-stream")},
                1,
            ),
        )
        if place is None:
            raise OSError(f"the phone gave no place for {name}")
        try:
            self._write(resolver, place, content)
        except BaseException:
            resolver.delete(place, None, None)
            raise
        resolver.update(place, _row(self._java, {}, 0), None, None)
        return Path("Download") / self._name_of(resolver, place, name)

    def _write(self, resolver: Any, place: Any, content: bytes) -> None:
        stream = resolver.openOutputStream(place)
        try:
            stream.write(content)
        finally:
            stream.close()

    def _name_of(self, resolver: Any, place: Any, asked: str) -> str:
        row = resolver.query(place, ["_display_name"], None, None, None)
        if row is None:
            return asked
        try:
            return str(row.getString(0)) if row.moveToFirst() else asked
        finally:
            row.close()

    def _into_own_folder(self, name: str, content: bytes) -> Path:
        outer = self._activity.it.getExternalFilesDir(self._java.cls("android.os.Environment").DIRECTORY_DOWNLOADS)
        path = free_name(Path(outer.getAbsolutePath()) / name)
        path.write_bytes(content)
        return path


def _row(java: Any, words: dict[str, str], pending: int) -> Any:
    row = java.cls("android.content.ContentValues")()
    for key, value in words.items():
        row.put(key, value)
    row.put("is_pending", java.cls("java.lang.Integer")(pending))
    return row
