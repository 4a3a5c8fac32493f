"""Segmentation: the mean of a class's scores over its predicted region, which stays that of the image as it is."""

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.engine.outputs.regions import Regions
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import tasks_for
from tests.networks import Tiny, seeded
from tests.segmenters import Positions, Returns, UNet, halves

RED, GREEN, NEVER = 0, 1, 2  # classes of `Positions`; the last one is predicted nowhere in `halves`


@pytest.fixture(name="linear")
def fixture_linear() -> nn.Module:
    return Positions().double().eval()


@pytest.fixture(name="unet")
def fixture_unet() -> nn.Module:
    return seeded(UNet(), 4).double().eval()


@pytest.fixture(name="pictures")
def fixture_pictures() -> Tensor:
    return torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.fixture(name="tiny")
def fixture_tiny() -> nn.Module:
    return seeded(Tiny(5), 0).double().eval()


def weights(network: nn.Module, target: int) -> Tensor:
    assert isinstance(network, Positions)
    return network.head.weight[target, :, 0, 0].detach()


def region(row: int, target: int) -> Tensor:
    """[8, 8] of `halves`, by hand."""
    red = torch.zeros(8, 8, dtype=torch.float64)
    red[:, : 2 + row] = 1
    return red if target == RED else 1 - red


@pytest.mark.parametrize("target", [RED, GREEN])
def test_the_gradient_is_the_weights_over_the_size_of_the_region(linear: nn.Module, target: int) -> None:
    maps = explain(linear, halves(), [target] * 2, ["gradient"])["gradient"]
    for row, values in enumerate(maps):
        inside = region(row, target)
        torch.testing.assert_close(values, weights(linear, target)[:, None, None] * inside / inside.sum())


@pytest.mark.parametrize("target", [RED, GREEN])
def test_a_patch_takes_what_lies_under_it_in_the_region_of_its_own_image(linear: nn.Module, target: int) -> None:
    images = halves()
    maps = explain(linear, images, [target] * 2, ["occlusion"], patch=2, stride=2)["occlusion"]
    for row, image in enumerate(images):
        inside = region(row, target)
        parts = torch.einsum("c,chw->hw", weights(linear, target), image) * inside / inside.sum()
        patches = parts.view(4, 2, 4, 2).sum(dim=(1, 3))
        torch.testing.assert_close(maps[row], patches.repeat_interleave(2, 0).repeat_interleave(2, 1))


def test_integrated_gradients_are_complete_over_the_region_of_the_image(unet: nn.Module, pictures: Tensor) -> None:
    # at the black end the network would predict other regions, for which the sum wouldn't hold
    subject = Subject(unet, pictures[:1])
    anchor = subject.anchor(pictures)
    first = subject.ranking(pictures).argmax(dim=1)
    rise = subject.forward(pictures, anchor=anchor) - subject.forward(torch.zeros_like(pictures), anchor=anchor)
    maps = explain(unet, pictures, first, ["integrated_gradients"], steps=200)["integrated_gradients"]
    torch.testing.assert_close(maps.sum((1, 2, 3)), rise.gather(1, first[:, None])[:, 0], rtol=1e-2, atol=1e-4)


def test_relevance_of_a_network_without_biases_sums_to_the_mean_over_the_region(pictures: Tensor) -> None:
    network = seeded(UNet(bias=False), 4).double().eval()
    subject = Subject(network, pictures[:1])
    first = subject.ranking(pictures).argmax(dim=1)
    score = subject.forward(pictures).gather(1, first[:, None])[:, 0]
    maps = explain(network, pictures, first, ["lrp_z", "input_x_gradient"])
    for values in maps.values():
        torch.testing.assert_close(values.sum((1, 2, 3)), score, rtol=1e-6, atol=1e-9)


