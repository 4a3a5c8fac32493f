"""The network under study and its layers, as plain data."""

from dataclasses import dataclass

from cnnvis_report.records.bands import ShownBands
from cnnvis_report.records.scores import Quantity, ScoreKind


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
