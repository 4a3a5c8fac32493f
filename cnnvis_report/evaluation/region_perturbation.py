"""Region perturbation: how a class's score falls while the regions that a map calls important are spoilt."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.evaluation.metric import Effort, MapsOfImage, Scorer, Scores, metric
from cnnvis_report.evaluation.pixel_order import ranking, stacked
from cnnvis_report.evaluation.score_range import LOG_ODDS, range_to

# what becomes of a region, in words
REPLACEMENTS = {"zeros": "gray", "gaussian": "noise", "mean": "their mean", "invert": "their inverse"}


def _passes(effort: Effort, maps: int) -> int:
    return maps * effort.regions + 3


def _region_perturbation(replacement: str, words: str) -> None:
    """Announce AOPC with one way to replace regions."""

    @metric(
        name=f"aopc_{replacement}",
        title=f"AOPC ({words.removeprefix('their ')})",
        description=f"Mean drop of the logit while the map's first regions become {words}",
        higher_is_better=True,
        source="Samek et al. 2016, arXiv:1509.06321",
        passes=_passes,
    )
    def measured(sample: MapsOfImage) -> Scores:
        height, width = sample.image.shape[1:]
        side = max(1, round(min(height, width) / sample.effort.across))
        curves = perturbation(
            sample.image,
            sample.tensors,
            sample.targets,
            sample.logits,
            size=side,
            count=min(sample.effort.regions, -(-height // side) * -(-width // side)),
            replacement=replacement,
            generator=sample.generator(),
            capacity=sample.capacity,
            seed=sample.seed,
        )
        end = replaced(sample.image, replacement, size=side, generator=sample.generator())
        seen = range_to(sample, end, "the image with all regions replaced", LOG_ODDS)
        return Scores(aopc(curves).tolist(), curves.tolist(), *seen)


for _replacement, _words in REPLACEMENTS.items():
    _region_perturbation(_replacement, _words)


def perturbation(
    image: Tensor,
    maps: Iterable[Tensor],
    targets: Tensor,
    score: Scorer,
    *,
    size: int,
    count: int,
    replacement: str,
    generator: torch.Generator,
    capacity: int,
    seed: int = 0,
) -> Tensor:
    """The score of a class while regions of the image are replaced, the largest sums of its map first.

    Regions are squares on a grid from the upper left corner; those at the far edges are cut where the image ends.

    Args:
        image: [C, H, W], normalized.
        maps: J of this image, one value a position, each [h, w] of its own size.
        targets: [J] class indices, one for each map.
        score: of every class, for images that it may work on in place.
        size: side of a region in pixels.
        count: K, how many regions are replaced, one a step.
        replacement: one of REPLACEMENTS, see `replaced`.
        generator: of the noise, on the CPU.
        capacity: how many images are held and scored at once.
        seed: of the order among regions of one sum.

    Returns:
        [J, K + 1], from the image as it is, in the score's unit.

    Raises:
        UnknownName: no replacement is called so.
        BadRequest: the image has fewer regions than `count`, or size, count or capacity is below 1.

    Source: Samek et al. 2016, arXiv:1509.06321, which replaces by uniform noise.
    """
    if capacity < 1 or count < 1:
        raise BadRequest(f"Perturbing regions needs count ≥ 1 and capacity ≥ 1, not {count} and {capacity}.")
    end = replaced(image, replacement, size=size, generator=generator)
    # a divisor of 1 makes an average a sum; in double, so that rounding doesn't put equal regions in an order
    fine = stacked(maps, image.shape[-2:])[:, None].double()
    sums = avg_pool2d(fine, size, ceil_mode=True, divisor_override=1)[:, 0].float()
    if count > sums[0].numel():
        raise BadRequest(f"The image has {sums[0].numel()} regions of {size}×{size} pixels, fewer than {count}.")
    turns = _spread(ranking(sums.flatten(1), seed).view_as(sums) + 1, size, image)
    return _followed(image, end, turns, targets, score, steps=count, capacity=capacity)


def replaced(image: Tensor, replacement: str, *, size: int, generator: torch.Generator) -> Tensor:
    """The image [C, H, W] with all of its regions replaced, in one of four ways.

    zeros: 0, the mean color of the training set. gaussian: noise with mean 0 and standard deviation 1, the spread of
    the training set, drawn for every channel of every pixel. mean: the mean of the region, channel by channel.
    invert: max + min - x, the extremes being those of the channel in the whole image.
    """
    if size < 1:
        raise BadRequest(f"A region needs a side of 1 pixel or more, not {size}.")
    match replacement:
        case "zeros":
            return torch.zeros_like(image)
        case "gaussian":
            return torch.randn(image.shape, generator=generator, dtype=image.dtype).to(image.device)
        case "mean":
            return _spread(avg_pool2d(image, size, ceil_mode=True), size, image)
        case "invert":
            return image.amax((1, 2), keepdim=True) + image.amin((1, 2), keepdim=True) - image
    raise UnknownName("replacement", replacement, REPLACEMENTS)


@torch.no_grad()
def _followed(
    start: Tensor, end: Tensor, turns: Tensor, targets: Tensor, score: Scorer, *, steps: int, capacity: int
) -> Tensor:
    """[J, steps + 1] scores of the targets while pixels of `start` become those of `end`, both [C, H, W].

    The start is the same for all maps and scored once.

    Args:
        turns: [J, H, W], from 1: the step at which a pixel changes. It may be past the last.
    """
    turns, targets = turns.to(start.device), targets.to(start.device)
    first = score(start[None].clone())
    curves = first.new_empty((len(turns), steps + 1))
    curves[:, 0] = first[0, targets]
    inner = torch.cartesian_prod(torch.arange(len(turns)), torch.arange(1, steps + 1)).to(start.device)
    for batch in torch.split(inner, capacity):
        which, step = batch.unbind(1)
        changed = turns[which] <= step[:, None, None]
        scores = score(torch.where(changed[:, None], end, start))
        curves[which, step] = scores.gather(1, targets[which, None])[:, 0]
    return curves


def aopc(curves: Tensor) -> Tensor:
    """[J] areas over [J, K + 1] perturbation curves: the mean over k = 0..K of f(x_0) - f(x_k).

    The term of k = 0 is always 0 and counts in the mean. Random maps state the floor.

    Source: Samek et al. 2016, arXiv:1509.06321, for one image.
    """
    return (curves[:, :1] - curves).mean(dim=1)


def _spread(values: Tensor, size: int, image: Tensor) -> Tensor:
    """[…, H, W]: the value of its region for every pixel, from […, rows, columns]."""
    height, width = image.shape[-2:]
    grown = values.repeat_interleave(size, dim=-2).repeat_interleave(size, dim=-1)
    return grown[..., :height, :width]
