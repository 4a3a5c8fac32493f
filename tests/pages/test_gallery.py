"""The gallery in Chromium: every control, the address, the figure, and walking through what was chosen."""

from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.views.formatting import breakable
from tests.exhaustive import represented
from tests.narrow import present
from tests.pages.browser import Visit, until
from tests.pages.image_page import images, shown
from tests.pages.many_images import ManyImages, write_overview

pytestmark = pytest.mark.browser

MANY = 150


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ManyImages]:
    """The overview of more images than a page of the gallery holds."""
    folder = tmp_path_factory.mktemp("many")
    return folder / "index.html", write_overview(folder, MANY)


def confidence(image: ImageRecord) -> float:
    return present(image.top[0].probability)


def pair(image: ImageRecord) -> str:
    return "" if image.correct else f"{present(image.label).name} predicted as {image.top[0].name}"


def test_pictures_stand_beside_their_maps(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "index.html")
    assert shown(tab) == [image.name for image in images(report)]
    sources = "[...document.querySelectorAll('[data-gallery] img:not([hidden])')].map((i) => i.src.split('/').at(-1))"
    first = tab.locator("[data-gallery]").get_attribute("data-shown")
    assert tab.evaluate(sources) == ["picture.webp", f"{first}.jpg"] * len(images(report))
    tab.select_option("[name='show']", "saliency")
    assert set(tab.evaluate(sources)) == {"picture.webp", "saliency.jpg"}
    tab.select_option("[name='show']", "picture")
    assert set(tab.evaluate(sources)) == {"picture.webp"}
    until(tab, "[...document.querySelectorAll('[data-gallery] img')].slice(0, 2).every((i) => i.naturalWidth)")
    visit.is_quiet()


def test_verdict_label_prediction_and_confidence_choose_images(visit: Visit, moved: Path, report: Path) -> None:
    run = images(report)
    tab = visit.open(moved / "index.html")
    for value, wanted in (("correct", True), ("misclassified", False)):
        tab.locator(f"[data-verdict='{value}'][role='radio']").click()
        assert shown(tab) == [image.name for image in run if image.correct is wanted]
    tab.locator("[data-verdict=''][role='radio']").click()
    label, predicted = present(run[0].label).name, run[0].top[0].name
    tab.select_option("[name='label']", label)
    assert shown(tab) == [image.name for image in run if image.label and image.label.name == label]
    tab.select_option("[name='label']", "")
    tab.select_option("[name='predicted']", predicted)
    assert shown(tab) == [image.name for image in run if image.top[0].name == predicted]
    tab.select_option("[name='predicted']", "")
    tab.select_option("[name='confidence']", "0-0.5")
    assert shown(tab) == [image.name for image in run if confidence(image) < 0.5]
    assert "of 6 images" in tab.locator("[data-gallery-count]").inner_text() or len(shown(tab)) == 6
    visit.is_quiet()


def test_a_search_stays_in_the_address_and_can_be_taken_back(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "index.html")
    tab.locator("[name='q']").fill("<IMG onerror")
    assert len(shown(tab)) == 1
    tab.select_option("[name='sort']", "lowest")
    tab.reload()
    assert len(shown(tab)) == 1 and tab.locator("[name='sort']").input_value() == "lowest"
    tab.locator("[name='q']").fill("nothing like this")
    tab.locator("[data-gallery-empty]").wait_for()
    tab.locator("[data-gallery-reset]").click()
    assert len(shown(tab)) == 6 and "#" not in tab.url
    visit.is_quiet()


ORDERS: dict[str, Callable[[ImageRecord], Any]] = {
    "lowest": confidence,
    "highest": lambda image: -confidence(image),
    "predicted": lambda image: image.top[0].name,
    "name": lambda image: image.name,
}


@pytest.mark.parametrize("order", represented(ORDERS, by=2))
def test_images_are_sorted_stably(visit: Visit, many: tuple[Path, ManyImages], order: str) -> None:
    tab = visit.open(many[0])
    tab.select_option("[name='sort']", order)
    assert shown(tab) == [image.name for image in sorted(many[1].images(), key=ORDERS[order])][:60]


