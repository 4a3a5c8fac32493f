"""Whether signals of several classes may go back through a network together: tried on the pass over the example."""

from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.autograd.graph import GradientEdge

from cnnvis_report.engine.graph.folded_weights import FoldedWeights
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.ops import Kind, kind
from cnnvis_report.engine.graph.stacked_backward import ReluWay, StackedBackward, can_be_stacked

ROUNDING = 1e-4  # of the largest gradient; ways of multiplying in float32 differ by a hundredth of it

# by network: what was recorded of it, and whether that can be stacked; a second call on the network needs no trial
_tried: WeakKeyDictionary[nn.Module, tuple[tuple[object, ...], bool]] = WeakKeyDictionary()


def can_stack(network: nn.Module, recorded: RecordedPass) -> bool:
    """Whether signals of several classes may go back through a network together; tried once for the same operations."""
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())
    form = (hooks, *(node.name() for node in recorded.nodes))
    known = _tried.get(network)
    if known is None or known[0] != form:
        known = _tried[network] = (form, stacking_is_exact(recorded))
    return known[1]


def stacking_is_exact(recorded: RecordedPass) -> bool:
    """Whether the gradient of one score, beside another's, is what PyTorch's own backward pass gives."""
    leaves = [node for node in recorded.nodes if kind(node) is Kind.LEAF]
    if len(leaves) != 1 or not can_be_stacked(recorded.nodes):
        return False
    edge = GradientEdge(leaves[0], 0)
    output = recorded.output.detach()
    start = torch.zeros(2, *output.shape, dtype=output.dtype, device=output.device)
    start[0, :, -1], start[1, :, 0] = 1, 1
    try:
        (exact,) = recorded.gradients(start[1], [edge])
        (rows,) = StackedBackward(recorded.nodes, FoldedWeights()).back(start, [ReluWay.GRADIENT] * 2, [edge])
    except RuntimeError:  # out of memory, or an operation that can't be called by itself
        return False
    if exact is None or rows is None or not bool(exact.isfinite().all()):
        return False
    return bool((rows[1] - exact).abs().max() <= ROUNDING * exact.abs().max())
