"""Explanations of a converted network: those of the same network written in PyTorch by hand, by every method."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.extras.needs import needs

needs("keras", "h5py")

from cnnvis_report import explain  # noqa: E402
from cnnvis_report.errors import CnnVisError, NotApplicable  # noqa: E402
from cnnvis_report.methods.registry import methods  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from tests.extras.keras.models import chain, layers  # noqa: E402

EXTRAS = {"lime", "kernel_shap"}  # need a library that may not be there
OF_ATTENTION = {"attention_rollout", "gradient_attention_rollout", "attn_lrp"}  # the network has none
COMPARED = [
    "gradient",
    "grad_cam",
    "cam",
    "layer_cam",
    "guided_backprop",
    "lrp_composite",
    "lrp_epsilon",
    "deep_taylor",
]


class ByHand(nn.Module):
    """What `saved` has, with the weights of Keras turned by hand."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        first, norm, second, dense = (layer for layer in model.layers if layer.weights)
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6, eps=norm.epsilon)
        self.second = nn.Conv2d(6, 8, 3)
        self.last = nn.ReLU()
        self.dense = nn.Linear(8, 4)
        for module, layer in ((self.first, first), (self.second, second)):
            module.weight.data = layer.kernel.value.detach().permute(3, 2, 0, 1).contiguous()
            module.bias.data = layer.bias.value.detach()  # type: ignore[union-attr]
        self.norm.weight.data, self.norm.bias.data = norm.gamma.value.detach(), norm.beta.value.detach()
        self.norm.running_mean, self.norm.running_var = norm.moving_mean.value, norm.moving_variance.value
        self.dense.weight.data, self.dense.bias.data = dense.kernel.value.detach().t(), dense.bias.value.detach()

    def forward(self, images: Tensor) -> Any:
        x = nn.functional.max_pool2d(self.norm(self.first(images)).relu(), 2)
        return self.dense(self.last(self.second(x)).mean((2, 3)))


def saved() -> Any:
    """A classifier that ends in global average pooling and a softmax."""
    return chain(
        [
            layers.Conv2D(6, 3, padding="same", name="conv2d_1"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, activation="relu", name="conv2d_2"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ],
        (16, 16, 3),
    )


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, nn.Module]:
    """The converted network, and the one by hand."""
    model = saved()
    path: Path = tmp_path_factory.mktemp("keras") / "net.keras"
    model.save(path)
    return load_model(str(path)).network, ByHand(model).eval()


def images() -> Tensor:
    return torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", COMPARED)
def test_a_map_is_that_of_the_network_by_hand(networks: tuple[nn.Module, nn.Module], name: str) -> None:
    converted, by_hand = (explain(network, images(), [1, 2], methods=[name])[name] for network in networks)
    torch.testing.assert_close(
        torch.as_tensor(converted), torch.as_tensor(by_hand), rtol=1e-4, atol=1e-5 * float(abs(by_hand).max())
    )


def test_every_method_has_a_map(networks: tuple[nn.Module, nn.Module]) -> None:
    refused = {}
    for name in [method.name for method in methods()]:
        if name in EXTRAS:
            continue
        try:
            explain(networks[0], images(), [1, 2], methods=[name])
        except (NotApplicable, CnnVisError) as error:
            refused[name] = str(error)
    assert refused.keys() == OF_ATTENTION, refused
