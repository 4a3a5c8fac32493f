"""RISE against the same masks, one by one."""

import math
from typing import Any

import pytest
import torch
from torch.nn.functional import interpolate

from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods.selection import select
from tests.methods.maps import noted, only, scores
from tests.networks import SumOfSquares, Tiny, seeded

pytestmark = pytest.mark.numeric


def grids_slowly(size: int, cells: int, p: float, generator: Any) -> Any:
    """With p of 1/2, parities of the bits that a grid's number shares with that of a cell, some of them negated."""
    if p != 0.5:
        return (torch.rand(size, cells, cells, generator=generator) < p).double()
    count = cells * cells
    numbers: list[int] = []
    while len(numbers) < count:
        numbers += (torch.randperm(size - 1, generator=generator) + 1).tolist()
    negated = torch.randint(2, (count,), generator=generator).tolist()
    rows = [
        [(grid & number).bit_count() % 2 ^ swap for number, swap in zip(numbers, negated, strict=False)]
        for grid in range(size)
    ]
    return torch.tensor(rows, dtype=torch.float64).view(size, cells, cells)


def rise_masks_slowly(n: Any, cells: Any, p: Any, seed: Any, size: Any, block: int = 64) -> Any:
    """Drawn in blocks as the method does, then upsampled whole and cut."""
    generator = torch.Generator().manual_seed(seed)
    squares = [math.ceil(side / cells) for side in size]
    masks: list[torch.Tensor] = []
    while len(masks) < n:
        grids = grids_slowly(block, cells, p, generator)
        tops, lefts = (torch.randint(square, (block,), generator=generator) for square in squares)
        whole = [(cells + 1) * square for square in squares]
        up = interpolate(grids[:, None], size=whole, mode="bilinear", align_corners=False)[:, 0]
        masks += [u[t : t + size[0], s : s + size[1]] for u, t, s in zip(up, tops, lefts, strict=True)]
    return masks[:n]


def rise_terms(network: Any, images: Any, targets: Any, masks: Any, p: Any, block: int = 64) -> Any:
    """[N, K, n, H, W]: what each mask adds; scores are less the mean of all blocks before, and the first's its own."""
    away = (torch.stack(masks) - p) / (p * (1 - p))
    rows = []
    for image, classes in zip(images, targets, strict=True):
        probabilities = scores(network, torch.stack([image * mask for mask in masks])).softmax(1)
        for_class = [probabilities[:, target] for target in classes]
        centers = [[score[: start or block].mean() for start in range(0, len(masks), block)] for score in for_class]
        centered = [
            score - torch.stack(center).repeat_interleave(block)[: len(masks)]
            for score, center in zip(for_class, centers, strict=True)
        ]
        rows.append(torch.stack([score[:, None, None] * away for score in centered]))
    return torch.stack(rows)


def relative_errors(terms: Any, block: int = 64) -> Any:
    """From how the means of blocks vary, each counted by its masks."""
    blocks = terms.split(block, dim=2)
    means = torch.stack([part.mean(2) for part in blocks], 2)
    weights = torch.tensor([part.shape[2] for part in blocks], dtype=torch.float64).view(-1, 1, 1)
    whole = terms.mean(2)
    variances = (weights * (means - whole.unsqueeze(2)).square()).sum(2) / (len(blocks) - 1) / terms.shape[2]
    return variances.mean((2, 3)).sqrt() / whole.std((2, 3), correction=0)


