"""Scores of images that are covered in places, by as much of the network as sees the cover."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from cnnvis_report.engine.cover_cut import Axis, Cut
from cnnvis_report.engine.subject import Subject
from cnnvis_report.isolation.context import grad_mode

BLOCK = 32  # pixels; a layer's positions stand for 1, 2, 4, … of them
LEAST_WORK = 50e6  # multiplications an image: below, cutting costs what it saves
MOST_SHARE = 0.85  # of a whole pass; above, too little is saved
TRIED = 3  # layers, those first where most is saved
SAME = 1e-4  # of what a patch changes in a score: the sums of a crop are added up in another order

Corner = tuple[int, int]

_CUTS: WeakKeyDictionary[Subject, dict[tuple[int, ...], Cut | None]] = WeakKeyDictionary()


def cut_for(subject: Subject, images: Tensor, patch: int, at_a_time: int) -> Cut | None:
    """Where the network is cut for square patches of so many pixels; None where that gains little, or can't be.

    It depends on the network, the size of its images and the room, not on the images: each run decides alike. Found by
    some ten passes over an image of noise, once.

    Args:
        images: [N, C, H, W], whose size and type count, not what they show.
        at_a_time: how many covered images there is room for.
    """
    if subject.work < LEAST_WORK or subject.one_by_one or subject.reader.anchored:
        return None
    cuts, key = _CUTS.setdefault(subject, {}), (*images.shape[1:], patch, at_a_time)
    if key not in cuts:
        try:
            cuts[key] = _find_cut(subject, images, patch, at_a_time)
        except Exception:  # a network may refuse such numbers or other sizes in any way; it then runs as a whole
            cuts[key] = None
    return cuts[key]


def scores_by_cut(subject: Subject, cut: Cut, images: Tensor, corners: Sequence[Corner], patch: int) -> Tensor:
    """[P, N, classes]: the scores of images [N, C, H, W] that are covered in P places.

    Args:
        corners: the first row and column of each patch.
    """
    by_image = []
    for image in images.split(1):
        maps = subject.values_at(cut.layer, image)
        parts = [corners[start : start + cut.at_a_time] for start in range(0, len(corners), cut.at_a_time)]
        scores = [_followed(subject, cut, image, maps, grayed(image, part, patch)[:, 0], part, patch) for part in parts]
        by_image.append(torch.cat(scores))
    return torch.stack(by_image, dim=1)


def grayed(images: Tensor, corners: Sequence[Corner], patch: int, into: Tensor | None = None) -> Tensor:
    """[P, N, C, H, W]: images [N, C, H, W] with a square of 0, the mean of the training set, in each place."""
    covered = (images.new_empty((len(corners), *images.shape)) if into is None else into[: len(corners)]).copy_(images)
    for views, (top, left) in zip(covered, corners, strict=True):
        views[..., top : top + patch, left : left + patch] = 0
    return covered


def _followed(
    subject: Subject, cut: Cut, image: Tensor, maps: Tensor, covered: Tensor, corners: Sequence[Corner], patch: int
) -> Tensor:
    """[M, classes]: the scores of the images `covered`, which are `image` but for a patch in each of the places.

    Args:
        image: [1, C, H, W]. maps: [1, K, h, w], of it, at the layer of the cut. covered: [M, C, H, W].
    """
    crops = torch.cat([cut.crop(one, *corner, patch) for one, corner in zip(covered.split(1), corners, strict=True)])
    changed = maps.repeat(len(corners), 1, 1, 1)
    for whole, part, corner in zip(changed, subject.values_at(cut.layer, crops), corners, strict=True):
        seen, cropped = cut.windows(*corner, patch)
        whole[:, *seen] = part[:, *cropped]
    return subject.forward_from(cut.layer, image, changed)


def _find_cut(subject: Subject, images: Tensor, patch: int, at_a_time: int) -> Cut | None:
    generator = torch.Generator().manual_seed(0)
    probe = torch.randn((1, *images.shape[1:]), generator=generator).to(images)
    with grad_mode(), torch.no_grad(), subject.in_eval_mode():
        cuts = sorted(_cuts(subject, probe, at_a_time), key=lambda cut: cut.share(patch))
        worth = [cut for cut in cuts if cut.share(patch) <= MOST_SHARE]
        return next((cut for cut in worth[:TRIED] if _holds(subject, cut, probe, patch)), None)


def _cuts(subject: Subject, probe: Tensor, at_a_time: int) -> list[Cut]:
    """The layers whose maps show where a pixel is seen: numbers that are none are put into a block, and come out."""
    height, width = probe.shape[2:]
    top, left = (side // 2 // BLOCK * BLOCK for side in (height, width))
    unknown = probe.clone()
    unknown[..., top : top + BLOCK, left : left + BLOCK] = torch.nan
    cuts: list[Cut] = []

    def look(name: str, maps: Tensor) -> None:
        seen = maps.isnan().any(1)[0]
        rows = _axis(seen.any(1), height, top)
        columns = _axis(seen.any(0), width, left)
        if rows is not None and columns is not None:
            cuts.append(Cut(name, rows, columns, 1 - subject.work_after(name), at_a_time))

    with subject.watching(subject.bottlenecks, look):
        subject.output(unknown)
    return cuts


def _axis(seen: Tensor, pixels: int, start: int) -> Axis | None:
    """Rows or columns, of which those that see a block of pixels are marked; None where that says nothing."""
    marked = seen.nonzero().flatten().tolist()
    positions = len(seen)
    step = 1
    while 2 * step <= BLOCK and pixels // (2 * step) >= positions - 1:
        step *= 2
    if not marked or len(marked) == positions or positions < 2:
        return None
    first, behind = start // step, (start + BLOCK) // step
    return Axis(pixels, positions, step, max(first - marked[0], 0), max(marked[-1] + 1 - behind, 0))


def _holds(subject: Subject, cut: Cut, probe: Tensor, patch: int) -> bool:
    """Whether scores by this cut are those of whole passes, for patches of noise in a corner and near the middle."""
    corners = [(0, 1), (cut.rows.pixels // 2 - patch // 3, cut.columns.pixels // 2 - patch // 2)]
    images = probe.repeat(1 + len(corners), 1, 1, 1)
    for image, (top, left) in zip(images[1:], corners, strict=True):
        image[:, top : top + patch, left : left + patch] *= -2
    whole = subject.forward(images)
    followed = _followed(subject, cut, probe, subject.values_at(cut.layer, probe), images[1:], corners, patch)
    change = (whole[1:] - whole[:1]).abs().amax(1, keepdim=True)
    return bool(((followed - whole[1:]).abs() <= SAME * change).all()) and subject.runs_alone[cut.layer]
