"""Runs whose scores aren't one class an image: several labels, positive or negative, values; and unknown labels."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.plan import plan_run
from cnnvis_report.pipeline.run import run
from cnnvis_report.pipeline.setup import select_images, set_up_model
from cnnvis_report.progress import Progress
from cnnvis_report.records.images import ClassScore, ImageRecord, Label
from cnnvis_report.records.labels import LabelCounter, average_precision
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.payload import image_data
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.summary import summarize
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.factories import described
from tests.narrow import present
from tests.pages.browser import until

SIDE = 16
UNKNOWN = "1 image with a label that the network doesn&#39;t know"
SCALE = 12.0


class Brightness(nn.Module):
    """Scores that are linear in the mean of the red, the green and the blue of a picture, 0…1: SCALE (mean − 0.5)."""

    size, mean, std = SIDE, (0.0,) * 3, (1.0,) * 3

    def __init__(self, columns: int = 3) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 3, 1), nn.Linear(3, columns)
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(3)[:, :, None, None]), present(self.conv.bias).zero_()
            self.fc.weight.copy_(SCALE * torch.eye(3)[:columns]), self.fc.bias.fill_(-SCALE / 2)

    def forward(self, x: Any) -> Any:
        return self.fc(self.conv(x).relu().mean((2, 3)))


def colors() -> nn.Module:
    """Three labels that don't exclude each other."""
    return described(Brightness(), class_names=("red", "green", "blue"), scores="sigmoid")


def reddish() -> nn.Module:
    return Brightness(1)


def amount() -> nn.Module:
    return described(Brightness(1), class_names=("amount",), scores="value")


# name: the picture's red, green and blue, of 255, and its labels
PICTURES = {
    "a": ((250, 20, 20), ("red",)),
    "b": ((250, 240, 20), ("red", "green")),
    "c": ((20, 240, 20), ("red",)),
    "d": ((200, 30, 150), ("red", "green")),
    "e": ((30, 30, 30), ("green", "ghost")),
    "f": ((30, 200, 30), ("ghost",)),
    "g": ((90, 140, 30), ()),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pictures")
    for name, (color, _) in PICTURES.items():
        Image.new("RGB", (SIDE, SIDE), color).save(folder / f"{name}.png")
    return folder


def open_labels(folder: Path, only: Any = "all", labels: Any = None) -> Any:
    """The setup of a run over the pictures with their labels."""
    known = labels or {name: given for name, (_, given) in PICTURES.items()}

    def images(classes: Any) -> Any:
        found = labeled(find_images((folder,)), classes)
        items = [
            replace(
                item,
                labels=tuple(Label(n, classes.index(n) if n in classes else None) for n in known[Path(item.name).stem]),
            )
            for item in found
        ]
        return replace(found, items=tuple(items))

    config = RunConfig.of(
        "tests.data.test_labels:colors", images=(folder,), methods=("gradient", "grad_cam"), device="cpu", select=only
    )
    setup = set_up_model(load_model(config.model.model), images, config)
    return setup if only == "all" else select_images(setup, Progress())


def write(setup: Any, folder: Path) -> Any:
    run(setup, plan_run(setup), folder, Progress())
    write_site(load_run(folder), single_file=False)
    return folder


@pytest.fixture(scope="module")
def several(pictures: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return write(open_labels(pictures), tmp_path_factory.mktemp("several") / "report")


def shares(name: str) -> Any:
    return 1 / (1 + np.exp(-SCALE * (np.array(PICTURES[name][0]) / 255 - 0.5)))


def slow_average_precision(truth: Any, scores: Any) -> Any:
    """Precision and recall at every threshold that is a score."""
    points = [(0.0, 1.0)]
    for threshold in sorted(set(scores), reverse=True):
        above = scores >= threshold
        points.append((truth[above].sum() / truth.sum(), truth[above].mean()))
    return sum((recall - before) * precision for (before, _), (recall, precision) in pairwise(points))


def test_average_precision_by_hand() -> None:
    truth = np.array([True, False, True, False, True])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5], dtype=np.float32)
    assert average_precision(truth, scores) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert average_precision(truth, -scores) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert average_precision(~truth, scores) == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert average_precision(truth, np.zeros(5, np.float32)) == pytest.approx(3 / 5), "equal scores have no order"
    assert average_precision(np.zeros(5, bool), scores) is None
    random = np.random.default_rng(0)
    for _ in range(20):
        truth, scores = random.random(40) < 0.3, random.integers(0, 12, 40).astype(np.float32)
        truth[0] = True
        assert average_precision(truth, scores) == pytest.approx(slow_average_precision(truth, scores))


