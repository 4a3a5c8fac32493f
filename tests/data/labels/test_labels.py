"""Runs whose scores aren't one class an image: several labels, positive or negative, values; and unknown labels."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views.summary import summarize
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.data.several_labels import PICTURES, SIDE, UNKNOWN, open_labels, page, shares, slow_average_precision, write
from tests.narrow import present
from tests.pages.browser import until


@pytest.fixture(scope="module")
def several(pictures: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return write(open_labels(pictures), tmp_path_factory.mktemp("several") / "report")


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
    assert "exact match 40.0%" in answers and "(2 of 5)" in answers and "missed: green" in answers
    pages = {path.stem.partition("-")[0]: page(path) for path in (several / "images").glob("*.html")}
    assert "1 missed, 1 extra" in pages["d"] and "✗ missed" in pages["d"]
    assert "which the network doesn't know" in pages["f"] and "✗" not in pages["f"]
    assert "no label above 50" in pages["e"] and "others" not in pages["a"]


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
    assert "(2 of 5)" in answers and "3 of them are explained" in answers
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
    given = ("run", "tests.data.several_labels:colors", tmp_path / "t.csv", "-m", "gradient", "--device", "cpu")
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
        "tests.data.labels.test_labels:Ramp",
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
