"""Kernel SHAP."""

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods._sampling import note_standard_error
from cnnvis_report.methods._superpixels import coefficient_variances, masked_scores, r_squared, superpixels
from cnnvis_report.methods.options import STANDARD_ERROR, Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Randomness, Sign


@method(
    title="Kernel SHAP",
    family=Family.PERTURBATION,
    source="Lundberg & Lee 2017, arXiv:1705.07874",
    formula=(
        r"\min_{\beta} \sum_z w(z) (S(x_z) - S(x_0) - \beta \cdot z)^2, \quad "
        r"w(z) = \frac{d - 1}{\binom{d}{\lvert z \rvert} \lvert z \rvert (d - \lvert z \rvert)}"
    ),
    sign=Sign.SIGNED,
    kind=Kind.AREA,
    batched_targets=True,
    preset="all",
    bounds={"segments": Between(1, 100_000), "samples": Between(2, 10_000_000)},
    effort={"low": {"samples": 64}, "medium": {"samples": 128}, "high": {"samples": 384}},
    notes={
        "baseline": "from {}",
        "segments": "{} segments",
        "samples": "{} samples",
        "surrogate_r2": "surrogate R² {}",
        **STANDARD_ERROR,
    },
    randomness=Randomness.SEED,
)
def kernel_shap(tape: Tape, targets: Tensor, *, segments: int = 50, samples: int = 500) -> Tensor:
    """The Shapley value of each superpixel: what it adds to the class score, on average over all orders of adding them.

    Minimises sum w (S(x z) - S(0) - b z)^2 over coalitions z of the d superpixels, the others gray (0 after
    normalization), where sum b = S(x) - S(0) exactly; S the target logit, w = (d - 1) / (binom(d, |z|) |z| (d - |z|)).
    Coalitions are drawn by w in pairs, each with its complement; where there are no more than `samples`, all are
    taken, and the values are exact. Superpixels as for LIME. The report states how much of the score's variance over
    the coalitions is explained, and the standard error that the draws leave, as a share of the map's standard
    deviation.

    Args:
        targets: [N, K] class indices.
        segments: about how many superpixels.
        samples: how many coalitions are scored, besides none and all.

    Returns:
        [N, K, H, W] in logits, the superpixel's value on each of its pixels.

    Raises:
        NotApplicable: scikit-image isn't installed.
    """
    maps, variances, counts, fits = [], [], [], []
    for index, image in enumerate(tape.images):
        labels = superpixels(image, segments)
        count = int(labels.max()) + 1
        coalitions, weights = _coalitions(count, samples, tape.seed)
        scores = masked_scores(tape, index, labels, coalitions)[:, targets[index].cpu()]
        values, variance, fit = _shapley(coalitions.double(), scores, weights)
        maps.append(values.T[:, labels])
        variances.append(variance.T[:, labels] if 2**count - 2 > samples else torch.zeros_like(maps[-1]))
        counts.append(count)
        fits.append(fit)
    tape.note(
        baseline=tape.color_name("gray"), segments=torch.tensor(counts), samples=samples, surrogate_r2=torch.stack(fits)
    )
    note_standard_error(tape, torch.stack(maps), torch.stack(variances))
    return torch.stack(maps).to(tape.images)


def _coalitions(count: int, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """[M, count] true or false, and the weights [M, 1]: none and all first, which weigh 0 as they are met exactly."""
    sizes = torch.arange(1, count, dtype=torch.float64)
    by_size = 1 / (sizes * (count - sizes))
    if 2**count - 2 <= samples:
        inside = torch.arange(1, 2**count - 1).unsqueeze(1) >> torch.arange(count) & 1 == 1
        size = inside.sum(dim=1)
        weights = by_size[size - 1] / torch.bincount(size, minlength=count)[size]
    else:
        inside = _drawn(by_size, samples, seed)
        weights = torch.ones(len(inside), dtype=torch.float64)
    ends = torch.tensor([False, True]).unsqueeze(1).expand(2, count)
    return torch.cat([ends, inside]), torch.cat([weights.new_zeros(2), weights]).unsqueeze(1)


def _drawn(by_size: Tensor, samples: int, seed: int) -> Tensor:
    """[samples, count]: random coalitions whose sizes follow `by_size` [count - 1], then their complements."""
    generator = torch.Generator().manual_seed(seed)
    pairs = (samples + 1) // 2
    size = torch.multinomial(by_size, pairs, replacement=True, generator=generator) + 1
    ranks = torch.rand(pairs, len(by_size) + 1, generator=generator, dtype=torch.float32).argsort(dim=1).argsort(dim=1)
    half = ranks < size.unsqueeze(1)
    return torch.stack([half, ~half], dim=1).flatten(0, 1)[:samples]


def _shapley(coalitions: Tensor, scores: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[superpixels, K], the values, their variances over draws; R² [K] of the fit; the first rows are none and all."""
    whole = scores[1] - scores[0]
    even = whole.expand(coalitions.shape[1], -1) / coalitions.shape[1]
    # what parts the values from an even share sums to 0, so features without their mean say all of it,
    # and the shortest solution keeps the sum at 0
    features = coalitions - coalitions.mean(dim=1, keepdim=True)
    rest = scores - scores[0] - coalitions @ even
    root = weights.sqrt()
    apart = torch.linalg.lstsq(root * features, root * rest, driver="gelsd").solution
    values = even + apart
    predicted = scores[0] + coalitions @ values
    inverse = torch.linalg.pinv(features.T @ (weights * features), hermitian=True)
    variances = coefficient_variances(features, weights, scores - predicted, inverse, together=2)
    return values, variances, r_squared(scores, predicted, weights)
