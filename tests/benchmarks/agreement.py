"""Whether the default layer holds the tensor that a source reads, whatever either calls it."""

import torch
from torch import Tensor, nn

from cnnvis_report.engine.subject import Subject
from tests.benchmarks.layer_sources import Source


def disagreement(subject: Subject, source: Source, image: Tensor) -> str:
    """What our default layer isn't, in words; empty where it is what the source reads.

    Args:
        image: [1, C, H, W].
    """
    network = subject.network.eval()
    ours = network.get_submodule(subject.default_layer)
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []

    def note(module: nn.Module, given: tuple[object, ...], result: object) -> None:
        if isinstance(result, Tensor) and given and isinstance(given[0], Tensor):
            calls.append((module, given[0].clone(), result.clone()))

    handles = [module.register_forward_hook(note) for module in network.modules() if module is not network]
    try:
        with torch.no_grad():
            network(image)
    finally:
        for handle in handles:
            handle.remove()
    theirs = _named(network, source.layer) if source.layer else _last_spatial(calls)
    reads, holds = next((given, result) for module, given, result in calls if module is ours)
    wanted = next(result for module, _, result in calls if module is theirs)
    actual = reads if source.normalized else holds
    if source.normalized and "Norm" not in type(ours).__name__ and type(ours).__name__ != "Affine":
        return f"{subject.default_layer} is no normalization"
    same = actual.numel() == wanted.numel() and torch.equal(actual.flatten(), wanted.flatten())
    return "" if same else f"{subject.default_layer} isn't what {source.who} reads, {_path(network, theirs)}"


def _named(network: nn.Module, path: str) -> nn.Module:
    """The module at a path; -1 is the last of those in it."""
    for name in path.split("."):
        network = list(network.children())[-1] if name == "-1" else getattr(network, name)
    return network


def _last_spatial(calls: list[tuple[nn.Module, Tensor, Tensor]]) -> nn.Module:
    """The last module whose output still has a spatial size."""
    return next(module for module, _, out in reversed(calls) if out.ndim == 4 and out.shape[2:].numel() > 1)


def _path(network: nn.Module, wanted: nn.Module) -> str:
    path: str = next(path for path, module in network.named_modules() if module is wanted)
    return path
