"""Every method on every family of networks that people use: finite maps, or a reason why there are none."""

import warnings
from typing import Any

import pytest

from cnnvis_report import explain
from cnnvis_report.methods.registry import methods
from tests.architectures import FAMILIES, architecture
from tests.exhaustive import represented

SMALL: dict[str, Any] = {"n": 2, "steps": 2, "samples": 12, "segments": 4, "max_channels": 3, "patch": 32, "stride": 32}

# what each family has no answer to, and why
# classes with a negative score; three channels of hundreds; probabilities that are 0 in single precision
MAY_BE_EMPTY = {"deep_taylor", "score_cam", "ablation_cam", "rise"}
RELEVANCE = {
    *("lrp_composite", "lrp_z", "lrp_epsilon", "lrp_gamma", "lrp_alpha_beta", "lrp_flat", "lrp_w2", "deep_taylor"),
}
RELU_ONLY = {"guided_backprop", "deconvnet", "guided_grad_cam", "pattern_net", "pattern_attribution"}
ATTENTION = {"attention_rollout", "gradient_attention_rollout", "attn_lrp"}
REFUSED = {
    "alexnet": {"cam"},
    "vgg16": {"cam"},
    "vgg11_bn": {"cam"},
    "inception_v3": {"cam"},  # its last maps have one position at this size of image
    "mobilenet_v3_small": {"cam", *RELU_ONLY},
    "efficientnet_b0": RELU_ONLY,
    "convnext_tiny": {"cam", "full_grad", *RELU_ONLY},
}


REPRESENTATIVES = ("alexnet", "resnet18", "squeezenet1_1", "mobilenet_v3_small")


@pytest.mark.parametrize("name", represented(FAMILIES, by=REPRESENTATIVES))
def test_every_method_gives_finite_maps_or_says_why_not(name: Any) -> None:
    network, images = architecture(name, biases=True)
    names = [entry.name for entry in methods()]
    assert set(names) >= RELEVANCE
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        maps_by_method = explain(network, images, [3, 2], names, on_error="skip", **SMALL)
    reasons = {
        message.partition(" ")[0]: message
        for message in (str(warning.message) for warning in caught)
        if "left out" in message
    }
    overflow = {method for method, reason in reasons.items() if "signals overflow" in reason}
    assert overflow <= {"pattern_net", "pattern_attribution"}, "two images are few"
    assert set(reasons) - overflow == REFUSED.get(name, set()) | ATTENTION, reasons
    assert all(reason.rstrip(".").partition(": ")[2] for reason in reasons.values())
    assert set(maps_by_method) == set(names) - set(reasons)
    for method, maps in maps_by_method.items():
        assert bool(maps.isfinite().all()), method
        assert method in MAY_BE_EMPTY or float(maps.abs().max()) > 0, method
