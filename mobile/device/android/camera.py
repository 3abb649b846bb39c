"""Pictures by the system's camera app, so the app itself needs no camera permission."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from mobile.device.android.activity import Activity
from mobile.device.android.java import thrown
from mobile.device.ports import NoPicture

AUTHORITY = "files"
"""The provider's name behind the package's, as in deploy/android/provider.xml."""
FOLDER = "pictures"
"""The one folder that the provider may share, as in deploy/android/res/xml/shared_files.xml."""


def forget_left(folder: Path) -> None:
    """Plain pictures from a time when the system ended the app while the camera was open."""
    for left in folder.glob("*"):
        left.unlink(missing_ok=True)


class AndroidCamera:
    def __init__(self, activity: Activity) -> None:
        self._activity, self._java = activity, activity.java

    async def picture(self) -> bytes | None:
        file = self._new_file()
        try:
            taken = await self._activity.result_of(self._intent(file))
            return file.read_bytes() if taken and file.exists() else None
        except Exception as problem:
            # No camera app, or one that is locked away by the phone's owner.
            if thrown(problem) in {"ActivityNotFoundException", "SecurityException"}:
                raise NoPicture from problem
            raise
        finally:
            # What is kept is kept sealed: the plain picture must not stay behind.
            file.unlink(missing_ok=True)

    def _new_file(self) -> Path:
        folder = Path(self._activity.it.getCacheDir().getAbsolutePath()) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        forget_left(folder)
        return folder / f"{uuid4().hex}.jpg"

    def _intent(self, file: Path) -> Any:
        store, intents = self._java.cls("android.provider.MediaStore"), self._java.cls("android.content.Intent")
        intent = intents(store.ACTION_IMAGE_CAPTURE)
        intent.putExtra(store.EXTRA_OUTPUT, self._java.cast("android.os.Parcelable", self._shared(file)))
        intent.addFlags(intents.FLAG_GRANT_WRITE_URI_PERMISSION | intents.FLAG_GRANT_READ_URI_PERMISSION)
        return intent

    def _shared(self, file: Path) -> Any:
        """A content: address that lets one app write one file; Android refuses file: addresses."""
        authority = f"{self._activity.it.getPackageName()}.{AUTHORITY}"
        provider = self._java.cls("androidx.core.content.FileProvider")
        return provider.getUriForFile(self._activity.context, authority, self._java.cls("java.io.File")(str(file)))