def test_labels_are_counted_as_a_slow_count_does() -> None:
    random = np.random.default_rng(1)
    names = ["p", "q", "r"]
    truths, probabilities = random.random((50, 3)) < 0.4, random.random((50, 3))
    counting = LabelCounter(names)
    for k, (truth, row) in enumerate(zip(truths, probabilities, strict=True)):
        counting.add("", f"{k:02d}", np.flatnonzero(truth).tolist(), np.log(row / (1 - row)), row)
    found = counting.result()
    above = probabilities > 0.5
    for k, label in enumerate(found.labels):
        both = (above & truths)[:, k].sum()
        assert (label.images, label.predicted, label.correct) == (truths[:, k].sum(), above[:, k].sum(), both)
        assert label.recall == pytest.approx(both / truths[:, k].sum())
        assert label.precision == pytest.approx(both / above[:, k].sum())
        assert label.average_precision == pytest.approx(slow_average_precision(truths[:, k], probabilities[:, k]))
    assert found.exact == (above == truths).all(axis=1).sum() and len(found.misclassified) == 50 - found.exact
    assert found.precision == pytest.approx(truths[above].mean()) and found.recall == pytest.approx(
        above[truths].mean()
    )
    assert sum(each.images for each in found.bins) == 150 and sum(each.correct for each in found.bins) == truths.sum()
    worst = np.where(above != truths, np.abs(probabilities - 0.5), 0).max(axis=1)
    assert [int(each.name) for each in found.misclassified] == np.argsort(-worst)[: len(found.misclassified)].tolist()


def image_record(kind: Any, top: Any, labels: Any = (), predicted: Any = ()) -> Any:
    scores = [ClassScore(k, str(k), 0.0, 0.5) for k in range(5)]
    return ImageRecord(
        id="",
        name="",
        size=(1, 1),
        original_size=(1, 1),
        label=labels[0] if labels else None,
        top=tuple(scores[k] for k in top),
        targets=(),
        maps=(),
        kind=kind,
        labels=tuple(labels),
        predicted=tuple(scores[k] for k in predicted),
    )


def test_what_nobody_knows_is_neither_right_nor_wrong() -> None:
    known, other, unknown = Label("1", 1), Label("2", 2), Label("ghost")
    softmax, sigmoid = ScoreKind.SOFTMAX, ScoreKind.SIGMOID
    assert image_record(softmax, [1, 2]).correct is None
    assert image_record(softmax, [1, 2], [unknown]).correct is None
    assert image_record(softmax, [1], [unknown]).rank is None
    assert image_record(softmax, [1, 2], [known]).correct is True
    assert (image_record(softmax, [2, 1], [known]).correct, image_record(softmax, [2, 1], [known]).rank) == (False, 2)
    assert image_record(softmax, [2, 1], [unknown, known]).correct is False
    assert image_record(softmax, [2, 1], [known, other]).correct is True, "either name is right"
    assert image_record(ScoreKind.VALUE, [0], [known]).correct is None
    assert image_record(sigmoid, [1, 2], [known, other], [1, 2]).correct is True
    assert image_record(sigmoid, [1, 2], [known, other], [1]).correct is False
    assert image_record(sigmoid, [1, 2], [known], [1, 2]).correct is False
    assert image_record(sigmoid, [1, 2], [known, unknown], [1]).correct is True
    assert image_record(sigmoid, [1, 2], [unknown], [1]).correct is None


