"""What is no classifier, no layer and no argument is refused in one line."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric


@pytest.fixture
def tiny() -> Tiny:
    return seeded(Tiny()).double()


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (lambda x: {"first": x, "second": x}, "returns a dict with first, second, not class scores"),
        (lambda x: x[:, :, :5, :5], r"returns N×3×5×5, no N×classes scores. Give --task segmentation if"),
        (lambda x: x.mean(1), r"returns N×16×16, no N×classes scores. Give --target, a function"),
        (lambda x: [x, x.mean((2, 3))], r"returns a list of 2: N×3×16×16, N×3, not class scores"),
        (lambda x: x.mean((2, 3)).detach(), "autograd can't follow back"),
        (lambda x: x.mean((2, 3)) / 0 * 0, "aren't finite"),
        (lambda x: x.view(len(x), 7), "doesn't take a 1×3×16×16 batch"),
    ],
)
def test_what_is_no_classifier_is_refused_in_one_line(output: Any, says: Any, images: Any) -> None:
    class Odd(nn.Module):
        def forward(self, x: Any) -> Any:
            return output(x)

    with pytest.raises(BadRequest, match=says) as caught:
        Subject(Odd(), images[:1])
    assert "\n" not in str(caught.value)


def test_scores_of_one_by_one_maps_are_scores(images: Any) -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 16)).double()
    assert Subject(network, images[:1]).forward(images).shape == (3, 5)


def test_unknown_layers_and_layers_without_space(tiny: Any, images: Any, targets: Any) -> None:
    with pytest.raises(UnknownName, match=r"No layer is called 'featuers'. Did you mean 'features'\?"):
        explain(tiny, images, targets, ["grad_cam"], layer="featuers")
    with pytest.raises(NotApplicable, match=r"layer 'fc' gives 5, which has no spatial size"):
        explain(tiny, images, targets, ["grad_cam"], layer="fc")
    with pytest.raises(NotApplicable, match="has no layer with a spatial size"):
        explain(nn.Sequential(nn.Flatten(), nn.Linear(768, 5)).double(), images, targets, ["grad_cam"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"targets": [0, 1]}, "for 3 images"),
        ({"targets": [0, 1, 5]}, r"Target 5 isn't a class: Tiny has 5"),
        ({"targets": [0, -1, 2]}, "Target -1 isn't a class index"),
        ({"targets": torch.tensor([0.0, 1.0, 2.0])}, "whole numbers are needed"),
        ({"images": torch.zeros(3, 16, 16)}, r"N×C×H×W of floating point"),
        ({"methods": ["grad-camm"]}, r"Did you mean 'grad_cam'"),
        ({"methods": []}, "No method was asked for"),
        ({"on_error": "ignore"}, "can be 'raise' or 'skip'"),
        ({"stepss": 3}, r"Did you mean 'steps'"),
        ({"steps": 0}, "takes a number from 1 to 2000"),
        ({"steps": 2.5}, "takes a whole number"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(change: Any, says: Any, tiny: Any, images: Any, targets: Any) -> None:
    arguments = {"images": images, "targets": targets, "methods": ["integrated_gradients"]} | change
    with pytest.raises(BadRequest, match=says) as caught:
        explain(tiny, **arguments)
    assert "\n" not in str(caught.value)
