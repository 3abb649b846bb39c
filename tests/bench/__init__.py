"""Speed beside a hand-written floor and the plain way, as ratios of the same run. Nothing here runs in pytest."""

import os

# The phone's modules import Kivy, which would otherwise read our arguments and take over the log and standard error.
os.environ.update(KIVY_NO_ARGS="1", KIVY_NO_FILELOG="1", KIVY_LOG_MODE="PYTHON")
