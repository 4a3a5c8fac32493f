"""Signals of several classes and ReLU rules that go back together: each is what a pass by itself gives."""

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional

from cnnvis_report import explain
from cnnvis_report.engine import dry_run, stacking
from cnnvis_report.engine.graph.folded_weights import FoldedWeights
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.nodes import recorded
from cnnvis_report.engine.graph.stacked_backward import ReluWay, StackedBackward
from cnnvis_report.engine.rules.relu import DECONVOLUTION, GUIDED
from cnnvis_report.engine.stacking import can_stack, stacking_is_exact

CLASSES = 5
WAYS = (ReluWay.GRADIENT, ReluWay.GRADIENT, ReluWay.GUIDED, ReluWay.DECONVOLUTION)
METHODS = ("gradient", "guided_backprop", "deconvnet", "hires_cam", "smoothgrad", "integrated_gradients")


class Branches(nn.Module):
    """Sums, concatenations, grouped and strided convolutions, norms alone and behind them, ReLUs of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 5, stride=2, padding=2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in (8, 8, 16, 16))
        self.narrow = nn.Conv2d(8, 8, 1, bias=False)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.shortcut = nn.Conv2d(16, 16, 1, stride=2)
        self.main = nn.Conv2d(16, 16, 3, stride=2, padding=1, bias=False)
        self.last = nn.Linear(16, CLASSES)
        for norm in self.norms:
            assert isinstance(norm, nn.BatchNorm2d)
            nn.init.normal_(norm.weight)  # of both signs
            assert norm.running_var is not None and norm.running_mean is not None
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.normal_(norm.running_mean)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(torch.relu_(self.norms[0](self.first(x))), 2)
        x = torch.cat([x, self.grouped(functional.relu6(self.norms[1](self.narrow(x))))], dim=1)
        x = self.norms[2](x).relu()
        x = (self.shortcut(x) + self.norms[3](self.main(x))).relu()
        scores: Tensor = self.last(x.mean((2, 3)))
        return scores


def passed(
    layout: torch.memory_format, network: nn.Module | None = None, dtype: torch.dtype = torch.float64
) -> tuple[RecordedPass, GradientEdge]:
    torch.manual_seed(0)
    network = (network or Branches()).to(dtype).eval().requires_grad_(False)
    leaf = torch.randn(2, 3, 32, 32, dtype=dtype).contiguous(memory_format=layout).requires_grad_()
    output = network(leaf)
    return RecordedPass(output, recorded(output.grad_fn)), get_gradient_edge(leaf)


def starts() -> Tensor:
    return torch.eye(CLASSES, dtype=torch.float64)[: len(WAYS)].unsqueeze(1).repeat(1, 2, 1)


def alone(whole: RecordedPass, way: ReluWay, start: Tensor, edge: GradientEdge) -> Tensor:
    if way is not ReluWay.GRADIENT:
        rule = GUIDED if way is ReluWay.GUIDED else DECONVOLUTION
        (signal,) = rule.back(whole, start, [edge])
    else:
        (signal,) = whole.gradients(start, [edge])
    assert signal is not None
    return signal


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format], ids=["channels-last", "contiguous"])
def test_each_signal_is_that_of_a_pass_by_itself(layout: torch.memory_format) -> None:
    whole, edge = passed(layout)
    (rows,) = StackedBackward(whole.nodes, FoldedWeights()).back(starts(), WAYS, [edge])
    assert rows is not None
    for way, start, row in zip(WAYS, starts(), rows, strict=True):
        torch.testing.assert_close(row, alone(whole, way, start, edge), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ["Convolution", "NativeBatchNorm", "Relu", "Cat", "Add"])
def test_signals_within_the_network_are_read_before_anything_works_on_them(name: str) -> None:
    whole, pixels = passed(torch.channels_last)
    inside = [GradientEdge(node, 0) for node in whole.nodes if name in node.name()]
    stacked = StackedBackward(whole.nodes, FoldedWeights()).back(starts(), WAYS, [pixels, *inside])
    for edge, rows in zip([pixels, *inside], stacked, strict=True):
        assert rows is not None
        for way, start, row in zip(WAYS, starts(), rows, strict=True):
            if way is ReluWay.GRADIENT:  # a hook sees a ReLU's result where a rule changes it, and an edge may not
                torch.testing.assert_close(row, alone(whole, way, start, edge), rtol=1e-11, atol=1e-13)


def test_weights_are_folded_again_when_they_change() -> None:
    network, weights = Branches(), FoldedWeights()
    for scale in (1.0, -3.0):
        with torch.no_grad():
            for norm in network.norms:
                norm.weight.mul_(scale)  # type: ignore[operator]
        whole, edge = passed(torch.channels_last, network)
        (rows,) = StackedBackward(whole.nodes, weights).back(starts()[:1], WAYS[:1], [edge])
        assert rows is not None
        torch.testing.assert_close(rows[0], alone(whole, WAYS[0], starts()[0], edge), rtol=1e-11, atol=1e-13)


class Hooked(Branches):
    """Changes its gradients by a hook, which only PyTorch's own backward pass runs."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if x.requires_grad:
            x.register_hook(lambda gradient: gradient * torch.linspace(0, 1, gradient.shape[-1]))
        scores: Tensor = self.last(torch.cat([x, x], dim=1).relu().mean((2, 3)))
        return scores


