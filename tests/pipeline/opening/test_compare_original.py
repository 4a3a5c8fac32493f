"""A converted network is compared with the one that it was made of, on the first image."""

import pytest
import torch
from torch import Tensor, nn

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.model import Model, Original
from cnnvis_report.pipeline.opening.compare_original import compare_with_original
from cnnvis_report.records.network import ConversionRecord


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()


def compared(original: Original | None) -> ConversionRecord | None:
    network = linear()
    image = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    model = Model(network, "net", "drawn", Preprocessing(), None, original=original)
    return compare_with_original(model, Subject(network, image, name="net"), image)


def test_nothing_is_compared_where_nothing_was_converted() -> None:
    assert compared(None) is None


def test_the_difference_is_relative_to_the_largest_output() -> None:
    def outputs(images: Tensor) -> Tensor:
        values: Tensor = linear()(images)
        values[0, 0] += values.abs().max() * 0.005
        return values

    record = compared(Original("Other 1.0", outputs))
    assert record is not None and not record.close
    assert record.difference == pytest.approx(0.005, rel=0.01)
    assert record.describe().endswith("differ by 5e-03 of the largest output, more than rounding")


def test_an_activation_that_was_taken_off_is_put_back() -> None:
    original = Original("Other 1.0", lambda images: linear()(images).softmax(1), lambda scores: scores.softmax(1))
    record = compared(original)
    assert record is not None and record.close and record.difference < 1e-6
    with pytest.raises(BadRequest, match=r"differs by .* from what Other 1.0 computes"):
        compared(Original("Other 1.0", original.outputs))


def test_other_numbers_of_outputs_are_refused() -> None:
    with pytest.raises(BadRequest, match=r"Other 1.0 gives 1 × 2 numbers"):
        compared(Original("Other 1.0", lambda images: linear()(images)[:, :2]))


def test_an_original_that_fails_is_one_line() -> None:
    def outputs(images: Tensor) -> Tensor:
        raise RuntimeError("no such device\nand more")

    with pytest.raises(BadRequest, match=r"net: Other 1.0 fails on the first image: .*no such device"):
        compared(Original("Other 1.0", outputs))