def test_measures_of_the_run_are_orders(visit: Visit, many: tuple[Path, ManyImages]) -> None:
    tab = visit.open(many[0])
    titles = tab.locator("[name='sort'] option").all_inner_texts()
    assert "Agreement of the methods: lowest first" in titles
    assert not [title for title in titles if "mask" in title.lower()], "the run has no masks"


def test_errors_are_grouped_largest_group_first(visit: Visit, many: tuple[Path, ManyImages]) -> None:
    tab = visit.open(many[0])
    tab.select_option("[name='group']", "pair")
    pairs = [pair(image) for image in many[1].images() if pair(image)]
    sizes = {name: pairs.count(name) for name in pairs}
    headings = tab.locator("[data-gallery] h3").all_inner_texts()
    in_order = [heading.rpartition(" ")[0].rpartition(" ")[0] for heading in headings]
    assert in_order[-1] == "not misclassified" and set(in_order[:-1]) == set(pairs)
    assert [sizes[name] for name in in_order[:-1]] == sorted(sizes.values(), reverse=True)
    assert headings[0] == f"{in_order[0]} {sizes[in_order[0]]} images"
    tab.select_option("[name='group']", "label")
    assert tab.locator("[data-gallery] h3").first.inner_text().split()[0] == "circle"
    names = [image.name for image in many[1].images() if present(image.label).name == "circle"]
    assert shown(tab)[: len(names)] == names[:60]


def test_pages_of_sixty_are_turned(visit: Visit, many: tuple[Path, ManyImages]) -> None:
    names = [image.name for image in many[1].images()]
    tab = visit.open(many[0])
    previous, following = (tab.locator(f"[data-turn='{turn}']").first for turn in ("-1", "1"))
    assert shown(tab) == names[:60] and previous.is_disabled()
    assert tab.locator("[data-range]").first.inner_text() == "1 to 60 of 150"
    following.click()
    following.click()
    assert shown(tab) == names[120:] and following.is_disabled() and "start=121" in tab.url
    tab.reload()
    assert shown(tab) == names[120:]
    tab.locator("[data-below] [data-turn='-1']").click()
    assert shown(tab) == names[60:120]
    tab.locator("[data-verdict='misclassified'][role='radio']").click()
    assert "start" not in tab.url, "another choice begins with its first images"
    assert not tab.locator("[data-pager]").first.is_visible()


def test_sizes_change_tiles(visit: Visit, many: tuple[Path, ManyImages]) -> None:
    tab = visit.open(many[0])
    widths = []
    for size in ("s", "m", "l"):
        tab.locator(f"[data-size='{size}'][role='radio']").click()
        widths.append(tab.locator("[data-gallery] li").first.bounding_box()["width"])
    assert widths == sorted(widths) and widths[0] < widths[2] / 2


def test_without_scripts_the_others_are_listed_by_name(chromium: Any, many: tuple[Path, ManyImages]) -> None:
    visit = Visit(chromium, java_script_enabled=False)
    page = visit.tab.page
    page.goto(many[0].resolve().as_uri())
    assert page.locator("[data-gallery] li").count() == 60
    assert page.locator("noscript summary").inner_text() == "90 more images, by name"
    links = page.locator("noscript a")
    assert links.count() == 90 and links.last.get_attribute("href").startswith("images/00150-")
    assert (
        not page.locator("[data-gallery-controls]").is_visible() and not page.locator("[data-pager]").first.is_visible()
    )
    visit.close()


def test_a_cell_of_the_confusion_leads_to_its_images(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "index.html")
    link = tab.locator(".confusion a").first
    state = parse_qs(urlsplit(link.get_attribute("href")).fragment)
    (label,), (predicted,) = state["label"], state["predicted"]
    link.click()
    until(tab, "document.querySelector('#images').getBoundingClientRect().top < innerHeight - 50")
    wanted = [i.name for i in images(report) if i.label and (i.label.name, i.top[0].name) == (label, predicted)]
    assert wanted and shown(tab) == wanted
    visit.is_quiet()


