"""The normalization in a transform, in whatever library it is written."""

from typing import Any

import pytest
from torchvision import transforms
from torchvision.transforms import v2

from cnnvis_report.live.normalization import normalization_of
from tests.live.small import MEAN, STD, Compose, Samples


@pytest.mark.parametrize(
    "source",
    [
        transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)]),
        v2.Compose([v2.ToImage(), v2.Compose([v2.Normalize(list(MEAN), list(STD))])]),
        Compose(),
        Samples(transform=Compose()),
    ],
    ids=["torchvision", "torchvision v2", "own", "of a dataset"],
)
def test_it_is_found(source: Any) -> None:
    constants = normalization_of(source)
    assert constants is not None
    assert constants[0] == MEAN and constants[1] == pytest.approx(STD)


@pytest.mark.parametrize(
    "source",
    [
        None,
        transforms.ToTensor(),
        lambda picture: picture,
        transforms.Compose([transforms.Normalize(MEAN, STD), transforms.Normalize(STD, MEAN)]),
        transforms.Compose([transforms.Normalize(MEAN, (0.2, 0.3))]),
    ],
    ids=["nothing", "none in it", "a function", "two that differ", "of two lengths"],
)
def test_what_is_not_sure_is_not_taken(source: Any) -> None:
    assert normalization_of(source) is None
