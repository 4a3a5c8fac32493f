"""What the pages of a trained network show, against its records."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.store import load_arrays, load_run
from tests.pages.browser import until
from tests.pages.image_page import PAGE, settled, shown
from tests.pipeline.stages.trained.chart import Chart


def charts_show_the_training(tab: Any, record: RunRecord) -> None:
    assert record.training is not None
    history = record.training.history
    for title, of_training, of_validation in (
        ("Loss by epoch", [e.loss for e in history], [e.validation_loss for e in history]),
        ("Accuracy by epoch", [e.accuracy for e in history], [e.validation_accuracy for e in history]),
    ):
        chart = Chart(tab, title)
        for kind, values in (("training", of_training), ("validation", of_validation)):
            wanted = list(zip([e.number for e in history], values, strict=True))
            assert np.array(chart.dots(f"dot {kind}")) == pytest.approx(np.array(wanted), abs=0.005)
            assert np.array(chart.line(kind)) == pytest.approx(np.array(wanted), abs=0.005)


LINKS = "main:not([hidden]) a[href*='at=images']"


def fitting(images: list[ImageRecord], label: str, predicted: str) -> list[str]:
    pairs = ((image, image.label) for image in images)
    return [image.name for image, its in pairs if its and its.name == label and image.top[0].name == predicted]


def leads_to_its_images(tab: Any, link: Any, images: list[ImageRecord]) -> tuple[str, str]:
    """Follow a link to the gallery; which label and prediction it is for."""
    address, text = link.get_attribute("href"), link.text_content()
    link.click()
    until(tab, "document.querySelector('main:not([hidden])')?.dataset.page === 'index'")
    until(tab, "document.querySelector('main:not([hidden]) [data-gallery-controls]:not([hidden])') !== null")
    assert tab.locator("[data-gallery] li").first.is_visible()
    return shows_its_images(tab, address, text, images)


def shows_its_images(tab: Any, address: str, text: str, images: list[ImageRecord]) -> tuple[str, str]:
    """The gallery at a link's address, against the link's text; which label and prediction it is for."""
    state = parse_qs(urlsplit(address).fragment)
    (label,), (predicted,) = state["label"], state["predicted"]
    wanted = fitting(images, label, predicted)
    assert wanted and re.findall(r"\d+", text) in ([], [str(len(wanted))])
    assert shown(tab) == wanted
    assert tab.locator("[data-gallery-count]").inner_text() == f"{len(wanted)} of {len(images)} images"
    assert [tab.locator(f"[name='{name}']").input_value() for name in ("label", "predicted")] == [label, predicted]
    return label, predicted


SIDE = f"{PAGE}.tiles.filter((t) => t.class)"
SIDE_SHOWN = f"""() => {SIDE}.map((t) => ({{ method: t.method, index: Number(t.class), end: t.drawn.style.end,
  ends: t.drawn.map.ends, values: Array.from(t.drawn.cells.values),
  high: t.element.querySelector("[data-high]").textContent }}))"""


def classes_have_one_scale_and_their_own_maps(tab: Any, report: Path, image: ImageRecord) -> None:
    arrays, run = load_arrays(report, image.id), load_run(report).record
    settled(tab)
    tiles = tab.evaluate(SIDE_SHOWN)
    methods = list(dict.fromkeys(tile["method"] for tile in tiles))
    assert len(methods) > 1
    full = tab.evaluate(f"{PAGE}.state.range") == "full"
    for method in methods:
        row = [tile for tile in tiles if tile["method"] == method]
        assert [tile["index"] for tile in row] == [target.index for target in image.targets] and len(row) == 5
        keys = {record.target: record.key for record in image.maps if record.method == method}
        maps = [run.method(method).shown(arrays[keys[tile["index"]]]) for tile in row]
        for tile, each in zip(row, maps, strict=True):
            largest = float(np.abs(each).max())
            assert tile["ends"][0] == pytest.approx(largest, rel=1e-4), method
            errors = np.abs(np.array(tile["values"]) - each.ravel())
            assert errors.max() <= 1.001 * QUALITIES[0].error * largest, method
        assert len({each.tobytes() for each in maps}) > 1, "classes have maps of their own"
        assert len({tile["end"] for tile in row}) == 1
        assert len({tile["high"].removeprefix("≥ ") for tile in row}) == 1
        assert all(tile["high"].startswith("≥") == (tile["ends"][0] > 1.0001 * tile["end"]) for tile in row), (
            "what is cut is told"
        )
        assert row[0]["end"] == max(tile["ends"][0 if full else 1] for tile in row)
        if full:
            assert row[0]["end"] == pytest.approx(max(float(np.abs(each).max()) for each in maps), rel=1e-4)
