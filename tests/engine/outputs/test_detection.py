"""Detection: the score of a class is that of its best box, and perturbed images are read by that box."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models import detection

from cnnvis_report import create_report, explain
from cnnvis_report.engine.outputs.boxes import Boxes, BoxScores, declared_classes
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.scores import BOXES
from tests.engine.outputs.detectors import Detector
from tests.narrow import present

IMAGES = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def best(network: Detector, images: Tensor, label: int) -> Tensor:
    """[N]: the highest probability of a class over all boxes; no suppression of others can touch the best one."""
    return network.probabilities(images)[:, :, label].amax(dim=1)


def classes_everywhere(network: Detector) -> list[int]:
    with torch.no_grad():
        return [label for label in range(1, network.num_classes) if bool((best(network, IMAGES, label) > 0.2).all())]


@pytest.fixture
def network() -> Detector:
    return Detector().eval()


def test_the_scores_are_those_of_the_best_boxes(network: Detector) -> None:
    reader = BoxScores.of(network(IMAGES), network, "net")
    scores, anchor = reader.read(network(IMAGES), 3)
    assert scores.shape == (3, 4 * BOXES) and not scores[:, ::4].any(), "nothing is ever labeled as background"
    assert isinstance(anchor, Boxes)
    for row, image in enumerate(network(IMAGES)):
        for label in range(1, 4):
            of_class = image["scores"][image["labels"] == label]
            expected = torch.cat([of_class.sort(descending=True).values, torch.zeros(BOXES)])[:BOXES]
            assert torch.equal(scores[row, label::4], expected)
            assert torch.equal(anchor.shares[row, label::4], expected.detach())
        boxes = anchor.all[row]
        assert len(boxes) == len(image["scores"]) and torch.equal(boxes[:, 5], boxes[:, 5].sort(descending=True).values)


def test_other_boxes_count_by_their_overlap(network: Detector) -> None:
    output = network(IMAGES[:1])
    reader = BoxScores.of(output, network, "net")
    _, anchor = reader.read(output, 1)
    assert isinstance(anchor, Boxes)
    label = int(output[0]["labels"][0])
    left, top, right, bottom = anchor.best[0, label].tolist()
    half = [{"boxes": torch.tensor([[left, top, right, (top + bottom) / 2]]), "labels": torch.tensor([label]),
             "scores": torch.tensor([0.8])}]  # fmt: skip
    scores, kept = reader.read(half, 1, anchor)
    assert scores[0, label] == pytest.approx(0.8 * 0.5) and kept is anchor
    aside = [{**half[0], "boxes": torch.tensor([[left + 100, top, right + 100, bottom]])}]
    assert not reader.read(aside, 1, anchor)[0].any()
    both = [{name: torch.cat([half[0][name], aside[0][name]]) for name in half[0]}]
    assert reader.read(both, 1, anchor)[0][0, label] == pytest.approx(0.8 * 0.5), "the box that overlaps counts"
    other = [{**half[0], "labels": torch.tensor([label % 3 + 1])}]
    assert not reader.read(other, 1, anchor)[0][0, label::4].any(), "a box of another class doesn't count"
    nothing = [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long), "scores": torch.zeros(0)}]
    assert not reader.read(nothing, 1, anchor)[0].any()


@pytest.mark.numeric
def test_the_gradient_is_that_of_the_box(network: Detector) -> None:
    labels = classes_everywhere(network)
    assert labels, "the drawn detector has a class with a box in every image"
    for label in labels:
        images = IMAGES.clone().requires_grad_()
        (expected,) = torch.autograd.grad(
            sum(image["scores"][image["labels"] == label].max() for image in network(images)), images
        )
        maps = explain(network, IMAGES, [label] * 3, methods=["gradient", "grad_cam"], layer="features.1")
        torch.testing.assert_close(maps["gradient"], expected, rtol=1e-4, atol=1e-6)
        assert maps["grad_cam"].shape == (3, 3, 3) and bool(maps["grad_cam"].any())


@pytest.mark.numeric
def test_a_second_box_of_a_class_has_a_map_of_its_own(network: Detector) -> None:
    images = IMAGES[:1].clone().requires_grad_()
    (output,) = network(images)
    label = next(label for label in range(1, 4) if int((output["labels"] == label).sum()) > 1)
    second = output["scores"][output["labels"] == label].sort(descending=True).values[1]
    (expected,) = torch.autograd.grad(second, images)
    subject = Subject(network, IMAGES[:1], name="net")
    tape = Tape(subject, IMAGES[:1])
    torch.testing.assert_close(tape.gradients(torch.tensor([label + 4])).pixels, expected, rtol=1e-4, atol=1e-6)
    assert subject.target_name(label + 4) == f"{subject.classes[label]} (box 2)" and len(subject.classes) == 4


@pytest.mark.numeric
def test_occlusion_follows_the_box_of_the_whole_image(network: Detector) -> None:
    label = classes_everywhere(network)[0]
    reader = BoxScores.of(network(IMAGES), network, "net")
    with torch.no_grad():
        score, anchor = reader.read(network(IMAGES[:1]), 1)
        hidden = IMAGES[:1].clone()
        hidden[:, :, :8, :8] = 0
        moved, _ = reader.read(network(hidden), 1, anchor)
    maps = explain(network, IMAGES[:1], [label], methods=["occlusion"], patch=8, stride=8, scales=1)["occlusion"]
    assert float(maps[0, 0, 0]) == pytest.approx(float(score[0, label] - moved[0, label]), abs=1e-6)


def test_a_class_without_a_box_is_not_explained(network: Detector) -> None:
    with pytest.warns(UserWarning, match="predicts no box of 'class 0' in images"):
        maps = explain(network, IMAGES, [0] * 3, methods=["gradient"])
    assert bool(maps["gradient"].isnan().all())


def test_methods_that_need_class_scores_say_so(network: Detector) -> None:
    label = classes_everywhere(network)[0]
    with pytest.warns(UserWarning, match="cam is left out: the scores are those of boxes"):
        assert not explain(network, IMAGES, [label] * 3, methods=["cam"], on_error="skip")


def test_a_report_shows_the_boxes(network: Detector, tmp_path: Path) -> None:
    report = create_report(
        network,
        list(IMAGES),
        output=tmp_path / "report",
        classes=["background", "ant", "bee", "cat"],
        methods="gradient,grad_cam,occlusion",
        metrics="quick",
        inspect="none",
        progress="none",
    )
    for image in report:
        first = image.record.top[0]
        assert first.probability == pytest.approx(max(float(score.probability or 0) for score in image.record.top))
        targets = [score.name for score in image.record.targets]
        assert targets == [score.name for score in image.record.top][:3], "a map for each of the best boxes"
        assert {name.partition(" (box")[0] for name in targets} <= {"ant", "bee", "cat"}
        explained = {(record.method, record.target) for record in image.record.maps}
        assert len(explained) == 3 * len(targets) and explained == {
            (method, score.index) for method in ("gradient", "grad_cam", "occlusion") for score in image.record.targets
        }
        boxes = report.maps(image.record)["boxes"]
        assert boxes.shape[1] == 6 and float(boxes[0, 5]) == pytest.approx(present(first.probability))
        page = (tmp_path / "report" / "images" / f"{image.record.id}.html").read_text(encoding="utf-8")
        assert "Predicted boxes" in page
    assert any(text.startswith("Detection: Best box: ") for text in report.findings)
    assert "the best boxes, of a class up to 3" in (tmp_path / "report" / "methods.html").read_text(encoding="utf-8")


def test_what_is_no_detection_is_one_line(network: Detector) -> None:
    with pytest.raises(BadRequest, match="a detector gives a dictionary with boxes, labels and scores"):
        explain(nn.Conv2d(3, 2, 16), IMAGES, [0] * 3, task="detection")
    with pytest.raises(BadRequest, match="gives a box of class 9, and has 4 classes"):
        reader = BoxScores.of(network(IMAGES), network, "net")
        image = network(IMAGES[:1])[0]
        reader.read([{**image, "labels": image["labels"] * 0 + 9}], 1)


def test_detectors_of_torchvision_say_their_classes() -> None:
    network = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=7)
    assert declared_classes(network) == 7


def test_boxes_are_drawn_in_the_colors_of_their_classes() -> None:
    from io import BytesIO

    from cnnvis_report.report.pictures.segmentation import boxes_picture, class_color

    picture = np.full((64, 64, 3), 128, dtype=np.uint8)
    drawn = boxes_picture(picture, np.array([[8, 8, 40, 40, 2, 0.9], [0, 0, 64, 64, 2, 0.1]], dtype=np.float32))
    pixels = np.asarray(Image.open(BytesIO(drawn)).convert("RGB")).astype(int)
    assert np.abs(pixels[8, 20] - class_color(2)).max() < 12, "the best box"
    assert np.abs(pixels[0, 60] - 128).max() < 12, "not the unsure one of the same class"