def test_grad_cam_is_that_of_a_slow_replica(unet: nn.Module, pictures: Tensor) -> None:
    assert isinstance(unet, UNet)
    layer = "up"
    maps = explain(unet, pictures, [1] * 3, ["grad_cam"], layer=layer)["grad_cam"]
    for row, image in enumerate(pictures):
        high = unet.down(image[None])
        low = unet.bottom(unet.pool(high)).repeat_interleave(2, 2).repeat_interleave(2, 3)
        features = unet.up(torch.cat([high, low], dim=1)).detach().requires_grad_()
        logits = unet.head(features)
        inside = [(y, x) for y in range(16) for x in range(16) if int(logits[0, :, y, x].argmax()) == 1]
        torch.stack([logits[0, 1, y, x] for y, x in inside]).mean().backward()
        assert features.grad is not None
        expected = sum(features.grad[0, k].mean() * features[0, k].detach() for k in range(6))
        torch.testing.assert_close(maps[row], torch.as_tensor(expected).relu(), rtol=1e-9, atol=1e-12)


def test_grad_cam_is_that_of_pytorch_grad_cam_but_for_the_size_of_the_region(unet: nn.Module, pictures: Tensor) -> None:
    peers = pytest.importorskip("pytorch_grad_cam", reason="grad-cam isn't installed (extra 'test')")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    single, image = unet.float(), pictures[:1].float()
    inside = single(image).argmax(dim=1)[0] == 1
    with peers.GradCAM(single, [single.get_submodule("up")]) as peer:
        peer.compute_cam_per_layer = lambda *_: []  # its own scaling is not of interest
        target = targets.SemanticSegmentationTarget(1, inside.numpy())
        peer.activations_and_grads(image)
        target(peer.activations_and_grads(image)[0]).backward()
        activations = peer.activations_and_grads.activations[-1]
        gradients = peer.activations_and_grads.gradients[0]
    expected = (gradients.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1).relu() / inside.sum()
    torch.testing.assert_close(explain(single, image, [1], ["grad_cam"], layer="up")["grad_cam"], expected)


def test_no_method_reads_the_region_of_another_image(unet: nn.Module, pictures: Tensor) -> None:
    chosen: dict[str, Any] = {"steps": 2, "n": 4, "samples": 8, "segments": 4, "max_channels": 3}
    names = [
        *[
            "gradient",
            "occlusion",
            "rise",
            "integrated_gradients",
            "smoothgrad",
            "expected_gradients",
            "score_cam",
            "ablation_cam",
        ]
    ]
    names += [*["lime", "kernel_shap", "extremal_perturbation", "full_grad", "lrp_z", "grad_cam", "eigen_cam"]]
    first = Subject(unet, pictures[:1]).ranking(pictures).argmax(dim=1)
    together = explain(unet, pictures, first, names, reference=pictures, on_error="skip", **chosen)
    assert {*names} - {*together} <= {"lime", "kernel_shap"}, "these need scikit-image"
    for row in range(3):
        part = slice(row, row + 1)
        alone = explain(unet, pictures[part], first[part], names, reference=pictures, on_error="skip", **chosen)
        for name, values in alone.items():
            torch.testing.assert_close(together[name][part], values, rtol=1e-7, atol=1e-9, msg=name)


@pytest.mark.parametrize("name", ["occlusion", "rise", "score_cam"])
def test_versions_of_several_images_that_go_together_are_read_as_alone(
    name: str, unet: nn.Module, pictures: Tensor
) -> None:
    subject = Subject(unet, pictures[:1])
    first = subject.ranking(pictures).argmax(dim=1, keepdim=True)
    (task,) = tasks_for(select([name]), [], {"rise": {"n": 8}} if name == "rise" else {})
    together, alone = (task.run(Tape(subject, pictures, capacity=size), first) for size in (9, 3))
    torch.testing.assert_close(together, alone)


def test_a_method_that_doesnt_say_which_image_it_changes_is_refused(linear: nn.Module) -> None:
    tape = Tape(Subject(linear, halves()[:1]), halves())
    assert tape.scores(halves()).shape == (2, 3)
    with pytest.raises(NotApplicable, match="doesn't say which image each of its passes is a version of"):
        tape.scores(halves(4))


