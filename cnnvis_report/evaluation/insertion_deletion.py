"""Deletion and insertion: how a class's probability follows the pixels that a map calls important."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.metric import Effort, MapsOfImage, Scorer, Scores, metric
from cnnvis_report.evaluation.resize import at_size

SIGMA = 5.0


def _passes(effort: Effort, maps: int) -> int:
    return maps * (effort.steps - 1) + 2


@metric(
    title="Insertion",
    description="Area under the class's probability while the map's largest pixels enter a blurred image",
    higher_is_better=True,
    passes=_passes,
)
def insertion(given: MapsOfImage) -> Scores:
    """Petsiuk et al. 2018, arXiv:1806.07421."""
    curves = insertion_curves(
        given.image,
        given.tensors,
        given.targets,
        given.probabilities,
        steps=given.effort.steps,
        capacity=given.capacity,
        seed=given.seed,
    )
    return Scores.of_curves(area(curves), curves)


@metric(
    title="Deletion",
    description="Area under the class's probability while the map's largest pixels turn black",
    higher_is_better=False,
    passes=_passes,
)
def deletion(given: MapsOfImage) -> Scores:
    """Petsiuk et al. 2018, arXiv:1806.07421."""
    curves = deletion_curves(
        given.image,
        given.tensors,
        given.targets,
        given.probabilities,
        given.black,
        steps=given.effort.steps,
        capacity=given.capacity,
        seed=given.seed,
    )
    return Scores.of_curves(area(curves), curves)


def deletion_curves(
    image: Tensor,
    maps: Iterable[Tensor],
    targets: Tensor,
    probability: Scorer,
    baseline: Tensor,
    *,
    steps: int,
    capacity: int,
    seed: int = 0,
) -> Tensor:
    """The probability of a class while pixels leave the image, the largest values of its map first.

    After step s of S, the ceil(s/S · H·W) first pixels are the baseline's. A small area under the curve is good.

    Args:
        image: [C, H, W], normalized.
        maps: J of this image, one value a position, each [h, w] of its own size.
        targets: [J] class indices, one for each map.
        probability: of every class, for images that it may work on in place.
        baseline: [C, 1, 1] or [C, H, W], normalized.
        capacity: how many images are held and scored at once.
        seed: of the order among pixels of one value.

    Returns:
        [J, steps + 1], from the image as it is to the baseline alone; J·(steps - 1) + 2 images are scored.

    Raises:
        BadRequest: steps or capacity is below 1.

    Source: Petsiuk et al. 2018, arXiv:1806.07421.
    """
    turns = _turns(image, maps, steps, seed)
    return followed(
        image, baseline.to(image).expand_as(image), turns, targets, probability, steps=steps, capacity=capacity
    )


def insertion_curves(
    image: Tensor,
    maps: Iterable[Tensor],
    targets: Tensor,
    probability: Scorer,
    *,
    steps: int,
    capacity: int,
    seed: int = 0,
    sigma: float = SIGMA,
) -> Tensor:
    """The probability of a class while pixels enter the blurred image, the largest values of its map first.

    As `deletion_curves` otherwise; from the blurred image to the image as it is. A large area under the curve is good.

    Args:
        sigma: of the blur, in pixels.
    """
    turns = _turns(image, maps, steps, seed)
    return followed(blurred(image, sigma), image, turns, targets, probability, steps=steps, capacity=capacity)


def area(curves: Tensor) -> Tensor:
    """[J] areas under [J, steps + 1] curves over 0..1, by trapezoids."""
    return torch.trapezoid(curves, dim=-1) / (curves.shape[-1] - 1)


def blurred(image: Tensor, sigma: float = SIGMA) -> Tensor:
    """[C, H, W] under a Gaussian of `sigma` pixels, mirrored at the edges, cut at 3 sigma or at the image's side."""
    height, width = image.shape[-2:]
    reach = [min(math.ceil(3 * sigma), side - 1) for side in (width, height)]
    soft: Tensor = gaussian_blur(image, [2 * pixels + 1 for pixels in reach], [sigma, sigma])
    return soft


def ranking(values: Tensor, seed: int) -> Tensor:
    """Places [J, P] of values [J, P] in descending order, 0 for the largest.

    Equal values, as maps have many (whatever a ReLU has cut, a flat region), come in a drawn order that is the same
    for all J: by position, the upper left corner would always go first, and that is where objects rarely are.
    """
    values = values.detach().cpu()  # one order on every device
    drawn = torch.randperm(values.shape[1], generator=torch.Generator().manual_seed(seed))
    order = drawn[values[:, drawn].argsort(dim=1, descending=True, stable=True)]
    return torch.empty_like(order).scatter_(1, order, torch.arange(values.shape[1]).expand_as(order))


@torch.no_grad()
def followed(
    start: Tensor, end: Tensor, turns: Tensor, targets: Tensor, score: Scorer, *, steps: int, capacity: int
) -> Tensor:
    """[J, steps + 1] scores of the targets while pixels of `start` become those of `end`, both [C, H, W].

    The start, and the end where every pixel gets there, are the same for all maps and scored once.

    Args:
        turns: [J, H, W], from 1: the step at which a pixel changes. It may be past the last.
    """
    if steps < 1 or capacity < 1:
        raise BadRequest(f"Perturbing pixels needs steps ≥ 1 and capacity ≥ 1, not {steps} and {capacity}.")
    turns, targets = turns.to(start.device), targets.to(start.device)
    whole = bool((turns <= steps).all())
    ends = torch.stack([start, end] if whole else [start])
    shared = torch.cat([score(part) for part in torch.split(ends, capacity)])
    curves = shared.new_empty((len(turns), steps + 1))
    curves[:, 0] = shared[0, targets]
    if whole:
        curves[:, -1] = shared[1, targets]
    inner = torch.cartesian_prod(torch.arange(len(turns)), torch.arange(1, steps + (not whole))).to(start.device)
    for first in range(0, len(inner), capacity):
        which, step = inner[first : first + capacity].unbind(1)
        changed = turns[which] <= step[:, None, None]
        scores = score(torch.where(changed[:, None], end, start))
        curves[which, step] = scores.gather(1, targets[which, None])[:, 0]
    return curves


def stacked(maps: Iterable[Tensor], size: Sequence[int]) -> Tensor:
    """[J, H, W]: maps [h, w] of any sizes at the image's."""
    return torch.stack([at_size(values.cpu(), size) for values in maps])


def _turns(image: Tensor, maps: Iterable[Tensor], steps: int, seed: int) -> Tensor:
    size = image.shape[-2:]
    ranks = ranking(stacked(maps, size).flatten(1), seed)
    # changed after step s: place < s/S·P; in whole numbers, as s/S would round
    return (ranks * steps // ranks.shape[1] + 1).view(-1, *size)
