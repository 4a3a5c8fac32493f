"""What a run says of a trained model's answers, counted again slowly."""

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.models.load import load_model
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.store import load_run
from cnnvis_report.store.run_folder import StoredRun
from tests.cli.words import one_line
from tests.conftest import command
from tests.exhaustive import represented
from tests.models.test_trained_file import read
from tests.narrow import present

FEW = ("-m", "cam", "--inspect", "none", "--device", "cpu", "-q")


@dataclass(frozen=True)
class Answer:
    """Of an image: its label, the class that is seen first and its probability, the rank of the label."""

    name: str
    label: int
    predicted: int
    probability: float
    rank: int

    @property
    def correct(self) -> bool:
        return self.label == self.predicted


def answers_by_hand(model: Path, folder: Path) -> list[Answer]:
    """Each image on its own."""
    loaded = load_model(str(model))
    answers = []
    for item in labeled(find_images([folder]), present(loaded.classes)):
        with torch.no_grad():
            scores = loaded.network(prepare(item.open(), loaded.preprocessing).values[None])[0].double()
        shares = (scores.exp() / scores.exp().sum()).tolist()
        order = sorted(range(len(shares)), key=lambda index: -shares[index])
        label = present(present(item.label).index)
        answers.append(Answer(item.name, label, order[0], shares[order[0]], order.index(label) + 1))
    return answers


@dataclass(frozen=True)
class Checked:
    """A run of the errors alone, what it says of all images, and the same by hand."""

    run: StoredRun
    predictions: Predictions
    expected: list[Answer]

    @property
    def errors(self) -> list[Answer]:
        return [answer for answer in self.expected if not answer.correct]


@pytest.fixture(scope="module")
def checked(model: Path, layers_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder = tmp_path_factory.mktemp("errors") / "r"
    command("run", model, layers_set, "-o", folder, "--select", "misclassified", *FEW)
    run = load_run(folder)
    return Checked(run, present(run.record.predictions), answers_by_hand(model, layers_set))


def test_only_the_errors_are_explained_and_all_images_are_counted(checked: Checked) -> None:
    assert 3 <= len(checked.errors) <= 27
    assert [image.name for image in checked.run.images()] == [answer.name for answer in checked.errors]
    counted = checked.predictions
    assert (counted.images, counted.correct, counted.top5) == (30, 30 - len(checked.errors), 30)
    names = ("above", "below")
    pairs = Counter((names[answer.label], names[answer.predicted]) for answer in checked.expected)
    assert {(label, predicted): count for label, predicted, count in counted.confusion} == pairs


def test_confidence_is_counted_in_ten_bins(checked: Checked) -> None:
    error = 0.0
    for index, row in enumerate(checked.predictions.bins):
        within = [answer for answer in checked.expected if index / 10 <= answer.probability < (index + 1) / 10]
        correct = sum(answer.correct for answer in within)
        assert (row.images, row.correct) == (len(within), correct)
        if within:
            confidence = sum(answer.probability for answer in within) / len(within)
            assert row.mean == pytest.approx(confidence, abs=1e-6)
            error += len(within) / 30 * abs(correct / len(within) - confidence)
    assert checked.predictions.calibration_error == pytest.approx(error, abs=1e-6)
    right = np.mean([answer.probability for answer in checked.expected if answer.correct])
    wrong = np.mean([answer.probability for answer in checked.errors])
    assert checked.predictions.confidence_correct == pytest.approx(right, abs=1e-6)
    assert checked.predictions.confidence_misclassified == pytest.approx(wrong, abs=1e-6)


def test_the_most_confident_errors_come_first(checked: Checked) -> None:
    names, pages = ("above", "below"), {image.name: image.id for image in checked.run.images()}
    surest = sorted(checked.errors, key=lambda answer: -answer.probability)
    for row, answer in zip(checked.predictions.misclassified, surest, strict=True):
        assert (row.name, row.image, row.rank, row.correct) == (answer.name, pages[answer.name], answer.rank, False)
        assert (row.label, row.predicted) == (names[answer.label], names[answer.predicted])
        assert row.probability == pytest.approx(answer.probability, abs=1e-6)
        assert row.label_probability == pytest.approx(1 - answer.probability, abs=1e-6)


def test_images_without_a_label_are_no_errors(model: Path, layers_set: Path, tmp_path: Path) -> None:
    folder, answers = tmp_path / "i", answers_by_hand(model, layers_set)
    shutil.copytree(layers_set / "images", folder)
    shutil.copy(folder / answers[0].name, folder / "loose.png")
    (folder / "above" / "broken.png").write_bytes(b"no picture")
    command("run", model, folder, "-o", tmp_path / "r", "--select", "correct", *FEW)
    run = load_run(tmp_path / "r")
    assert [image.name for image in run.images()] == [answer.name for answer in answers if answer.correct]
    assert [file.name for file in run.record.skipped] == ["above/broken.png"]
    assert present(run.record.predictions).images == 30
    said = one_line(command("run", model, folder / "loose.png", "-o", tmp_path / "s", "--select", "correct", code=2))
    assert "no image has a label" in said and not (tmp_path / "s").exists()


MASKS = (("none", 24), ("of the set", 24), ("given", 24), ("others", 0))


@pytest.mark.parametrize(("masks", "count"), represented(MASKS, by=("given", "others")))
def test_images_that_were_trained_on_are_counted(
    masks: str, count: int, model: Path, layers_set: Path, tmp_path: Path
) -> None:
    words: dict[str, tuple[object, ...]] = {
        "none": (layers_set / "images",),
        "of the set": (layers_set,),
        "others": (tmp_path / "set",),
        "given": (layers_set / "images", "--masks", layers_set / "masks"),
    }
    command("make-dataset", "layers", "-n", 6, "-o", tmp_path / "set", "--size", 32, "--seed", 1, "-q")
    command("run", model, *words[masks], "-o", tmp_path / "r", *FEW)
    run = load_run(tmp_path / "r")
    assert run.record.network.reason == "as it was trained for one class per image"
    assert run.record.in_training_set == count and run.record.training == read(model).training
