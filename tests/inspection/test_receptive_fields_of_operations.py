"""What single operations see, written out and against the supports of gradients."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.receptive_fields import receptive_fields
from tests.inspection.supports import Does, Headed, agree, averaging, conv

pytestmark = pytest.mark.numeric


def of(network: Any, height: Any = 16, width: Any = 20) -> Any:
    """The fields of the last module of a network, checked at every position against the gradient."""
    image = torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    headed = averaging(Headed(network)).double()
    return agree(headed, image, lambda _: ["body"], every_row_and_column)["body"]


def every_row_and_column(height: Any, width: Any) -> Any:
    return [*((row, row * width // height) for row in range(height)), *((0, column) for column in range(width))]


class Branches(nn.Module):
    """Two branches that see unlike much, put together by a function."""

    def __init__(self, join: Any, one: Any, other: Any) -> None:
        super().__init__()
        self.join, self.one, self.other = join, one, other

    def forward(self, x: Any) -> Any:
        return self.join(self.one(x), self.other(x))


def test_a_convolution_with_stride_dilation_and_padding() -> None:
    field = of(conv(3, 4, (3, 5), stride=(2, 3), dilation=(3, 1), padding=(1, 2)))
    # row r reads 2 r - 1 + {0, 3, 6}, column c reads 3 c - 2 + {0 … 4}
    assert field.rows.tolist() == [[2, 6], [1, 8], [3, 10], [5, 12], [7, 14], [9, 16]]
    assert field.columns.tolist() == [[0, 3], [1, 6], [4, 9], [7, 12], [10, 15], [13, 18], [16, 20]]
    assert field.size == (7, 5)
    assert field.stride == (2, 3) and field.box(1, 2) == (1, 4, 8, 9)


def test_pooling_whose_last_window_is_cut() -> None:
    field = of(nn.MaxPool2d(3, stride=2, ceil_mode=True))
    assert field.rows.tolist()[-2:] == [[12, 15], [14, 16]]
    assert field.stride == (2, 2) and field.size == (3, 3)


def test_sums_see_what_any_branch_sees() -> None:
    field = of(Branches(torch.add, conv(3, 4, 3, padding=1), conv(3, 4, 7, padding=3)))
    assert field.box(8, 8) == (5, 5, 12, 12)
    lopsided = of(Branches(torch.add, nn.ZeroPad2d((2, -2, 0, 0)), nn.ZeroPad2d((-1, 1, 0, 0))))
    assert lopsided.box(8, 8) == (8, 6, 9, 10)


def test_concatenation_of_channels_and_of_rows() -> None:
    def both(dim: int) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        return lambda one, other: torch.cat([one, other], dim)

    field = of(Branches(both(1), conv(3, 4, 1), nn.AvgPool2d(5, 1, 2)))
    assert field.box(8, 8) == (6, 6, 11, 11)
    stacked = of(Branches(both(-2), nn.AvgPool2d((1, 3), 1, (0, 1)), nn.AvgPool2d(3, 1, 1)))
    assert stacked.rows[[3, 16 + 3]].tolist() == [[3, 4], [2, 5]]
    assert stacked.box(3, 8) == (3, 7, 4, 10)


def test_a_transposed_convolution() -> None:
    field = of(nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1, output_padding=1), 4, 5)
    # row r comes from those i with 2 i - 1 + {0 … 3} = r
    assert field.rows.tolist() == [[0, 1], [0, 2], [0, 2], [1, 3], [1, 3], [2, 4], [2, 4], [3, 4], [3, 4]]
    assert of(nn.ConvTranspose2d(3, 4, 2, stride=3, dilation=2), 4, 5).rows.tolist()[:4] == [
        [0, 1],
        [0, 0],
        [0, 1],
        [1, 2],
    ]


def test_adaptive_average_pooling_has_its_own_bins() -> None:
    field = of(nn.AdaptiveAvgPool2d(3), 7, 8)
    assert field.rows.tolist() == [[0, 3], [2, 5], [4, 7]]
    assert field.columns.tolist() == [[0, 3], [2, 6], [5, 8]]


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, dense: Any) -> None:
        super().__init__()
        self.dense = dense
        self.squeeze = nn.Linear(3, 3) if dense else nn.Conv2d(3, 3, 1)

    def forward(self, x: Any) -> Any:
        if self.dense:
            return x * self.squeeze(x.mean((2, 3)))[:, :, None, None].sigmoid()
        return x * self.squeeze(F.adaptive_avg_pool2d(x, 1)).sigmoid()


@pytest.mark.parametrize("dense", [True, False])
def test_a_gate_sees_the_whole_image(dense: Any) -> None:
    gate = Gate(dense)
    before = conv(3, 3, 3)
    assert of(nn.Sequential(before, gate)).box(2, 3) == (0, 0, 16, 20)
    strips = Does(lambda x: x * x.mean(3, keepdim=True).sigmoid())
    assert of(strips).box(2, 3) == (2, 0, 3, 20)


def shuffled(x: Any) -> Any:
    number, channels, height, width = x.shape
    groups = x.view(number, 3, channels // 3, height, width).transpose(1, 2)
    return groups.contiguous().view(number, -1, height, width)


def dense_over_channels(x: Any) -> Any:
    last = x.permute(0, 2, 3, 1)
    return F.linear(last, torch.ones(5, x.shape[1], dtype=x.dtype)).permute(0, 3, 1, 2)


def in_place(x: Any) -> Any:
    x = x * 1
    x.relu_().mul_(2).add_(1)
    return x


CHANGES_OF_SHAPE = {
    "shuffled": (shuffled, (8, 9, 9, 10)),
    "dense": (dense_over_channels, (8, 9, 9, 10)),
    "in place": (in_place, (8, 9, 9, 10)),
    "turned twice": (lambda x: (x.transpose(2, 3) * 2).transpose(2, -1), (8, 9, 9, 10)),
    "sliced": (lambda x: x[:, :, 2:-1, 1::2], (10, 19, 11, 20)),
    "split": (lambda x: torch.cat([part + 1 for part in x.split(1, 1)], 1), (8, 9, 9, 10)),
    "split rows": (lambda x: x.split([3, 13], -2)[1], (11, 9, 12, 10)),
    "chunks": (lambda x: x.chunk(2, -1)[1], (8, 19, 9, 20)),
    "one channel": (lambda x: x[:, 1].unsqueeze(1) * 2, (8, 9, 9, 10)),
    "unbound": (lambda x: torch.cat([channel[:, None] for channel in x.unbind(1)], 1), (8, 9, 9, 10)),
    "reflected": (lambda x: F.pad(x, (2, 2, 9, 0), mode="reflect"), (1, 7, 2, 8)),
    "replicated": (lambda x: F.pad(x, (2, 2, 9, 0), mode="replicate"), (0, 7, 1, 8)),
    "softmax": (lambda x: x.softmax(1), (8, 9, 9, 10)),
    "softmax of rows": (lambda x: (x * x).softmax(2), (0, 9, 16, 10)),
    "response norm": (lambda x: F.local_response_norm(x, 3), (8, 9, 9, 10)),
    "sum of a row": (lambda x: x.sum(3, keepdim=True).expand(-1, -1, -1, 20), (8, 0, 9, 20)),
    "dropped": (lambda x: x + x.amin(2)[:, :, None], (0, 9, 16, 10)),
    "instance norm": (lambda x: F.instance_norm(x), (0, 0, 16, 20)),
    "group norm": (lambda x: F.group_norm(x, 3), (0, 0, 16, 20)),
    "flattened": (lambda x: x.flatten(1)[:, :400].view(1, 1, 20, 20), (0, 0, 16, 20)),
    "circular": (lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"), (0, 0, 16, 20)),
}


@pytest.mark.parametrize("name", CHANGES_OF_SHAPE)
def test_operations_by_themselves(name: Any) -> None:
    function, box = CHANGES_OF_SHAPE[name]
    image = torch.rand(1, 3, 16, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    network = Headed(Does(function)).double()
    field = receptive_fields(Tape(Subject(network, image), image), ["body"])["body"]
    assert field.box(8, 9) == box
