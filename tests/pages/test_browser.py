"""The browser of the tests starts again where it ended before there was a page, and not for ever."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.pages.browser import STARTS, launched

Error = pytest.importorskip("playwright.sync_api", reason="Playwright isn't installed (extra 'test')").Error


def playwright(failures: int) -> Any:
    """One whose browser ends so often before it is there."""
    left = iter(range(failures))

    def launch(**_: Any) -> str:
        if next(left, None) is not None:
            raise Error("Segmentation fault")
        return "a browser"

    return SimpleNamespace(chromium=SimpleNamespace(launch=launch))


def test_it_starts_again() -> None:
    assert launched(playwright(STARTS - 1), "chromium") == "a browser"


def test_what_never_starts_is_an_error() -> None:
    with pytest.raises(Error, match="Segmentation fault"):
        launched(playwright(STARTS), "chromium")
