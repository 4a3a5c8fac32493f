"""Occlusion."""

import math

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods.options import Between
from cnnvis_report.methods.registry import method
from cnnvis_report.records.methods import Family, Kind, Sign


@method(
    title="Occlusion",
    family=Family.PERTURBATION,
    source="Zeiler & Fergus 2013, arXiv:1311.2901",
    formula=(
        r"M_p = \frac{1}{\lvert \{k : p \in P_k\} \rvert} "
        r"\sum_{k : p \in P_k} (S(x) - S(x \text{ without } P_k))"
    ),
    sign=Sign.SIGNED,
    kind=Kind.AREA,
    batched_targets=True,
    bounds={
        "patch": Between(0, 10_000),
        "stride": Between(0, 10_000),
        "scales": Between(1, 16),
        "grid": Between(1, 10_000),
        "overlap": Between(0, 1),
    },
    effort={"low": {"grid": 4, "overlap": 0.0}, "medium": {"overlap": 0.0}, "high": {"overlap": 0.5}},
    notes={"baseline": "from {}", "patch": "{} px patch", "stride": "stride {}", "scales": "{} scales"},
)
def occlusion(
    tape: Tape,
    targets: Tensor,
    *,
    patch: int = 0,
    stride: int = 0,
    scales: int = 1,
    grid: int = 8,
    overlap: float = 0.5,
) -> Tensor:
    """How much the class score drops when a gray patch covers a position.

    S - S(patch grayed), averaged over the patches that cover a pixel, S the target logit; gray is the mean of the
    training set (0 after normalization). Patches that reach over the edge are cut. With several scales, the mean of
    the maps of patches that double in side and stride from one to the next.

    Args:
        targets: [N, K] class indices.
        patch: side of the smallest patch in pixels; 0 means as `grid` says.
        stride: step from patch to patch at the smallest, in pixels; 0 means as `overlap` says.
        scales: how many sizes of patches; none grows beyond the image.
        grid: how many of the smallest patches stand side by side along the shorter side.
        overlap: the share of a patch's side that the next one covers too.

    Returns:
        [N, K, H, W] in logits.

    Raises:
        BadRequest: steps would leave pixels uncovered.
    """
    height, width = tape.images.shape[2:]
    patch = min(patch or max(1, round(min(height, width) / grid)), height, width)
    stride = stride or max(1, int(patch * (1 - overlap)))
    if patch < 1 or not 1 <= stride <= patch:
        raise BadRequest(f"occlusion needs 1 ≤ stride ≤ patch, not patch={patch}, stride={stride}.")
    sizes = [min(patch * 2**scale, height, width) for scale in range(scales)]
    steps = [min(stride * 2**scale, size) for scale, size in enumerate(sizes)]
    tape.note(baseline=tape.color_name("gray"), patch=patch, stride=stride)
    if scales > 1:
        tape.note(scales=scales)
    maps = [_drops(tape, targets, size, step) for size, step in zip(sizes, steps, strict=True)]
    return torch.stack(maps).mean(dim=0)


def _drops(tape: Tape, targets: Tensor, patch: int, stride: int) -> Tensor:
    """[N, K, H, W]: the map of one size of patches."""
    height, width = tape.images.shape[2:]
    windows = [(top, left) for top in _starts(height, patch, stride) for left in _starts(width, patch, stride)]
    score = tape.logits.gather(1, targets)
    drop = score.new_zeros((*targets.shape, height, width))
    cover = score.new_zeros((height, width))
    for patch_scores, (top, left) in zip(tape.covered_scores(windows, patch), windows, strict=True):
        window = (..., slice(top, top + patch), slice(left, left + patch))
        drop[window] += (score - patch_scores.gather(1, targets))[..., None, None]
        cover[window] += 1
    return drop / cover


def _starts(side: int, patch: int, stride: int) -> list[int]:
    """Where patches begin along a side; the last one may reach over the edge."""
    return [step * stride for step in range(math.ceil((side - patch) / stride) + 1)]
