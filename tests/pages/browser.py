"""Chromium for the tests of the pages."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.conftest import command, once_for_all_workers
from tests.figures import full_figures

SLOWDOWN = float(os.environ.get("CNNVIS_BROWSER_SLOWDOWN", "1"))  # how many times slower than this machine
# Without a GPU its process only costs: pages take a fifth less of the processor where the browser paints them itself.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--in-process-gpu"]
# Pages of one context share a process, where a script that another page had is compiled: of Plotly, that is a second.
SHARED_PROCESS = "--renderer-process-limit=1"
WIDE = {"width": 1440, "height": 1000}
STARTS = 3  # that a browser gets
WHOLE = ("chromium", "chromium-browser", "google-chrome")


def chromium_path(*, whole: bool = False) -> str | None:
    """The path of a Chromium: first of the one without windows, which opens a page with less work."""
    names = WHOLE if whole else ("chromium-headless-shell", *WHOLE)
    return next(filter(None, map(shutil.which, names)), None)


def missing(reason: str) -> NoReturn:
    if os.environ.get("CNNVIS_NEEDS_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright isn't installed (extra 'test')")
    path = chromium_path()
    if path is None:
        missing("there is no Chromium on this system")
    with sync_playwright() as playwright:
        browser = launched(playwright, path)
        yield browser
        browser.close()


def launched(playwright: Any, path: str) -> Any:
    """A browser. Rarely a start ends in a fault of Chromium's own threads, before there is any page."""
    from playwright.sync_api import Error

    for _ in range(STARTS - 1):
        with suppress(Error):
            return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, SHARED_PROCESS])
    return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, SHARED_PROCESS])


@cache
def keeper(chromium: Any) -> Any:
    """The page that keeps a context, and its process, for all visits; it has the storage of all files in its reach."""
    page = chromium.new_context().new_page()
    page.goto((Path(__file__).parents[2] / "static" / "favicon.svg").as_uri())
    return page


# Two frames, so that what comes into sight is seen and told of, and a turn of the queue, so that what that calls for is
# asked for.
READY = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(
  () => done(document.documentElement.dataset.ready !== undefined), 0))))"""


def until(tab: Any, code: str, given: Any = None, seconds: float = 15) -> None:
    """Wait for something on the page to be true. Asked from outside: the page's policy lets no string be evaluated."""
    from playwright.sync_api import Error

    page = tab.page if isinstance(tab, Tab) else tab
    end, failure = time.monotonic() + seconds * SLOWDOWN, ""
    while True:
        try:
            if page.evaluate(code, given):
                return
        except Error as error:  # between two pages there is nothing that could be asked
            failure = f" ({error.message})"
        assert time.monotonic() < end, f"not within {seconds * SLOWDOWN} s: {code}{failure}"
        page.wait_for_timeout(20)


class Tab:
    """A page of the browser that is never asked, and never touched, before it says that it is ready."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def __getattr__(self, name: str) -> Any:
        until(self.page, READY, seconds=60)
        return getattr(self.page, name)


class Visit:
    """A tab, with everything that it complained of or asked for.

    Args:
        viewport, color_scheme: of the tab.
        permissions: that pages have until the visit ends.
        context: what a tab can't be given later; it has a context of its own then, and a process.
    """

    def __init__(
        self,
        chromium: Any,
        viewport: Mapping[str, int] = WIDE,
        color_scheme: str | None = None,
        permissions: Sequence[str] = (),
        **context: Any,
    ) -> None:
        self.keeper = None if context or SLOWDOWN > 1 else keeper(chromium)
        self.context = self.keeper.context if self.keeper else chromium.new_context(**context)
        if permissions:
            self.context.grant_permissions(permissions)
        page = self.context.new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        page.set_default_timeout(30_000 * SLOWDOWN)
        if SLOWDOWN > 1:
            self.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        self.tab = Tab(page)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", self.failed)
        page.on("dialog", self.asked)

    def asked(self, dialog: Any) -> None:
        self.complaints.append(f"alert {dialog.message}")
        dialog.dismiss()

    def failed(self, request: Any) -> None:
        if "ABORTED" not in (request.failure or ""):  # by leaving the page
            self.complaints.append(f"failed: {request.url}")

    def open(self, path: Path, fragment: str = "") -> Any:
        self.tab.page.goto(path.resolve().as_uri() + fragment)
        return self.tab

    def close(self) -> None:
        """Nothing of the visit stays: not what its pages stored either."""
        if self.keeper is None:
            self.context.close()
            return
        self.tab.page.close()
        self.keeper.evaluate("localStorage.clear()")
        self.context.clear_permissions()

    def is_quiet(self) -> None:
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    visit = Visit(chromium)
    yield visit
    visit.close()


@pytest.fixture(scope="session")
def moved(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report where somebody has moved it: into a folder with a space and more in its name."""
    folder = tmp_path_factory.mktemp("moved") / "my report (1) #ä"
    shutil.copytree(report, folder, ignore=shutil.ignore_patterns("arrays"))
    return folder


@pytest.fixture(scope="session")
def alone(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report as a single file, taken out of its folder."""

    def write(folder: Path) -> None:
        shutil.copytree(report, folder / "run")
        with full_figures():
            command("render", folder / "run", "--single-file")
        (folder / "run" / "index.html").rename(folder / "the report.html")
        shutil.rmtree(folder / "run")

    return once_for_all_workers(tmp_path_factory, "alone", write) / "the report.html"


@pytest.fixture(scope="session")
def scripts(chromium: Any, moved: Path) -> Iterator[Any]:
    """A page to call the scripts' pure functions on."""
    visit = Visit(chromium)
    yield visit.open(moved / "methods.html")
    visit.is_quiet()
    visit.close()
