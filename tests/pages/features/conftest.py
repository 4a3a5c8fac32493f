"""The image whose features are shown, and its page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.store import load_run
from tests.narrow import present
from tests.pages.browser import Visit, until
from tests.pages.features.grid import READY, Looked


@pytest.fixture(scope="session")
def looked(report: Path) -> Looked:
    run = load_run(report)
    return run, present(run.record.inspection).images[0]


@pytest.fixture
def page(visit: Visit, moved: Path, looked: Looked) -> Iterator[Any]:
    tab = visit.open(moved / "images" / f"{looked[1].image}.html")
    tab.locator("[data-maps]").scroll_into_view_if_needed()
    until(tab, READY)
    yield tab
    visit.is_quiet()
