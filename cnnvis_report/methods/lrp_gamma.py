"""LRP-γ."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import Gamma
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="LRP-γ",
    family=Family.RELEVANCE,
    source="Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={"gamma": Between(0, 1_000_000)},
)
def lrp_gamma(tape: Tape, targets: Tensor, *, gamma: float = 0.25) -> Tensor:
    """The class score handed down layer by layer, where what speaks for a unit counts more than what speaks against.

    R_i = sum_j (c_ij + g max(c_ij, 0)) / (sum_k c_kj + g max(c_kj, 0)) R_j, c_ij = x_i w_ij and the bias one of the
    contributions; for units with a negative pre-activation those below 0 count more.

    Args:
        targets: [N] class indices.
        gamma: g; 0 is the z rule, and the larger, the less speaks against.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Composite(Gamma(gamma), Gamma(gamma)))
