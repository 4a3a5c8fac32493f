"""The page about right and wrong answers, the training, the films, and classes side by side."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report import explain
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import SNAPSHOTS, load_arrays, load_inspection, load_run
from tests.conftest import command
from tests.pages.browser import until
from tests.pipeline.records import model_of

EPOCHS = 3


IMAGES, TRAINED_ON = 30, 25


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training on drawn shapes, with a class of a stranger's name, its snapshots and its report."""
    top = tmp_path_factory.mktemp("trained")
    command("make-dataset", "shapes", "-n", str(IMAGES), "--size", "32", "-o", top / "drawn", "-q")
    images = top / "images"
    shutil.copytree(top / "drawn" / "images", images)
    (images / "ring").rename(images / "<b>ring & 'co'")
    command(
        *("train", images, "-o", top / "model.pt", "--epochs", str(EPOCHS), "--checkpoint-epochs", "1,2,3"),
        *("--device", "cpu", "--test", images, "--report", top / "report", "-m", "quick", "-q"),
    )
    return top


@pytest.fixture(scope="module")
def record(trained: Path) -> RunRecord:
    return load_run(trained / "report").record


def label_of(image: ImageRecord) -> int:
    assert image.label is not None and image.label.index is not None
    return image.label.index


def test_the_record_is_that_of_the_model(trained: Path, record: RunRecord) -> None:
    assert record.training is not None and record.training.test is not None
    assert record.training == model_of(trained / "model.pt").training and len(record.training.history) == EPOCHS
    images = list(load_run(trained / "report").images())
    assert np.mean([image.correct is True for image in images]) == pytest.approx(record.training.test.accuracy)
    logits = np.array([[next(s.logit for s in i.targets if s.index == k) for k in range(5)] for i in images])
    targets = torch.tensor([label_of(image) for image in images])
    loss = torch.nn.functional.cross_entropy(torch.tensor(logits), targets)
    assert float(loss) == pytest.approx(record.training.test.loss, rel=1e-4), "the report sees what the training saw"
    assert record.in_training_set == sum(count.training for count in record.training.counts) == TRAINED_ON


def test_films_hold_the_maps_of_the_snapshots(trained: Path, record: RunRecord) -> None:
    assert len(record.snapshots) == 6
    maps = load_inspection(trained / "report", SNAPSHOTS)
    assert record.training is not None
    best = record.training.best_epoch
    images = {image.id: image for image in load_run(trained / "report").images()}
    for film in record.snapshots[:2]:
        assert [frame.epoch for frame in film.frames] == [1, 2, 3] and film.index == label_of(images[film.image])
        own = load_arrays(trained / "report", film.image)
        np.testing.assert_allclose(
            maps[f"{film.image}/saliency/{best}"], own[f"saliency/{film.index}"], rtol=1e-3, atol=1e-6
        )
        for frame in film.frames:
            file = "model.pt" if frame.epoch == best else f"model.epoch-{frame.epoch}.pt"
            model = model_of(trained / file)
            pixels = torch.tensor(own["picture"]).permute(2, 0, 1)[None].float() / 255
            inputs, target = model.preprocessing.normalize(pixels), torch.tensor([film.index])
            actual = explain(model.network, inputs, target, methods=["saliency"])["saliency"][0]
            np.testing.assert_allclose(maps[f"{film.image}/saliency/{frame.epoch}"], actual, rtol=1e-3, atol=1e-6)
            with torch.no_grad():
                assert float(model.network(inputs)[0, film.index]) == pytest.approx(frame.logit, rel=1e-3, abs=1e-4)


def test_a_snapshot_that_is_gone_is_told_and_leads_nowhere(trained: Path, tmp_path: Path) -> None:
    shutil.copy(trained / "model.pt", tmp_path / "model.pt")
    shutil.copy(trained / "model.epoch-1.pt", tmp_path / "model.epoch-1.pt")
    result = command(
        "run", tmp_path / "model.pt", trained / "images", "--limit", "2", "-m", "saliency", "-o", tmp_path / "r"
    )
    training = load_run(tmp_path / "r").record.training
    assert training is not None
    missing = {1, 2, 3} - {1, training.best_epoch}
    assert all(f"model.epoch-{epoch}.pt isn't beside the model" in result.stderr for epoch in missing)
    epochs = {frame.epoch for frame in load_run(tmp_path / "r").record.snapshots[0].frames}
    assert epochs == {1, 2, 3} - missing


def test_the_page_says_what_the_records_say(trained: Path, record: RunRecord) -> None:
    text = (trained / "report" / "performance.html").read_text(encoding="utf-8")
    plain = re.sub(r"<[^>]+>", " ", text).replace("\u202f", " ")
    images = list(load_run(trained / "report").images())
    right = sum(bool(image.correct) for image in images)
    assert record.training is not None
    assert f"{right} of {IMAGES} labeled images" in plain
    assert f"{TRAINED_ON} of the {IMAGES} explained images are from the training set" in plain
    assert f"after epoch {record.training.best_epoch}" in plain and "<b>ring" not in text
    assert text.count("predicted: ") >= IMAGES - right > 0


