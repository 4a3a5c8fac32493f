"""What every method promises, for all that the registry finds, those of tomorrow included."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.methods.registry import methods
from cnnvis_report.records.methods import Kind, Randomness, Sign
from tests.networks import Awkward, Tiny, seeded
from tests.transformers import WrittenOut

pytestmark = pytest.mark.numeric

METHODS = {entry.name: entry for entry in methods()}
SMALL = {"n": 3, "steps": 3, "samples": 12, "patch": 6}
ATTENTION = {"attention_rollout", "gradient_attention_rollout", "attn_lrp"}  # not defined for a network without any
OTHERS = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(8), dtype=torch.float64)

every_method = pytest.mark.parametrize("name", METHODS)


def run(name: Any, network: Any, images: Any, targets: Any, **options: Any) -> Any:
    own = {key: value for key, value in (SMALL | options).items() if key in METHODS[name].info.options}
    return explain(network, images, targets, [name], seed=options.get("seed", 0), reference=OTHERS, **own)[name]


def small(name: Any) -> Any:
    torch.manual_seed(5)
    return seeded(WrittenOut() if name in ATTENTION else Tiny()).double()


@pytest.fixture
def tiny(name: Any) -> Any:
    network = small(name)
    if name in ATTENTION:
        return network
    network.fc.bias.data += 2  # every score is above 0: where it isn't, deep_taylor has an empty map
    return network


@every_method
def test_shapes_follow_the_kind_and_values_the_sign(name: Any, tiny: Any, images: Any, targets: Any) -> None:
    card = METHODS[name].info
    maps = run(name, tiny, images, targets)
    side = 2 if name in ATTENTION else 8
    shape = {Kind.PIXEL: (3, 3, 16, 16), Kind.AREA: (3, 16, 16), Kind.LAYER: (3, side, side)}[card.kind]
    assert tuple(maps.shape) == shape
    assert maps.dtype == torch.float64 and bool(maps.isfinite().all()) and float(maps.abs().max()) > 0
    assert card.sign is Sign.SIGNED or float(maps.min()) >= 0


@every_method
def test_many_classes_give_what_one_at_a_time_gives(name: Any, tiny: Any, images: Any) -> None:
    pairs = torch.tensor([[1, 2], [4, 4], [0, 3]])
    together = run(name, tiny, images, pairs)
    for k in range(2):
        torch.testing.assert_close(together[:, k], run(name, tiny, images, pairs[:, k]), rtol=1e-9, atol=1e-12)
    assert torch.equal(together[0, 0], together[0, 1]) is METHODS[name].info.class_agnostic


@every_method
def test_neighbors_in_the_batch_do_not_matter(name: Any, tiny: Any, images: Any, targets: Any) -> None:
    whole = run(name, tiny, images, targets)
    torch.testing.assert_close(whole[1:], run(name, tiny, images[1:], targets[1:]), rtol=1e-9, atol=1e-12)
    small = explain(tiny, images, targets, [name], batch_size=2, reference=OTHERS, **_own(name))[name]
    torch.testing.assert_close(whole, small, rtol=1e-9, atol=1e-12)


def _own(name: Any) -> Any:
    return {key: value for key, value in SMALL.items() if key in METHODS[name].info.options}


@every_method
def test_the_same_seed_gives_the_same_map(name: Any, tiny: Any, images: Any, targets: Any) -> None:
    first, again, other = (run(name, tiny, images, targets, seed=seed) for seed in (0, 0, 7))
    assert torch.equal(first, again)
    assert torch.equal(first, other) is (METHODS[name].info.randomness is Randomness.NONE)


@every_method
def test_the_network_and_the_images_are_left_as_they_were(name: Any, images: Any, targets: Any) -> None:
    network = small(name).train()
    next(network.parameters()).requires_grad_(False)
    list(network.modules())[-2].eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    flags = [module.training for module in network.modules()]
    trainable = [parameter.requires_grad for parameter in network.parameters()]
    given = images.clone()
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    run(name, network, images, targets)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert [module.training for module in network.modules()] == flags
    assert [parameter.requires_grad for parameter in network.parameters()] == trainable
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())
    assert torch.equal(given, images) and images.grad is None and not images.requires_grad
    assert (threads, precision) == (torch.get_num_threads(), torch.get_float32_matmul_precision())


@every_method
def test_it_works_under_no_grad_and_on_a_network_full_of_in_place_operations(
    name: Any, images: Any, targets: Any
) -> None:
    network = seeded(Awkward()).double()
    if name == "cam":
        pytest.skip("cam isn't defined for a network that flattens its maps")
    if name in ATTENTION:
        pytest.skip("the network has no attention")
    with torch.inference_mode():
        quiet = run(name, network, images, targets)
    torch.testing.assert_close(quiet, run(name, copy.deepcopy(network), images, targets), rtol=0, atol=0)


@every_method
def test_single_precision_agrees_with_double(name: Any, tiny: Any, images: Any, targets: Any) -> None:
    if METHODS[name].info.randomness is Randomness.IMAGE:
        pytest.skip("the noise comes from the image's bits, which differ between the precisions")
    single = run(name, copy.deepcopy(tiny).float(), images.float(), targets)
    double = run(name, tiny, images, targets)
    assert float((single - double).norm() / double.norm()) < 1e-4


@every_method
def test_the_card_says_what_a_reader_needs(name: Any) -> None:
    entry = METHODS[name]
    assert entry.info.summary.endswith(".") and len(entry.info.summary) < 200
    assert entry.info.title and entry.info.family
    assert any(word in entry.info.source for word in ("arXiv:", "doi:", "no source"))
    assert entry.name == entry.function.__name__
    documented = entry.info.text
    assert "Returns:" in documented and all(f"{option}:" in documented for option in entry.info.options)


def test_the_network_may_have_no_layer_of_its_own(images: Any) -> None:
    class Bare(nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.stack([x.sum((1, 2, 3)), x.square().sum((1, 2, 3))], 1)

    maps = explain(Bare(), images, [0, 1, 0], ["gradient"])["gradient"]
    torch.testing.assert_close(maps[0], torch.ones_like(maps[0]))
    torch.testing.assert_close(maps[1], 2 * images[1])
