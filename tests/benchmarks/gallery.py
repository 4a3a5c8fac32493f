"""How fast the gallery of many images opens and changes in Chromium.

    python -m tests.benchmarks.gallery [IMAGES]

The images are drawn by a seed, 10,000 of them without a number. Needs Chromium and Playwright.
"""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.pages.browser import ARGUMENTS, chromium_path
from tests.pages.many_images import write_overview

IMAGES, ROUNDS = 10_000, 5
READY = "document.documentElement.dataset.ready !== undefined"
# from a change of the state to the next frame after it
CHANGED = """async (changes) => { const page = CnnVis.wired.get(document.querySelector('main'));
  const start = performance.now(); page.change(changes);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - start }"""
CHANGES: tuple[dict[str, str], ...] = (
    {"verdict": "misclassified"},
    {"verdict": "", "label": "circle"},
    {"label": "", "q": "triangle 9"},
    {"q": "", "sort": "lowest"},
    {"sort": "name"},
    {"sort": "", "group": "pair"},
    {"group": "", "start": "6001"},
    {"start": "1", "show": "gradient"},
    {"show": "cam", "figure": "1"},
    {"figure": ""},
)


def opened(browser: Any, page: Path) -> tuple[float, Any]:
    """Seconds until the page is ready, and its tab."""
    tab = browser.new_page(viewport={"width": 1440, "height": 1000})
    tab.goto(page.resolve().as_uri())
    while not tab.evaluate(READY):
        tab.wait_for_timeout(5)
    return tab.evaluate("performance.now()") / 1000, tab


def measure(page: Path) -> None:
    """Print what was measured."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        seconds: list[float] = []
        changes: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            ready, tab = opened(browser, page)
            seconds.append(ready)
            for change in CHANGES:
                changes.setdefault(str(change), []).append(tab.evaluate(CHANGED, change))
            tab.close()
        browser.close()
    print(f"ready after {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s")
    for words, times in changes.items():
        print(f"{words}: {statistics.median(times):.0f} ms, at most {max(times):.0f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        images = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
        write_overview(Path(scratch), images)
        print(f"{images:,} images")
        measure(Path(scratch) / "index.html")