def test_the_same_training_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    command(
        *("train", trained / "images", "-o", tmp_path / "model.pt", "--epochs", str(EPOCHS)),
        *("--checkpoint-epochs", "1,2,3"),
        *("--device", "cpu", "--test", trained / "images", "--report", tmp_path / "report", "-m", "quick", "-q"),
    )
    assert (tmp_path / "model.pt").read_bytes() == (trained / "model.pt").read_bytes()
    for path in sorted((trained / "report").rglob("*")):
        name = path.relative_to(trained / "report").as_posix()
        if path.is_file() and name not in ("run.json", "data/provenance.js"):
            assert (tmp_path / "report" / name).read_bytes() == path.read_bytes(), name


def bin_of(probability: float | None) -> int:
    assert probability is not None
    return min(9, int(probability * 10))


@pytest.mark.browser
def test_charts_show_the_numbers_and_keep_the_ink(visit: Any, trained: Path, record: RunRecord) -> None:
    tab = visit.open(trained / "report" / "performance.html")
    for kind in ("confidence", "reliability", "loss", "accuracy"):
        tab.locator(f"[data-chart={kind}]").scroll_into_view_if_needed()
        until(tab, f"document.querySelector('[data-chart={kind}]').data?.length > 1")
    assert record.training is not None
    history = record.training.history
    assert tab.evaluate("document.querySelector('[data-chart=loss]').data[1].y") == [e.validation_loss for e in history]
    assert tab.evaluate("document.querySelector('[data-chart=accuracy]').data[0].y") == [e.accuracy for e in history]
    images = list(load_run(trained / "report").images())
    drawn = tab.evaluate("document.querySelector('[data-chart=confidence]').data.map((each) => each.y)")
    for heights, right in zip(drawn, (True, False), strict=True):
        bins = [bin_of(image.top[0].probability) for image in images if bool(image.correct) is right]
        assert heights == [bins.count(number) for number in range(10)]
    tab.locator("[data-scheme=dark]").click()
    ink = "getComputedStyle(document.querySelector('[data-chart=loss]')).color"
    until(tab, f"document.querySelector('[data-chart=loss]').layout.font.color === {ink}")
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


@pytest.mark.browser
def test_a_mistake_leads_to_its_images(visit: Any, trained: Path) -> None:
    tab = visit.open(trained / "report" / "performance.html")
    link = tab.locator(".list td a").first
    link_text = link.text_content()
    link.click()
    until(tab, "document.querySelector('main')?.dataset.page === 'index'")
    shown = tab.locator("[data-gallery] > li:visible")
    name, _, count_of_images = link_text.rpartition(" (")
    assert shown.count() == int(count_of_images.rstrip(")"))
    assert {shown.nth(k).get_attribute("data-predicted") for k in range(shown.count())} == {name}


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1440])
def test_classes_side_by_side_have_one_scale_and_their_own_maps(chromium: Any, trained: Path, width: Any) -> None:
    from tests.pages.browser import Visit

    visit = Visit(chromium, viewport={"width": width, "height": 900})
    image = next(iter(load_run(trained / "report").images()))
    tab = visit.open(trained / "report" / "images" / f"{image.id}.html")
    side = "CnnVis.wired.get(document.querySelector('main')).tiles.filter((t) => t.class)"
    until(tab, f"CnnVis.wired.get(document.querySelector('main')).data && {side}.every((t) => t.drawn)")
    arrays = load_arrays(trained / "report", image.id)
    tab.locator("[data-side-method]").select_option("hires_cam")
    until(tab, f"{side}.every((t) => t.method === 'hires_cam' && t.drawn.title.includes('HiRes'))")
    assert tab.evaluate(f"{side}.map((t) => Number(t.class))") == [target.index for target in image.targets]
    maps = [arrays[f"hires_cam/features/{target.index}"] for target in image.targets]
    assert len(maps) == 5 and len(set(tab.evaluate(f"{side}.map((t) => t.drawn.style.end)"))) == 1
    assert tab.evaluate(f"{side}[0].drawn.style.end") == pytest.approx(max(np.abs(m).max() for m in maps), rel=1e-4)
    ends = tab.evaluate(f"{side}.map((t) => t.drawn.map.ends[0])")
    assert ends == pytest.approx([float(np.abs(m).max()) for m in maps], rel=1e-4)
    assert "side=hires_cam" in tab.url
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.is_quiet()
    visit.context.close()


@pytest.mark.browser
def test_the_single_file_has_them_too(visit: Any, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "report", tmp_path / "run")
    command("render", tmp_path / "run", "--single-file")
    tab = visit.open(tmp_path / "run" / "index.html", "#page=performance")
    until(tab, "document.querySelector('main[data-page=performance]:not([hidden]) [data-chart=loss]') !== null")
    tab.locator("[data-chart=loss]").scroll_into_view_if_needed()
    until(tab, "document.querySelector('[data-chart=loss]').data?.length === 2")
    tab.locator("main[data-page=performance] .list td a").first.click()
    until(tab, "!document.querySelector('main[data-page=index]').hidden")
    visit.is_quiet()