def test_images_that_are_shown_become_a_figure(visit: Visit, moved: Path, report: Path) -> None:
    run = images(report)
    tab = visit.open(moved / "index.html", "#sort=lowest")
    button = tab.locator("[data-gallery-figure]")
    assert button.inner_text() == "These 6 as a figure"
    button.click()
    figure = tab.locator("[data-figure]")
    by_confidence = sorted(run, key=lambda image: round(confidence(image), 6))
    assert figure.locator("tbody th a").all_inner_texts() == [image.name for image in by_confidence]
    columns = figure.locator("thead th").count() - 2
    assert columns >= 1 and figure.locator("tbody td img").count() == len(run) * (columns + 1)
    command = figure.locator("code").inner_text()
    assert command.startswith(f"cnnvis-report figure '{moved.resolve()}' --images {by_confidence[0].id},")
    assert command.endswith("-o figure.pdf")
    until(tab, "[...document.querySelectorAll('[data-figure] img')].every((i) => i.complete && i.naturalWidth)")
    tab.reload()
    assert figure.is_visible() and not tab.locator("[data-gallery]").is_visible()
    tab.emulate_media(media="print")
    assert figure.is_visible() and not figure.locator("[data-copy-command]").is_visible()
    tab.emulate_media(media="screen")
    button.click()
    assert not figure.is_visible() and shown(tab) == [image.name for image in by_confidence]
    visit.is_quiet()


def test_previous_and_next_stay_within_what_was_chosen(visit: Visit, moved: Path, report: Path) -> None:
    run = images(report)
    order = sorted((i for i in run if i.correct is False), key=lambda image: round(confidence(image), 6))
    assert len(order) >= 2
    tab = visit.open(moved / "index.html", "#verdict=misclassified&sort=lowest")
    tab.locator("[data-gallery] a").first.click()
    until(tab, f"document.querySelector('[data-position]').textContent === '1 of {len(order)} misclassified'")
    assert f"images/{order[0].id}.html" in tab.url
    assert tab.locator("a[rel='prev']").count() == 0
    tab.keyboard.press("j")
    until(tab, f"document.querySelector('[data-position]')?.textContent === '2 of {len(order)} misclassified'")
    assert f"images/{order[1].id}.html" in tab.url
    back = urlsplit(tab.locator("[data-nav='index']").get_attribute("href"))
    assert parse_qs(back.fragment) == {"at": ["images"], "verdict": ["misclassified"], "sort": ["lowest"]}
    tab.keyboard.press("k")
    until(tab, f"document.querySelector('[data-position]')?.textContent === '1 of {len(order)} misclassified'")
    visit.is_quiet()


def test_the_gallery_of_a_single_file_unpacks_its_pictures(visit: Visit, alone: Path, report: Path) -> None:
    run = [image for image in images(report) if image.correct is False]
    tab = visit.open(alone, "#page=index&verdict=misclassified")
    assert shown(tab) == [image.name for image in run]
    until(tab, "[...document.querySelectorAll('[data-gallery] img')].every((i) => i.src.startsWith('data:'))")
    tab.locator("[data-gallery] a").first.click()
    until(tab, f"location.hash.includes('page=image-{run[0].id}')")
    tab.locator("main:not([hidden]) [data-position]").wait_for()
    position = tab.locator("main:not([hidden]) [data-position]").inner_text()
    assert position == f"1 of {len(run)} misclassified"
    tab.locator("[data-nav='index']").click()
    until(tab, "!document.querySelector('main[data-page=index]').hidden")
    assert shown(tab) == [image.name for image in run]
    visit.is_quiet()


def test_names_may_be_broken_at_the_same_points_after_a_change(visit: Visit, moved: Path) -> None:
    """Within a word or before "JPEG" nobody wants to break a name; the script writes tiles as the page was written."""
    tab = visit.open(moved / "index.html")
    names = "[...document.querySelectorAll('[data-gallery] .name')]"
    written = f"Object.fromEntries({names}.map((name) => [name.title, name.innerHTML]))"
    before = tab.evaluate(written)
    assert before and all(
        unescape(html) == unescape(breakable(name)) and "<wbr>" in html for name, html in before.items()
    )
    tab.select_option("[name='sort']", "highest")
    assert tab.evaluate(written) == before
    script = "(name) => { const e = document.createElement('span'); CnnVis.writeName(e, name); return e.innerHTML; }"
    for name in ("ILSVRC2012_val_00000001.JPEG", "aB/cat-dog_1.png", "plain", "a."):
        assert tab.evaluate(script, name) == breakable(name)
