"""Of a large run some images get a page: those that say most, and all that other pages lead to."""

import re
from collections import Counter
from pathlib import Path

import pytest

from cnnvis_report.progress import Progress
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.site.page_sample import choose_pages, linked_images
from cnnvis_report.report.site.site_writer import SiteOptions, write_pages
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.write import _sample
from tests.pages.many_images import many

IMAGES, PAGES = 400, 40


def chosen(most: int) -> tuple[Report, list[ImageRecord], list[ImageRecord]]:
    """A report on many images, all of them, and those that get a page."""
    report = Report(many(IMAGES), QUALITIES[0])
    choose_pages(report, most)
    return report, list(report.images()), list(report.images_with_page())


def test_all_images_of_a_small_run_have_a_page() -> None:
    report, images, shown = chosen(IMAGES)
    assert shown == images and report.with_page is None and report.image_pages == IMAGES


def test_errors_extremes_and_all_classes_are_among_them() -> None:
    _, images, shown = chosen(200)
    ids = {image.id for image in shown}
    errors = sorted((image for image in images if image.correct is False), key=lambda image: -image.first_score)
    linked = linked_images(Report(many(IMAGES), QUALITIES[0]))
    free = (200 - len(linked)) // 2
    assert linked <= ids and {image.id for image in errors[:free]} <= ids, "half of what is free are errors"
    ordered = sorted(images, key=lambda image: image.first_score)
    assert {image.id for image in (*ordered[:5], *ordered[-5:])} <= ids
    labels = Counter(label.name for image in shown if image.correct for label in image.named)
    assert len(labels) == 5 and min(labels.values()) >= 4, "correct ones of each class, too"
    assert len(ids) == len(shown) == 200


@pytest.mark.parametrize("most", [1, 40, 64, 65, 100])
def test_as_many_as_are_asked_for_unless_pages_lead_to_more(most: int) -> None:
    report, _, shown = chosen(most)
    again, _, _ = chosen(most)
    linked = len(linked_images(Report(many(IMAGES), QUALITIES[0])))
    assert len(shown) == report.image_pages == max(most, linked)
    assert report.with_page == again.with_page


def test_every_link_of_a_sampled_site_leads_to_a_page(tmp_path: Path) -> None:
    write_pages(many(IMAGES), tmp_path, Progress(), SiteOptions(pages=PAGES, processes=1))
    pages = {path.stem for path in (tmp_path / "images").iterdir()}
    assert PAGES <= len(pages) < IMAGES
    for path in (*tmp_path.glob("*.html"), *list((tmp_path / "images").iterdir())[:5]):
        html = path.read_text(encoding="utf-8")
        linked = {
            address for address in re.findall(r'href="(?:\.\./)?images/([^"#]+)\.html', html) if "{" not in address
        }
        assert linked <= pages, path.name
        for still in re.findall(r'src="((?:\.\./)?stills/[^"{]+)"', html):
            assert (path.parent / still).is_file(), still
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f"{IMAGES - len(pages)} more images have no page:" in " ".join(index.split())
    assert f"All {len(pages)}</button>" in index and f"{IMAGES} images" in index
    image = next((tmp_path / "images").iterdir()).read_text(encoding="utf-8")
    assert f"of {len(pages)}" in image, "walking goes over the images with a page"


@pytest.mark.parametrize(
    ("with_page", "most", "said"),
    [
        (100, 2000, ""),
        (40, 40, "40 of 100 images have a page"),
        (74, 12, "74 of 100 images have a page, more than --pages 12, as other pages lead to them"),
    ],
    ids=["all", "a sample", "more than wanted"],
)
def test_how_many_images_have_a_page_is_said(with_page: int, most: int, said: str) -> None:
    assert _sample(with_page, 100, SiteOptions(pages=most)) == said
