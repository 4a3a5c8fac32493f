"""The overview: its title, what it leaves out where there is nothing to show, and the data of its gallery."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.training import Score, TrainingRecord
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.site.gallery_data import gallery_data
from cnnvis_report.report.views.links import SingleFileLinks, SiteLinks
from cnnvis_report.report.views.overview.page import overview
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from cnnvis_report.store.run_folder import StoredRun, titled
from tests.conftest import command, rewritten
from tests.fixtures.make_run import FOLDER
from tests.narrow import present
from tests.pages.many_images import many
from tests.report.page_text import page_text

HOSTILE = "</script><script>alert(1)</script>"


def report(**changes: Any) -> Report:
    """The small stored run with another record."""
    stored = load_run(FOLDER)
    return Report(StoredRun(stored.folder, replace(stored.record, **changes)), QUALITIES[0])


def with_settings(**settings: Any) -> Report:
    return report(settings={**load_run(FOLDER).record.settings, **settings})


@pytest.mark.parametrize(
    ("images", "title"),
    [
        (["photos"], "What tiny looks at in photos"),
        (["photos", "a.jpg", "b.jpg"], "What tiny looks at in photos and 2 more"),
        (["val"], "What tiny looks at in validation images"),
        (["."], "What tiny looks at"),
        ([], "What tiny looks at"),
    ],
    ids=["a folder", "several", "a part", "the current folder", "none"],
)
def test_a_title_names_the_network_and_the_images(images: list[str], title: str) -> None:
    assert with_settings(images=images).title == title


@pytest.mark.parametrize(
    ("arch", "data", "images", "title"),
    [
        ("small, 4 blocks", "digits/train", "test", "What the small network trained on digits looks at in test images"),
        ("resnet18", "birds", "birds", "What resnet18 trained on birds looks at"),
        ("resnet18", "birds", "photos", "What resnet18 trained on birds looks at in photos"),
        ("small", "train", "photos", "What the small network looks at in photos"),
        ("resnet34", "birds", "photos", "What resnet18 looks at in photos"),
    ],
    ids=["a part", "the same folder", "another one", "no name", "a name of its own"],
)
def test_a_network_that_was_trained_here_is_named_by_what_it_was_trained_on(
    arch: str, data: str, images: str, title: str
) -> None:
    training = TrainingRecord(data, {"arch": arch}, (), (), 1, "", Score(0.0, 0.0, 0), None)
    known = load_run(FOLDER).record
    network = replace(known.network, name="resnet18" if "resnet" in arch else "small")
    settings = {**known.settings, "images": [images]}
    assert report(settings=settings, training=training, network=network).title == title


def test_where_no_method_ran_pages_say_nothing_of_maps(tmp_path: Path) -> None:
    command("inspect", "tests.factories:tiny", "-o", tmp_path / "report", "--inspect", "quick", "-q")
    texts = {path.stem: page_text(path.read_text("utf-8")) for path in (tmp_path / "report").glob("*.html")}
    assert texts["index"].splitlines()[0] == "Features of tiny" and "looks at" not in texts["index"]
    assert "Features of layers and units without images." in texts["run"]
    for text in texts.values():
        assert not any(
            words in text for words in ("0 images", "took", "missing maps", "every map", "Layer of the maps")
        )


def test_a_title_that_was_asked_for_stands_on_every_page(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "run")
    before = (folder / "run.json").read_bytes()
    command("render", folder, "--title", HOSTILE)
    for path in (folder / "index.html", folder / "methods.html", next((folder / "images").iterdir())):
        text = path.read_text(encoding="utf-8")
        assert HOSTILE not in text and f"{HOSTILE}" in page_text(text).splitlines()[0]
    assert (folder / "run.json").read_bytes() == before, "the record keeps the title that it has"
    assert titled(load_run(folder), None).record.settings.get("title") is None
    command("render", folder, "--single-file", "--title", "Mine")
    assert "<title>Mine</title>" in (folder / "index.html").read_text(encoding="utf-8")


def test_only_feature_visualizations_that_converged_are_shown() -> None:
    inspection = present(load_run(FOLDER).record.inspection)
    record = inspection.maximized[0]
    flags = (False, True, False, True, True, True)
    changed = replace(
        inspection, maximized=tuple(replace(record, title=str(n), converged=c) for n, c in enumerate(flags))
    )
    made = report(inspection=changed)
    assert [shown.title for shown in overview(made, SiteLinks("pages/index")).visualizations] == ["1", "3", "4"]
    none = replace(inspection, maximized=(replace(record, converged=False),))
    assert overview(report(inspection=none), SiteLinks()).visualizations == []


def unlabeled(folder: Path) -> str:
    """The overview of the stored run as if no image had a label."""
    shutil.copytree(FOLDER, folder)
    rewritten(folder, lambda run, images: (run, [replace(image, label=None) for image in images]))
    write_site(load_run(folder))
    return (folder / "index.html").read_text(encoding="utf-8")


def test_without_labels_there_is_no_empty_card(tmp_path: Path) -> None:
    html = unlabeled(tmp_path / "run")
    assert "Confusion matrix" not in html and "data-verdict=" not in html and 'name="label"' not in html
    assert '<option value="pair">' not in html and '<option value="label">' not in html
    assert "Accuracy isn&#39;t known: no image has a label" in html


def test_nothing_is_told_of_time() -> None:
    stored = load_run(FOLDER)
    made = overview(Report(stored, QUALITIES[0]), SiteLinks())
    words = " ".join([made.title, *(text for text, _ in made.facts), *(finding.text for finding in made.findings)])
    assert not [unit for unit in (" s.", " min", " seconds", " passes") if unit in words]
    assert "2 images" in words and "3 methods" in words


def test_a_gallery_keeps_the_first_images_and_names_the_others() -> None:
    made = Report(many(150), QUALITIES[0])
    gallery = present(overview(made, SiteLinks()).gallery)
    assert (len(gallery.items), len(gallery.more), gallery.left_out) == (60, 90, 0)
    assert present(overview(made, SingleFileLinks()).gallery).more == [], "which no script-less reader could follow"


def renamed(images: list[ImageRecord], names: list[str]) -> list[ImageRecord]:
    return [replace(image, name=name) for image, name in zip(images, names, strict=True)]


def test_the_data_of_the_gallery_has_a_value_for_every_image(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "run")
    rewritten(folder, lambda run, images: (run, renamed(images, ["image 10", HOSTILE])))
    stored = load_run(folder)
    images, data = list(stored.images()), gallery_data(Report(stored, QUALITIES[0]))
    columns = ("ids", "names", "byName", "labels", "predicted", "scores", "captions", "verdict")
    assert {len(data[name]) for name in columns} == {len(images)}
    assert [[data["classes"][place] for place in places] for places in data["labels"]] == [
        [label.name for label in image.named] for image in images
    ]
    assert data["classes"] == sorted(data["classes"]) and data["byName"] == [1, 0]
    assert [data["verdicts"][place][0] for place in data["verdict"]] == ["misclassified", "correct"]
    assert set(data["measures"]) == {"agreement"} and data["without"] == {}
    write_site(stored)
    assert HOSTILE not in (folder / "data" / "gallery.js").read_text(encoding="utf-8")


def test_images_without_a_map_are_known(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "run")

    def without(run: Any, images: list[ImageRecord]) -> Any:
        first, *others = images
        return run, [replace(first, maps=tuple(map for map in first.maps if map.method != "cam")), *others]

    rewritten(folder, without)
    made = Report(load_run(folder), QUALITIES[0])
    assert gallery_data(made)["without"] == {"cam": [0]} and "cam" in gallery_data(made)["methods"]
    # nor does an address ask for stills of a method of which no image has a map
    rewritten(folder, lambda run, images: (run, [without(run, [image])[1][0] for image in images]))
    data = gallery_data(Report(load_run(folder), QUALITIES[0]))
    assert "cam" not in data["methods"] and "gradient" in data["methods"] and data["without"] == {}