def test_a_run_of_several_labels_records_each_by_itself(several: Any) -> None:
    run = load_run(several)
    assert (run.record.network.kind, run.record.network.names) == (ScoreKind.SIGMOID, ("red", "green", "blue"))
    for image in run.images():
        name = Path(image.name).stem
        expected = shares(name)
        for score in image.top:
            assert score.probability == pytest.approx(expected[score.index], abs=1e-5)
            assert score.logit == pytest.approx(np.log(expected[score.index] / (1 - expected[score.index])), abs=1e-4)
        assert [score.index for score in image.top] == np.argsort(-expected, kind="stable").tolist()
        assert {score.index for score in image.predicted} == set(np.flatnonzero(expected > 0.5))
        assert tuple(label.name for label in image.named) == PICTURES[name][1]


def test_pages_of_several_labels_say_what_holds(several: Any) -> None:
    summary = summarize(load_run(several))
    assert summary.predictions is None and (summary.labeled, summary.correct, summary.unknown) == (5, 2, 1)
    found = present(summary.label_predictions)
    truth = {name: [label in PICTURES[name][1] for label in ("red", "green", "blue")] for name in "abcde"}
    columns = np.array([truth[name] for name in "abcde"])
    scores = np.array([shares(name) for name in "abcde"])
    for k in (0, 1):
        assert found.labels[k].average_precision == pytest.approx(slow_average_precision(columns[:, k], scores[:, k]))
    assert found.labels[2].average_precision is None and (found.exact, found.unknown) == (2, 1)
    sums = [sum(row.images * row.mean for row in found.bins), sum(row.images for row in found.bins)]
    assert sums == pytest.approx([scores.sum(), scores.size], rel=1e-4), "probabilities are those of the network"
    overview = page(several / "index.html")
    answers = page(several / "performance.html")
    assert "Mean average precision" in overview and UNKNOWN in overview
    assert not any(word in overview + answers for word in ("Top-1", 'class="confusion"', "Most often confused"))
    assert "Exact match: for 2 of 5" in answers and "missed: green" in answers
    pages = {path.stem.partition("-")[0]: page(path) for path in (several / "images").glob("*.html")}
    assert "1 missed, 1 extra" in pages["d"] and "✗ missed" in pages["d"]
    assert "which the network doesn't know" in pages["f"] and "✗" not in pages["f"]
    assert "no label is above 50" in pages["e"] and "others" not in pages["a"]


@pytest.mark.browser
def test_the_gallery_filters_by_each_of_several_labels(visit: Any, several: Any) -> None:
    tab = visit.open(several / "index.html", "#label=green")
    shown = (
        "[...document.querySelectorAll('[data-gallery] li:not([hidden])')].map((each) => each.dataset.name[0]).join()"
    )
    until(tab, f"{shown} === 'b,d,e'")
    tab.select_option("select[name=predicted]", "blue")
    until(tab, f"{shown} === 'd'")
    visit.is_quiet()


def test_only_wrong_of_several_labels(pictures: Any, tmp_path: Path) -> None:
    setup = open_labels(pictures, "misclassified")
    counts = setup.selection.label_predictions
    assert [Path(item.name).stem for item in setup.images] == ["c", "d", "e"]
    assert (counts.images, counts.exact, counts.unknown) == (5, 2, 1)
    assert [Path(item.name).stem for item in open_labels(pictures, "correct").images] == ["a", "b"]
    answers = page(write(setup, tmp_path / "wrong") / "performance.html")
    assert "Exact match: for 2 of 5" in answers and "3 of them are explained" in answers
    with pytest.raises(
        BadRequest, match=r"colors knows none of the labels, such as 'ghost'\. Its classes are red, green"
    ):
        open_labels(pictures, "misclassified", dict.fromkeys(PICTURES, ("ghost",)))


