"""The forward-only methods and their kin against slow replicas in float64, closed forms and exact enumerations."""

import itertools
import math
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from cnnvis_report import explain
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName
from cnnvis_report.methods import kernel_shap
from cnnvis_report.methods._superpixels import superpixels
from cnnvis_report.methods.registry import select
from tests import oracles
from tests.networks import Awkward, SumOfSquares, Tiny, seeded

pytestmark = pytest.mark.numeric


@pytest.fixture(params=[Tiny, Awkward])
def network(request):
    return seeded(request.param()).double().eval()


@pytest.fixture
def layer(network):
    return "features" if isinstance(network, Tiny) else "last"


@pytest.fixture
def wide(images):
    return images[:, :, :12].contiguous()  # not square


@pytest.fixture
def others():
    return torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def only(network, images, targets, name, **options):
    return explain(network, images, targets, [name], **options)[name]


def noted(network, images, targets, name, *, capacity=None, reference=None, seed=0, **options):
    """A method's maps and what it states, for targets [N, K]."""
    (entry,) = select([name])
    subject = Subject(network, images[:1])
    layers = [subject.default_layer] if subject.default_layer else []
    tape = Tape(subject, images, layers=layers, capacity=capacity, reference=reference, seed=seed)
    with tape.costs.measure() as account, torch.no_grad():
        if entry.batched_targets:
            maps = entry.function(tape, targets, **options)
        else:
            maps = torch.stack([entry.function(tape, column, **options) for column in targets.unbind(1)], 1)
    return maps, account.notes, account


@torch.no_grad()
def scores(network, images):
    return network(images.clone())


class Contrast(nn.Module):
    """Two classes: how much there is to see in a known patch, and in a strip at the edge."""

    def forward(self, x):
        return torch.stack([x[:, :, 8:24, 16:32].square().sum((1, 2, 3)), x[:, :, :, :8].square().sum((1, 2, 3))], 1)


# Eigen-CAM


def test_eigen_cam_is_the_first_singular_vector(network, layer, images, targets):
    a, _ = oracles.layer_values(network, images, targets, layer)
    maps = only(network, images, targets, "eigen_cam", layer=layer).numpy()
    for found, values in zip(maps, a, strict=True):
        left, _, _ = np.linalg.svd(values.reshape(len(values), -1), full_matrices=False)
        expected = np.tensordot(left[:, 0], values, 1)
        if (expected * values.mean(0)).sum() < 0:
            expected = -expected
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("size", [(5, 2, 2), (2, 5, 5)])
def test_eigen_cam_finds_a_planted_pattern_and_its_sign(size):
    generator = torch.Generator().manual_seed(5)
    pattern = torch.randn(1, 1, *size[1:], generator=generator, dtype=torch.float64)
    weights = torch.arange(1.0, size[0] + 1, dtype=torch.float64).view(1, -1, 1, 1)
    network = nn.Sequential(nn.Identity(), nn.Conv2d(1, size[0], 1, bias=False), nn.Flatten())
    network.append(nn.Linear(size[0] * size[1] * size[2], 2)).double()
    network[1].weight.data = weights.transpose(0, 1)
    for sign in (1, -1):  # A = weights × pattern has rank one; its mean over channels has the pattern's sign
        maps = only(network, sign * pattern, [0], "eigen_cam", layer="1")
        torch.testing.assert_close(maps, sign * pattern[0] * weights.norm(), rtol=1e-7, atol=1e-9)


# Score-CAM and Ablation-CAM


def score_cam_slowly(network, image, values, target, channels):
    height, width = image.shape[1:]
    found = []
    for k in channels:
        up = interpolate(values[None, None, k], size=(height, width), mode="bilinear", align_corners=False)[0, 0]
        constant = values[k].max() == values[k].min()
        mask = torch.zeros_like(up) if constant else (up - up.min()) / (up.max() - up.min())
        baseline = scores(network, torch.zeros_like(image)[None])[0, target]
        found.append(float(scores(network, (image * mask)[None])[0, target] - baseline))
    odds = np.exp(found) / np.exp(found).sum()
    return np.maximum(sum(w * values[k].numpy() for w, k in zip(odds, channels, strict=True)), 0)


def strongest_slowly(values, most):
    return sorted(range(len(values)), key=lambda k: -float(values[k].abs().mean()))[:most]


