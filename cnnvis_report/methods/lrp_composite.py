"""LRP composite."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite, pixel_box
from cnnvis_report.engine.rules.lrp_rules import AlphaBeta, Epsilon, Flat, Gamma
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import UnknownName
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="LRP composite",
    family=Family.RELEVANCE,
    source="Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="standard",
    bounds={
        "composite": ("epsilon_plus_flat", "epsilon_gamma_box", "epsilon_alpha2_beta1", "epsilon_plus"),
        "epsilon": Between(0, 1_000_000),
        "gamma": Between(0, 1_000_000),
    },
    notes={"composite": "{}"},
)
def lrp_composite(
    tape: Tape, targets: Tensor, *, composite: str = "epsilon_plus_flat", epsilon: float = 1e-6, gamma: float = 0.25
) -> Tensor:
    """The class score handed down by the rule that suits each kind of layer: the usual choice among the LRP maps.

    Linear layers take the e rule. "epsilon_plus_flat": z+ in convolutions, flat at the first. "epsilon_gamma_box":
    gamma in convolutions, z^B between black and white at the first. "epsilon_alpha2_beta1": alpha 2, beta 1 in
    convolutions. "epsilon_plus": z+ in convolutions.

    Args:
        targets: [N] class indices.
        composite: which of them.
        epsilon: of the linear layers.
        gamma: of the convolutions in epsilon_gamma_box.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
        UnknownName: there is no such composite.
    """
    dense = Epsilon(epsilon)
    composites = {
        "epsilon_plus_flat": Composite(AlphaBeta(1, 0), dense, Flat()),
        "epsilon_gamma_box": Composite(Gamma(gamma), dense, pixel_box(tape.subject.preprocessing)),
        "epsilon_alpha2_beta1": Composite(AlphaBeta(2, 1), dense),
        "epsilon_plus": Composite(AlphaBeta(1, 0), dense),
    }
    name = composite.replace("-", "_")
    if name not in composites:
        raise UnknownName("composite of lrp_composite", composite, list(composites))
    tape.note(composite=name)
    return tape.relevance(targets, composites[name])
