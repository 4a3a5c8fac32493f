"""The pictures of the README, made from a report.

    cnnvis-report demo -o demo-report && python examples/make_pictures.py demo-report examples/pictures

Needs Chromium and Playwright (extra 'test').
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTH, HEIGHT = 1280, 800
READY = """async () => { await CnnVis.plotly();
  const page = [...CnnVis.wired.values()][0];
  const ready = () => page.tiles.every((tile) => !tile.method || tile.drawn);
  while (!ready()) await new Promise((done) => setTimeout(done, 50)); }"""


def shoot(seen: Page | Locator, path: Path) -> None:
    """A screenshot of a page or a part of it, in a small file."""
    Image.open(io.BytesIO(seen.screenshot())).convert("RGB").save(path, quality=86, subsampling=0, optimize=True)


def features(tab: Page, report: Path, target: Path) -> None:
    """The features page, its first kernels, and the features of the first image that was inspected."""
    tab.goto((report / "features.html").resolve().as_uri())
    tab.wait_for_timeout(2500)
    shoot(tab, target / "features.jpg")
    first = tab.locator(".kernels").first
    first.scroll_into_view_if_needed()
    tab.wait_for_timeout(300)
    shoot(first, target / "features-kernels.jpg")
    tab.goto(tab.locator("p.lead a").first.evaluate("(link) => link.href"))
    tab.locator(".card.features").scroll_into_view_if_needed()
    tab.wait_for_timeout(1500)
    shoot(tab.locator(".card.features"), target / "features-image.jpg")


def main(report: Path, target: Path) -> None:
    """The overview, performance and features page in light, an image page in dark, and parts of the features page."""
    target.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    pages = sorted((report / "images").glob("*.html"))
    if (report / "figure.png").is_file():
        figure = Image.open(report / "figure.png").convert("RGB")
        figure.thumbnail((1400, 1400), Image.Resampling.LANCZOS)
        figure.save(target / "figure.jpg", quality=84, optimize=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        size = {"width": WIDTH, "height": HEIGHT}
        tab = browser.new_page(viewport=size, color_scheme="light")
        tab.goto((report / "index.html").resolve().as_uri())
        tab.wait_for_timeout(500)
        shoot(tab, target / "overview.jpg")
        if (report / "performance.html").is_file():
            tab.goto((report / "performance.html").resolve().as_uri())
            tab.wait_for_timeout(2500)
            shoot(tab, target / "performance.jpg")
        tab = browser.new_page(viewport=size, color_scheme="dark")
        tab.goto(pages[min(3, len(pages) - 1)].resolve().as_uri())
        tab.evaluate(READY)
        tab.wait_for_timeout(1500)
        shoot(tab, target / "image-page.jpg")
        if (report / "features.html").is_file():
            features(browser.new_page(viewport=size, color_scheme="light"), report, target)
        browser.close()
    print(*sorted(target.glob("*.jpg")), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
