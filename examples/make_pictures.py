"""The pictures of the README, made from a report.

    cnnvis-report demo -o demo-report && python examples/make_pictures.py demo-report examples/pictures

Needs Chromium and Playwright (extra 'test').
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, ViewportSize, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE: ViewportSize = {"width": 1280, "height": 800}
# Two frames, so that what comes into sight has been asked for when the page is asked whether all is there.
READY = """async () => { const root = document.documentElement;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const inSight = ({ top, bottom, width }) => width && bottom > 0 && top < innerHeight;
  const lacking = () => [...document.images].some((picture) => !picture.complete
    && inSight(picture.getBoundingClientRect()));
  do { await frame(); await frame(); } while (root.dataset.ready === undefined || lacking());
  await frame(); await frame(); }"""


def opened(tab: Page, page: Path) -> None:
    """The page in the tab, with all that is in sight."""
    tab.goto(page.resolve().as_uri())
    tab.evaluate(READY)


def shoot(seen: Page | Locator, path: Path) -> None:
    """A screenshot of a page or a part of it, in a small file."""
    Image.open(io.BytesIO(seen.screenshot())).convert("RGB").save(path, quality=86, subsampling=0, optimize=True)


def features(tab: Page, report: Path, target: Path) -> None:
    """The features page, its first kernels, and the features of the first image that was inspected."""
    opened(tab, report / "features.html")
    shoot(tab, target / "features.jpg")
    first = tab.locator(".kernels").first
    first.scroll_into_view_if_needed()
    tab.evaluate(READY)
    shoot(first, target / "features-kernels.jpg")
    tab.goto(tab.locator("p.lead a").first.evaluate("(link) => link.href"))
    tab.locator(".card.features").scroll_into_view_if_needed()
    tab.evaluate(READY)
    shoot(tab.locator(".card.features"), target / "features-image.jpg")


def main(report: Path, target: Path) -> None:
    """The overview, performance and features page in light, an image page in dark, and parts of the features page."""
    target.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if (report / "figure.png").is_file():
        figure = Image.open(report / "figure.png").convert("RGB")
        figure.thumbnail((1400, 1400), Image.Resampling.LANCZOS)
        figure.save(target / "figure.jpg", quality=84, optimize=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        tab = browser.new_page(viewport=SIZE, color_scheme="light")
        opened(tab, report / "index.html")
        shoot(tab, target / "overview.jpg")
        if (report / "performance.html").is_file():
            opened(tab, report / "performance.html")
            shoot(tab, target / "performance.jpg")
        tab = browser.new_page(viewport=SIZE, color_scheme="dark")
        opened(tab, sorted((report / "images").glob("*.html"))[:4][-1])
        shoot(tab, target / "image-page.jpg")
        if (report / "features.html").is_file():
            features(browser.new_page(viewport=SIZE, color_scheme="light"), report, target)
        browser.close()
    print(*sorted(target.glob("*.jpg")), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
