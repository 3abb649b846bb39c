"""The ports on an Android phone, through pyjnius. Nothing here imports pyjnius until `ports` is called."""

from pathlib import Path

from mobile.core.clock import system_now
from mobile.device.android.activity import Activity
from mobile.device.android.camera import FOLDER, AndroidCamera, forget_left
from mobile.device.android.dialogs import AndroidTextDialog
from mobile.device.android.edges import AndroidEdges
from mobile.device.android.files import AndroidFiles
from mobile.device.android.hands import AndroidClipboard, AndroidDialer, AndroidMaps
from mobile.device.android.java import Java, Pyjnius
from mobile.device.android.keystore import AndroidKeystore, hardware_key
from mobile.device.android.location import AndroidLocation
from mobile.device.android.notifications import AndroidNotifications
from mobile.device.android.permissions import Permissions
from mobile.device.android.privacy import AndroidPrivacy
from mobile.device.android.speech import AndroidSpeech
from mobile.device.ports import Ports


def ports(folder: Path, java: Java | None = None) -> Ports:
    """The phone's ports for an app whose data lies in `folder`, which has to be the app's private one."""
    # Android puts an app's files and its cache beside each other; to ask Java for it would cost the start time.
    forget_left(folder.parent / "cache" / FOLDER)
    java = java or Pyjnius()
    activity = Activity(java)
    permissions = Permissions(activity)
    return Ports(
        location=AndroidLocation(activity, permissions, system_now),
        keystore=AndroidKeystore(folder / "key.wrapped", java, hardware_key),
        notifications=AndroidNotifications(activity, permissions),
        dialer=AndroidDialer(activity),
        maps=AndroidMaps(activity),
        clipboard=AndroidClipboard(activity),
        files=AndroidFiles(activity),
        speech=AndroidSpeech(activity),
        camera=AndroidCamera(activity),
        text_dialog=AndroidTextDialog(activity),
        edges=AndroidEdges(activity),
        privacy=AndroidPrivacy(activity),
    )