@pytest.mark.parametrize("most", [0, 3])
def test_score_cam_equals_its_definition(network, layer, wide, targets, most):
    a, _ = oracles.layer_values(network, wide, targets, layer)
    a = torch.from_numpy(a)
    assert any(float(channel.amax()) == float(channel.amin()) for channel in a.flatten(0, 1)) or layer == "last"
    maps = only(network, wide, targets, "score_cam", layer=layer, max_channels=most)
    for i, target in enumerate(targets):
        channels = strongest_slowly(a[i], most or None)
        expected = score_cam_slowly(network, wide[i], a[i], target, channels)
        np.testing.assert_allclose(maps[i].numpy(), expected, rtol=1e-9, atol=1e-12)


def test_a_constant_channel_hides_the_image_however_its_value_is_rounded():
    # upsampled from 13 to 224 it differs from its value by rounding here and there: scaled to 0..1 a mask of dust
    network = seeded(nn.Sequential(nn.Conv2d(1, 8, 16, stride=17), nn.Flatten(), nn.Linear(8 * 13 * 13, 3)))
    network[0].weight.data[:7], network[0].bias.data[:7] = 0, torch.arange(1, 8) / 10
    image = torch.randn(1, 1, 224, 224, generator=torch.Generator().manual_seed(2))
    values = network[0](image)[0].detach()
    expected = score_cam_slowly(network.double(), image[0].double(), values.double(), 1, range(8))
    maps = only(network.float(), image, [1], "score_cam", layer="0")
    np.testing.assert_allclose(maps[0].numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("most", [0, 3])
def test_ablation_cam_equals_its_definition(network, layer, wide, targets, most):
    a, _ = oracles.layer_values(network, wide, targets, layer)
    a = torch.from_numpy(a)
    maps = only(network, wide, targets, "ablation_cam", layer=layer, max_channels=most)
    for i, target in enumerate(targets):
        score = float(scores(network, wide[i : i + 1])[0, target])
        expected = torch.zeros_like(a[i, 0])
        for k in strongest_slowly(a[i], most or None):

            def without(module, inputs, output, k=k):
                output = output.clone()
                output[:, k] = 0
                return output

            handle = network.get_submodule(layer).register_forward_hook(without)
            left = float(scores(network, wide[i : i + 1])[0, target])
            handle.remove()
            expected += (score - left) / abs(score) * a[i, k]
        torch.testing.assert_close(maps[i], expected.relu(), rtol=1e-9, atol=1e-12)


def test_behind_average_pooling_ablation_cam_is_cam(images, targets):
    # the logit is linear in the channels, so S - S_k is the channel's own part of it
    network = seeded(Tiny()).double()
    score = scores(network, images).gather(1, targets[:, None])[:, :, None].abs()
    a, _ = oracles.layer_values(network, images, targets, "features")
    a = torch.from_numpy(a)
    weights = network.fc.weight.detach()[targets] * a.mean((2, 3))
    expected = ((weights[..., None, None] * a).sum(1) / score).relu()
    torch.testing.assert_close(only(network, images, targets, "ablation_cam"), expected)


@pytest.mark.parametrize("name", ["score_cam", "ablation_cam"])
def test_channels_left_out_are_said(name, images):
    _, notes, account = noted(
        seeded(Tiny()).double(), images, torch.zeros(3, 2, dtype=torch.long), name, max_channels=3
    )
    assert notes["channels"] == "3 of 8"
    assert account.forward <= 3, "one pass a channel, whatever the number of classes"
    with pytest.raises(BadRequest, match=r"'max_channels' of .* is -1; it takes a number from 0"):
        only(seeded(Tiny()).double(), images, [0, 0, 0], name, max_channels=-1)


# Expected gradients


def test_expected_gradients_equal_their_definition_with_the_same_draws(network, images, targets, others):
    maps = only(network, images, targets, "expected_gradients", n=5, seed=3, reference=others)
    for i, image in enumerate(images):
        generator = noise_generator(image, 3)
        drawn = torch.randint(len(others), (5,), generator=generator)
        shares = torch.rand(5, generator=generator, dtype=torch.float64)
        expected = torch.zeros_like(image)
        for index, share in zip(drawn, shares, strict=True):
            start = others[index]
            point = start + share * (image - start)
            expected += (image - start) * oracles.pixel_gradient(network, point[None], targets[i : i + 1])[0] / 5
        torch.testing.assert_close(maps[i], expected, rtol=1e-9, atol=1e-12)


def test_expected_gradients_of_a_linear_score_are_complete_at_any_number_of_draws(images, others):
    linear = nn.Sequential(nn.Flatten(), nn.Linear(768, 4)).double()
    targets = torch.tensor([[0, 1], [2, 3], [1, 1]])
    maps, notes, _ = noted(linear, images, targets, "expected_gradients", reference=Reference(lambda: others), n=3)
    weights = linear[1].weight.detach()[targets].view(3, 2, 3, 16, 16)
    for i, image in enumerate(images):
        drawn = torch.randint(5, (3,), generator=noise_generator(image, 0))
        torch.testing.assert_close(maps[i], weights[i] * (image - others[drawn].mean(0)))
    assert tuple(notes["residual"].shape) == (3, 2) and float(notes["residual"].max()) < 1e-9
    assert notes["draws"] == 3 and notes["baseline"] == "5 images of the set"


def test_expected_gradients_state_what_their_sum_misses(images, others):
    maps, notes, _ = noted(
        SumOfSquares(), images, torch.zeros(3, 1, dtype=torch.long), "expected_gradients",
        reference=Reference(lambda: others), n=4,
    )  # fmt: skip
    for i, image in enumerate(images):
        drawn = torch.randint(5, (4,), generator=noise_generator(image, 0))
        rise = image.square().sum() - others[drawn].square().sum((1, 2, 3)).mean()
        assert float(notes["residual"][i]) == pytest.approx(float(((maps[i].sum() - rise) / rise).abs()))


def test_expected_gradients_resize_other_images_and_need_one(images, targets, others):
    network = seeded(Tiny()).double()
    large = torch.cat([others, others.flip(0)], 2)[..., :11].contiguous()
    resized = interpolate(large, size=(16, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(
        only(network, images, targets, "expected_gradients", n=2, reference=large),
        only(network, images, targets, "expected_gradients", n=2, reference=resized),
    )
    with pytest.raises(NotApplicable, match="needs other images to compare with; the set has one"):
        only(network, images[:1], targets[:1], "expected_gradients")
    assert only(network, images[:1], targets[:1], "expected_gradients", n=2, reference=large[:1]).abs().max() > 0
    with pytest.raises(BadRequest, match="'n' of expected_gradients is 0; it takes a number from 1"):
        only(network, images, targets, "expected_gradients", n=0)


# SmoothGrad's variants


def test_smoothgrad_variants_equal_their_definitions(network, images, targets):
    gradients = torch.zeros(4, *images.shape, dtype=torch.float64)
    for i, image in enumerate(images):
        generator = noise_generator(image, 3)
        for draw in range(4):
            noise = torch.randn(image.shape, generator=generator, dtype=torch.float64)
            noisy = image + 0.2 * (image.max() - image.min()) * noise
            gradients[draw, i] = oracles.pixel_gradient(network, noisy[None], targets[i : i + 1])[0]
    for variant, expected in [
        ("mean", gradients.mean(0)),
        ("squared", gradients.square().mean(0)),
        ("vargrad", gradients.var(0)),
    ]:
        maps = only(network, images, targets, "smoothgrad", n=4, level=0.2, seed=3, variant=variant)
        torch.testing.assert_close(maps, expected, rtol=1e-9, atol=1e-12)


def test_vargrad_keeps_a_small_variance_beside_a_large_gradient(images):
    class Steep(nn.Module):
        def forward(self, x):  # the gradient is 1e5 + 2x: its mean square hides its variance from single precision
            return (1e5 * x + x.square()).sum((1, 2, 3))[:, None]

    maps = only(Steep(), images.float(), [0, 0, 0], "smoothgrad", n=20, level=0.1, variant="vargrad")
    spread = 0.1 * (images.amax((1, 2, 3)) - images.amin((1, 2, 3)))
    assert maps.mean((1, 2, 3)).tolist() == pytest.approx((4 * spread.square()).tolist(), rel=0.1)


def test_smoothgrad_refuses_what_it_cannot_do(images):
    with pytest.raises(UnknownName, match="Did you mean 'vargrad'"):
        only(SumOfSquares(), images, [0, 0, 0], "smoothgrad", variant="var_grad")
    with pytest.raises(BadRequest, match="at least 2"):
        only(SumOfSquares(), images, [0, 0, 0], "smoothgrad", variant="vargrad", n=1)


# Occlusion at several scales


def test_occlusion_averages_its_scales(network, wide, targets):
    maps = only(network, wide, targets, "occlusion", patch=3, stride=2, scales=3)
    each = [oracles.occlusion(network, wide, targets, patch, stride) for patch, stride in [(3, 2), (6, 4), (12, 8)]]
    torch.testing.assert_close(maps, sum(each) / 3, rtol=1e-9, atol=1e-12)
    with pytest.raises(BadRequest, match="'scales' of occlusion is 0; it takes a number from 1 to 16"):
        only(network, wide, targets, "occlusion", scales=0)


# RISE


def rise_masks_slowly(n, cells, p, seed, size):
    """Drawn in blocks of a hundred as the method does, then upsampled whole and cut."""
    generator = torch.Generator().manual_seed(seed)
    squares = [math.ceil(side / cells) for side in size]
    masks = []
    while len(masks) < n:
        grids = (torch.rand(100, cells, cells, generator=generator) < p).double()
        tops, lefts = (torch.randint(square, (100,), generator=generator) for square in squares)
        whole = [(cells + 1) * square for square in squares]
        up = interpolate(grids[:, None], size=whole, mode="bilinear", align_corners=False)[:, 0]
        masks += [u[t : t + size[0], s : s + size[1]] for u, t, s in zip(up, tops, lefts, strict=True)]
    return masks[:n]


def rise_terms(network, images, targets, masks, p):
    """[N, K, n, H, W]: what each mask adds."""
    away = (torch.stack(masks) - p) / (p * (1 - p))
    rows = []
    for image, classes in zip(images, targets, strict=True):
        found = scores(network, torch.stack([image * mask for mask in masks])).softmax(1)
        rows.append(torch.stack([found[:, target, None, None] * away for target in classes]))
    return torch.stack(rows)


def relative_errors(terms):
    error = terms.std(2) / terms.shape[2] ** 0.5
    return error.mean((2, 3)) / terms.mean(2).std((2, 3), correction=0)


@pytest.mark.parametrize(("cells", "p"), [(7, 0.5), (3, 0.3)])
def test_rise_equals_its_definition_with_the_same_masks(network, wide, cells, p):
    targets = torch.tensor([[1, 2], [4, 0], [0, 3]])
    maps, notes, account = noted(network, wide, targets, "rise", n=130, cells=cells, p=p, seed=6, capacity=7)
    terms = rise_terms(network, wide, targets, rise_masks_slowly(130, cells, p, 6, (12, 16)), p)
    torch.testing.assert_close(maps, terms.mean(2), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(notes["standard_error"], relative_errors(terms), rtol=1e-7, atol=1e-9)
    assert bool((notes["masks"] == 130).all()) and account.forward == pytest.approx(130)


def test_rise_masks_show_every_pixel_as_often():
    masks = torch.stack(rise_masks_slowly(4000, 7, 0.5, 0, (20, 16)))
    assert float((masks.mean(0) - 0.5).abs().max()) < 0.04


def test_rise_stops_map_by_map(images):
    # what a map becomes must not hang on the images and classes beside it
    network = seeded(Tiny()).double()
    targets = torch.tensor([[1, 2], [4, 0], [0, 3]])
    terms = rise_terms(network, images, targets, rise_masks_slowly(400, 2, 0.5, 0, (16, 16)), 0.5)
    errors = torch.stack([relative_errors(terms[:, :, :upto]) for upto in (100, 200, 300)])
    tolerance = float(errors[1].median()) * 1.0001
    maps, notes, account = noted(network, images, targets, "rise", n=400, cells=2, tolerance=tolerance)
    for i in range(3):
        for k in range(2):
            under = [upto for upto, e in zip((100, 200, 300), errors[:, i, k], strict=True) if e < tolerance]
            masks = under[0] if under else 400
            assert int(notes["masks"][i, k]) == masks
            torch.testing.assert_close(maps[i, k], terms[i, k, :masks].mean(0), rtol=1e-9, atol=1e-12)
            alone = only(network, images[i : i + 1], targets[i, k : k + 1], "rise", n=400, cells=2, tolerance=tolerance)
            torch.testing.assert_close(alone[0], maps[i, k], rtol=1e-9, atol=1e-12)
    assert len(set(notes["masks"].flatten().tolist())) > 1, "some stop sooner than others"
    assert account.forward == pytest.approx(float(notes["masks"].amax(1).mean())), "who is done takes no passes"


def test_rise_is_rehearsed_in_full(images):
    network = seeded(Tiny()).double()
    subject = Subject(network, images[:1])
    dry_tape = DryRunTape(subject, subject.take_first_pass(), capacity=4)
    (entry,) = select(["rise"])
    with torch.no_grad():
        entry.function(dry_tape, torch.zeros(1, 2, dtype=torch.long))
    assert dry_tape.passes() == (pytest.approx(1 + 500), 0)


@pytest.mark.parametrize("options", [{"n": -1}, {"cells": 0}, {"p": 0.0}, {"p": 1.0}, {"tolerance": -0.1}])
def test_rise_refuses_what_it_cannot_do(images, options):
    with pytest.raises(BadRequest, match=r"of rise is .*; it takes a number"):
        only(SumOfSquares(), images, [0, 0, 0], "rise", **options)


# LIME and Kernel SHAP


@pytest.fixture
def pictures():
    """Flat fields of color, which SLIC finds, with a little noise."""
    generator = torch.Generator().manual_seed(2)
    fields = torch.randn(2, 3, 3, 4, generator=generator, dtype=torch.float64)
    noise = torch.randn(2, 3, 18, 24, generator=generator, dtype=torch.float64)
    return fields.repeat_interleave(6, 2).repeat_interleave(6, 3) + 0.01 * noise


def kept_pixels(image, labels, coalition):
    seen = torch.zeros_like(image)
    for segment in coalition:
        seen[:, labels == segment] = image[:, labels == segment]
    return seen


def test_lime_equals_its_definition_with_the_same_samples(network, pictures):
    targets = torch.tensor([[1, 2], [4, 0]])
    maps, notes, account = noted(network, pictures, targets, "lime", segments=12, samples=40, seed=5, capacity=9)
    for i, image in enumerate(pictures):
        labels = superpixels(image, 12)
        count = len(labels.unique())
        assert int(notes["segments"][i]) == count > 5
        kept = torch.rand(40, count, generator=torch.Generator().manual_seed(5)) < 0.5
        kept[0] = True
        seen = torch.stack([kept_pixels(image, labels, row.nonzero().flatten().tolist()) for row in kept])
        found = scores(network, seen)
        weights = np.array([math.exp(-(((1 - math.sqrt(float(row.double().mean()))) / 0.25) ** 2)) for row in kept])
        for k, target in enumerate(targets[i]):
            # as least squares: an unweighted row sqrt(ridge) for each coefficient but the intercept
            design = np.concatenate([np.ones((40, 1)), kept.numpy()], 1) * np.sqrt(weights)[:, None]
            ridge = np.concatenate([np.zeros((count, 1)), np.eye(count)], 1)
            y = found[:, target].numpy()
            solved, *_ = np.linalg.lstsq(
                np.concatenate([design, ridge]), np.concatenate([y * np.sqrt(weights), np.zeros(count)]), rcond=None
            )
            np.testing.assert_allclose(maps[i, k].numpy(), solved[1:][labels.numpy()], rtol=1e-7, atol=1e-9)
            predicted = solved[0] + kept.numpy() @ solved[1:]
            mean = np.average(y, weights=weights)
            r2 = 1 - (weights * (y - predicted) ** 2).sum() / (weights * (y - mean) ** 2).sum()
            assert float(notes["surrogate_r2"][i, k]) == pytest.approx(r2)
    assert account.forward == pytest.approx(40)


def shapley_slowly(value, count):
    """The mean over all orders of what each player adds."""
    totals = np.zeros(count)
    for players in range(count):
        rest = [other for other in range(count) if other != players]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            for coalition in itertools.combinations(rest, size):
                totals[players] += weight * (value(tuple(sorted((*coalition, players)))) - value(coalition))
    return totals


def test_kernel_shap_of_few_superpixels_is_exact(network, pictures):
    image = pictures[:1, :, :12, :12].contiguous()
    targets = torch.tensor([[1, 2]])
    maps, notes, _ = noted(network, image, targets, "kernel_shap", segments=4, samples=500)
    labels = superpixels(image[0], 4)
    count = len(labels.unique())
    assert 3 <= count <= 8
    for k, target in enumerate(targets[0]):

        def value(coalition, target=target):
            return float(scores(network, kept_pixels(image[0], labels, coalition)[None])[0, target])

        expected = shapley_slowly(value, count)
        np.testing.assert_allclose(maps[0, k].numpy(), expected[labels.numpy()], rtol=1e-9, atol=1e-10)
    assert 0 < float(notes["surrogate_r2"].min()) <= float(notes["surrogate_r2"].max()) <= 1


def test_coalitions_are_drawn_by_the_kernel_and_in_pairs():
    sizes = torch.arange(1.0, 6)
    drawn = kernel_shap._drawn((1 / (sizes * (6 - sizes))).double(), 20000, 3)
    assert torch.equal(drawn[::2], ~drawn[1::2])
    found = torch.bincount(drawn.sum(1), minlength=7)[1:6] / 20000
    expected = np.array([6 / (math.comb(6, s) * s * (6 - s)) * math.comb(6, s) for s in range(1, 6)])
    np.testing.assert_allclose(found.numpy(), expected / expected.sum(), atol=0.015)
    torch.testing.assert_close(drawn.double().mean(0), torch.full((6,), 0.5, dtype=torch.float64), atol=0, rtol=0)
    threes = drawn[drawn.sum(1) == 3].double()
    torch.testing.assert_close(threes.mean(0), torch.full((6,), 0.5, dtype=torch.float64), atol=0.03, rtol=0)


def test_kernel_shap_adds_up_and_comes_close_when_it_samples(network, pictures):
    targets = torch.tensor([[1, 2], [4, 0]])
    names = {"segments": 12, "seed": 1, "capacity": 16}
    maps, notes, account = noted(network, pictures, targets, "kernel_shap", samples=64, **names)
    whole = (scores(network, pictures) - scores(network, torch.zeros_like(pictures))).gather(1, targets)
    for i, image in enumerate(pictures):
        labels = superpixels(image, 12)
        firsts = [(labels == segment).nonzero()[0] for segment in labels.unique()]
        total = sum(maps[i, :, row, column] for row, column in firsts)
        torch.testing.assert_close(total, whole[i], rtol=1e-9, atol=1e-10)
    assert account.forward == pytest.approx(66) and tuple(notes["surrogate_r2"].shape) == (2, 2)
    exact, _, _ = noted(network, pictures, targets, "kernel_shap", samples=10**5, **(names | {"segments": 6}))
    drawn, _, _ = noted(network, pictures, targets, "kernel_shap", samples=60, **(names | {"segments": 6}))
    assert not torch.equal(exact, drawn)
    assert float((exact - drawn).norm() / exact.norm()) < 0.4


def test_an_additive_score_gives_each_superpixel_its_own_part(pictures):
    linear = nn.Sequential(nn.Flatten(), nn.Linear(3 * 18 * 24, 2)).double()
    parts = (linear[1].weight.detach()[1].view(3, 18, 24) * pictures[0]).sum(0)
    labels = superpixels(pictures[0], 12)
    expected = torch.stack([parts[labels == segment].sum() for segment in labels.unique()])[labels]
    shap, notes, _ = noted(linear, pictures[:1], torch.tensor([[1]]), "kernel_shap", segments=12, samples=60)
    torch.testing.assert_close(shap[0, 0], expected, rtol=1e-9, atol=1e-10)
    assert float(notes["surrogate_r2"]) == pytest.approx(1)
    found, notes, _ = noted(linear, pictures[:1], torch.tensor([[1]]), "lime", segments=12, samples=2000)
    torch.testing.assert_close(found[0, 0], expected, rtol=0.1, atol=0.02)  # the ridge holds it back a little
    assert float(notes["surrogate_r2"]) > 0.99


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_surrogates_of_an_image_without_borders_have_one_superpixel(name):
    flat = torch.ones(1, 3, 4, 4, dtype=torch.float64)
    maps = only(SumOfSquares(), flat, [0], name, segments=1, samples=4)
    assert float(maps.amax()) == float(maps.amin()) and (name == "lime" or float(maps.amax()) == pytest.approx(48))


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_surrogates_refuse_what_they_cannot_do(name, images, monkeypatch):
    for options in ({"samples": 0}, {"segments": 0}):
        with pytest.raises(BadRequest, match=rf"of {name} is 0; it takes a number from [12] to"):
            only(SumOfSquares(), images, [0, 0, 0], name, **options)
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(NotApplicable, match=r"pip install 'cnnvis-report\[lime\]'"):
        only(SumOfSquares(), images, [0, 0, 0], name)


# Extremal perturbation


def test_extremal_perturbation_meets_the_area_and_covers_what_counts():
    images = torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    share = 16 * 16 / (32 * 48)  # of the patch, and of the strip
    targets = torch.tensor([[0, 1], [0, 1]])
    maps, notes, _ = noted(Contrast(), images, targets, "extremal_perturbation", area=share)
    torch.testing.assert_close(maps.mean((2, 3)), torch.full((2, 2), share, dtype=torch.float64), atol=0.02, rtol=0)
    torch.testing.assert_close(notes["area"], maps[:, 1].mean((1, 2)))
    assert float(maps.amin()) >= 0 and float(maps.amax()) <= 1
    inside = torch.stack([maps[:, 0, 8:24, 16:32].mean((1, 2)), maps[:, 1, :, :8].mean((1, 2))])
    assert float(inside.min()) > 0.75, "the borders are soft"


def blend_slowly(side, cell, spread):
    cells = math.ceil(side / cell)
    weights = [
        [math.exp(-((((u + 0.5) / cell - 0.5 - v) / spread) ** 2) / 2) for v in range(cells)] for u in range(side)
    ]
    return torch.tensor([[w / sum(row) for w in row] for row in weights], dtype=torch.float64)


def extremal_slowly(network, image, target, area, steps):
    """Slopes by autograd through the whole of the objective, sorted as the paper writes it."""
    height, width = image.shape[1:]
    side = min(height, width)
    cell = max(1, round(side / 16))
    rows, columns = blend_slowly(height, cell, 0.75), blend_slowly(width, cell, 0.75)
    blurred = blend_slowly(height, 1, side / 12) @ image @ blend_slowly(width, 1, side / 12).T
    sizes = rows.sum(0)[:, None] * columns.sum(0)
    ones = height * width - int((1 - area) * height * width)
    reference = torch.tensor([0.0] * (height * width - ones) + [1.0] * ones, dtype=torch.float64)

    def shifted(odds):
        low, high = -100.0, 100.0
        for _ in range(100):
            middle = (low + high) / 2
            mean = float((rows @ (odds - middle).sigmoid() @ columns.T).mean())
            low, high = (middle, high) if mean > area else (low, middle)
        return odds - middle

    odds = shifted(torch.zeros(rows.shape[1], columns.shape[1], dtype=torch.float64))
    speed = torch.zeros_like(odds)
    for step in range(steps):
        cells = odds.sigmoid().requires_grad_()
        mask = rows @ cells @ columns.T
        score = network((mask * image + (1 - mask) * blurred)[None])[0, target]
        (slope,) = torch.autograd.grad(score, cells, retain_graph=True)
        miss = (mask.flatten().sort().values - reference).square().sum()
        (pull,) = torch.autograd.grad(miss, cells)
        speed = 0.8 * speed + slope / slope.square().mean().sqrt() - 3 * step / steps * pull / sizes
        odds = shifted(odds + 0.3 * speed)
    return rows @ odds.sigmoid() @ columns.T


@pytest.mark.parametrize("area", [0.1, 0.45])
def test_extremal_perturbation_equals_its_definition(network, area):
    images = torch.randn(2, 3, 24, 37, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    maps = only(network, images, [2, 4], "extremal_perturbation", area=area, steps=6)
    for found, image, target in zip(maps, images, (2, 4), strict=True):
        torch.testing.assert_close(found, extremal_slowly(network, image, target, area, 6), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("options", [{"area": 0.0}, {"area": 1.0}, {"steps": 0}])
def test_extremal_perturbation_refuses_what_it_cannot_do(images, options):
    with pytest.raises(BadRequest, match=r"of extremal_perturbation is .*; it takes a number"):
        only(SumOfSquares(), images, [0, 0, 0], "extremal_perturbation", **options)
