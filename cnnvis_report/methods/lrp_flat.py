"""LRP-flat."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp_rules import Flat
from cnnvis_report.engine.rules.uniform import Spread
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="LRP-flat",
    family=Family.RELEVANCE,
    source="Lapuschkin et al. 2019, doi:10.1038/s41467-019-08987-4",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
)
def lrp_flat(tape: Tape, targets: Tensor) -> Tensor:
    """The class score spread evenly over the inputs of every unit: what the network's wiring alone makes of it.

    R_i = sum_j R_j / n_j, n_j the number of j's inputs; activations pass relevance on, of closed units too.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Spread(Flat()))
