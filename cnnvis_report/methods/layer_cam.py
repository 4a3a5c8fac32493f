"""Layer-CAM."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Layer-CAM",
    family=Family.CAM,
    source="Jiang et al. 2021, doi:10.1109/TIP.2021.3089943",
    formula=r"L = \operatorname{ReLU}(\sum_k \operatorname{ReLU}(\frac{\partial y}{\partial A_k}) \odot A_k)",
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    preset="quick",
    prominence=4,
)
def layer_cam(tape: Tape, targets: Tensor, *, layer: str = "") -> Tensor:
    """Where the layer is active and more activity would raise the class score; sharp at early stages too.

    L = relu(sum_k relu(g) A_k), g = dy/dA_k, y the target logit.

    Args:
        targets: [N] class indices.
        layer: the layer that gives A; empty means the last features that reach the scores.

    Returns:
        [N, h, w] at the layer's own size, in logits, never negative.

    Raises:
        UnknownName: the network has no such layer.
        NotApplicable: no layer keeps a spatial size.
    """
    return (tape.gradients(targets).layer(layer).relu() * tape.layer(layer)).sum(dim=1).relu()
