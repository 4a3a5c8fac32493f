"""LRP-w²."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp_rules import WSquare
from cnnvis_report.engine.rules.uniform import Spread
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="LRP-w²",
    family=Family.RELEVANCE,
    source="Montavon et al. 2017, arXiv:1512.02479",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
)
def lrp_w2(tape: Tape, targets: Tensor) -> Tensor:
    """The class score spread by the squares of the weights, whatever the image: what the weights alone make of it.

    R_i = sum_j w_ij^2 / (sum_k w_kj^2) R_j; activations pass relevance on, of closed units too.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Spread(WSquare()))
