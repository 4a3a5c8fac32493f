"""The network under study and its layers, as plain data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.records.bands import ShownBands
from cnnvis_report.records.scores import Quantity, ScoreKind

LISTS = ("Sequential", "ModuleList", "ModuleDict")  # of what comes one after the other, which is no block by itself
SIZES = 2  # that the maps within a block have, at most: before it shrinks them and after


@dataclass(frozen=True)
class LayerRecord:
    """One call of a module during a forward pass, in the order in which they run.

    name: of the module, with "#2" and so on for later calls.
    type: the class of the module.
    shape: of its output, without the batch; of its feature maps where `layout` says that they stand otherwise.
    parameters: how many it has.
    kind: "convolution", "activation" or "pooling" where its feature maps are a step of their own, "block" for a module
        that holds others and computes its result itself, empty elsewhere.
    layout: how its feature maps stand in its output, in words, where that isn't C×H×W.
    readable: whether it has feature maps.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    kind: str = ""
    layout: str = ""
    readable: bool = True

    @property
    def spatial(self) -> bool:
        """Whether its output is read as C×H×W with more than one position."""
        return self.readable and len(self.shape) == 3 and self.shape[1] * self.shape[2] > 1


@dataclass(frozen=True)
class ConversionRecord:
    """A converted network beside the one that it was made of, on one image.

    library: that runs the original, with its version.
    difference: the largest one of the outputs, relative to the largest output.
    close: whether that is as good as equal.
    """

    library: str
    difference: float
    close: bool

    def describe(self) -> str:
        """Such as "compared with Keras 3.15 on the first image: they differ by 3e-07 of the largest output"."""
        size = f"they differ by {self.difference:.0e} of the largest output" if self.difference else "no difference"
        return f"compared with {self.library} on the first image: {size}{'' if self.close else ', more than rounding'}"


@dataclass(frozen=True)
class NetworkRecord:
    """The network that is explained.

    name: as pages write it.
    parameters: how many it has.
    classes: how many scores it gives.
    channels: of its input.
    weights: where they come from, in words.
    preprocessing: what is done to a picture before the network sees it, in words.
    scores: which of its numbers are explained, in words.
    layers: in the order in which they run.
    default_layer: that the maps of layers are made at; empty where no layer has a spatial size.
    kind: what the scores mean.
    quantity: what the numbers are.
    reason: why `kind` and `quantity` were chosen, in words.
    names: of the classes, where an image can have several labels; else empty.
    averaged_layer: the layer whose averages over positions the scores are linear in; empty where there is none.
    loader: what opened it, in words.
    bands: which of the pictures' bands pages show; null for gray and color pictures.
    conversion: how far it is from what it was converted from; null where it wasn't.
    piecewise_linear: whether it has only operations that are linear up to a constant, ReLU and pooling.
    """

    name: str
    parameters: int
    classes: int
    channels: int
    weights: str
    preprocessing: str
    scores: str
    layers: tuple[LayerRecord, ...]
    default_layer: str
    kind: ScoreKind = ScoreKind.SOFTMAX
    quantity: Quantity = Quantity.LOGIT
    reason: str = ""
    names: tuple[str, ...] = ()
    averaged_layer: str = ""
    piecewise_linear: bool = False
    loader: str = ""
    conversion: ConversionRecord | None = None
    bands: ShownBands | None = None


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
