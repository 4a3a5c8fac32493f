"""PatternNet and PatternAttribution."""

from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.pattern_fit import pattern_maps
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="PatternNet",
    family=Family.RELEVANCE,
    source="Kindermans et al. 2017, arXiv:1705.05598",
    formula=(
        r"R_{\text{in}} = a R_{\text{out}}, \quad "
        r"a = \frac{\operatorname{cov}(x, y \mid y > 0)}{w \cdot \operatorname{cov}(x, y \mid y > 0)}"
    ),
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    color=True,
    preset="all",
)
def pattern_net(tape: Tape, targets: Tensor) -> Tensor:
    """The signal in the image that the class score detects: each layer's output projected back as its pattern.

    Sent back from the score y, a layer with weights w by its pattern a = cov(x, y | y > 0) / (w . cov), a ReLU by its
    gate; patterns are fitted to a sample of the image set, so they need many images to be of use.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in units of the normalized input.

    Raises:
        NotApplicable: an activation isn't a ReLU, an operation has no rule, there are fewer than two images,
            or so few that signals overflow.
    """
    return pattern_maps(tape, targets, attribution=False)


@method(
    title="PatternAttribution",
    family=Family.RELEVANCE,
    source="Kindermans et al. 2017, arXiv:1705.05598",
    formula=(
        r"R_{\text{in}} = (w \odot a) R_{\text{out}}, \quad "
        r"a = \frac{\operatorname{cov}(x, y \mid y > 0)}{w \cdot \operatorname{cov}(x, y \mid y > 0)}"
    ),
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
)
def pattern_attribution(tape: Tape, targets: Tensor) -> Tensor:
    """What the signal in each pixel contributes to the class score, distractors left out.

    Sent back from the score y, a layer with weights w by a * w with its pattern a = cov(x, y | y > 0) / (w . cov), a
    ReLU by its gate; patterns are fitted to a sample of the image set, so they need many images to be of use.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an activation isn't a ReLU, an operation has no rule, there are fewer than two images,
            or so few that signals overflow.
    """
    return pattern_maps(tape, targets, attribution=True)
