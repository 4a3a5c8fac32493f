"""The networks that people use, with random weights, against slow replicas and against the peers."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.errors import NotApplicable
from tests import oracles
from tests.architectures import architecture
from tests.benchmarks.passes import out_of_place
from tests.exhaustive import represented

pytestmark = pytest.mark.numeric

captum = pytest.importorskip("captum.attr", reason="captum isn't installed (extra 'test')")

FAMILIES = ("vgg16", "resnet18", "densenet121", "googlenet", "mobilenet_v2", "squeezenet1_1")
LAST_STAGE = {
    "vgg16": "features.29",
    "resnet18": "layer4",
    "densenet121": "features",
    "googlenet": "inception5b",
    "mobilenet_v2": "features",
    "squeezenet1_1": "features",
}
# captum finds the ReLUs of these: modules, each used once
MODULE_RELUS = ("vgg16", "squeezenet1_1")
SIDE = 64  # leaves 2×2 positions of a last stage that has a 32nd of them


TARGETS = torch.tensor([5, 2])


@dataclass(frozen=True)
class Family:
    """A network, the same for captum, whose hooks don't bear operations in place, and two images."""

    name: str
    network: nn.Module
    peer: nn.Module
    pictures: Tensor

    @property
    def layer(self) -> str:
        return LAST_STAGE[self.name]


def build(name: str) -> nn.Module:
    network, _ = architecture(name, biases=True)
    return network.double()


@pytest.fixture(scope="module", params=represented(FAMILIES, by=("resnet18", "squeezenet1_1")))
def family(request: pytest.FixtureRequest) -> Family:
    pictures = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    network = build(request.param)
    return Family(request.param, network, out_of_place(copy.deepcopy(network)), pictures)


def apart(actual: Any, expected: Any) -> float:
    actual, expected = torch.as_tensor(actual).detach(), torch.as_tensor(expected).detach()
    return float((actual - expected).norm() / expected.norm())


def test_gradients_and_relu_rules(family: Family) -> None:
    network, pictures = family.network, family.pictures
    maps = explain(network, pictures, TARGETS, ["gradient", "guided_backprop", "deconvnet"])
    for method, gated in [("gradient", None), ("guided_backprop", True), ("deconvnet", False)]:
        expected = oracles.pixel_gradient(network, pictures, TARGETS, gated)
        assert apart(maps[method], expected) < 1e-9, method
    assert apart(maps["guided_backprop"], maps["gradient"]) > 0.1, "the rule changes something"


def test_class_activation_maps(family: Family) -> None:
    a, g = oracles.layer_values(family.network, family.pictures, TARGETS, family.layer)
    maps = explain(family.network, family.pictures, TARGETS, [*oracles.CAMS, "grad_cam_plus_plus"])
    for method, definition in oracles.CAMS.items():
        assert apart(maps[method], definition(a, g)) < 1e-9, method
    assert apart(maps["grad_cam_plus_plus"], oracles.grad_cam_plus_plus(a, g)) < 1e-9


def test_captum_agrees(family: Family) -> None:
    network, peer, pictures = family.network, family.peer, family.pictures
    layer = peer.get_submodule(family.layer)
    names = ["saliency", "input_x_gradient", "integrated_gradients", "occlusion", "grad_cam"]
    maps = explain(network, pictures, TARGETS, names, steps=4, patch=40, stride=30)
    theirs = {
        "saliency": captum.Saliency(peer).attribute(pictures.clone().requires_grad_(), TARGETS),
        "input_x_gradient": captum.InputXGradient(peer).attribute(pictures.clone().requires_grad_(), TARGETS),
        "integrated_gradients": captum.IntegratedGradients(peer).attribute(
            pictures, torch.zeros_like(pictures), TARGETS, n_steps=4, method="gausslegendre"
        ),
        "grad_cam": captum.LayerGradCam(peer, layer).attribute(pictures, TARGETS, relu_attributions=True)[:, 0],
    }
    # captum averages over the windows itself; one channel of its map is the whole map
    covered = captum.Occlusion(peer).attribute(pictures, (3, 40, 40), (3, 30, 30), target=TARGETS, baselines=0)
    theirs["occlusion"] = covered[:, 0]
    for method, expected in theirs.items():
        assert apart(maps[method], expected) < 1e-5, method


@pytest.mark.parametrize("family", represented(MODULE_RELUS, by=("squeezenet1_1",)), indirect=True)
def test_captum_agrees_on_relu_rules_where_it_sees_every_relu(family: Family) -> None:
    peer, pictures = family.peer, family.pictures
    maps = explain(family.network, pictures, TARGETS, ["guided_backprop", "deconvnet", "guided_grad_cam"])
    layer = peer.get_submodule(family.layer)
    theirs = {
        "guided_backprop": captum.GuidedBackprop(peer).attribute(pictures.clone().requires_grad_(), TARGETS),
        "deconvnet": captum.Deconvolution(peer).attribute(pictures.clone().requires_grad_(), TARGETS),
        "guided_grad_cam": captum.GuidedGradCam(peer, layer).attribute(
            pictures.clone().requires_grad_(), TARGETS, interpolate_mode="bilinear"
        ),
    }
    for method, expected in theirs.items():
        assert apart(maps[method], expected) < 1e-5, method


def test_pytorch_grad_cam_agrees_on_weights(family: Family) -> None:
    peers = pytest.importorskip("pytorch_grad_cam", reason="grad-cam isn't installed (extra 'test')")
    network, pictures = family.network, family.pictures
    a, g = oracles.layer_values(network, pictures, TARGETS, family.layer)
    maps = explain(network, pictures, TARGETS, ["grad_cam_plus_plus", "xgrad_cam", "hires_cam", "layer_cam"])
    layer = network.get_submodule(family.layer)
    for method, kind in [
        ("grad_cam_plus_plus", peers.GradCAMPlusPlus),
        ("xgrad_cam", peers.XGradCAM),
        ("hires_cam", peers.HiResCAM),
        ("layer_cam", peers.LayerCAM),
    ]:
        with kind(model=network, target_layers=[layer]) as peer:
            theirs = peer.get_cam_image(pictures, layer, None, a, g, False)
        ours = maps[method].numpy()
        # they add small constants to denominators, so what is close to them isn't what they are
        likeness = np.corrcoef(ours.ravel(), oracles.relu(theirs).ravel() if ours.min() >= 0 else theirs.ravel())[0, 1]
        assert likeness > 0.999, method


@pytest.mark.parametrize(("name", "reason"), [("efficientnet_b0", "SiLU"), ("mobilenet_v3_small", "Hardswish")])
def test_relu_rules_say_where_they_are_not_defined(name: str, reason: str) -> None:
    network = build(name)
    image = torch.zeros(1, 3, 64, 64, dtype=torch.float64)
    with pytest.raises(NotApplicable, match=rf"\d+ {reason} activations have no ReLU rule"):
        explain(network, image, [0], ["guided_backprop"])
    with pytest.warns(UserWarning, match="guided_backprop is left out"):
        maps = explain(network, image, [0], ["guided_backprop", "gradient"], on_error="skip")
    assert set(maps) == {"gradient"}


@pytest.mark.parametrize(("name", "reason"), [("vgg16", "Relu"), ("mobilenet_v3_small", "Hardswish")])
def test_cam_says_where_it_is_not_defined(name: str, reason: str) -> None:
    with pytest.raises(NotApplicable, match=f"doesn't follow global average pooling but {reason}"):
        explain(build(name), torch.zeros(1, 3, 64, 64, dtype=torch.float64), [0], ["cam"])
