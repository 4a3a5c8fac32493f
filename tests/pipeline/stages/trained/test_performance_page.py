"""The page about predictions and training, in Chromium."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.evidence.statistics import wilson
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import load_run
from tests.pages.browser import Visit, until
from tests.pipeline.stages.trained.chart import Chart
from tests.pipeline.stages.trained.views import (
    LINKS,
    charts_show_the_training,
    leads_to_its_images,
    shows_its_images,
)


def bin_of(probability: float | None) -> int:
    assert probability is not None
    return min(9, int(probability * 10))


@pytest.mark.browser
def test_charts_show_the_numbers_and_keep_the_ink(visit: Visit, trained: Path, record: RunRecord) -> None:
    tab = visit.open(trained / "report" / "performance.html")
    charts_show_the_training(tab, record)
    images = list(load_run(trained / "report").images())
    bins = {
        right: [bin_of(i.top[0].probability) for i in images if bool(i.correct) is right] for right in (True, False)
    }
    chart = Chart(tab, "Images by confidence")
    for kind, right in (("correct", True), ("misclassified", False)):
        assert chart.columns(kind) == [bins[right].count(number) for number in range(10)]
    chart, wanted, ends = Chart(tab, "Calibration"), [], []
    for number in range(10):
        inside = [image for image in images if bin_of(image.top[0].probability) == number]
        if inside:
            hits = sum(bool(image.correct) for image in inside)
            wanted.append((np.mean([image.top[0].probability for image in inside]), hits / len(inside)))
            ends.append(wilson(hits, len(inside)))
    assert np.array(chart.dots("point")) == pytest.approx(np.array(wanted), abs=0.005)
    intervals = [[chart.value(mark[end], "upright") for end in ("bottom", "top")] for mark in chart.marks("interval")]
    assert np.array(intervals) == pytest.approx(np.array(ends), abs=0.005)
    inks = []
    for scheme in ("light", "dark"):
        tab.locator(f"[data-scheme={scheme}]").click()
        until(tab, f"document.documentElement.dataset.theme === '{scheme}'")
        ink, drawn, muted, number_ink = (
            tab.evaluate(f"getComputedStyle(document.querySelector('{element}'))['{name}']")
            for element, name in (
                ("body", "color"),
                ("#training .chart .moment", "stroke"),
                ("main .hint", "color"),
                ("#training .chart text.end", "fill"),
            )
        )
        assert (drawn, number_ink) == (ink, muted), scheme
        inks.append((drawn, number_ink))
    assert all(light != dark for light, dark in zip(*inks, strict=True))
    visit.is_quiet()


@pytest.mark.browser
def test_films_show_the_method_that_is_chosen(visit: Any, trained: Path) -> None:
    tab = visit.open(trained / "report" / "performance.html")
    tab.locator("[data-snapshots] select").select_option("saliency")
    shown = tab.evaluate(
        "[...document.querySelectorAll('[data-snapshot-of]')].filter((e) => !e.hidden).map((e) => e.dataset.snapshotOf)"
    )
    assert set(shown) == {"saliency"} and len(shown) == 18
    tab.locator("[data-snapshots]").scroll_into_view_if_needed()
    until(tab, "[...document.querySelectorAll('[data-snapshot-of]:not([hidden])')].some((e) => e.naturalWidth > 0)")
    visit.is_quiet()


KINDS = f"""[...document.querySelectorAll("{LINKS}")].map((link) => [
  link.closest("table")?.classList[0] ?? link.parentElement.localName, link.getAttribute("href"), link.textContent])"""


@pytest.mark.browser
def test_a_mistake_leads_to_its_images(visit: Visit, trained: Path) -> None:
    images = list(load_run(trained / "report").images())
    page = trained / "report" / "performance.html"
    links = visit.open(page).evaluate(KINDS)
    kinds = [kind for kind, _, _ in links]
    assert set(kinds) == {"confusion", "list", "h3"}, "the matrix, the classes, the errors"
    for kind in set(kinds):
        tab = visit.open(page)
        leads_to_its_images(tab, tab.locator(LINKS).nth(kinds.index(kind)), images)
    tab = visit.open(trained / "report" / "index.html")
    pairs = set()
    for _, address, text in links:
        file, _, fragment = address.partition("#")
        tab.evaluate("(fragment) => { location.hash = fragment; }", fragment)
        pairs.add(shows_its_images(tab, address, text, images))
        assert file == "index.html"
    assert pairs == {(image.label.name, image.top[0].name) for image in images if image.label}
    assert any(label == "<b>ring & 'co'" for label, _ in pairs)
    visit.is_quiet()