def test_an_image_that_bears_none_of_the_labels_counts(pictures: Any, tmp_path: Path) -> None:
    """Most images of a screening bear none; what is predicted of them makes precision and the ranks what they are."""
    rows = {"a": (1, 0, 0), "c": (0, 0, 0), "e": (0, 0, 0)}
    for name in rows:
        (tmp_path / f"{name}.png").write_bytes((pictures / f"{name}.png").read_bytes())
    lines = [f"{name}.png,{','.join(map(str, row))}" for name, row in rows.items()]
    (tmp_path / "t.csv").write_text("\n".join(["image,red,green,blue", *lines]))
    given = ("run", "tests.data.test_labels:colors", tmp_path / "t.csv", "-m", "gradient", "--device", "cpu")
    command(*given, "-o", tmp_path / "r")
    command(*given, "-o", tmp_path / "wrong", "--select", "misclassified")
    predicted = {name: shares(name) > 0.5 for name in rows}
    assert predicted["c"].any() and not predicted["e"].any(), "one is wrong, and one right"
    exact = sum((predicted[name] == rows[name]).all() for name in rows)
    for folder in ("r", "wrong"):
        found = present(summarize(load_run(tmp_path / folder)).label_predictions)
        assert (found.images, found.exact) == (3, exact)
        assert sum(label.predicted for label in found.labels) == sum(row.sum() for row in predicted.values())
        scores, truth = np.array([shares(name) for name in rows]), np.array([1, 0, 0])
        assert found.labels[0].average_precision == pytest.approx(slow_average_precision(truth, scores[:, 0]))
    pages = {path.stem.partition("-")[0]: page(path) for path in (tmp_path / "r" / "images").glob("*.html")}
    assert "none of the labels <b" in pages["e"] and "none of the labels" in pages["c"]
    assert "none of the labels" not in pages["a"] and "extra" in pages["c"]


def page(path: Path) -> Any:
    """A page's text."""
    return path.read_text("utf-8")


def images_of(folder: Path) -> Any:
    return {Path(each["name"]).stem: each for each in json.loads((folder / "run.json").read_text("utf-8"))["images"]}


