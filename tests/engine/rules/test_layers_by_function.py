"""A layer is the same layer whatever it is written with: modules, functions, products and sums, or an export."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnvis_report import explain
from tests.networks import seeded

METHODS = (
    *("lrp_z", "lrp_epsilon", "lrp_gamma", "lrp_alpha_beta", "lrp_flat", "lrp_w2", "lrp_composite", "deep_taylor"),
    *("full_grad", "pattern_net", "pattern_attribution", "input_x_gradient"),
)
IMAGES = torch.randn(3, 3, 14, 14, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Modules(nn.Module):
    """Each layer as a module."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)
        self.hidden, self.head = nn.Linear(6, 7), nn.Linear(7, 4)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 4]."""
        scores: Tensor = self.head(self.hidden(self.norm(self.conv(images)).relu().mean((2, 3))).relu())
        return scores


class Functions(Modules):
    """Tensors that are no parameters, biases by themselves, a product for a linear layer."""

    def forward(self, images: Tensor) -> Tensor:
        """[N, 4]."""
        norm, hidden, head = self.norm, self.hidden, self.head
        maps = functional.conv2d(images, self.conv.weight.data) + present(self.conv.bias).data.view(1, -1, 1, 1)
        maps = functional.batch_norm(maps, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
        pooled = maps.relu().mean((2, 3))
        return torch.addmm(hidden.bias, pooled, hidden.weight.t()).relu() @ head.weight.data.t() + head.bias


class InPlace(Modules):
    """Biases added in place, from the other side, and to a product of batches of rows."""

    def forward(self, images: Tensor) -> Tensor:
        """[N, 4]."""
        maps = torch.conv2d(images, self.conv.weight)
        maps += present(self.conv.bias)[:, None, None]
        pooled = self.norm(maps).relu().mean((2, 3))
        hidden = (self.hidden.bias + pooled.mm(self.hidden.weight.detach().t().contiguous())).relu()
        return (torch.matmul(hidden[:, None], self.head.weight.t()) + self.head.bias)[:, 0]


def present(value: Tensor | None) -> Tensor:
    assert value is not None
    return value


def exported(network: nn.Module, *, decomposed: bool) -> nn.Module:
    program = torch.export.export(network, (IMAGES,))
    module: nn.Module = torch.export.unflatten(program.run_decompositions() if decomposed else program)
    module.check_input_constraints = False  # type: ignore[assignment]
    return module


def network(kind: type[Modules]) -> Modules:
    """The same weights for each kind, with running statistics that matter."""
    made = seeded(kind()).double().eval()
    generator = torch.Generator().manual_seed(1)
    present(made.norm.running_mean).copy_(torch.randn(6, generator=generator))
    present(made.norm.running_var).copy_(torch.rand(6, generator=generator) + 0.5)
    return made


FORMS: dict[str, Callable[[], nn.Module]] = {
    "functions": lambda: network(Functions),
    "in place": lambda: network(InPlace),
    "exported": lambda: exported(network(Modules), decomposed=False),
    "decomposed": lambda: exported(network(Modules), decomposed=True),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
def test_maps_are_those_of_modules(form: str) -> None:
    expected = explain(network(Modules), IMAGES, [0, 1, 3], methods=METHODS)
    actual = explain(FORMS[form](), IMAGES, [0, 1, 3], methods=METHODS)
    for method in METHODS:
        torch.testing.assert_close(actual[method], expected[method], rtol=1e-9, atol=1e-12, msg=method)


class Shared(Modules):
    """A bias that is added to a product which something else reads, too."""

    add = staticmethod(torch.add)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 7]."""
        product = self.conv(images).relu().mean((2, 3)) @ self.hidden.weight.t()
        scores: Tensor = self.add(product, self.hidden.bias).relu() + product.relu()
        return scores


class Positions(Modules):
    """A constant that is another one at each position: no bias of a convolution."""

    add = staticmethod(torch.add)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 6]."""
        constant = torch.arange(-6.0, 6.0, dtype=images.dtype).view(12, 1)
        scores: Tensor = self.add(self.conv(images), constant).relu().mean((2, 3))
        return scores


@pytest.mark.parametrize("kind", [Shared, Positions])
def test_a_constant_that_is_no_bias_of_the_layer_is_a_sum_of_its_own(
    kind: type[Modules], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = ["lrp_epsilon", "lrp_gamma", "lrp_alpha_beta"]
    maps = explain(network(kind), IMAGES, [0, 1, 2], methods=rules)
    # a difference is never taken for a layer's bias
    monkeypatch.setattr(kind, "add", staticmethod(lambda values, constant: torch.sub(values, -constant)))
    expected = explain(network(kind), IMAGES, [0, 1, 2], methods=rules)
    for rule in rules:
        torch.testing.assert_close(maps[rule], expected[rule], rtol=1e-9, atol=1e-12, msg=rule)
