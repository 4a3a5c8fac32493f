"""Gradients by the walk that writes over signals, against PyTorch's own backward pass."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.nn import functional as F

from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.nodes import recorded
from cnnvis_report.engine.graph.overwriting import GradientWalk
from cnnvis_report.engine.rules.relu import DECONVOLUTION, GUIDED
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric

CHANNELS = 4


def norm(**keywords: Any) -> nn.Module:
    """A batch norm with what a training leaves in it."""
    layer = nn.BatchNorm2d(CHANNELS, **keywords).double().eval().requires_grad_(False)
    for name, values in layer.state_dict().items():
        if values.is_floating_point():
            values.copy_(torch.rand_like(values) + (-0.5 if name.endswith("mean") else 0.5))
    return layer


def convolution(**keywords: Any) -> nn.Module:
    return nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, **keywords).double().requires_grad_(False)


def partly_in_place(x: Tensor) -> Tensor:
    values = x.clone()
    values[:, 3] = torch.relu(x[:, 0])
    values[:, :2].relu_()
    return values


def copied(x: Tensor) -> Tensor:
    values = torch.zeros(x.shape, dtype=x.dtype)
    values.view(len(x), -1).add_(1)
    return values.copy_(torch.relu(x))


def attention(x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return F.scaled_dot_product_attention(tokens, tokens, tokens).transpose(1, 2).relu().reshape(x.shape)


torch.manual_seed(0)
CONVOLUTION, GROUPED = convolution(), convolution(groups=CHANNELS)
NORM = norm()
PLAIN = norm(affine=False)
OWN_STATISTICS = norm(track_running_stats=False)
LEARNED = norm().requires_grad_(True)
STEPS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "relu in place": lambda x: (x * 1.0).relu_(),
    "relu6": F.relu6,
    "hardtanh": lambda x: F.hardtanh(x, -0.3, 0.4),
    "threshold": lambda x: F.threshold(x, 0.1, 0.0),
    "clamp": lambda x: x.clamp(min=0),
    "silu": lambda x: F.silu(NORM(x)),
    "leaky relu": lambda x: torch.relu(F.leaky_relu(x, 0.2)),
    "hardswish": lambda x: torch.relu(F.hardswish(x)),
    "gates": lambda x: torch.relu(x) * torch.sigmoid(NORM(x)),
    "norm": NORM,
    "plain norm": PLAIN,
    "norm of the batch": OWN_STATISTICS,
    "learned norm": LEARNED,
    "norm of rows": lambda x: NORM(x.flatten(0, 1).view(-1, CHANNELS, 2, 18)).view(x.shape),
    "convolution": CONVOLUTION,
    "grouped": GROUPED,
    "pooling": lambda x: F.max_pool2d(x, 3, 1, 1),
    "averages": lambda x: F.avg_pool2d(x, 3, 1, 1),
    "doubled": lambda x: x + x,
    "squared": lambda x: x * x,
    "residual": lambda x: x + NORM(CONVOLUTION(x)),
    "branches": lambda x: torch.relu(NORM(x)) + x.clamp(max=1) - F.relu6(x),
    "joined": lambda x: torch.cat([torch.relu(x[:, :2]), NORM(x)[:, 2:]], 1),
    "parts": lambda x: torch.cat(list(reversed(torch.relu(x).chunk(2, 1))), 1),
    "turned": lambda x: torch.relu(x.permute(0, 1, 3, 2)).contiguous(),
    "scaled": lambda x: x * x.mean((2, 3), keepdim=True).expand_as(x),
    "partly in place": partly_in_place,
    "copied": copied,
    "attention": attention,
    "largest": lambda x: torch.relu(x) * x.max(1, keepdim=True).values,
    "upsampled": lambda x: F.avg_pool2d(torch.relu(F.interpolate(x, scale_factor=2.0, mode="bilinear")), 2),
}


class Pass:
    """A few operations one after the other, recorded, with the value behind each."""

    def __init__(self, names: list[str], layout: torch.memory_format = torch.contiguous_format) -> None:
        torch.manual_seed(len(names))
        x = torch.randn(2, CHANNELS, 6, 6, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_()
        self.edges = [get_gradient_edge(x)]
        values = x * 1.0
        for name in names:
            values = STEPS[name](values)
            self.edges.append(get_gradient_edge(values))
        self.output = values.flatten(1) @ torch.randn(values[0].numel(), 3, dtype=torch.float64)
        self.nodes = recorded(self.output.grad_fn)
        self.start = torch.randn_like(self.output)

    def by_pytorch(self) -> tuple[Tensor, ...]:
        return torch.autograd.grad(self.output, self.edges, self.start, retain_graph=True)

    def check(self) -> None:
        expected = self.by_pytorch()
        walk = GradientWalk(self.nodes)
        first = walk.back(self.start, self.edges)
        for own, other in zip(first, expected, strict=True):
            torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)
        again = walk.back(self.start, self.edges)
        assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True) if a is not None and b is not None)
        assert all(map(torch.equal, expected, self.by_pytorch())), "the recorded pass is as it was"


@pytest.mark.parametrize("name", STEPS)
def test_each_operation(name: str) -> None:
    Pass(["convolution", name, "convolution"]).check()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=7), st.booleans())
def test_any_operations_in_any_order(names: list[str], last: bool) -> None:
    Pass(names, torch.channels_last if last else torch.contiguous_format).check()


@pytest.mark.parametrize("rule", [GUIDED, DECONVOLUTION], ids=["guided", "deconvnet"])
@pytest.mark.parametrize("names", [[name] for name in STEPS] + [["residual", "relu", "joined", "relu6", "doubled"]])
def test_relu_rules_as_by_hooks(names: list[str], rule: Any) -> None:
    run = Pass(["convolution", *names, "relu"])
    by_hooks = rule.back(RecordedPass(run.output, run.nodes), run.start, run.edges)
    by_walk = rule.back(RecordedPass(run.output, run.nodes, walk=GradientWalk(run.nodes)), run.start, run.edges)
    for own, other in zip(by_walk, by_hooks, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)


def test_what_is_sent_back_is_as_it_was() -> None:
    x = torch.randn(2, 3, requires_grad=True)
    start = torch.randn(2, 3)
    sent = start.clone()
    GradientWalk(recorded(torch.relu(x * 1.0).grad_fn)).back(sent, [get_gradient_edge(x)])
    assert torch.equal(sent, start)


class Doubling(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, *signals: Any) -> Any:
        return 2 * signals[0]


def twofold(_: nn.Module, inputs: Any, __: Any) -> Any:
    return (2 * inputs[0],)


class Doubled(Tiny):
    """A network that doubles its gradient by itself, in a way that has a name."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        if way == "layer hook":
            self.pool.register_full_backward_hook(twofold)
        if way == "operation hook":
            self.pool.register_backward_hook(twofold)

    def forward(self, x: Tensor) -> Any:
        x = x * 1.0
        if self.way == "tensor hook" and x.requires_grad:
            x.register_hook(lambda signal: 2 * signal)
        return super().forward(Doubling.apply(x) if self.way == "function" else x)


@pytest.mark.parametrize("way", ["tensor hook", "layer hook", "operation hook", "function"])
@pytest.mark.filterwarnings("ignore:Using a non-full backward hook")
def test_code_of_the_network_takes_part(way: str, images: Tensor, targets: Tensor) -> None:
    double, plain = seeded(Doubled(way)).double(), seeded(Tiny()).double()
    register = Tensor.register_hook
    twice = Tape(Subject(double, images[:1]), images).gradients(targets).pixels
    once = Tape(Subject(plain, images[:1]), images).gradients(targets).pixels
    torch.testing.assert_close(twice, 2 * once)
    assert Tensor.register_hook is register
