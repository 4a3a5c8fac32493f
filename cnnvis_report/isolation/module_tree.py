"""Whether a network's modules are what PyTorch takes them for: a finite tree of things that can be told apart."""

from collections import Counter
from itertools import islice

from torch import nn

from cnnvis_report.errors import BadRequest

MOST_MODULES = 100_000


def check_modules(network: nn.Module, name: str) -> None:
    """Refuse networks that PyTorch itself would never come to an end with, or would take apart wrongly.

    Raises:
        BadRequest: a module holds itself, can't be hashed, equals another, or there is no end of them.
    """
    modules = _held(network, name)
    for path, module in modules:
        try:
            hash(module)
        except TypeError:
            raise BadRequest(
                f"{_called(name, path)} can't be hashed, as its class {type(module).__name__} defines __eq__ alone, "
                f"and PyTorch keeps modules in sets. Add to the class: __hash__ = torch.nn.Module.__hash__"
            ) from None
    alike = [path for path, _ in modules if path]
    if len({module for _, module in modules}) < len(modules):
        raise BadRequest(
            f"{name} has modules that equal each other by an __eq__ of their own, and PyTorch would see one of them "
            f"alone (among {', '.join(alike[:3])}). Leave out that __eq__."
        )
    if sum(1 for _ in islice(network.named_modules(), MOST_MODULES)) == MOST_MODULES:
        raise BadRequest(f"{name}'s named_modules gives more than {MOST_MODULES:,} modules; does it never end?")


def _held(network: nn.Module, name: str) -> list[tuple[str, nn.Module]]:
    """Every module once, with the first path to it, by identity alone."""
    modules: dict[int, tuple[str, nn.Module]] = {}
    open_ids: Counter[int] = Counter()
    waiting: list[tuple[str, nn.Module, bool]] = [("", network, True)]
    while waiting:
        path, module, enters = waiting.pop()
        open_ids[id(module)] += 1 if enters else -1
        if not enters:
            continue
        if open_ids[id(module)] > 1:
            raise BadRequest(
                f"{name} holds itself: its {path} is {_called(name, modules[id(module)][0])} again, and PyTorch's "
                f"eval() and to() would never come to an end. Keep it in a list: self.x = [module]."
            )
        waiting.append((path, module, False))
        if id(module) in modules:
            continue
        modules[id(module)] = path, module
        prefix = f"{path}." if path else ""
        children = list(module._modules.items())
        waiting += [(f"{prefix}{key}", child, True) for key, child in reversed(children) if child is not None]
    return list(modules.values())


def _called(name: str, path: str) -> str:
    return f"{name}'s {path}" if path else name
