"""The gallery in Chromium: filters, order, search, and the way there from the confusion matrix."""

from pathlib import Path

import pytest

from tests.narrow import present
from tests.pages.browser import Visit, until
from tests.pages.test_pages import images, shown

pytestmark = pytest.mark.browser


def test_the_gallery_filters_sorts_and_searches(visit: Visit, moved: Path, report: Path) -> None:
    run = images(report)
    tab = visit.open(moved / "index.html")
    assert shown(tab) == [image.name for image in run]
    for value, wanted in (("correct", True), ("misclassified", False)):
        tab.locator(f"[data-verdict='{value}'][role='radio']").click()
        assert shown(tab) == [image.name for image in run if image.correct is wanted]
    tab.locator("[data-verdict=''][role='radio']").click()
    first = run[0].top[0].name
    tab.select_option("[name='predicted']", first)
    assert shown(tab) == [image.name for image in run if image.top[0].name == first]
    assert "of 6 images" in tab.locator("[data-gallery-count]").inner_text() or len(shown(tab)) == 6
    tab.select_option("[name='predicted']", "")
    tab.select_option("[name='sort']", "lowest")
    by_doubt = sorted(run, key=lambda image: float(f"{image.top[0].probability:.6f}"))
    assert shown(tab) == [image.name for image in by_doubt]
    tab.locator("[name='q']").fill("<IMG onerror")
    assert shown(tab) == ["circle/" + "x"] or len(shown(tab)) == 1
    tab.reload()
    assert len(shown(tab)) == 1 and tab.locator("[name='sort']").input_value() == "lowest"
    tab.locator("[name='q']").fill("nothing like this")
    tab.locator("[data-gallery-empty]").wait_for()
    tab.locator("[data-gallery-reset]").click()
    assert len(shown(tab)) == 6 and "#" not in tab.url
    tab.select_option("[name='show']", "saliency")
    until(tab, "[...document.images].every((i) => i.src.endsWith('/saliency.webp') && i.complete && i.naturalWidth)")
    tab.select_option("[name='confidence']", "0-0.5")
    assert shown(tab) == [image.name for image in run if present(image.top[0].probability) < 0.5]
    visit.is_quiet()


def test_a_cell_of_the_confusion_leads_to_its_images(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "index.html")
    button = tab.locator(".confusion button").first
    label, predicted = button.get_attribute("data-filter-label"), button.get_attribute("data-filter-predicted")
    button.click()
    wanted = [i.name for i in images(report) if i.label and (i.label.name, i.top[0].name) == (label, predicted)]
    assert wanted and shown(tab) == wanted
    visit.is_quiet()
