"""Names for layers, from the names of a graph's nodes."""

import re
from collections import Counter
from collections.abc import Sequence

from torch import nn

LONGEST = 100  # letters
CONSTANTS = "initializers"  # the module in which onnx2torch keeps constants
_TAKEN = frozenset(dir(nn.Module()))


def layer_names(nodes: Sequence[tuple[str, str]]) -> list[str]:
    """A unique path within a module for each node, such as "features.3.squeeze".

    PyTorch names a node by the modules around it, "/features/features.3/squeeze/Conv": the modules' own path is all
    that is left where the node is the only one of its module.

    Args:
        nodes: the name of each, which may be empty, and its operation.
    """
    scopes = [_scope(name) for name, _ in nodes]
    within = Counter(".".join(scope[:count]) for scope in scopes for count in range(1, len(scope) + 1))
    exact = Counter(".".join(scope) for scope in scopes)
    paths = []
    for (name, operation), scope in zip(nodes, scopes, strict=True):
        path = ".".join(scope) or operation
        if name.startswith("/") and scope[1:] and scope[-1] == operation and within[".".join(scope[:-1])] == 1:
            path = ".".join(scope[:-1])
        elif scope and within[path] > exact[path]:  # a module around others, too
            path = f"{path}.{operation}"
        paths.append(path)
    return _unique(paths)


def _scope(name: str) -> list[str]:
    """The parts of a node's name, each without the part before where it repeats that."""
    parts: list[str] = []
    before = ""
    for part in name[:LONGEST].split("/"):
        ending = part.removeprefix(f"{before}.") if before else part
        before = part
        parts += [_word(word) for word in ending.split(".") if word]
    return parts


def _word(text: str) -> str:
    """The text as a module may be called."""
    word = re.sub(r"\W+", "_", text, flags=re.ASCII)
    return f"{word}_" if word in _TAKEN else word


def _unique(paths: Sequence[str]) -> list[str]:
    """The paths, those that are there already with a number behind."""
    used = {CONSTANTS}
    counts: Counter[str] = Counter()
    names = []
    for path in paths:
        name = path
        while name in used:
            counts[path] += 1
            name = f"{path}_{counts[path]}"
        used.add(name)
        names.append(name)
    return names
