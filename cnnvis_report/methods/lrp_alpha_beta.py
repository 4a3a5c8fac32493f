"""LRP-αβ."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import AlphaBeta
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="LRP-αβ",
    family=Family.RELEVANCE,
    source="Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 60",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={"alpha": Between(0, 1_000_000), "beta": Between(0, 1_000_000)},
)
def lrp_alpha_beta(tape: Tape, targets: Tensor, *, alpha: float = 2.0, beta: float = 1.0) -> Tensor:
    """The class score handed down layer by layer, with what speaks for and what speaks against weighed apart.

    R_i = sum_j (alpha c_ij+ / z_j+ - beta c_ij- / z_j-) R_j with c_ij = x_i w_ij, z+ and z- the sums of the positive
    and the negative ones, the bias among them. alpha 1 and beta 0 is the z+ rule.

    Args:
        targets: [N] class indices.
        alpha: weight of what speaks for a unit.
        beta: weight of what speaks against it; alpha - beta is 1.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
        BadRequest: alpha - beta isn't 1.
    """
    if abs(alpha - beta - 1) > 1e-6:
        raise BadRequest(f"lrp_alpha_beta needs alpha - beta = 1, not {alpha} and {beta}.")
    return tape.relevance(targets, Composite(AlphaBeta(alpha, beta), AlphaBeta(alpha, beta)))
