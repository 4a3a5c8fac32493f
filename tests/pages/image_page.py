"""The image page in Chromium: when it is drawn, and what is shown."""

from pathlib import Path
from typing import Any

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store import load_run
from tests.pages.browser import until


def images(report: Path) -> list[ImageRecord]:
    return list(load_run(report).images())


PAGE = "CnnVis.wired.get(document.querySelector('main:not([hidden])'))"
DRAWN = f"""() => {{ const page = {PAGE}; const maps = page?.data ? page.tiles.filter((t) => t.method) : [];
  return maps.length > 0 && maps.every((t) => t.drawn && !t.canvas.hidden) }}"""


def settled(tab: Any) -> None:
    until(tab, DRAWN)


def shown(tab: Any) -> Any:
    return tab.evaluate(
        "[...document.querySelectorAll('[data-gallery] li:not([hidden])')].map((li) => li.dataset.name)"
    )
