"""A page with a difference of classes, and how exact it may be."""

from pathlib import Path
from typing import Any

import numpy as np

from cnnvis_report.records.images import ClassScore, ImageRecord
from cnnvis_report.report.pictures.encode import QUALITIES
from tests.pages.browser import Visit, until
from tests.pages.image_page import PAGE, settled

TILE = f"{PAGE}.tiles.find((t) => t.method === method && !t.class && !t.lead)"
Both = tuple[ClassScore, ClassScore]
Maps = dict[str, dict[int, np.ndarray]]  # by method and class


def opened(visit: Visit, folder: Path, image: ImageRecord, both: Both, more: str = "") -> Any:
    fragment = f"#class={both[0].index}&minus={both[1].index}{more}"
    tab = visit.open(folder / "images" / f"{image.id}.html", fragment)
    settled(tab)
    return tab


def choose(tab: Any, index: int) -> None:
    tab.locator("[data-minus]:visible").select_option(str(index))
    until(tab, f"{PAGE}.state.minus === '{index}'")
    settled(tab)


def packing(maps: dict[int, np.ndarray], both: Both) -> float:
    """How far the packed difference may be off: the errors of both maps, and nothing for exact ones."""
    if maps[both[0].index].size <= 1024:
        return 1e-6
    return sum(QUALITIES[0].error * float(np.abs(maps[each.index]).max()) for each in both) * 1.001 + 1e-12


def number(text: str) -> float:
    return float(text.replace("−", "-"))
