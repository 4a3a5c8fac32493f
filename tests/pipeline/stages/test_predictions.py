"""The page about right and wrong answers, the training, the films, and classes side by side."""

import html
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch

from cnnvis_report import explain
from cnnvis_report.evidence.proportions import wilson
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.store import SNAPSHOTS, load_arrays, load_inspection, load_run
from tests.conftest import command
from tests.pages.browser import Visit, until
from tests.pages.test_pages import PAGE, settled, shown
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


def percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


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
            np.abs(maps[f"{film.image}/saliency/{best}"]).max(axis=0),
            own[f"saliency/{film.index}"],
            rtol=1e-3,
            atol=1e-6,
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
    plain = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u202f", " ").split())
    images = list(load_run(trained / "report").images())
    right = sum(bool(image.correct) for image in images)
    low, high = wilson(right, IMAGES)
    assert record.training is not None
    accuracy = f"accuracy {percent(right / IMAGES)} [{percent(low)}, {percent(high)}] ({right} of {IMAGES})"
    assert f"On {IMAGES} labeled images: {accuracy}" in plain
    labels = [label_of(image) for image in images]
    most = max(map(labels.count, labels))
    assert f"Always predicting the most frequent label would be correct for {percent(most / IMAGES)}." in plain
    assert f"{TRAINED_ON} of the {IMAGES} explained images are from the training set" in plain
    assert f"after epoch {record.training.best_epoch} of {EPOCHS}, which was kept" in plain and "<b>ring" not in text
    assert plain.count("✗ predicted: ") == IMAGES - right > 0


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


# What a chart shows, where it is on the screen: by its title, the numbers along the axes, and what is drawn.
CHART = """(title) => {
  const svg = [...document.querySelectorAll("main:not([hidden]) .chart svg[role=img]")]
    .find((each) => each.querySelector("title").textContent.startsWith(title));
  if (!svg) return null;
  const box = (element) => { const { left, right, top, bottom } = element.getBoundingClientRect();
    return { left, right, top, bottom, x: (left + right) / 2, y: (top + bottom) / 2 }; };
  const all = (selector) => [...svg.querySelectorAll(selector)];
  const grid = all(":scope > .grid").map((line) => box(line).y);
  const texts = all(":scope > text.end").map((text) => text.textContent);
  const below = all(":scope > text.middle").filter((text) => /^[0-9]/.test(text.textContent));
  return {
    upright: grid.map((y, place) => [texts[place], y]), along: below.map((text) => [text.textContent, box(text).x]),
    marks: all(".mark, .dot, .point, .interval").map((each) => ({ kind: each.getAttribute("class"), ...box(each) })),
    lines: Object.fromEntries(all("polyline").map((line) => [line.classList[1], [...line.points].map((point) => {
      const { x, y } = new DOMPoint(point.x, point.y).matrixTransform(line.getScreenCTM());
      return { x, y };
    })])),
  };
}"""


class Chart:
    """A chart as a reader has it: values are found from positions on the screen by the numbers along the axes."""

    def __init__(self, tab: Any, title: str) -> None:
        self.drawn = tab.evaluate(CHART, title)
        assert self.drawn, f"no chart {title}"

    def value(self, position: float, axis: str) -> float:
        ticks = self.drawn[axis]
        assert len(ticks) > 1
        (first, start), (last, end) = ((self.number(text), at) for text, at in (ticks[0], ticks[-1]))
        return float(first + (position - start) / (end - start) * (last - first))

    @staticmethod
    def number(text: str) -> float:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)

    def marks(self, kind: str) -> list[dict[str, float]]:
        return [mark for mark in self.drawn["marks"] if mark["kind"] == kind]

    def dots(self, kind: str) -> list[tuple[float, float]]:
        return [(self.value(mark["x"], "along"), self.value(mark["y"], "upright")) for mark in self.marks(kind)]

    def line(self, kind: str) -> list[tuple[float, float]]:
        points = self.drawn["lines"][kind]
        return [(self.value(point["x"], "along"), self.value(point["y"], "upright")) for point in points]

    def columns(self, kind: str) -> list[int]:
        counts = [0] * 10
        for mark in self.marks(f"mark {kind}"):
            height = self.value(mark["top"], "upright") - self.value(mark["bottom"], "upright")
            assert height == pytest.approx(round(height), abs=0.05)
            counts[int(self.value(mark["x"], "along") * 10)] += round(height)
        return counts


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


