"""The order in which a map ranks pixels: ties, equal orders, and maps that rank nothing."""

import math

import pytest
import torch
from torch import Tensor

from cnnvis_report.evaluation.pixel_order import pixel_orders, ranking, without_mirrors
from tests.evaluation.replicas import drawn, slow_order

pytestmark = pytest.mark.numeric


def test_equal_values_go_in_an_order_without_a_corner() -> None:
    places = ranking(torch.zeros(1, 40 * 40), seed=0).view(40, 40).double()
    assert sorted(places.flatten().tolist()) == list(range(1600))
    rest = (1600 - 1) / 2
    spread = 1600 / math.sqrt(12 * 800)  # standard deviation of the mean place of one half
    for half in (places[:20], places[20:], places[:, :20], places[:, 20:], places[::2], places[:, ::2]):
        assert float(half.mean()) == pytest.approx(rest, abs=3 * spread)
    assert not torch.equal(ranking(torch.zeros(1, 1600), seed=1).view(40, 40), places.long())


def test_a_tie_costs_all_maps_alike() -> None:
    values = torch.tensor([[0.0, 2, 0, 1, 0, 0, 2], [5.0, 5, 5, 5, 5, 5, 5], [0, 0, 0, 0, 0, 0, 0]])
    places = ranking(values, seed=4)
    for row, found in zip(values, places, strict=True):
        assert found.argsort().tolist() == slow_order(row.numpy(), seed=4)
    assert torch.equal(places[1], places[2])


def test_maps_of_equal_order_share_it() -> None:
    values = drawn(7, 5)
    orders, of_map = pixel_orders([values, drawn(7, 5, seed=1), 3 * values + 1], (7, 5), seed=0)
    assert of_map == [0, 1, 0] and orders.shape == (2, 7, 5)
    assert orders[0].flatten().argsort().tolist() == slow_order(values.numpy(), seed=0)


@pytest.mark.parametrize(
    "values",
    [torch.zeros(7, 5), torch.full((2, 2), 3.0), torch.full((7, 5), torch.nan), torch.tensor([[1.0, torch.inf]])],
    ids=["zeros", "one-value", "not-a-number", "infinite"],
)
def test_a_map_that_ranks_nothing_has_no_order(values: Tensor) -> None:
    orders, of_map = pixel_orders([values, drawn(7, 5)], (7, 5), seed=0)
    assert of_map == [None, 0] and len(orders) == 1
    assert len(pixel_orders([values], (7, 5), seed=0)[0]) == 0


@pytest.mark.parametrize("shape", [(7, 5), (224, 224)], ids=str)
def test_a_mirrored_order_is_left_to_the_one_that_it_mirrors(shape: tuple[int, int]) -> None:
    values = torch.rand(shape, generator=torch.Generator().manual_seed(1))  # among 50,000 some are equal
    orders, of_map = pixel_orders([values, drawn(*shape, seed=2), 1 - values], shape, seed=0)
    own, numbers = without_mirrors(orders)
    assert [numbers[number] for number in of_map if number is not None] == [(0, False), (1, False), (0, True)]
    assert torch.equal(own, orders[:2])


def test_orders_that_are_nearly_mirrored_are_not() -> None:
    order = torch.arange(35, dtype=torch.int32).view(7, 5)
    near = 34 - order
    near[0, :2] = near[0, :2].flip(0)
    own, numbers = without_mirrors(torch.stack([order, near]))
    assert len(own) == 2 and numbers == [(0, False), (1, False)]
