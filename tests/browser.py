"""Chromium for the tests of the pages."""

import os
import shutil
import time

import pytest

from tests.conftest import command

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def missing(reason: str):
    if os.environ.get("CNNVIS_NEEDS_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright isn't installed (extra 'test')")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        missing("there is no Chromium on this system")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def until(tab, code: str, given=None, seconds: float = 15) -> None:
    """Wait for something on the page to be true. Asked from outside: the page's policy lets no string be evaluated."""
    from playwright.sync_api import Error

    end, failure = time.monotonic() + seconds, ""
    while True:
        try:
            if tab.evaluate(code, given):
                return
        except Error as error:  # between two pages there is nothing that could be asked
            failure = f" ({error.message})"
        assert time.monotonic() < end, f"not within {seconds} s: {code}{failure}"
        tab.wait_for_timeout(20)


class Visit:
    """A tab, with everything that it complained of or asked for."""

    def __init__(self, chromium, **context) -> None:
        self.context = chromium.new_context(**({"viewport": {"width": 1440, "height": 1000}} | context))
        self.tab = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("requestfailed", self.failed)
        self.tab.on("dialog", lambda dialog: (self.complaints.append(f"alert {dialog.message}"), dialog.dismiss()))

    def failed(self, request) -> None:
        if "ABORTED" not in (request.failure or ""):  # by leaving the page
            self.complaints.append(f"failed: {request.url}")

    def open(self, path, fragment=""):
        self.tab.goto(path.resolve().as_uri() + fragment)
        until(self.tab, "document.documentElement.dataset.theme && CnnVis.wired.size > 0")
        return self.tab

    def is_quiet(self):
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def visit(chromium):
    made = Visit(chromium)
    yield made
    made.context.close()


@pytest.fixture(scope="module")
def moved(report, tmp_path_factory):
    """The report where somebody has moved it: into a folder with a space and more in its name."""
    folder = tmp_path_factory.mktemp("moved") / "my report (1) #ä"
    shutil.copytree(report, folder, ignore=shutil.ignore_patterns("arrays"))
    return folder


@pytest.fixture(scope="module")
def alone(report, tmp_path_factory):
    """The report as a single file, taken out of its folder."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copytree(report, folder / "run")
    command("render", folder / "run", "--single-file")
    return shutil.move(folder / "run" / "index.html", folder / "the report.html")
