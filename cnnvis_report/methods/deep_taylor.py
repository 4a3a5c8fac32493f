"""Deep Taylor decomposition."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite, pixel_box
from cnnvis_report.engine.rules.lrp_rules import AlphaBeta, EntryRule, WSquare
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Deep Taylor decomposition",
    family=Family.RELEVANCE,
    source="Montavon et al. 2017, arXiv:1512.02479",
    formula=r"R_i = \sum_j \frac{(x_i w_{ij})^+}{\sum_k (x_k w_{kj})^+} R_j",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={"entry": ("box", "w2")},
)
def deep_taylor(tape: Tape, targets: Tensor, *, entry: str = "box") -> Tensor:
    """The class score propagated back to the pixels through positive contributions alone.

    The z+ rule in every layer, R_i = sum_j (x_i w_ij)+ / sum_k (x_k w_kj)+ R_j, and at the pixels z^B between black
    and white, or w^2. It starts at max(y, 0), y the target logit: a class with a negative score has an empty map.

    Args:
        targets: [N] class indices.
        entry: "box" (z^B, for inputs between black and white) or "w2" (for unbounded inputs).

    Returns:
        [N, C, H, W] in logits; without shortcuts, and for pixels between black and white, never negative.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    entries: dict[str, EntryRule] = {"box": pixel_box(tape.subject.preprocessing), "w2": WSquare()}
    rule = Composite(AlphaBeta(1, 0), AlphaBeta(1, 0), entries[entry])
    score = tape.logits.gather(1, targets.unsqueeze(1))
    return tape.relevance(targets, rule) * (score > 0).view(-1, 1, 1, 1)