@pytest.mark.parametrize(("cells", "p"), [(7, 0.5), (9, 0.5), (3, 0.3)])
def test_rise_equals_its_definition_with_the_same_masks(network: Any, wide: Any, cells: Any, p: Any) -> None:
    targets = torch.tensor([[1, 2], [4, 0], [0, 3]])
    maps, notes, account = noted(network, wide, targets, "rise", n=130, cells=cells, p=p, seed=6, capacity=7)
    terms = rise_terms(network, wide, targets, rise_masks_slowly(130, cells, p, 6, (12, 16)), p)
    torch.testing.assert_close(maps, terms.mean(2), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(notes["standard_error"], relative_errors(terms), rtol=1e-7, atol=1e-9)
    assert bool((notes["masks"] == 130).all()) and account.forward == pytest.approx(130)


def test_rise_masks_show_every_pixel_as_often() -> None:
    masks = torch.stack(rise_masks_slowly(4000, 7, 0.5, 0, (20, 16)))
    assert float((masks.mean(0) - 0.5).abs().max()) < 0.04


@pytest.mark.parametrize("block", [2, 8, 64])
def test_masks_of_a_block_show_every_cell_and_every_two_equally_often(block: int) -> None:
    cells = min(7, math.isqrt(block - 1))
    grids = grids_slowly(block, cells, 0.5, torch.Generator().manual_seed(1)).flatten(1)
    together = grids.T @ grids  # how many grids show both of two cells
    expected = torch.full_like(together, block / 4)
    expected.fill_diagonal_(block / 2)
    torch.testing.assert_close(together, expected, rtol=0, atol=0)


@pytest.mark.parametrize("n", [1, 3, 64])
def test_few_masks_come_in_two_blocks(images: Any, n: int) -> None:
    network, targets = seeded(Tiny()).double(), torch.zeros(3, 1, dtype=torch.long)
    maps, notes, _ = noted(network, images, targets, "rise", n=n)
    block = max(2, n // 2)
    terms = rise_terms(network, images, targets, rise_masks_slowly(n, 7, 0.5, 0, (16, 16), block), 0.5, block)
    torch.testing.assert_close(maps, terms.mean(2), rtol=1e-9, atol=1e-12)
    assert ("standard_error" in notes) is (n > 1)
    if n > 1:
        torch.testing.assert_close(notes["standard_error"], relative_errors(terms, block), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("p", [0.5, 0.4])
def test_the_standard_error_is_the_spread_over_seeds(images: Any, p: float) -> None:
    subject, (entry,) = Subject(seeded(Tiny()).double(), images[:1]), select(["rise"])
    maps, variances = [], []
    for seed in range(30):
        tape = Tape(subject, images[:1], capacity=64, seed=seed)
        with tape.costs.measure() as cost, torch.no_grad():
            maps.append(entry.function(tape, torch.zeros(1, 1, dtype=torch.long), n=128, cells=3, p=p).flatten())
        variances.append((torch.as_tensor(cost.notes["standard_error"])[0, 0] * maps[-1].std(correction=0)).square())
    spread = torch.stack(maps).var(0).mean().sqrt()
    assert float(torch.stack(variances).mean().sqrt() / spread) == pytest.approx(1, rel=0.25)


def test_rise_stops_map_by_map(images: Any) -> None:
    # what a map becomes must not hang on the images and classes beside it
    network = seeded(Tiny()).double()
    targets = torch.tensor([[1, 2], [4, 0], [0, 3]])
    looks = (128, 192, 256)
    terms = rise_terms(network, images, targets, rise_masks_slowly(300, 2, 0.5, 0, (16, 16)), 0.5)
    errors = torch.stack([relative_errors(terms[:, :, :upto]) for upto in looks])
    tolerance = float(errors[1].median()) * 1.0001
    maps, notes, account = noted(network, images, targets, "rise", n=300, cells=2, tolerance=tolerance)
    for i in range(3):
        for k in range(2):
            under = [upto for upto, e in zip(looks, errors[:, i, k], strict=True) if e < tolerance]
            masks = under[0] if under else 300
            assert int(notes["masks"][i, k]) == masks
            torch.testing.assert_close(maps[i, k], terms[i, k, :masks].mean(0), rtol=1e-9, atol=1e-12)
            alone = only(network, images[i : i + 1], targets[i, k : k + 1], "rise", n=300, cells=2, tolerance=tolerance)
            torch.testing.assert_close(alone[0], maps[i, k], rtol=1e-9, atol=1e-12)
    assert len(set(notes["masks"].flatten().tolist())) > 1, "some stop sooner than others"
    assert account.forward == pytest.approx(float(notes["masks"].amax(1).mean())), "who is done takes no passes"


def test_rise_is_rehearsed_in_full(images: Any) -> None:
    network = seeded(Tiny()).double()
    subject = Subject(network, images[:1])
    dry_tape = DryRunTape(subject, subject.take_first_pass(), capacity=4)
    (entry,) = select(["rise"])
    with torch.no_grad():
        entry.function(dry_tape, torch.zeros(1, 2, dtype=torch.long))
    assert dry_tape.passes() == pytest.approx((1 + 500, 0))


@pytest.mark.parametrize("options", [{"n": -1}, {"cells": 0}, {"p": 0.0}, {"p": 1.0}, {"tolerance": -0.1}])
def test_rise_refuses_what_it_cannot_do(images: Any, options: Any) -> None:
    with pytest.raises(BadRequest, match=r"of rise is .*; it takes a number"):
        only(SumOfSquares(), images, [0, 0, 0], "rise", **options)
