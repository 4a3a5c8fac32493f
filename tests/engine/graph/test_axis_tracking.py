"""Axes that are split, swapped and joined are followed, and laid out again."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cnnvis_report.engine.graph.axes import ROWS, Dim, Factor, pictures, viewed
from cnnvis_report.engine.graph.axis_tracking import followed
from cnnvis_report.engine.graph.layouts import Layout, layout_of
from cnnvis_report.engine.graph.nodes import recorded
from cnnvis_report.errors import NotApplicable

REARRANGED: dict[str, Callable[[Tensor], Tensor]] = {
    "windows": lambda x: x.view(1, 5, 2, 4, 3, 4).permute(0, 2, 4, 3, 5, 1).reshape(6, 4, 4, 5),
    "put together again": lambda x: (
        REARRANGED["windows"](x).view(1, 2, 3, 4, 4, 5).permute(0, 1, 3, 2, 4, 5).reshape(1, 8, 12, 5)
    ),
    "tokens": lambda x: x.flatten(2).transpose(1, 2),
    "tokens of swapped axes": lambda x: x.transpose(2, 3).flatten(2).transpose(1, 2),
    "sequence first": lambda x: x.flatten(2).permute(2, 0, 1),
    "heads": lambda x: x.flatten(2).transpose(1, 2).reshape(1, 96, 5, 1).transpose(1, 2),
    "padded": lambda x: F.pad(x.flatten(2).transpose(1, 2), (0, 0, 2, 1)),
    "cut again": lambda x: REARRANGED["padded"](x)[:, 2:-1],
    "half cut": lambda x: REARRANGED["padded"](x)[:, 1:],
    "split": lambda x: REARRANGED["padded"](x).split([2, 96, 1], 1)[1],
    "columns first": lambda x: x.permute(0, 3, 1, 2),
}


READ = {"put together again", "tokens", "sequence first", "padded", "cut again", "half cut", "split", "columns first"}


@pytest.mark.parametrize("name", REARRANGED)
def test_what_is_laid_out_is_what_was_taken_apart(name: str) -> None:
    x = torch.arange(480.0).view(1, 5, 8, 12).requires_grad_()
    result = REARRANGED[name](x * 1)
    assert result.grad_fn is not None
    axes = followed(recorded(result.grad_fn), x.shape)[result.grad_fn, result.output_nr]
    layout = layout_of(tuple(result.shape), axes)
    assert (layout is not None) == (name in READ)
    if layout is not None:
        torch.testing.assert_close(layout.as_feature_maps(result), x)
        other = torch.randn(3, 5, 8, 12)
        put = layout.put(other, result.detach())
        torch.testing.assert_close(layout.as_feature_maps(put), other)
        beside = layout.put(torch.zeros(1, 5, 8, 12), torch.ones_like(result))
        assert int(beside.sum()) == 5 * (layout.before + layout.after), "what stands beside the grid stays"


def test_axes_that_were_split_in_any_way_are_whole_again() -> None:
    start = pictures((1, 6, 8, 12))
    for order in itertools.permutations(range(3)):
        axes = viewed(start, (1, 6, 8, 12), (1, 3, 2, 2, 4, 3, 2, 2))
        groups = [(1, 2), (3, 4), (5, 6, 7)]
        moved = [0, *(dim for group in order for dim in groups[group])]
        sizes = (1, 3, 2, 2, 4, 3, 2, 2)
        joined = viewed(
            tuple(axes[dim] for dim in moved), tuple(sizes[dim] for dim in moved), (1, *([6, 8, 12][g] for g in order))
        )
        assert joined == (start[0], *(start[1 + group] for group in order))
    (_, across, _, _) = viewed(start, (1, 6, 8, 12), (1, 6, 96, 1))[1:3] + start[:2]
    assert across.grid == (8, 12)
    assert viewed(start, (1, 6, 8, 12), (1, 6, 2, 4, 12))[2] == Dim((Factor(ROWS, 2, 4),))


def test_a_number_of_tokens_that_no_grid_has() -> None:
    layout = Layout(0, 2, 1, 1, (4, 6), before=1)
    assert layout.as_feature_maps(torch.zeros(1, 1 + 35, 8), (1.2, 1.2)).shape == (1, 8, 5, 7)
    with pytest.raises(NotApplicable, match=r"37 tokens are no grid of about 4.8×7.2"):
        layout.as_feature_maps(torch.zeros(1, 1 + 37, 8), (1.2, 1.2))
    assert np.prod(layout.grid) == 24
