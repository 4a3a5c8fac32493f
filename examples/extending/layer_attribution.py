"""A method: what each position of a layer adds to the class score, to first order."""

from torch import Tensor

from cnnvis_report.plugin import Kind, Sign, Tape, method


@method(
    title="Layer attribution",
    family="class activation maps",
    source="no source: an example",
    sign=Sign.SIGNED,
    kind=Kind.LAYER,
)
def layer_attribution(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """What each position of a layer adds to the class score where the network above it is taken as linear.

    sum_k A_k * dy/dA_k, y the target logit and A_k channel k of the layer.

    Args:
        targets: [N] class indices.
        layer: the layer that gives A; empty means the last features that reach the scores.

    Returns:
        [N, h, w] at the layer's own size, in logits.
    """
    return (tape.layer(layer) * tape.gradients(targets).layer(layer)).sum(dim=1)
