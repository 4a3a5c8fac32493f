"""LRP-ε."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import Epsilon
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="LRP-ε",
    family=Family.RELEVANCE,
    source="Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 58",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={"epsilon": Between(0, 1_000_000)},
)
def lrp_epsilon(tape: Tape, targets: Tensor, *, epsilon: float = 1e-6) -> Tensor:
    """The class score handed down layer by layer by contributions, where weak and contradictory ones lose some of it.

    R_i = sum_j x_i w_ij / (z_j + e sign z_j) R_j, sign 0 = 1, with z the pre-activation, its bias and the batch norm's
    shift included.

    Args:
        targets: [N] class indices.
        epsilon: e, in the units of pre-activations; what it takes is missing from the sum.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Composite(Epsilon(epsilon), Epsilon(epsilon)))
