"""LRP-z."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import Z
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="LRP-z",
    family=Family.RELEVANCE,
    source="Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 56",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
)
def lrp_z(tape: Tape, targets: Tensor) -> Tensor:
    """The class score handed down layer by layer, each input taking the share that it contributed.

    R_i = sum_j x_i w_ij / z_j R_j with z the pre-activation, its bias and the batch norm's shift included. On networks
    of convolutions, ReLU and pooling it equals input × gradient.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Composite(Z(), Z()))
