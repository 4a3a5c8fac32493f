"""Layer-wise relevance propagation: one rule for every layer, or one for each kind of layer."""

from torch import Tensor

from cnnvis_report.engine.rules.lrp import Composite, pixel_box
from cnnvis_report.engine.rules.lrp_rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, Z
from cnnvis_report.engine.rules.uniform import Spread
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Equality, Family, Kind, Sign, Where


@method(
    title="LRP-z",
    family=Family.RELEVANCE,
    source="Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 56",
    formula=r"R_i = \sum_j \frac{x_i w_{ij}}{z_j} R_j",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    equals=(
        Equality(
            "input_x_gradient", Where.PIECEWISE_LINEAR, "each share of the relevance is the input times the gradient"
        ),
    ),
)
def lrp_z(tape: Tape, targets: Tensor) -> Tensor:
    """The class score propagated back layer by layer, to each input the share that it contributed.

    R_i = sum_j x_i w_ij / z_j R_j with z the pre-activation, its bias and the batch norm's shift included. On networks
    of convolutions, ReLU and pooling it equals input × gradient.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Composite(Z(), Z()))


@method(
    title="LRP-ε",
    family=Family.RELEVANCE,
    source="Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 58",
    formula=r"R_i = \sum_j \frac{x_i w_{ij}}{z_j + \epsilon \operatorname{sign} z_j} R_j",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={"epsilon": Between(0, 1_000_000)},
)
def lrp_epsilon(tape: Tape, targets: Tensor, *, epsilon: float = 1e-6) -> Tensor:
    """The class score propagated back by contributions; where they are weak or contradictory, some is absorbed.

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


@method(
    title="LRP-γ",
    family=Family.RELEVANCE,
    source="Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10",
    formula=(
        r"R_i = \sum_j \frac{c_{ij} + \gamma c_{ij}^+}{\sum_k (c_{kj} + \gamma c_{kj}^+)} R_j, \quad "
        r"c_{ij} = x_i w_{ij}"
    ),
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={"gamma": Between(0, 1_000_000)},
)
def lrp_gamma(tape: Tape, targets: Tensor, *, gamma: float = 0.25) -> Tensor:
    """The class score propagated back layer by layer, where positive contributions count more than negative ones.

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


@method(
    title="LRP-αβ",
    family=Family.RELEVANCE,
    source="Bach et al. 2015, doi:10.1371/journal.pone.0130140, eq. 60",
    formula=(
        r"R_i = \sum_j (\alpha \frac{c_{ij}^+}{z_j^+} - \beta \frac{c_{ij}^-}{z_j^-}) R_j, \quad "
        r"c_{ij} = x_i w_{ij}"
    ),
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
    bounds={"alpha": Between(0, 1_000_000), "beta": Between(0, 1_000_000)},
)
def lrp_alpha_beta(tape: Tape, targets: Tensor, *, alpha: float = 2.0, beta: float = 1.0) -> Tensor:
    """The class score propagated back layer by layer, positive and negative contributions weighted separately.

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


@method(
    title="LRP-flat",
    family=Family.RELEVANCE,
    source="Lapuschkin et al. 2019, doi:10.1038/s41467-019-08987-4",
    formula=r"R_i = \sum_j \frac{1}{n_j} R_j",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
)
def lrp_flat(tape: Tape, targets: Tensor) -> Tensor:
    """The class score propagated back evenly over the inputs of every unit: the architecture alone decides.

    R_i = sum_j R_j / n_j, n_j the number of j's inputs; activations pass relevance on, of closed units too.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Spread(Flat()))


@method(
    title="LRP-w²",
    family=Family.RELEVANCE,
    source="Montavon et al. 2017, arXiv:1512.02479",
    formula=r"R_i = \sum_j \frac{w_{ij}^2}{\sum_k w_{kj}^2} R_j",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    preset="all",
)
def lrp_w2(tape: Tape, targets: Tensor) -> Tensor:
    """The class score propagated back in proportion to the squared weights: inputs and activations don't count.

    R_i = sum_j w_ij^2 / (sum_k w_kj^2) R_j; activations pass relevance on, of closed units too.

    Args:
        targets: [N] class indices.

    Returns:
        [N, C, H, W] in logits.

    Raises:
        NotApplicable: an operation of the network has no rule.
    """
    return tape.relevance(targets, Spread(WSquare()))


@method(
    title="LRP composite",
    family=Family.RELEVANCE,
    source="Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10",
    formula=r"R_i = \sum_j \rho_l(x_i, w_{ij}) R_j, \quad \rho_l \text{ the rule of layer } l",
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
    """The class score propagated back by a rule for each kind of layer: the usual choice among the LRP maps.

    Linear layers take the e rule. "epsilon_plus_flat": z+ in convolutions, flat at the first. "epsilon_gamma_box":
    gamma in convolutions, z^B between black and white at the first. "epsilon_alpha2_beta1": alpha 2, beta 1 in
    convolutions. "epsilon_plus": z+ in convolutions.

    Args:
        targets: [N] class indices.
        composite: which of these sets of rules.
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
