"""The network under study and its layers, as plain data."""

from dataclasses import dataclass

from cnnvis_report.records.scores import Quantity, ScoreKind


@dataclass(frozen=True)
class LayerRecord:
    """One call of a module during a forward pass, in execution order; the shape is without the batch.

    stage: "convolution", "activation" or "pooling" where its maps are a step of their own, "block" where a module
    that holds others computes its result itself, empty elsewhere.
    layout: how its feature maps stand in its result, in words, where that isn't C×H×W; the shape is theirs.
    readable: whether it has feature maps; three sides may also be attention maps or windows.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    stage: str = ""
    layout: str = ""
    readable: bool = True

    @property
    def spatial(self) -> bool:
        """Whether its output is read as C×H×W with more than one position."""
        return self.readable and len(self.shape) == 3 and self.shape[1] * self.shape[2] > 1


@dataclass(frozen=True)
class NetworkRecord:
    """The network under study, as the report names it.

    scores: which of its numbers are explained, in words. kind, quantity: what they mean and are; reason: why, in words.
    names: of the classes, where several of them can be right.
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
