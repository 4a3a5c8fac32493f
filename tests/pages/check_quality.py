"""Checks a report's pages with axe-core and Lighthouse, where npm has them, and for scrolling sideways and complaints.

    python -m tests.pages.check_quality REPORT [--npm DIR] [--screen desktop]

`npm install --prefix DIR axe-core lighthouse` puts both into DIR, by default build/npm. Every page is opened in light
and in dark, at the widths of a phone, a tablet and a desk, and at 200%. Prints what is wrong, and exits with 1 if
anything is. Lighthouse's performance is that of the machine, too: ask when it has nothing else to do.
"""

import argparse
import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cnnvis_report.store import load_run
from tests.pages.browser import ARGUMENTS, READY, chromium_path, until

VIEWPORTS = {"390 px": (390, 844, 1), "1024 px": (1024, 768, 1), "1440 px": (1440, 900, 1), "200%": (720, 450, 2)}
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 96, "seo": 90}
LOCAL = ("file:", "data:", "blob:")
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def pages_of(report: Path) -> list[Path]:
    """The pages of a report, of those of images the first, and the first misclassified one."""
    images = list(load_run(report).images())
    chosen = [images[0], *(image for image in images if image.correct is False)][:2]
    return sorted(report.glob("*.html")) + [report / "images" / f"{image.id}.html" for image in chosen]


def main() -> int:
    """Check the report that the command line names; how many things are wrong decides the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--npm", type=Path, default=Path("build/npm"), metavar="DIR")
    parser.add_argument("--screen", choices=("mobile", "desktop"), default="mobile", help="what Lighthouse simulates")
    arguments = parser.parse_args()
    chromium = chromium_path(whole=True)
    if chromium is None:
        print("There is no Chromium on this system: nothing was checked.")
        return 0
    report, modules = arguments.report.resolve(), arguments.npm / "node_modules"
    problems = list(browse(report, chromium, modules / "axe-core" / "axe.min.js"))
    problems += lighthouse(report, chromium, modules / ".bin" / "lighthouse", arguments.screen)
    print("\n".join(problems) or "Nothing is wrong.")
    return 1 if problems else 0


def browse(report: Path, chromium: str, axe: Path) -> Iterator[str]:
    """What is wrong with the pages in a browser."""
    from playwright.sync_api import sync_playwright

    if not axe.is_file():
        print(f"axe-core isn't in {axe.parent}: accessibility wasn't checked.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for path in pages_of(report):
            name = path.relative_to(report).as_posix()
            for problem in (*complaints(browser, path, axe), *widths(browser, path)):
                yield f"{name}: {problem}"
        browser.close()


@contextmanager
def opened(browser: Any, path: Path, **context: Any) -> Iterator[tuple[Any, list[str]]]:
    """A page that is ready, and what it complained of or asked of a network."""
    problems: list[str] = []
    surroundings = browser.new_context(**context)
    page = surroundings.new_page()
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(LOCAL) else problems.append(request.url))
    page.goto(path.as_uri())
    until(page, READY, seconds=60)
    yield page, problems
    surroundings.close()


def complaints(browser: Any, path: Path, axe: Path) -> Iterator[str]:
    """Errors, requests, and what axe finds, in light and in dark."""
    for scheme in ("light", "dark"):
        viewport = {"width": 1440, "height": 900}
        with opened(browser, path, color_scheme=scheme, viewport=viewport, bypass_csp=True) as (page, problems):
            if axe.is_file():
                page.evaluate(axe.read_text(encoding="utf-8"))
                for found in page.evaluate("axe.run({ preload: false })")["violations"]:
                    targets = [" ".join(map(str, node["target"])) for node in found["nodes"]]
                    problems.append(f"{found['id']} ({found['impact']}, {len(targets)}×): {'; '.join(targets[:3])}")
            yield from (f"{scheme}: {problem}" for problem in problems)


def widths(browser: Any, path: Path) -> Iterator[str]:
    """Where the page is wider than the window."""
    for name, (width, height, scale) in VIEWPORTS.items():
        viewport = {"width": width, "height": height}
        with opened(browser, path, viewport=viewport, device_scale_factor=scale) as (page, _):
            wider = page.evaluate(WIDER)
            if wider > 0:
                yield f"scrolls sideways by {wider} pixels at {name}"


def lighthouse(report: Path, chromium: str, program: Path, screen: str) -> list[str]:
    """Scores of the overview and of an image's page that are below what is asked."""
    if not program.exists():
        print(f"Lighthouse isn't in {program.parent}: it wasn't run.")
        return []
    names = ("index.html", pages_of(report)[-1].relative_to(report).as_posix())
    problems = []
    with served(report) as address:
        for name in names:
            scores = measured(f"{address}/{name}", chromium, program, screen)
            print(f"{name}: {', '.join(f'{category} {score}' for category, score in scores.items())}")
            problems += [
                f"{name}: Lighthouse gives {category} {scores[category]}, and {least} is asked"
                for category, least in LEAST.items()
                if scores[category] < least
            ]
    return problems


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of the folder on this machine."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and tells nobody."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def measured(url: str, chromium: str, program: Path, screen: str) -> dict[str, int]:
    """Lighthouse's scores by category, from 0 to 100."""
    flags = f"--chrome-flags=--headless=new {' '.join(ARGUMENTS)}"
    categories = f"--only-categories={','.join(LEAST)}"
    command = [str(program), url, "--quiet", "--output=json", "--output-path=stdout", categories, flags]
    command += ["--preset=desktop"] if screen == "desktop" else []
    environment = os.environ | {"CHROME_PATH": chromium}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    categories_found = json.loads(result.stdout)["categories"]
    return {name: round(100 * (categories_found[name]["score"] or 0)) for name in LEAST}


if __name__ == "__main__":
    sys.exit(main())
