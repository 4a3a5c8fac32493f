"""Measures of maps against closed forms, and against replicas that do it pixel by pixel in float64."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName
from cnnvis_report.evaluation.insertion_deletion import area, blurred, deletion_curves, insertion_curves, ranking
from cnnvis_report.evaluation.pointing_game import peak_inside
from cnnvis_report.evaluation.randomization import randomized, stages
from cnnvis_report.evaluation.rank_correlation import agreement, average_ranks, spearman
from cnnvis_report.evaluation.region_perturbation import REPLACEMENTS, aopc, perturbation, replaced
from cnnvis_report.evaluation.relevance_mass import relevance_mass, relevance_rank
from cnnvis_report.evaluation.resize import at_size, on_grid
from cnnvis_report.evaluation.ssim import ssim
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.numeric

GREY = torch.zeros(3, 1, 1, dtype=torch.float64)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def drawn_map(*shape, seed=0):
    return drawn(*shape, seed=seed).float().numpy()


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(weights):
    """Two classes, w·x and its double."""
    return lambda images: torch.stack([(images * weights).sum((1, 2, 3)), 2 * (images * weights).sum((1, 2, 3))], dim=1)


@pytest.fixture
def image(images):
    return images[0, :, :13, :11]


@pytest.fixture(params=[Tiny, Awkward])
def probability(request):
    network = seeded(request.param()).double().eval()
    return lambda batch: network(batch).softmax(dim=1)


class Watched:
    """A scorer that counts its images, keeps the largest batch and spoils what it was given."""

    def __init__(self, score):
        self.score, self.images, self.largest = score, 0, 0

    def __call__(self, batch):
        self.images += len(batch)
        self.largest = max(self.largest, len(batch))
        scores = self.score(batch.clone())
        batch.fill_(float("nan"))
        return scores


# --- the replicas


def slow_bilinear(values, size):
    """Every pixel from the four positions around its center, positions beyond the edge being the edge."""
    h, w = values.shape
    found = np.zeros(size)
    for y in range(size[0]):
        for x in range(size[1]):
            v = max((y + 0.5) * h / size[0] - 0.5, 0)
            u = max((x + 0.5) * w / size[1] - 0.5, 0)
            for row, share in ((int(v), 1 - v % 1), (int(v) + 1, v % 1)):
                for column, part in ((int(u), 1 - u % 1), (int(u) + 1, u % 1)):
                    found[y, x] += share * part * float(values[min(row, h - 1), min(column, w - 1)])
    return found


def slow_order(values, seed):
    """Indices, the largest value first; equal values in the order in which they were drawn."""
    lot = torch.randperm(values.size, generator=torch.Generator().manual_seed(seed)).tolist()
    flat = values.flatten().tolist()
    return sorted(range(values.size), key=lambda place: (-flat[place], lot.index(place)))


@torch.no_grad()
def slow_curve(start, end, values, target, score, steps, seed=0):
    order = slow_order(values, seed)
    found = []
    for step in range(steps + 1):
        picture = start.clone()
        for place in order[: math.ceil(step * len(order) / steps)]:
            y, x = divmod(place, values.shape[1])
            for channel in range(len(picture)):
                picture[channel, y, x] = end[channel, y, x]
        found.append(float(score(picture[None])[0, target]))
    return found


def slow_regions(image, size):
    """Rows and columns of every region, from the upper left, cut at the far edges."""
    height, width = image.shape[1:]
    return [
        [(y, x) for y in range(top, min(top + size, height)) for x in range(left, min(left + size, width))]
        for top in range(0, height, size)
        for left in range(0, width, size)
    ]


def slow_replaced(image, replacement, size, seed):
    found = torch.randn(image.shape, generator=noise(seed), dtype=torch.float64)
    for channel in range(len(image)):
        for region in slow_regions(image, size):
            mean = sum(float(image[channel, y, x]) for y, x in region) / len(region)
            for y, x in region:
                mirrored = float(image[channel].max()) + float(image[channel].min()) - float(image[channel, y, x])
                if replacement != "gaussian":
                    found[channel, y, x] = {"zeros": 0.0, "mean": mean, "invert": mirrored}[replacement]
    return found


@torch.no_grad()
def slow_perturbation(image, values, target, score, size, count, end):
    regions = slow_regions(image, size)
    sums = np.array([sum(float(values[y, x]) for y, x in region) for region in regions])
    picture = image.clone()
    found = [float(score(picture[None].clone())[0, target])]
    for number in slow_order(sums, seed=0)[:count]:
        for y, x in regions[number]:
            picture[:, y, x] = end[:, y, x]
        found.append(float(score(picture[None].clone())[0, target]))
    return found


def slow_ranks(values):
    return [
        1 + sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2
        for value in values
    ]


def slow_pearson(a, b):
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return covariance / math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))


def slow_ssim(first, second):
    a, b = first / np.abs(first).max(), second / np.abs(second).max()
    spread = max(a.max(), b.max()) - min(a.min(), b.min())
    c1, c2 = (0.01 * spread) ** 2, (0.03 * spread) ** 2
    weights = np.array([[math.exp(-(y * y + x * x) / 4.5) for x in range(-5, 6)] for y in range(-5, 6)])
    weights /= weights.sum()
    found = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            m, n = (weights * p).sum(), (weights * q).sum()
            v, w = (weights * (p - m) ** 2).sum(), (weights * (q - n) ** 2).sum()
            c = (weights * (p - m) * (q - n)).sum()
            found.append((2 * m * n + c1) * (2 * c + c2) / ((m * m + n * n + c1) * (v + w + c2)))
    return sum(found) / len(found)


# --- sizes


@pytest.mark.parametrize("size", [(13, 11), (3, 7), (4, 2)])
def test_maps_are_resized_as_by_hand(size):
    values = drawn(3, 4)
    np.testing.assert_allclose(at_size(values, size).numpy(), slow_bilinear(values, size), rtol=1e-12, atol=1e-12)


def test_a_grid_averages_along_longer_sides_and_interpolates_along_shorter_ones():
    values = drawn(9, 4)
    rows = [(0, 3), (2, 5), (4, 7), (6, 9)]  # from floor(i·9/4) to ceil((i+1)·9/4)
    averaged = np.array([values[a:b].mean(0).tolist() for a, b in rows])
    np.testing.assert_allclose(on_grid(values, (4, 6)).numpy(), slow_bilinear(averaged, (4, 6)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("resized", [at_size, on_grid])
def test_a_plateau_stays_flat_whatever_its_value(resized):
    for value in torch.rand(20, generator=noise()):
        assert resized(value.expand(3, 90), (37, 41)).unique().tolist() == [value]


# --- deletion, insertion


@pytest.mark.parametrize("steps", [1, 7, 150])
def test_deletion_and_insertion_equal_the_replica(image, probability, steps):
    maps = [drawn(13, 11, seed=2), drawn(4, 3, seed=3), drawn(13, 11, seed=4).relu()]
    targets = torch.tensor([2, 0, 2])
    baseline = torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64).view(3, 1, 1)
    curves = {
        "deletion": deletion_curves(image, maps, targets, probability, baseline, steps=steps, capacity=16),
        "insertion": insertion_curves(image, maps, targets, probability, steps=steps, capacity=16, sigma=2.0),
    }
    assert not any(curve.requires_grad for curve in curves.values()), "nothing holds on to a graph"
    paths = {"deletion": (image, baseline.expand_as(image)), "insertion": (blurred(image, 2.0), image)}
    for j, (values, target) in enumerate(zip(maps, targets.tolist(), strict=True)):
        # the map's size is seen to above; its rounding must be the same here, or the order of neighbors isn't
        seen = at_size(values, (13, 11)).numpy()
        for name, (start, end) in paths.items():
            expected = slow_curve(start, end, seen, target, probability, steps)
            np.testing.assert_allclose(curves[name][j].numpy(), expected, rtol=1e-9, atol=1e-12)


def test_curves_begin_and_end_where_they_should(image, probability):
    target, maps = torch.tensor([3]), [drawn(5, 5)]
    clean, gray = probability(torch.stack([image, GREY.expand_as(image)]))[:, 3].tolist()
    left = deletion_curves(image, maps, target, probability, GREY, steps=5, capacity=8)[0].tolist()
    entered = insertion_curves(image, maps, target, probability, steps=5, capacity=8)[0].tolist()
    assert (left[0], left[-1], entered[-1]) == pytest.approx((clean, gray, clean), rel=1e-12)
    assert entered[0] == pytest.approx(probability(blurred(image, 5.0)[None])[0, 3].item(), rel=1e-12)


def test_deletion_of_a_linear_score_has_a_closed_form():
    # contributions 1..6, the largest first: 21, 15, 10, 6, 3, 1, 0; the trapezoids sum to 56 - 21/2
    image = torch.tensor([[[3.0, 1, 6], [2, 5, 4]]], dtype=torch.float64)
    targets = torch.tensor([0, 1, 0])
    zero = torch.zeros(1, 1, 1, dtype=torch.float64)
    curves = deletion_curves(image, [image[0], image[0], -image[0]], targets, linear(1), zero, steps=6, capacity=4)
    assert curves[0].tolist() == [21, 15, 10, 6, 3, 1, 0]
    assert area(curves)[:2].tolist() == pytest.approx([45.5 / 6, 91 / 6])
    assert curves[2].tolist() == [21, 20, 18, 15, 11, 6, 0], "the other way round"
    halves = deletion_curves(image, [image[0]], targets[:1], linear(1), zero, steps=4, capacity=4)
    assert halves[0].tolist() == [21, 10, 6, 1, 0], "after step s the ceil(6s/4) first have gone: 0, 2, 3, 5, 6"


def test_area_of_a_falling_line_is_a_half():
    assert area(torch.linspace(1, 0, 9, dtype=torch.float64)[None]).tolist() == pytest.approx([0.5])
    assert area(torch.tensor([[1.0, 1.0, 0.0]])).tolist() == pytest.approx([0.75])


@pytest.mark.parametrize("capacity", [1, 2, 5, 1000])
def test_chunks_do_not_matter_and_stay_within_the_capacity(image, probability, capacity):
    maps, targets = [drawn(13, 11, seed=j) for j in range(3)], torch.tensor([0, 4, 4])
    before = image.clone()
    score = Watched(probability)
    found = deletion_curves(image, maps, targets, score, GREY, steps=6, capacity=capacity)
    expected = deletion_curves(image, maps, targets, probability, GREY, steps=6, capacity=7)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    assert score.images == 3 * 5 + 2, "ends are the same for all maps"
    assert score.largest <= capacity
    score = Watched(probability)
    found = regions(image, maps, targets, score, capacity=capacity)
    torch.testing.assert_close(found, regions(image, maps, targets, probability), rtol=1e-9, atol=1e-12)
    assert score.images == 3 * 5 + 1
    assert score.largest <= capacity
    assert torch.equal(image, before), "what a network does to its input doesn't reach the image"


def test_equal_values_go_in_an_order_without_a_corner():
    places = ranking(torch.zeros(1, 40 * 40), seed=0).view(40, 40).double()
    assert sorted(places.flatten().tolist()) == list(range(1600))
    rest = (1600 - 1) / 2
    spread = 1600 / math.sqrt(12 * 800)  # standard deviation of the mean place of one half
    for half in (places[:20], places[20:], places[:, :20], places[:, 20:], places[::2], places[:, ::2]):
        assert float(half.mean()) == pytest.approx(rest, abs=3 * spread)
    assert not torch.equal(ranking(torch.zeros(1, 1600), seed=1).view(40, 40), places.long())


def test_a_tie_costs_all_maps_alike():
    values = torch.tensor([[0.0, 2, 0, 1, 0, 0, 2], [5.0, 5, 5, 5, 5, 5, 5], [0, 0, 0, 0, 0, 0, 0]])
    places = ranking(values, seed=4)
    for row, found in zip(values, places, strict=True):
        assert found.argsort().tolist() == slow_order(row.numpy(), seed=4)
    assert torch.equal(places[1], places[2])


def test_blur_equals_the_replica_and_is_cut_at_the_side(image):
    for picture, sigma, reach in ((image, 1.3, (4, 4)), (image[:, :, :3], 1.3, (4, 2)), (image, 5.0, (12, 10))):
        height, width = picture.shape[1:]
        expected = torch.zeros_like(picture)
        for y in range(height):
            for x in range(width):
                total = 0.0
                for dy in range(-reach[0], reach[0] + 1):
                    for dx in range(-reach[1], reach[1] + 1):
                        v, u = abs(y + dy), abs(x + dx)
                        v, u = min(v, 2 * (height - 1) - v), min(u, 2 * (width - 1) - u)
                        weight = math.exp(-(dy * dy + dx * dx) / (2 * sigma**2))
                        total += weight
                        expected[:, y, x] += weight * picture[:, v, u]
                expected[:, y, x] /= total
        torch.testing.assert_close(blurred(picture, sigma), expected, rtol=1e-6, atol=1e-6)


def test_steps_and_capacity_below_one_are_refused(image, probability):
    for steps, capacity in ((0, 4), (4, 0)):
        with pytest.raises(BadRequest, match="≥ 1"):
            deletion_curves(image, [drawn(2, 2)], torch.tensor([0]), probability, GREY, steps=steps, capacity=capacity)


# --- regions


def regions(image, maps, targets, score, size=4, count=5, replacement="zeros", seed=0, capacity=16):
    return perturbation(
        image,
        maps,
        targets,
        score,
        size=size,
        count=count,
        replacement=replacement,
        generator=noise(seed),
        capacity=capacity,
    )


@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_region_perturbation_equals_the_replica(image, probability, replacement):
    maps, targets = [drawn(13, 11, seed=2), drawn(4, 3, seed=3), torch.zeros(13, 11)], torch.tensor([1, 3, 1])
    end = slow_replaced(image, replacement, size=4, seed=6)
    torch.testing.assert_close(replaced(image, replacement, size=4, generator=noise(6)), end, rtol=1e-12, atol=1e-12)
    for count in (5, 12):  # twelve are all there are
        found = regions(image, maps, targets, probability, count=count, replacement=replacement, seed=6)
        for j, values in enumerate(maps):
            seen = at_size(values, (13, 11)).numpy()
            expected = slow_perturbation(image, seen, int(targets[j]), probability, 4, count, end)
            np.testing.assert_allclose(found[j].numpy(), expected, rtol=1e-9, atol=1e-12)


def test_aopc_of_one_decisive_region_has_a_closed_form():
    # 8 is lost at the first step and nothing after: (0 + 8 + 8 + 8) / 4
    image = torch.zeros(1, 4, 4, dtype=torch.float64)
    image[0, :2, 2:] = 2
    maps = [image[0], -image[0]]
    found = regions(image, maps, torch.tensor([0, 0]), linear(1), size=2, count=3)
    assert found[0].tolist() == [8, 0, 0, 0]
    assert aopc(found).tolist() == [6, 0], "and the map that puts it last gains nothing in three steps of four"


def test_random_maps_reach_the_mean():
    # a region more takes 1/9 of the score on average, so the mean over k = 0..5 of k/9 is 5/18
    image = drawn(2, 9, 9).abs()
    maps = [drawn(9, 9, seed=j) for j in range(300)]
    score = linear(1)
    found = aopc(regions(image, maps, torch.zeros(300, dtype=torch.long), score, size=3, count=5, capacity=200))
    whole = float(image.sum())
    assert float(found.mean()) == pytest.approx(whole * 5 / 18, rel=0.01)


def test_what_takes_the_place_of_regions():
    image = drawn(3, 60, 60, seed=1)
    loud = replaced(image, "gaussian", size=7, generator=noise())
    assert float(loud.mean()) == pytest.approx(0, abs=0.04)
    assert float(loud.std()) == pytest.approx(1, abs=0.03)
    assert torch.equal(loud, replaced(2 * image, "gaussian", size=9, generator=noise())), "of the generator alone"
    mirrored = replaced(image, "invert", size=7, generator=noise())
    torch.testing.assert_close(replaced(mirrored, "invert", size=7, generator=noise()), image)
    torch.testing.assert_close(mirrored.amax((1, 2)), image.amax((1, 2)))
    assert torch.equal(replaced(image, "mean", size=1, generator=noise()), image)
    whole = replaced(image, "mean", size=100, generator=noise())
    torch.testing.assert_close(whole, image.mean((1, 2), keepdim=True).expand_as(image))


def test_regions_that_do_not_exist_are_refused(image, probability):
    maps, targets = [drawn(2, 2), drawn(3, 3)], torch.tensor([0, 1])
    with pytest.raises(BadRequest, match="12 regions of 4×4 pixels, fewer than 13"):
        regions(image, maps, targets, probability, count=13)
    with pytest.raises(BadRequest, match="a side of 1 pixel or more, not 0"):
        regions(image, maps, targets, probability, size=0)
    with pytest.raises(BadRequest, match="≥ 1"):
        regions(image, maps, targets, probability, count=0)
    with pytest.raises(UnknownName, match="Did you mean 'zeros'"):
        regions(image, maps, targets, probability, replacement="zeroes")


# --- localization


MASK = np.zeros((6, 8), dtype=bool)
MASK[1:4, 2:5] = True


@pytest.mark.parametrize("shape", [(6, 8), (3, 4), (2, 5)])
def test_mass_and_rank_equal_the_replica(shape):
    for seed in range(5):
        values = drawn_map(*shape, seed=seed)
        seen = slow_bilinear(values, (6, 8))
        places = [(y, x) for y in range(6) for x in range(8)]
        inside = sum(max(seen[place], 0) for place in places if MASK[place])
        assert relevance_mass(values, MASK) == pytest.approx(inside / sum(max(seen[p], 0) for p in places), rel=1e-5)
        best = sorted(places, key=lambda place: -seen[place])[:9]
        assert relevance_rank(values, MASK) == pytest.approx(sum(bool(MASK[place]) for place in best) / 9)


def test_mass_and_rank_by_hand():
    inside = np.where(MASK, 2.0, 0.0).astype(np.float32)
    assert (relevance_mass(inside, MASK), relevance_rank(inside, MASK)) == (1, 1)
    assert (relevance_mass(inside - 2, MASK), relevance_rank(inside - 2, MASK)) == (0, 1), "no positive value"
    outside = np.where(MASK, -5.0, 1.0).astype(np.float32)
    assert (relevance_mass(outside, MASK), relevance_rank(outside, MASK)) == (0, 0)
    level = np.ones((6, 8), dtype=np.float32)
    assert (relevance_mass(level, MASK), relevance_rank(level, MASK)) == pytest.approx((9 / 48, 9 / 48))
    level[5, 7] = 2  # first of nine; the other eight are drawn from 47, of which the mask has 9
    assert relevance_rank(level, MASK) == pytest.approx(8 * 9 / 47 / 9)
    everything = np.ones_like(MASK)
    assert relevance_rank(drawn_map(6, 8), everything) == relevance_mass(drawn_map(6, 8), everything) == 1


def test_rank_gives_ties_what_all_orders_give_on_average():
    values = np.round(drawn_map(6, 8))
    orders = np.random.default_rng(0)
    shares = []
    for _ in range(4000):
        best = np.lexsort((orders.random(48), -values.ravel()))[:9]
        shares.append(MASK.ravel()[best].mean())
    assert relevance_rank(values, MASK) == pytest.approx(np.mean(shares), abs=0.01)


@pytest.mark.parametrize("measure", [relevance_mass, relevance_rank])
def test_an_empty_mask_is_refused(measure):
    with pytest.raises(BadRequest, match="empty"):
        measure(drawn_map(6, 8), np.zeros((6, 8), dtype=bool))


def test_the_peak_hits_within_a_circle():
    for y in range(6):
        for x in range(8):
            values = np.zeros((6, 8), dtype=np.float32)
            values[y, x] = 1
            nearest = min(math.hypot(y - v, x - u) for v in range(6) for u in range(8) if MASK[v, u])
            for tolerance in range(5):
                assert peak_inside(values, MASK, tolerance) == (nearest <= tolerance), (y, x, tolerance)
            assert peak_inside(values, MASK) == MASK[y, x]
            assert not peak_inside(values, np.zeros_like(MASK), 100), "there is nothing to hit"
    assert not peak_inside(np.ones((6, 8), dtype=np.float32), MASK, 100), "a flat map points nowhere"
    assert peak_inside(np.array([[0, 0], [1, 0]], dtype=np.float32), np.array([[0] * 4] * 3 + [[1, 0, 0, 0]]) > 0)
    with pytest.raises(BadRequest, match="-1"):
        peak_inside(drawn_map(6, 8), MASK, -1)


# --- agreement


def test_ranks_and_spearman_equal_the_replica():
    for seed in range(5):
        a, b = np.round(2 * drawn_map(5, 6, seed=seed)), drawn_map(5, 6, seed=seed + 100)
        ranks = [slow_ranks(values.ravel().tolist()) for values in (a, b)]
        assert average_ranks(a).tolist() == ranks[0]
        assert spearman(a, b) == pytest.approx(slow_pearson(*ranks), rel=1e-12)
        assert spearman(a, b) == spearman(b, a)


def test_spearman_equals_a_peer():
    stats = pytest.importorskip("scipy.stats")
    a, b = np.round(2 * drawn_map(20, 20)), drawn_map(20, 20, seed=1)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a.ravel(), b.ravel()).statistic, rel=1e-12)


def test_spearman_by_hand_and_its_invariances():
    def row(*values):
        return np.array([values], dtype=np.float32)

    assert spearman(row(1, 2, 3, 4, 5), row(2, 1, 4, 3, 5)) == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert spearman(row(0, 0, 1), row(0, 1, 1)) == pytest.approx(0.5), "ties share the mean of their ranks"
    a, b = drawn_map(9, 9), drawn_map(9, 9, seed=1)
    assert spearman(np.exp(a), b**3) == spearman(a, b)
    assert spearman(-a, b) == pytest.approx(-spearman(a, b))
    assert (spearman(a, 7 * a - 2), spearman(a, -a)) == pytest.approx((1, -1))
    assert math.isnan(spearman(a, np.ones_like(a)))


def test_agreement_is_spearman_pair_by_pair():
    maps = [drawn_map(5, 4, seed=seed) for seed in range(3)]
    for absolute, seen in ((False, maps), (True, [np.abs(values) for values in maps])):
        found = agreement(maps, absolute=absolute)
        expected = [[spearman(a, b) for b in seen] for a in seen]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    mirrored = [maps[0], -maps[0]]
    assert agreement(mirrored)[0, 1] == pytest.approx(-1)
    assert agreement(mirrored, absolute=True)[0, 1] == pytest.approx(1)
    assert agreement([]).shape == (0, 0)


def test_agreement_takes_the_finest_grid_up_to_56():
    coarse, fine = drawn_map(3, 4), drawn_map(6, 5, seed=1)
    grown = slow_bilinear(coarse, (6, 5)).astype(np.float32)
    assert agreement([coarse, fine])[0, 1] == pytest.approx(spearman(grown, fine))
    large = drawn_map(112, 168, seed=2)
    averaged = large.reshape(56, 2, 56, 3).mean((1, 3))
    grown = slow_bilinear(coarse, (56, 56)).astype(np.float32)
    assert agreement([large, coarse])[0, 1] == pytest.approx(spearman(averaged, grown), abs=1e-6)
    signed = np.tile(np.array([[1, -1], [-1, 1]], dtype=np.float32), (56, 56)) * np.abs(large[:, :112])
    magnitudes = agreement([signed, np.abs(signed)], absolute=True)
    np.testing.assert_allclose(magnitudes, 1, err_msg="magnitudes are averaged, not the magnitude of what cancels")


def test_maps_of_one_value_agree_with_nothing():
    found = agreement([drawn_map(30, 40), np.full((7, 7), 0.1, dtype=np.float32), drawn_map(9, 9)])
    assert np.isnan(found).tolist() == [[False, True, False], [True] * 3, [False, True, False]]


# --- similarity


def test_ssim_equals_the_replica():
    for seed in range(3):
        a, b = drawn_map(13, 15, seed=seed), drawn_map(13, 15, seed=seed + 50)
        for first, second in ((a, b), (a, a + b / 3), (np.abs(a), np.abs(a + b / 3)), (a, -a)):
            expected = slow_ssim(first.astype(np.float64), second.astype(np.float64))
            assert ssim(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_ssim_equals_a_peer_of_its_filter():
    ndimage = pytest.importorskip("scipy.ndimage")
    a, b = drawn_map(40, 33).astype(np.float64), drawn_map(40, 33, seed=1).astype(np.float64)
    b += a
    found = ssim(a, b)
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    spread = max(a.max(), b.max()) - min(a.min(), b.min())

    def smooth(values):
        return ndimage.gaussian_filter(values, 1.5, truncate=3.5)[5:-5, 5:-5]

    m, n = smooth(a), smooth(b)
    v, w, c = smooth(a * a) - m * m, smooth(b * b) - n * n, smooth(a * b) - m * n
    c1, c2 = (0.01 * spread) ** 2, (0.03 * spread) ** 2
    expected = (2 * m * n + c1) * (2 * c + c2) / ((m * m + n * n + c1) * (v + w + c2))
    assert found == pytest.approx(expected.mean(), rel=1e-9)


def test_ssim_by_hand_and_its_invariances():
    a, b = drawn_map(12, 30), drawn_map(12, 30, seed=1)
    assert ssim(a, a) == 1
    assert ssim(a, b) == pytest.approx(ssim(b, a), rel=1e-12)
    assert ssim(4 * a, b / 2) == pytest.approx(ssim(a, b), rel=1e-12), "units don't matter"
    assert 0.9 < ssim(a, a + b / 10) < 1
    assert ssim(a + 5, 5 - a) < 0 < ssim(a, -a), "against one another, unless the means are too"
    level = np.full((12, 12), 3, dtype=np.float32)
    assert ssim(level, 2 * level) == ssim(0 * level, 0 * level) == 1
    c1 = (0.01 * 2) ** 2  # 1 and -1 everywhere: no variance, so the luminance term alone
    assert ssim(level, -level) == pytest.approx((-2 + c1) / (2 + c1))
    with pytest.raises(BadRequest, match="10×12 and 10×12"):
        ssim(a[:10, :12], b[:10, :12])
    with pytest.raises(BadRequest, match="12×30 and 12×29"):
        ssim(a, b[:, :29])


# --- randomization


ORDER = ["first", "left", "norm", "act", "right", "act", "last", "fc"]


def bits(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def changed(before, after):
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


def test_stages_go_down_from_the_logits():
    learned = ("fc", "last", "right", "norm", "left", "first")
    network = seeded(Awkward())
    for count, sizes in ((1, [6]), (2, [3, 6]), (4, [1, 3, 4, 6]), (6, range(1, 7)), (99, range(1, 7))):
        assert stages(network, ORDER, count) == [learned[:size] for size in sizes]
    twice = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    assert stages(twice, ["0", "1", "2", "0"], 9) == [("0",), ("0", "2")], "where it runs last"
    with pytest.raises(BadRequest, match="not 0"):
        stages(network, ORDER, 0)
    with pytest.raises(NotApplicable):
        stages(network, ["act"], 3)


def test_a_stage_changes_its_modules_and_nothing_else():
    network = seeded(Awkward()).eval()
    before, chance = bits(network), torch.get_rng_state()
    flags = [(p.requires_grad, m.training) for m in network.modules() for p in m.parameters()]
    earlier: dict[str, torch.Tensor] = {}
    for paths in stages(network, ORDER, 6):
        copy = randomized(network, paths, seed=3)
        after = bits(copy)
        assert changed(before, after) == {f"{path}.{kind}" for path in paths for kind in ("weight", "bias")}
        assert not changed({**after, **earlier}, after), "a stage keeps what the one before it drew"
        earlier = {name: after[name] for name in changed(before, after)}
        assert [(p.requires_grad, m.training) for m in copy.modules() for p in m.parameters()] == flags
        assert not {id(p) for p in copy.parameters()} & {id(p) for p in network.parameters()}
    assert not changed(before, bits(network)), "the original is left bit for bit"
    assert torch.equal(torch.get_rng_state(), chance)


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.0, 2, 3]))
        self.inner = nn.Linear(3, 3)

    def forward(self, x):
        return self.scale * self.inner(x)


def test_a_container_counts_for_its_own_parameters_alone():
    network = nn.Sequential(Scaled())
    assert stages(network, ["0.inner", "0", ""], 9) == [("0",), ("0", "0.inner")]
    assert changed(bits(network), bits(randomized(network, ["0"], seed=1))) == {"0.scale"}


def test_draws_depend_on_the_seed_and_on_the_parameter():
    network = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    network[1].load_state_dict(network[0].state_dict())
    found = [bits(randomized(network, ["1", "0"], seed)) for seed in (5, 5, 6)]
    assert not changed(found[0], found[1])
    assert changed(found[0], found[2]) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert not torch.equal(found[0]["0.weight"], found[0]["1.weight"])


def test_what_was_learned_is_gone_and_its_scale_is_kept():
    network = nn.Sequential(nn.Linear(100, 200), nn.BatchNorm1d(200)).double()
    network[0].weight.data = 4 + 3 * drawn(200, 100) ** 3
    network[1].running_mean.data, network[1].running_var.data = drawn(200), drawn(200).abs()
    network[1].weight.data = 1 + drawn(200)
    before, after = bits(network), bits(randomized(network, ["0", "1"], seed=0))
    old, new = before["0.weight"].flatten(), after["0.weight"].flatten()
    score = (new - old.mean()) / old.std(correction=0)
    assert float(score.mean()) == pytest.approx(0, abs=4 / math.sqrt(20000))
    assert float(score.std()) == pytest.approx(1, abs=4 / math.sqrt(40000))
    assert float((score**4).mean()) == pytest.approx(3, abs=0.3), "normal, whatever it was"
    assert abs(float(torch.corrcoef(torch.stack([old, new]))[0, 1])) < 4 / math.sqrt(20000)
    assert changed(before, after) == {"0.weight", "0.bias", "1.weight"}, "of one value everywhere, the bias stays"
    assert after["0.weight"].dtype == torch.float64


def test_tied_parameters_stay_tied_and_are_drawn_once():
    network = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    network[0].weight = network[1].weight
    copy = randomized(network, ["1", "0"], seed=2)
    assert copy[0].weight is copy[1].weight
    assert torch.equal(copy[1].weight, randomized(network, ["1"], seed=2)[1].weight)
