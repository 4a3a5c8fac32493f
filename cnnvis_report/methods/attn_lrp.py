"""AttnLRP: relevance propagation through attention."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import Epsilon, Gamma, LayerRule, Z
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="AttnLRP",
    family=Family.RELEVANCE,
    source="Achtibat et al. 2024, arXiv:2402.05602",
    formula=(
        r"R^A_{jk} = \frac{1}{2} \sum_p A_{jk} V_{kp} \frac{R^O_{jp}}{O_{jp}}, \quad "
        r"R^S_{jk} = S_{jk} (R^A_{jk} - A_{jk} \sum_i R^A_{ji})"
    ),
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={
        "epsilon": Between(0, 1_000_000),
        "gamma": Between(0, 1_000_000),
        "convolution_gamma": Between(0, 1_000_000),
    },
)
def attn_lrp(
    tape: Tape, targets: Tensor, *, epsilon: float = 0.0, gamma: float = 0.0, convolution_gamma: float = 0.25
) -> Tensor:
    """The class score propagated back to the pixels layer by layer, through attention and layer norms too.

    Products of two things that depend on the image, O = A V and S = Q K, give each half; A = softmax S is taken as
    linear around S, and what a layer norm divides by as a constant. Linear layers take the e rule, or gamma where it
    isn't 0, convolutions gamma. What biases, class tokens, position embeddings and softmaxes take is missing from the
    sum.

    Args:
        targets: [N] class indices.
        epsilon: e, in the units of pre-activations; 0 is the z rule, which needs none here: nothing is divided.
        gamma: of the linear layers; 0 is the e rule, and the larger, the less speaks against.
        convolution_gamma: of the convolutions; 0 is the e rule.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: the network has no attention, or an operation has no rule.
    """
    plain: LayerRule = Epsilon(epsilon) if epsilon else Z()
    dense = Gamma(gamma) if gamma else plain
    convolution = Gamma(convolution_gamma) if convolution_gamma else plain
    return tape.relevance(targets, Composite(convolution, dense, attention=True))
