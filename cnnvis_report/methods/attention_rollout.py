"""Attention rollout."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Attention rollout",
    family=Family.ATTENTION,
    source="Abnar & Zuidema 2020, arXiv:2005.00928, eq. 1",
    formula=r"L = r \prod_l \frac{1}{2} (\bar A_l + I), \quad \bar A_l = \frac{1}{H} \sum_h A_{lh}",
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    batched_targets=True,
    preset="all",
    class_agnostic=True,
)
def attention_rollout(tape: Tape, targets: Tensor) -> Tensor:
    """How much of each patch reaches the class score through all layers of attention; the same for every class.

    L = r prod_l (mean_h A_lh + I) / 2 from the last layer to the first, A_lh the attention of a head, I the residual
    connection; r is the row of the class token, or the mean of those rows that the scores are read from. What lies
    between the layers, such as the values and the multilayer perceptrons, is left out.

    Args:
        targets: [N, K] class indices; the maps don't depend on them.

    Returns:
        [N, K, h, w], one number per patch: parts of 1, the class token's own left out.

    Raises:
        NotApplicable: the network has no attention, or one that isn't over a single grid of tokens.
    """
    row = tape.token_row()
    for weights in tape.attention_weights():
        row = (row + (row.unsqueeze(1) @ weights.mean(1)).squeeze(1)) / 2
    return tape.subject.token_maps(row).unsqueeze(1).expand(-1, targets.shape[1], -1, -1)
