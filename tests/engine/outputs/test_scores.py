"""What scores mean and why, kinds that cannot be, and outputs in containers."""

from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from cnnvis_report import explain
from cnnvis_report.data.image_set import ImageItem, ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.explaining.targets import ClassChoice, check_choice
from cnnvis_report.records.images import Label
from tests.engine.outputs.ended import Ended
from tests.networks import Tiny, seeded


class Config:
    problem_type = "regression"


KINDS = [
    ({}, 5, None, False, "softmax", "nothing says otherwise"),
    ({}, 5, None, True, "sigmoid", "images have several labels"),
    ({}, 1, None, True, "binary", "a single score"),
    ({}, 1, F.relu, False, "value", "never negative (it comes out of a ReLU)"),
    ({}, 1, F.relu6, False, "value", "never negative (it comes out of a clamp at 0)"),
    ({}, 1, lambda y: y.clamp(0, 1), False, "value", "never negative (it comes out of a clamp at 0)"),
    ({}, 1, lambda y: y.clamp(-9, 9), False, "binary", "a single score"),
    ({}, 1, lambda y: y.square().sqrt(), False, "value", "never negative (it comes out of a square root)"),
    ({}, 1, lambda y: y**2, False, "value", "never negative (it comes out of an even power)"),
    ({}, 1, lambda y: y**3, False, "binary", "a single score"),
    ({}, 1, lambda y: 50 * torch.sigmoid(y), False, "value", "it comes out of a scaled sigmoid"),
    ({}, 1, lambda y: y.softmax(1), False, "binary", "The softmax of a single score never changes"),
    ({}, 5, F.hardsigmoid, False, "sigmoid", "ends in a hard sigmoid"),
    ({}, 5, F.relu, False, "softmax", "nothing says otherwise"),
    ({}, 5, torch.sigmoid, False, "sigmoid", "ends in a sigmoid"),
    ({}, 5, nn.Softmax(1), True, "softmax", "ends in a softmax"),
    ({"task": "regression"}, 1, None, False, "value", "attribute task = 'regression'"),
    ({"task": "multilabel"}, 5, None, False, "sigmoid", "attribute task = 'multilabel'"),
    ({"task": nn.Identity()}, 5, None, False, "softmax", "nothing says otherwise"),
    ({"multi_label": True}, 5, None, False, "sigmoid", "attribute multi_label = True"),
    ({"config": Config()}, 1, None, False, "value", "problem_type = 'regression'"),
]


@pytest.mark.parametrize(("attributes", "columns", "end", "several", "kind", "why"), KINDS)
def test_what_scores_mean_is_found_out_and_said(
    attributes: Any, columns: Any, end: Any, several: Any, kind: Any, why: Any, images: Tensor
) -> None:
    network = Ended(end or (lambda y: y), columns).double().eval()
    for name, value in attributes.items():
        setattr(network, name, value)
    meaning = Subject(network, images[:1], several=several).meaning
    assert meaning.kind == kind and why in meaning.reason
    asked = Subject(network, images[:1], task="regression", several=several).meaning
    assert (asked.kind, asked.reason) == ("value", "as was asked for")


@pytest.mark.parametrize(
    ("columns", "asked", "end", "says"),
    [
        (5, "binary", None, "--task binary: it gives 5 scores per image; a binary answer has one. Classificat"),
        (1, "softmax", None, "--task classification: it gives a single score per image, whose softmax is always 1"),
        (5, "sigmoid", nn.Softmax(1), "--task multilabel: it ends in a softmax, whose classes exclude each other"),
        (5, "logits", None, "--task 'logits': it can be auto, classification, multilabel, binary, reg"),
    ],
)
def test_scores_that_cannot_be_that_are_one_true_line(
    columns: Any, asked: Any, end: Any, says: Any, images: Tensor
) -> None:
    with pytest.raises(BadRequest, match=says) as caught:
        Subject(Ended(end or (lambda y: y), columns).double(), images[:1], task=asked, name="it")
    assert "\n" not in str(caught.value)


def test_a_value_is_explained_as_it_is_given(images: Tensor) -> None:
    network = Ended(torch.sigmoid, 2).double().eval()
    subject = Subject(network, images[:1], task="regression")
    given = subject.forward(images).detach()
    torch.testing.assert_close(given, network(images).detach())
    assert torch.equal(subject.probabilities(given), given) and subject.classes == ("output 0", "output 1")
    assert subject.meaning.first(torch.tensor([1.0, 5.0, 3.0]), 2) == [0, 1], "values have no first among them"
    leaf = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(leaf)[:, 1].sum(), leaf)
    torch.testing.assert_close(explain(network, images, [1] * 3, ["gradient"], task="regression")["gradient"], slope)


TAKEN = {
    "dict": (lambda y: {"aux": y * 0, "logits": y}, "a dict with aux, logits; 'logits' is taken as the scores"),
    "dict, another key": (lambda y: {"features": y * 0, "pred": y}, "'pred' is taken as the scores"),
    "dict of one": (lambda y: {"whatever": y}, "'whatever' is taken as the scores"),
    "tuple": (lambda y: (y, y[:, :2]), r"a tuple of 2: N×5, N×2; its first item, N×5, is taken as the scores"),
    "list": (lambda y: [y], "a list of 1: N×5; its item is the scores"),
    "1×1 maps": (lambda y: y[:, :, None, None], None),
    "a row": (lambda y: y[:, None], None),
}


@pytest.mark.parametrize("name", TAKEN)
def test_scores_are_taken_out_of_what_holds_them_and_that_is_said(name: str, images: Tensor) -> None:
    end, says = TAKEN[name]
    network = Ended(end).double().eval()
    subject = Subject(network, images[:1], name="it")
    torch.testing.assert_close(subject.forward(images), network.logits(images))
    assert len(subject.notices) == (says is not None)
    if says:
        assert subject.notices[0].startswith("it returns a ") and says in subject.notices[0]


def test_scores_of_one_image_may_come_without_their_row(images: Tensor) -> None:
    network = Ended(lambda y: y.squeeze(0)).double().eval()
    torch.testing.assert_close(Subject(network, images[:1]).forward(images[:1]), network.logits(images[:1]))


def test_the_classes_of_labels_that_nobody_knows_are_one_true_line(images: Tensor) -> None:
    subject = Subject(seeded(Tiny(5)).double(), images[:1], name="it")
    unknown = ImageSet((ImageItem("1", "a.png", lambda: Image.new("RGB", (1, 1)), "", (Label("ghost"),)),))
    with pytest.raises(BadRequest, match="it knows none of the labels, such as 'ghost'"):
        check_choice(ClassChoice(label=True), unknown, subject)
    check_choice(ClassChoice(label=True, top=1), unknown, subject)
