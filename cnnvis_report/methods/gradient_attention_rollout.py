"""Gradient attention rollout."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Gradient attention rollout",
    family=Family.ATTENTION,
    source="Chefer et al. 2021, arXiv:2103.15679, eq. 5-6",
    formula=(
        r"L = r (\prod_l (I + E_l) - I), \quad "
        r"E_l = \frac{1}{H} \sum_h (A_{lh} \odot \frac{\partial y}{\partial A_{lh}})^+"
    ),
    sign=Sign.POSITIVE,
    kind=Kind.LAYER,
    preset="all",
)
def gradient_attention_rollout(tape: Tape, targets: Tensor) -> Tensor:
    """Attention through all layers, weighted by how much more of it would raise the class score.

    R = I at the image, and R + mean_h relu(A_lh * dy/dA_lh) R behind layer l, A_lh the attention of a head; the map is
    R - I in the row of the class token, or in the mean of those rows that the scores are read from.

    Args:
        targets: [N] class indices.

    Returns:
        [N, h, w], one number per patch.

    Raises:
        NotApplicable: the network has no attention, or one that isn't over a single grid of tokens.
    """
    start = row = tape.token_row()
    for weights, gradients in zip(tape.attention_weights(), tape.attention_gradients(targets), strict=True):
        relevance = (weights * gradients).clamp(min=0).mean(1)
        row = row + (row.unsqueeze(1) @ relevance).squeeze(1)
    return tape.subject.token_maps(row - start)
