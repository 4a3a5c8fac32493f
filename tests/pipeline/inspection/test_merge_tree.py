"""Statistics over a set in parts: the same as over all of it at once, whatever the order in which the parts come."""

from itertools import permutations

import pytest
import torch

from cnnvis_report.inspection.channel_stats import ChannelStatsCollector
from cnnvis_report.inspection.top_images import TopImages
from cnnvis_report.pipeline.inspection.merge_tree import MergeTree


def joined(count: int, order: tuple[int, ...]) -> str:
    tree = MergeTree[list[str]](count, lambda first, second: first.append(f"({first.pop()}{second[0]})"))
    for number in order:
        tree.add(number, [str(number)])
    return tree.result[0]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "0"), (2, "(01)"), (3, "((01)2)"), (5, "(((01)(23))4)"), (7, "(((01)(23))((45)6))")],
    ids=str,
)
def test_neighbors_are_merged_in_one_way_whatever_comes_first(count: int, expected: str) -> None:
    orders = [order for order, _ in zip(permutations(range(count)), range(200), strict=False)]
    assert {joined(count, order) for order in [*orders, tuple(reversed(range(count)))]} == {expected}


def test_few_parts_wait() -> None:
    tree, most = MergeTree[list[int]](1000, lambda first, second: first.extend(second)), 0
    for number in range(1000):
        tree.add(number, [number])
        most = max(most, len(tree._waiting))
    assert tree.result == list(range(1000)) and most <= 10


@pytest.fixture
def values() -> torch.Tensor:
    # whole numbers, so that sums are exact in any order; with ties, of which the earlier image comes first
    generator = torch.Generator().manual_seed(0)
    return torch.randint(-8, 8, (23, 4, 5, 6), generator=generator).float()


def test_channel_statistics_of_parts_are_those_of_the_whole(values: torch.Tensor) -> None:
    whole = ChannelStatsCollector(len(values))
    whole.add(values)
    tree = MergeTree[ChannelStatsCollector](5, ChannelStatsCollector.merge)
    for number in (3, 0, 4, 1, 2):
        part = ChannelStatsCollector(len(values), number)
        if number < 4:
            part.add(values[number * 7 : number * 7 + 7])
        tree.add(number, part)
    actual, expected = tree.result.found(), whole.found()
    for name in ("highest", "mean", "active", "duplicate_of"):
        assert torch.equal(getattr(actual, name), getattr(expected, name)), name


def test_top_images_of_parts_are_those_of_the_whole(values: torch.Tensor) -> None:
    classes = [number % 3 - 1 for number in range(len(values))]  # below 0 for none
    whole = TopImages(["layer"], n=6)
    whole.add("layer", values, classes)
    tree = MergeTree[TopImages](4, TopImages.merge)
    for number in (2, 3, 1, 0):
        part, span = TopImages(["layer"], n=6), slice(number * 6, number * 6 + 6)
        part.add("layer", values[span], classes[span])
        tree.add(number, part)
    actual, expected = tree.result.top("layer"), whole.top("layer")
    for name in ("values", "images", "rows", "columns"):
        assert torch.equal(getattr(actual, name), getattr(expected, name)), name
    excited, wanted = tree.result.excitement("layer"), whole.excitement("layer")
    assert list(excited) == list(wanted) and all(torch.equal(excited[index], wanted[index]) for index in wanted)