LINKS = "main:not([hidden]) a[href*='at=images']"
KINDS = f"""[...document.querySelectorAll("{LINKS}")].map((link) =>
  [link.closest("table")?.className ?? link.parentElement.localName, link.getAttribute("href")])"""


def fitting(images: list[ImageRecord], label: str, predicted: str) -> list[str]:
    pairs = ((image, image.label) for image in images)
    return [image.name for image, its in pairs if its and its.name == label and image.top[0].name == predicted]


def leads_to_its_images(tab: Any, link: Any, images: list[ImageRecord]) -> tuple[str, str]:
    """Follow a link to the gallery; which label and prediction it is for."""
    state = parse_qs(urlsplit(link.get_attribute("href")).fragment)
    (label,), (predicted,) = state["label"], state["predicted"]
    wanted = fitting(images, label, predicted)
    numbers = re.findall(r"\d+", link.text_content())
    assert wanted and numbers in ([], [str(len(wanted))])
    link.click()
    until(tab, "document.querySelector('main:not([hidden])')?.dataset.page === 'index'")
    until(tab, "document.querySelector('main:not([hidden]) [data-gallery-controls]:not([hidden])') !== null")
    assert shown(tab) == wanted
    assert tab.locator("[data-gallery-count]").inner_text() == f"{len(wanted)} of {len(images)} images"
    assert [tab.locator(f"[name='{name}']").input_value() for name in ("label", "predicted")] == [label, predicted]
    assert tab.locator("[data-gallery] li").first.is_visible()
    return label, predicted


@pytest.mark.browser
def test_a_mistake_leads_to_its_images(visit: Visit, trained: Path) -> None:
    images = list(load_run(trained / "report").images())
    page = trained / "report" / "performance.html"
    kinds = visit.open(page).evaluate(KINDS)
    assert {kind for kind, _ in kinds} == {"confusion", "list", "h3"}, "the matrix, the classes, the errors"
    followed = set()
    for place, (kind, address) in enumerate(kinds):
        if kind == "confusion" or "%3Cb%3E" in address:
            tab = visit.open(page)
            followed.add(leads_to_its_images(tab, tab.locator(LINKS).nth(place), images))
    pairs = {(image.label.name, image.top[0].name) for image in images if image.label}
    assert followed == pairs and any(label == "<b>ring & 'co'" for label, _ in pairs)
    visit.is_quiet()


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


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1440])
def test_classes_side_by_side_have_one_scale_and_their_own_maps(chromium: Any, trained: Path, width: int) -> None:
    visit = Visit(chromium, viewport={"width": width, "height": 900})
    image = next(iter(load_run(trained / "report").images()))
    for state in ("", "#range=full"):
        tab = visit.open(trained / "report" / "images" / f"{image.id}.html", state)
        until(tab, f"{PAGE}.state?.range === '{'full' if state else 'clipped'}'")
        classes_have_one_scale_and_their_own_maps(tab, trained / "report", image)
    names = [text.split("(")[0].strip() for text in tab.locator(".side tbody th").all_inner_texts()]
    assert names == [target.name for target in image.targets]
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.is_quiet()
    visit.context.close()


@pytest.mark.browser
def test_the_single_file_has_them_too(visit: Visit, trained: Path, record: RunRecord, tmp_path: Path) -> None:
    shutil.copytree(trained / "report", tmp_path / "run")
    command("render", tmp_path / "run", "--single-file")
    images = list(load_run(trained / "report").images())
    tab = visit.open(tmp_path / "run" / "index.html", "#page=performance")
    until(tab, "document.querySelector('main[data-page=performance]:not([hidden]) .chart') !== null")
    charts_show_the_training(tab, record)
    ring = tab.locator("main[data-page=performance] .list td a[href*='label=%3Cb%3E']").first
    assert leads_to_its_images(tab, ring, images)[0] == "<b>ring & 'co'"
    tab.page.goto(f"{(tmp_path / 'run' / 'index.html').resolve().as_uri()}#page=image-{images[0].id}")
    until(tab, f"{PAGE}?.data && {SIDE}.length > 0")
    classes_have_one_scale_and_their_own_maps(tab, trained / "report", images[0])
    visit.is_quiet()
