"""How fast pages open in Chromium, and how long a map takes to show.

    python tests/benchmarks/pages.py [REPORT]

Without a REPORT, one is made of 24 drawn pictures of 224² with three classes. Needs Chromium and Playwright.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from cnnvis_report.synthetic.shapes import draw
from tests.pages.browser import ARGUMENTS, chromium_path

PAGE = "CnnVis.wired.get(document.querySelector('main'))"
OPENED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
LIBRARY = """async () => { const start = performance.now(); await CnnVis.plotly();
  return performance.now() - start }"""
READY = "document.documentElement.dataset.ready !== undefined"
HEATMAPS = f"""async () => {{ const page = {PAGE}; const spent = [];
  for (const tile of page.tiles.filter((t) => t.lead && t.method && t.drawn)) {{
    const start = performance.now(); await CnnVis.enliven(tile, page); spent.push(performance.now() - start); }}
  return spent }}"""


def make(folder: Path) -> Path:
    """A report on 24 pictures."""
    (folder / "pictures").mkdir()
    for index in range(24):
        draw(index, 0, 224).picture.save(folder / "pictures" / f"{index}.png")
    words = ["run", "tests.factories:tiny", str(folder / "pictures"), "-o", str(folder / "report"), "--size", "224"]
    subprocess.run([sys.executable, "-m", "cnnvis_report", *words, "-q"], check=True)
    return folder / "report"


def until(tab: Any, code: str) -> None:
    """Wait for something on the page to be true."""
    while not tab.evaluate(code):
        tab.wait_for_timeout(10)


def measure(report: Path) -> None:
    """Print what was measured."""
    image = sorted((report / "images").glob("*.html"))[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        opened: dict[str, list[float]] = {"index.html": [], "an image page": []}
        library, first, later, switches = [], [], [], []
        for _ in range(5):
            tab = browser.new_page(viewport={"width": 1440, "height": 1000})
            tab.goto((report / "index.html").resolve().as_uri())
            tab.wait_for_function("document.readyState === 'complete'")
            opened["index.html"].append(tab.evaluate(OPENED))
            tab.goto(image.resolve().as_uri())
            tab.wait_for_function("document.readyState === 'complete'")
            opened["an image page"].append(tab.evaluate(OPENED))
            until(tab, READY)
            library.append(tab.evaluate(LIBRARY))
            took = tab.evaluate(HEATMAPS)
            first.append(took[0])
            later += took[1:]
            tab.keyboard.press("2")
            switches.append(
                tab.evaluate(
                    f"""(async () => {{ const t = performance.now(); const page = {PAGE};
                    await page.setState({{ ...page.state }}); return performance.now() - t }})()"""
                )
            )
            tab.close()
        browser.close()
    for name, spent in opened.items():
        print(f"{name:<44}{statistics.median(spent):>8.0f} ms to open, {max(spent):.0f} at worst")
    print(f"{'plotly.js, while the pictures are there':<44}{statistics.median(library):>8.0f} ms to load")
    print(f"{'the first heatmap':<44}{statistics.median(first):>8.0f} ms")
    print(f"{'each other heatmap':<44}{statistics.median(later):>8.0f} ms to show, {max(later):.0f} at worst")
    print(f"{'all canvases for another class':<44}{statistics.median(switches):>8.0f} ms")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            measure(make(Path(name)))
