"""A function of the user's own that makes scores of what a network returns."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.engine.outputs.functions import FunctionScores
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable
from tests.networks import Tiny, seeded
from tests.segmenters import Positions, Returns, UNet, halves

METHODS = [
    "gradient",
    "grad_cam",
    "occlusion",
    "ablation_cam",
    "integrated_gradients",
    "lrp_z",
    "full_grad",
    "smoothgrad",
]


@pytest.fixture(name="tiny")
def fixture_tiny() -> nn.Module:
    return seeded(Tiny(5), 0).double().eval()


def test_a_function_that_takes_a_column_gives_the_maps_of_that_column(tiny: nn.Module, images: Tensor) -> None:
    options: dict[str, Any] = {"n": 3, "steps": 3}
    expected = explain(tiny, images, [3] * 3, METHODS, task="regression", **options)
    actual = explain(tiny, images, methods=METHODS, target=lambda output: output[:, 3], **options)
    for name in METHODS:
        assert torch.equal(actual[name], expected[name]), name


def test_a_function_of_several_columns_is_chosen_from_by_targets(tiny: nn.Module, images: Tensor) -> None:
    expected = explain(tiny, images, [[3, 1]] * 3, ["gradient"])["gradient"]
    actual = explain(tiny, images, [[1, 0]] * 3, ["gradient"], target=lambda output: output[:, [1, 3]])["gradient"]
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def test_a_function_with_two_parameters_gets_the_output_for_the_images_as_they_are() -> None:
    # the mean over a region by hand is what the segmentation does by itself, under every perturbation
    network = seeded(UNet(), 4).double().eval()
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

    def mean_over_region(output: Tensor, plain: Tensor) -> Tensor:
        inside = plain.argmax(dim=1) == 1
        return (output[:, 1] * inside).sum((1, 2)) / inside.sum((1, 2))

    names, options = ["gradient", "occlusion", "integrated_gradients", "score_cam"], {"steps": 3, "max_channels": 3}
    expected = explain(network, images, [1, 1], names, **options)  # type: ignore[arg-type]
    actual = explain(network, images, methods=names, target=mean_over_region, **options)  # type: ignore[arg-type]
    for name in names:
        torch.testing.assert_close(actual[name], expected[name], rtol=1e-9, atol=1e-12)


def test_plain_outputs_keep_their_form() -> None:
    network = Returns(Positions(), lambda output: (output["out"], {"more": output["out"][:, 0], "word": "x"})).double()

    def function(output: Any, plain: Any) -> Tensor:
        assert plain[1]["word"] == "x" and plain[1]["more"].shape == output[1]["more"].shape
        assert not plain[0].requires_grad
        product: Tensor = output[0] * plain[0]
        return product.sum((1, 2, 3))

    assert explain(network.eval(), halves(), methods=["occlusion"], target=function)["occlusion"].shape == (2, 8, 8)


def test_a_dict_names_the_columns(tiny: nn.Module, images: Tensor) -> None:
    reader = FunctionScores(lambda output: {"up": output[:, 0], "down": -output[:, 0]}, "both")
    subject = Subject(tiny, images[:1], reader=reader)
    assert subject.classes == ("up", "down") and subject.scores == "what both gives"
    assert (subject.meaning.kind.task, subject.meaning.reason) == ("regression", "as a target function makes them")


def test_a_function_may_give_class_scores(tiny: nn.Module, images: Tensor) -> None:
    reader = FunctionScores(lambda output: output[1], "second")
    network = Returns(tiny, lambda output: (-output, output)).eval()
    subject = Subject(network, images[:1], reader=reader, task="classification")
    assert subject.meaning.kind == "softmax" and len(subject.classes) == 5
    torch.testing.assert_close(subject.forward(images), Subject(tiny, images[:1]).forward(images))


def fails(output: Tensor) -> Tensor:
    raise KeyError("out")


WRONG: dict[str, tuple[Any, str]] = {
    "no tensor": (lambda output: 3.0, "target gives a float; a target function gives [N] scores, [N, K] for K of them"),
    "none": (lambda output: None, "target gives a NoneType; "),
    "another count": (lambda output: output[:1, 0].repeat(5), "target gives [5] for "),
    "maps": (lambda output: output[:, :, None], "target gives [3, 5, 1] for 3 images"),
    "indices": (lambda output: output.argmax(1), "target gives torch.int64 numbers, which have no slope"),
    "detached": (lambda output: output.detach()[:, 0], "target gives scores that autograd can't follow back"),
    "not finite": (lambda output: output[:, 0] / 0, "target gives scores that aren't finite"),
    "an error": (fails, "fails fails: KeyError: 'out', in "),
    "a dict of several": (lambda output: {"a": output}, "target gives a dict whose 'a' isn't [N]"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_function_that_gives_no_scores_is_refused_in_one_line(wrong: str, tiny: nn.Module, images: Tensor) -> None:
    function, says = WRONG[wrong]
    with pytest.raises(BadRequest) as caught:
        explain(tiny, images, methods=["gradient"], target=function)
    message = str(caught.value)
    first = says.replace("3 images", "1 image").replace("[3, 5, 1]", "[1, 5, 1]")  # the example goes first, alone
    assert (says in message or first in message) and "\n" not in message, message


def test_a_function_of_one_image_gets_images_one_by_one(tiny: nn.Module, images: Tensor) -> None:
    with pytest.warns(UserWarning, match=r"target gives \[\] for 3 images; .* images are explained one by one"):
        maps = explain(tiny, images, methods=["occlusion"], target=lambda output: output[:, 2].sum())["occlusion"]
    torch.testing.assert_close(maps, explain(tiny, images, [2] * 3, ["occlusion"])["occlusion"])


@pytest.mark.parametrize("target", [5, [1, 2], FunctionScores], ids=["a number", "a list", "a class"])
def test_what_is_no_function_is_refused(target: Any, tiny: nn.Module, images: Tensor) -> None:
    with pytest.raises(BadRequest, match=r"^target is (an int|a list|a type)"):
        explain(tiny, images, target=target)


def test_a_method_that_reads_the_weights_of_classes_says_that_there_are_none(tiny: nn.Module, images: Tensor) -> None:
    with pytest.raises(NotApplicable, match="target makes the scores, and no layer that weighs averages does"):
        explain(tiny, images, methods=["cam"], target=lambda output: output[:, 0].square())
    as_it_is = explain(tiny, images, [2] * 3, ["cam"], target=lambda output: output)["cam"]
    assert torch.equal(as_it_is, explain(tiny, images, [2] * 3, ["cam"])["cam"])