class Attending(Branches):
    """Has attention, whose products the walk doesn't know."""

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.first(x).flatten(2).transpose(1, 2)
        tokens = functional.scaled_dot_product_attention(tokens, tokens, tokens)
        scores: Tensor = self.last(torch.cat([tokens, tokens], dim=2).mean(1))
        return scores


@pytest.mark.parametrize(("network", "exact"), [(Branches, True), (Hooked, False), (Attending, False)])
def test_a_network_is_tried_first(network: type[nn.Module], exact: bool) -> None:
    whole, _ = passed(torch.channels_last, network(), torch.float32)
    assert stacking_is_exact(whole) is exact


def test_a_network_is_tried_once_for_the_same_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    network, trials = Branches(), list[RecordedPass]()

    def trial(recorded: RecordedPass) -> bool:
        trials.append(recorded)
        return True

    monkeypatch.setattr(stacking, "stacking_is_exact", trial)
    for _ in range(2):
        assert can_stack(network, passed(torch.channels_last, network)[0])
    assert len(trials) == 1
    network.last = nn.Sequential(network.last, nn.ReLU())  # type: ignore[assignment]
    assert can_stack(network, passed(torch.channels_last, network)[0])
    assert len(trials) == 2


def test_maps_are_the_same_as_by_single_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network, images = Branches().eval(), torch.randn(2, 3, 32, 32)
    targets = torch.tensor([[0, 3], [1, 1]])
    stacked = explain(network, images, targets, METHODS, "norms.2", n=2, steps=2)
    monkeypatch.setattr(dry_run, "can_stack", lambda *_: False)
    single = explain(network, images, targets, METHODS, "norms.2", n=2, steps=2)
    for name in METHODS:
        torch.testing.assert_close(stacked[name], single[name], rtol=1e-4, atol=1e-5)


def test_passes_that_go_together_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[int] = []

    class Counted(StackedBackward):
        def back(self, start: Tensor, *rest: object) -> list[Tensor | None]:
            walks.append(len(start))
            return super().back(start, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("cnnvis_report.engine.backward_passes.StackedBackward", Counted)
    monkeypatch.setattr(stacking, "StackedBackward", StackedBackward)
    targets = torch.tensor([[0, 3], [1, 2]])
    explain(Branches().eval(), torch.randn(2, 3, 32, 32), targets, ("gradient", "guided_backprop", "deconvnet"))
    assert walks == [6]  # two classes by three ways
