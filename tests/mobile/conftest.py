"""Fixtures of the phone's tests. The driver comes first: it fixes the window before Kivy is imported."""

from collections.abc import Callable

import pytest

from mobile.core import fonts
from tests.mobile import driver


@pytest.fixture(scope="session", autouse=True)
def _fonts() -> None:
    """Cached after the first run; about twenty seconds when they are missing."""
    fonts.build()


@pytest.fixture
def phone() -> Callable[..., object]:
    """`async with phone(factory, scale=1.6, large=False) as p:` starts the app around factory()'s widget."""
    return driver.open_phone
