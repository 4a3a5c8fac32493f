"""Whose weights are these? The network that is named has every tensor; where none has, none is named."""

from typing import Any

import pytest
import torch
from torchvision.models import get_model

from cnnvis_report.models.known_networks.nearest_network import advice
from cnnvis_report.models.known_networks.network_index import find_networks, fingerprint
from cnnvis_report.models.network_state import weights_hash
from cnnvis_report.models.torchvision_models.classifiers import without_values

timm = pytest.importorskip("timm")


def weights(name: str, **given: Any) -> dict[str, torch.Tensor]:
    with without_values():
        network = timm.create_model(name, pretrained=False, **given) if name in timm.list_models() else get_model(name)
    state: dict[str, torch.Tensor] = network.state_dict()
    return state


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("deit_tiny_distilled_patch16_224", {}),
        ("rexnet_100", {}),
        ("vit_tiny_patch16_224", {"num_classes": 7}),
        ("efficientnet_b0", {"num_classes": 7}),
        ("resnet26", {"num_classes": 0}),
        ("convnext_atto", {}),
        ("swin_tiny_patch4_window7_224", {"num_classes": 2}),
        ("mobilenetv3_small_100", {}),
    ],
)
def test_the_network_that_has_every_tensor_is_named(name: str, given: Any) -> None:
    state = weights(name, **given)
    known = find_networks(state)
    assert known is not None and known.channels is None
    assert f"timm/{name}" in known.names
    for other in known.names:  # those that are named beside have the same, as a few do
        if other != f"timm/{name}" and other.startswith("timm/"):
            heads = timm.create_model(name, pretrained=False).default_cfg["classifier"]
            assert fingerprint(weights(other.removeprefix("timm/")), [heads]) == fingerprint(state, [heads])


def test_prefixes_and_other_heads_and_stems_do_not_hide_it() -> None:
    state = weights("rexnet_100", num_classes=3)
    assert "They are of timm:rexnet_100:" in advice({f"net.backbone.{key}": value for key, value in state.items()})
    beside = {**{f"model.{key}": value for key, value in state.items()}, "loss.weight": torch.ones(3)}
    assert "They are of timm:rexnet_100:" in advice(beside)
    gray = advice(weights("rexnet_100", in_chans=1))
    assert (
        "They are of timm:rexnet_100:" in gray
        and "but that the first one reads 1 channel. Give timm:rexnet_100 as MODEL" in gray
    )


NONE = " No network of torchvision or timm that is known here has all of these tensors before its head."


def test_what_lacks_a_tensor_or_has_one_of_another_shape_is_not_named() -> None:
    whole = weights("deit_tiny_distilled_patch16_224")
    assert advice({key: value for key, value in whole.items() if key != "dist_token"}) != advice(whole)
    assert advice({key: value for key, value in whole.items() if key != "blocks.3.norm1.bias"}) == NONE
    assert advice({**whole, "pos_embed": torch.empty(1, 50, 192)}) == NONE
    assert advice({"a.weight": torch.ones(3, 3), "b": torch.ones(2)}) == NONE
    assert advice({}) == NONE
    features = weights("resnet18")
    assert "They fit resnet18 best" in advice(features)
    assert advice({key: value for key, value in features.items() if not key.startswith("layer3.1")}) == NONE


def test_names_with_halves_of_characters_are_as_good_as_others() -> None:
    state = {"\ud800.weight": torch.ones(2), "b": torch.ones(3)}
    assert fingerprint(state, []) != fingerprint({"\ud801.weight": torch.ones(2), "b": torch.ones(3)}, [])
    assert not find_networks(state)
    network = torch.nn.Module()
    network.register_buffer("\ud800", torch.ones(2))
    assert len(weights_hash(network)) == 16


def test_a_network_of_torchvision_is_named_whatever_its_classes() -> None:
    for name in ("resnet34", "mobilenet_v2", "vit_b_16", "densenet121"):
        assert f"They fit {name} best: 100% of its tensors are there." in advice(weights(name))
    assert "They fit squeezenet1_1 best" in advice({f"model.{key}": v for key, v in weights("squeezenet1_1").items()})
