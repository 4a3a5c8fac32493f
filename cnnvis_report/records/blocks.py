"""The blocks of a network: its main steps, as one would draw them."""

from collections.abc import Iterator, Sequence

from cnnvis_report.records.network import LayerRecord

LISTS = ("Sequential", "ModuleList", "ModuleDict")  # of what comes one after the other, which is no block by itself
SIZES = 2  # that the maps within a block have, at most: before it shrinks them and after


def blocks(layers: Sequence[LayerRecord]) -> tuple[str, ...]:
    """The names of the blocks, in the order in which they run.

    A block is an outermost module that holds others and has maps of one or two sizes, such as a residual block, or a
    list of one convolution with its normalization and activation. Outside of these each pooling is a step of its own,
    and each activation, each convolution without one, and each layer with parameters whose result has no positions.
    """
    modules = [_module(layer.name) for layer in layers]
    parents = {above for module in modules for above in _above(module)}
    spatial = sum(layer.spatial for layer in layers)
    names = {
        module
        for layer, module in zip(layers, modules, strict=True)
        if module in parents and layer.spatial and _is_block(layer, _within(layers, module), parents, spatial)
    }
    outside = [layer for layer, module in zip(layers, modules, strict=True) if names.isdisjoint(_above(module))]
    steps = [layer for layer in outside if _module(layer.name) in names or _module(layer.name) not in parents]
    following = [*(_kind(layer, names) for layer in steps), ""]
    return tuple(
        layer.name
        for number, layer in enumerate(steps)
        if _is_step(layer, following[number], next(filter(None, following[number + 1 :]), ""))
    )


def _module(name: str) -> str:
    """The module of a call."""
    return name.partition("#")[0]


def _above(module: str) -> Iterator[str]:
    """The modules that a module is in."""
    parts = module.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def _within(layers: Sequence[LayerRecord], module: str) -> list[LayerRecord]:
    return [layer for layer in layers if layer.name.startswith(f"{module}.")]


def _is_block(layer: LayerRecord, within: Sequence[LayerRecord], parents: set[str], spatial: int) -> bool:
    if layer.type in LISTS:
        plain = not any(_module(inner.name) in parents for inner in within)
        return plain and sum(inner.kind == "convolution" for inner in within) <= 1
    sizes = {inner.shape[1:] for inner in (*within, layer) if inner.spatial}
    return len(sizes) <= SIZES and sum(inner.spatial for inner in within) + 1 < spatial


def _kind(layer: LayerRecord, names: set[str]) -> str:
    return "block" if _module(layer.name) in names else layer.kind


def _is_step(layer: LayerRecord, kind: str, following: str) -> bool:
    if kind == "convolution":
        return following != "activation"
    return bool(kind) or bool(layer.parameters and not layer.spatial)
