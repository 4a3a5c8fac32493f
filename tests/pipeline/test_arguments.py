"""`explain` as people call it who come from other libraries: understood, or told in one line what to give."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.errors import CnnVisError
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.records.methods import AS_DEFINED
from cnnvis_report.settings import settings_of
from tests.networks import Tiny, seeded

NETWORK = seeded(Tiny())
IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))
with torch.no_grad():  # the second image is seen as another class than the first
    NETWORK.fc.bias.sub_(NETWORK(IMAGES).mean(dim=0))
SEEN = NETWORK(IMAGES).argmax(1).tolist()


def grad_cam(targets: Any, **options: Any) -> Any:
    return explain(options.pop("network", NETWORK), IMAGES, targets, **options)["grad_cam"]


SAME = {
    "numpy": np.array([3, 1]),
    "tuple": (3, 1),
    "tensors": [torch.tensor(3), torch.tensor(1)],
    "short": torch.tensor([3, 1], dtype=torch.int16),
}


@pytest.mark.parametrize("given", SAME.values(), ids=SAME)
def test_targets_in_any_form_are_the_same_classes(given: Any) -> None:
    assert torch.equal(grad_cam(given), grad_cam([3, 1]))


def test_no_targets_are_the_classes_seen_and_one_is_for_all() -> None:
    assert SEEN[0] != SEEN[1]
    assert torch.equal(grad_cam(None), grad_cam(SEEN))
    assert torch.equal(grad_cam(None, batch_size=1), grad_cam(SEEN, batch_size=1))
    for one in (2, np.int64(2), torch.tensor(2)):
        assert torch.equal(grad_cam(one), grad_cam([2, 2]))
    assert torch.equal(grad_cam([[0, 1], [2, 3]])[:, 1], grad_cam([1, 3]))
    assert torch.equal(grad_cam([[1], [3]])[:, 0], grad_cam([1, 3]))


@pytest.mark.parametrize("layer", [NETWORK.features[0], [NETWORK.features[0]], ["features.0"], ("features.0",)])
def test_a_layer_is_known_by_name_or_as_the_module(layer: Any) -> None:
    assert torch.equal(grad_cam([1, 2], layer=layer), grad_cam([1, 2], layer="features.0"))


def test_a_layer_of_a_wrapped_network_is_known_by_both_names() -> None:
    network = nn.DataParallel(NETWORK)
    wanted = grad_cam([1, 2], layer="features.0")
    for layer in ("module.features.0", "features.0", NETWORK.features[0], network.module.features[0]):
        assert torch.equal(grad_cam([1, 2], layer=layer, network=network), wanted)


def test_nothing_for_a_layer_is_the_default() -> None:
    assert torch.equal(grad_cam([1, 2], layer=None), grad_cam([1, 2]))
    assert torch.equal(grad_cam([1, 2], layer=[]), grad_cam([1, 2]))


def test_methods_as_a_text_a_set_or_with_commas() -> None:
    assert list(explain(NETWORK, IMAGES, 1, "gradient, grad-cam")) == ["gradient", "grad_cam"]
    assert list(explain(NETWORK, IMAGES, 1, {"gradient"})) == ["gradient"]


def test_a_number_for_the_normalization_is_for_all_channels() -> None:
    ways: list[dict[str, Any]] = [{"mean": 0.5, "std": 0.25}, {"mean": np.full(3, 0.5), "std": torch.full((3,), 0.25)}]
    first, second = (explain(NETWORK, IMAGES, 1, "integrated_gradients", **way) for way in ways)
    assert torch.equal(first["integrated_gradients"], second["integrated_gradients"])
    plain = explain(NETWORK, IMAGES, 1, "integrated_gradients")["integrated_gradients"]
    assert not torch.equal(first["integrated_gradients"], plain)


def test_images_that_carry_gradients_or_come_from_inference_mode() -> None:
    with torch.inference_mode():
        inferred = IMAGES * 1
    for images in (inferred, IMAGES.clone().requires_grad_()):
        maps = explain(NETWORK, images, [1, 2])["grad_cam"]
        assert torch.equal(maps, grad_cam([1, 2])) and not maps.requires_grad and not maps.is_inference()
    with torch.inference_mode():
        assert torch.equal(grad_cam([1, 2]), explain(NETWORK, IMAGES, [1, 2])["grad_cam"])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"targets": ["cat", "dog"]}, "targets are names such as 'cat'"),
    ({"targets": [[1], [2, 3]]}, "no class indices"),
    ({"targets": [object(), object()]}, "an object or more, no class indices"),
    ({"targets": [True, False]}, "targets are torch.bool"),
    ({"targets": torch.eye(5, dtype=torch.long)[:2]}, "targets.argmax(dim=1)"),
    ({"targets": [1, 5]}, "Target 5 isn't a class"),
    ({"layer": ["features.0", "features.3"]}, "call explain once for each"),
    ({"layer": nn.Conv2d(3, 3, 3)}, "a Conv2d that is no part of the Tiny"),
    ({"layer": NETWORK}, "the whole network"),
    ({"layer": 3}, "layer is an int"),
    ({"methods": [explain]}, "methods: [<function explain"),
    ({"methods": None}, "methods: None isn't a text with commas between names"),
    ({"images": IMAGES.numpy()}, "torch.from_numpy(images).float()"),
    ({"images": (IMAGES * 255).byte()}, "images are torch.uint8"),
    ({"images": IMAGES[0], "targets": 1}, "images[None]"),
    ({"images": [IMAGES[0], IMAGES[1]]}, "torch.stack(images)"),
    ({"images": None}, "images are None"),
    ({"images": torch.stack([IMAGES[0], IMAGES[1] * float("nan")])}, "images[1] holds values that aren't finite"),
    ({"module": lambda x: x}, "a function isn't a torch.nn.Module"),
    ({"module": Tiny}, "Tiny is a class; give a network of it"),
    ({"module": "resnet50"}, "a str isn't a torch.nn.Module"),
    ({"mean": [0.5] * 4}, "mean has 4 numbers and the images 3 channels"),
    ({"std": 0}, "std is [0.0, 0.0, 0.0]; each number has to be above 0"),
    ({"mean": "gray"}, "mean: 'gray' isn't numbers"),
    ({"batch_size": 0}, "batch_size: 0 isn't a whole number from 1"),
    ({"batch_size": "two"}, "batch_size: 'two' isn't"),
    ({"seed": -1}, "seed: -1 isn't a whole number from 0"),
    ({"task": "odds"}, "task: 'odds' is not one of 'auto'"),
    ({"reference": [1]}, "reference is a list"),
    ({"device": "cpu"}, "No option of the chosen methods is called 'device'"),
]


@pytest.mark.parametrize(("change", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_is_not_understood_is_one_line(change: Any, says: Any) -> None:
    with pytest.raises(CnnVisError) as caught:
        explain(**({"module": NETWORK, "images": IMAGES, "targets": [1, 2]} | change))
    assert says in str(caught.value) and "\n" not in str(caught.value)


OWN_KEYWORDS = {"layer", "on_error", "reference", "target", "options"}  # of a call on tensors, and no settings of a run
# a first call is answered by one map, a first run by several; and a call gets methods as they are defined
OWN_DEFAULTS = {"methods": ("grad_cam",), "effort": AS_DEFINED}


def test_keywords_are_settings_of_the_same_name_and_default() -> None:
    """Their checks are the same too: `explain` builds a `RunConfig` of them."""
    settings = {info.name: info.default for info in settings_of(RunConfig)}
    parameters = list(inspect.signature(explain).parameters.values())[3:]
    shared = {entry.name: entry.default for entry in parameters if entry.name not in OWN_KEYWORDS}
    assert set(shared) == {"methods", "mean", "std", "seed", "batch_size", "task", "effort"}
    assert shared == {name: settings[name] for name in shared} | OWN_DEFAULTS