Named = namedtuple("Named", "out aux")
FORMS: dict[str, tuple[Any, str]] = {
    "maps": (lambda maps: maps, ""),
    "a dict with out and aux": (lambda maps: {"aux": maps[:, :2], "out": maps}, "'out' is taken as the maps of scores"),
    "logits": (lambda maps: SimpleNamespace(logits=maps), ""),
    "a tuple": (lambda maps: Named(maps, maps[:, :, ::2, ::2]), "item 1, N×3×8×8, is taken"),
    "deep supervision": (lambda maps: [maps[:, :, ::4, ::4], maps], "item 2, N×3×8×8, is taken"),
}


@pytest.mark.parametrize("form", FORMS)
def test_maps_of_scores_are_found_in_what_networks_return(linear: nn.Module, form: str) -> None:
    change, said = FORMS[form]
    subject = Subject(Returns(linear, lambda output: change(output["out"])).double().eval(), halves()[:1])
    assert subject.meaning.kind.task == "segmentation" and said in " ".join(subject.notices)
    torch.testing.assert_close(subject.forward(halves()), Subject(linear, halves()[:1]).forward(halves()))


def test_a_smaller_output_is_read_on_its_own_grid(linear: nn.Module) -> None:
    network = Returns(linear, lambda output: output["out"][:, :, ::2, ::2]).eval()
    regions = Subject(network, halves()[:1]).anchor(halves())
    assert isinstance(regions, Regions) and regions.labels.shape == (2, 4, 4)
    torch.testing.assert_close(regions.shares[0], torch.tensor([0.25, 0.75, 0.0]))


def test_a_single_map_is_that_of_the_foreground(linear: nn.Module) -> None:
    subject = Subject(Returns(linear, lambda output: output["out"][:, :1] - 1).eval(), halves()[:1])
    assert subject.classes == ("background", "foreground")
    logits = linear(halves())["out"][:, 0] - 1
    expected = torch.stack([torch.stack([-row[row <= 0].mean(), row[row > 0].mean()]) for row in logits])
    torch.testing.assert_close(subject.forward(halves()), expected)


def test_probabilities_are_called_so(linear: nn.Module) -> None:
    subject = Subject(Returns(linear, lambda output: output["out"].softmax(1)).eval(), halves()[:1])
    assert subject.scores == "the mean probability of a class over the region that is predicted as it"


def test_maps_of_an_unusual_size_are_read_where_that_is_asked_for(linear: nn.Module) -> None:
    network = Returns(linear, lambda output: output["out"][:, :, :5, :5]).eval()
    with pytest.raises(BadRequest, match=r"returns N×3×5×5, no N×classes scores. Give --task segmentation if they are"):
        Subject(network, halves()[:1], name="it")
    assert Subject(network, halves()[:1], task="segmentation").columns == 3


def test_a_classifier_is_no_segmentation(images: Tensor, tiny: nn.Module) -> None:
    with pytest.raises(
        BadRequest, match=r"--task segmentation: it returns a Tensor; a segmentation gives N×classes×h×w"
    ):
        Subject(tiny, images[:1], task="segmentation", name="it")


def test_a_class_that_is_predicted_nowhere_has_no_map(linear: nn.Module) -> None:
    with pytest.warns(
        UserWarning, match=r"no region of 'class 2' in images\[0\], nor of 1 other targets: these maps are"
    ):
        maps = explain(linear, halves(), [[RED, NEVER]] * 2, ["gradient"])["gradient"]
    assert bool(maps[:, 1].isnan().all()) and bool(maps[:, 0].isfinite().all())


def test_the_largest_region_is_explained_where_no_class_is_named(linear: nn.Module) -> None:
    maps, expected = (explain(linear, halves(), targets, ["gradient"])["gradient"] for targets in (None, [GREEN] * 2))
    assert torch.equal(maps, expected)
