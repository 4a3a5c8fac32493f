"""Augmentation changes each picture on its own, and by the seed alone."""

from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.training.augment import augmentation


def test_turns_give_the_eight_positions_of_a_square_and_nothing_else() -> None:
    batch = torch.arange(25, dtype=torch.uint8).view(1, 1, 5, 5).expand(200, 1, 5, 5)
    assert augmentation("none", (5, 5))(batch) is batch
    torch.manual_seed(0)
    square = {each.numpy().tobytes() for each in augmentation("d4", (5, 5))(batch)}
    board = np.arange(25, dtype=np.uint8).reshape(5, 5)
    turned = [np.rot90(each, turns) for each in (board, board.T) for turns in range(4)]
    assert square == {each.tobytes() for each in turned}
    oblong = {each.numpy().tobytes() for each in augmentation("d4", (4, 5))(batch[..., :4, :])}
    assert oblong == {board[:4][::down, ::right].tobytes() for down in (1, -1) for right in (1, -1)}


@pytest.mark.parametrize("level", ["light", "strong"])
@pytest.mark.parametrize("shape", [(3, 24, 32), (1, 28, 28), (3, 9, 8)])
def test_augmentation_changes_each_picture_on_its_own_and_repeats(level: Any, shape: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    batch = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).expand(12, *shape).contiguous()
    whole, change = batch.clone(), augmentation(level, shape[1:])
    torch.manual_seed(7)
    first, second = change(batch), change(batch)
    torch.manual_seed(7)
    assert torch.equal(change(batch), first) and not torch.equal(first, second) and torch.equal(batch, whole)
    assert (first.shape, first.dtype) == (batch.shape, torch.uint8) and len(torch.unique(first, dim=0)) == 12
    assert (first.float().mean(dim=(1, 2, 3)) - batch.float().mean()).abs().max() < 90  # it is the same picture still
