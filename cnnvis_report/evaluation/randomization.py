"""Cascading randomization: networks that forget what they have learned, from the logits down."""

from collections.abc import Sequence
from copy import deepcopy
from zlib import crc32

import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest, NotApplicable


def stages(network: nn.Module, order: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """Which modules are randomized at each stage, from the logits down; each stage holds the one before.

    Only modules with parameters of their own count, not containers. They are dealt to the stages as evenly as it
    goes, the spare ones to the later stages; the last stage holds all of them. Parameters of modules that `order`
    doesn't name stay as learned.

    Args:
        order: module paths in the order in which their calls end; a module that runs often counts where it runs last.
        count: how many stages at most.

    Returns:
        Module paths, the nearest to the logits first.

    Raises:
        BadRequest: count is below 1.
        NotApplicable: none of the modules has parameters.

    Source: Adebayo et al. 2018, arXiv:1810.03292.
    """
    if count < 1:
        raise BadRequest(f"Cascading randomization needs 1 stage or more, not {count}.")
    modules = {path: network.get_submodule(path) for path in reversed(order)}
    learned = [path for path, module in modules.items() if any(True for _ in module.parameters(recurse=False))]
    if not learned:
        raise NotApplicable("no layer has parameters that could be randomized")
    count = min(count, len(learned))
    return [tuple(learned[: len(learned) * stage // count]) for stage in range(1, count + 1)]


def randomized(network: nn.Module, paths: Sequence[str], seed: int) -> nn.Module:
    """A copy of the network in which the modules called `paths` have forgotten what they learned.

    Every parameter of their own, batch norm's too, is drawn anew from a normal distribution with the mean and the
    standard deviation of its values: what was learned is gone, and the scale of activations stays near what the running
    statistics, which stay as they are, expect. So a parameter with a single value, or with one value everywhere,
    doesn't change. A parameter's draw depends on the seed and on its name, so a later stage keeps an earlier one's.

    Args:
        network: left as it is, like the global source of random numbers.
        paths: module paths, as of one of the `stages`.

    Source: Adebayo et al. 2018, arXiv:1810.03292, who draw from each layer's initialization instead.
    """
    copy = deepcopy(network)
    done: set[Tensor] = set()
    for path in paths:
        for name, parameter in copy.get_submodule(path).named_parameters(path, recurse=False):
            if parameter not in done:  # tied to another module's, which was drawn already
                drawn = seed * 1_000_003 + crc32(name.encode("utf-8", "surrogatepass"))
                _redraw(parameter, torch.Generator().manual_seed(drawn % 2**63))
            done.add(parameter)
    return copy


@torch.no_grad()
def _redraw(parameter: Tensor, generator: torch.Generator) -> None:
    values = parameter.float()
    noise = torch.randn(parameter.shape, generator=generator).to(values.device)  # drawn alike on every device
    parameter.copy_(values.mean() + values.std(correction=0) * noise)