@pytest.fixture(scope="module")
def two(pictures: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Red pictures and others, in folders called like the classes, and one in a folder that is none."""
    folder = tmp_path_factory.mktemp("two")
    for name, place in {"a": "yes", "c": "yes", "d": "no", "f": "no", "g": "perhaps"}.items():
        (folder / place).mkdir(exist_ok=True)
        (folder / place / f"{name}.png").write_bytes((pictures / f"{name}.png").read_bytes())
    (folder / "names.txt").write_text("no\nyes\n")
    return folder


def test_a_binary_run_is_right_or_wrong_at_a_half(two: Any, tmp_path: Path) -> None:
    names = ("--class-names", two / "names.txt", "--labels", "folders")
    command(
        "run", "tests.data.test_labels:reddish", two, "-o", tmp_path / "r", *names, "-m", "gradient", "--device", "cpu"
    )
    record, images = load_run(tmp_path / "r").record, images_of(tmp_path / "r")
    assert (record.network.kind, record.network.classes) == (ScoreKind.BINARY, 2)
    for name, image in images.items():
        p = shares(name)[0]
        assert {each["name"]: each["probability"] for each in image["top"]} == pytest.approx(
            {"yes": p, "no": 1 - p}, abs=1e-5
        )
        assert image["top"][0]["name"] == ("yes" if p > 0.5 else "no")
    found = {Path(each.name).stem: each.correct for each in load_run(tmp_path / "r").images()}
    assert found == {"a": True, "c": False, "d": False, "f": True, "g": None}
    overview = page(tmp_path / "r" / "index.html")
    assert "50%" in overview and UNKNOWN in overview
    done = command(
        *(
            "run",
            "tests.data.test_labels:reddish",
            two,
            "-o",
            tmp_path / "w",
            *names,
            "-m",
            "gradient",
            "--select",
            "misclassified",
        )
    )
    assert set(images_of(tmp_path / "w")) == {"c", "d"}
    assert (
        "2 of 4 labeled images classified correctly, 1 with a label that the network doesn't know; 2 to be"
        in done.output
    )
    assert "scores: binary, as there is a single score" in done.output
    assert "above a half means 'yes'" in done.output


def test_the_map_of_the_negative_class_is_the_negation(two: Any, tmp_path: Path) -> None:
    command(
        "run", "tests.data.test_labels:reddish", two, "-o", tmp_path / "r", "-m", "gradient,saliency", "--device", "cpu"
    )
    run = load_run(tmp_path / "r")
    for image in run.images():
        arrays = load_arrays(run.folder, image.id)
        maps = {(each.method, each.target): arrays[each.key] for each in image.maps}
        slope = np.zeros((3, SIDE, SIDE), np.float32)
        slope[0] = SCALE / SIDE**2
        np.testing.assert_allclose(maps["gradient", 1], slope, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(maps["gradient", 0], -slope, rtol=1e-5, atol=1e-9)


def test_a_map_of_zeros_leaves_a_shared_scale_to_the_others(two: Any, tmp_path: Path) -> None:
    """What speaks for the positive class alone is 0 for the negative one where negative parts are cut."""
    command("run", "tests.data.test_labels:reddish", two, "-o", tmp_path / "r", "-m", "grad_cam", "--device", "cpu")
    run = load_run(tmp_path / "r")
    image = next(iter(run.images()))
    maps = image_data(run.record, image, load_arrays(run.folder, image.id), QUALITIES[0])["maps"]["grad_cam"]["conv"]
    assert maps["0"]["ends"] == [0.0, 0.0] and 0 < maps["1"]["ends"][0] < 1


def test_pages_of_values_know_no_probability(two: Any, tmp_path: Path) -> None:
    options = ("-m", "gradient,occlusion", "-O", "occlusion.patch=8", "--metrics", "full", "--device", "cpu")
    done = command("run", "tests.data.test_labels:amount", two, "-o", tmp_path / "r", "--labels", "folders", *options)
    assert "scores: value, as the network's attribute scores = 'value' says" in done.output
    for name, image in images_of(tmp_path / "r").items():
        (score,) = image["top"]
        assert score["probability"] is None
        assert score["logit"] == pytest.approx(SCALE * (PICTURES[name][0][0] / 255 - 0.5), abs=1e-4)
    for path in (tmp_path / "r" / "index.html", *(tmp_path / "r" / "images").glob("*.html")):
        text = page(path).replace("values, not probabilities", "")
        for word in ("robabilit", "Predicted", "Top-1", "onfidence", "logit", "✗", "✓", "None"):
            assert word not in text, (path.name, word)
    assert not (tmp_path / "r" / "performance.html").exists()
    for words, says in (
        (
            ("--select", "misclassified"),
            "--select misclassified: amount gives values, and none of them is right or wrong",
        ),
        (
            ("-c", "label"),
            "--classes label: amount gives values, and no label is one of them. Name outputs, such as 'am",
        ),
        (("--scores", "softmax"), "--scores softmax: amount gives a single score an image"),
    ):
        done = command(
            "run", "tests.data.test_labels:amount", two, "-o", tmp_path / "x", "-m", "gradient", *words, code=2
        )
        assert says in done.output


class Ramp(nn.Module):
    """Twelve labels, all predicted of every picture, the last of them most surely."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 1)
        nn.init.zeros_(self.conv.weight)
        present(self.conv.bias).data = torch.arange(1, 13) / 10
        self.class_names, self.size = tuple(f"label {index:02d}" for index in range(12)), SIDE

    def forward(self, x: Any) -> Any:
        return self.conv(x).mean((2, 3)).sigmoid()


def test_of_many_labels_the_first_are_named_and_the_rest_counted(pictures: Any, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(f"{pictures / 'a.png'}\tlabel 11\n")
    command(
        "run",
        "tests.data.test_labels:Ramp",
        tmp_path / "one.txt",
        "-o",
        tmp_path / "r",
        "-m",
        "gradient",
        "-c",
        "0",
        "-q",
    )
    errors = page(tmp_path / "r" / "performance.html").partition('id="errors"')[2].partition("</section>")[0]
    assert re.findall(r"label \d\d|\d+ more", errors) == [
        *(f"label {index:02d}" for index in range(10, 5, -1)),
        "6 more",
    ]
    image = page(next((tmp_path / "r" / "images").glob("a-*.html"))).partition("Predicted: ")[2].partition("· label")[0]
    assert re.findall(r"label \d\d|\d+ more", image) == [
        *(f"label {index:02d}" for index in range(11, 3, -1)),
        "4 more",
    ]
