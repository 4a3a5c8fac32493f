"""Class activation map."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="CAM",
    family=Family.CAM,
    source="Zhou et al. 2016, arXiv:1512.04150",
    formula=r"L = \sum_k w_{kc} A_k",
    sign=Sign.SIGNED,
    kind=Kind.LAYER,
    preset="quick",
    prominence=3,
)
def cam(tape: Tape, targets: Tensor) -> Tensor:
    """What each position of the last layer contributes to the class score.

    L = sum_k w_kc A_k, A the maps that are averaged and w the weight of the layer that makes scores of the
    averages. Behind average pooling and a linear layer its mean is the logit without the bias.

    Args:
        targets: [N] class indices.

    Returns:
        [N, h, w] at the size of the averaged maps, in logits.

    Raises:
        NotApplicable: the network doesn't end in global average pooling and one linear layer or 1×1 convolution,
            in either order.
    """
    maps, weight = tape.score_layer()
    tape.note(layer=tape.subject.score_layer().layer)
    return (weight[targets][:, :, None, None] * maps).sum(dim=1)
