"""Vision transformers of transformers: token maps, and the methods that follow attention, whichever kernel runs."""

from typing import Any

import pytest

from tests.extras.needs import needs

needs("transformers")

import torch  # noqa: E402
import transformers  # noqa: E402

from cnnvis_report import explain  # noqa: E402
from cnnvis_report.engine.subject import Subject  # noqa: E402
from cnnvis_report.errors import NotApplicable  # noqa: E402

SIZES: dict[str, Any] = {
    "image_size": 32,
    "patch_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
WINDOWS: dict[str, Any] = {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [2, 2], "num_heads": [1, 2]}
CAMS = ["grad_cam", "grad_cam_plus_plus", "xgrad_cam", "hires_cam", "layer_cam", "eigen_cam"]
ATTENTION = ["attention_rollout", "gradient_attention_rollout", "attn_lrp"]


def made(name: Any, **options: Any) -> Any:
    """A small network of transformers by the beginning of its classes' names, with weights that leave nothing at 0."""
    network = getattr(transformers, f"{name}ForImageClassification")(
        getattr(transformers, f"{name}Config")(num_labels=5, **options)
    )
    generator = torch.Generator().manual_seed(9)
    for parameter in network.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data = noise * parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 1 + 0.3 * noise
    return network.eval()


def side_of(name: Any) -> int:
    return 64 if name == "Cvt" else 32


LAYERS: dict[str, Any] = {
    "ViT": (SIZES, "vit.layers.1.layernorm_before", 4),
    "DeiT": (SIZES, "deit.layers.1.layernorm_before", 4),
    "Beit": (SIZES, "beit.layers.1", 4),
    "Dinov2": (SIZES, "dinov2.layernorm", 4),
    "Dinov2WithRegisters": (SIZES, "dinov2_with_registers.layernorm", 4),
    "Swin": ({**WINDOWS, "window_size": 4}, "swin.layernorm", 8),
    "Swinv2": ({**WINDOWS, "window_size": 4}, "swinv2.layernorm", 8),
    "Cvt": ({"embed_dim": [16, 48, 96], "depth": [1, 2, 3]}, "cvt.encoder.stages.2.layers.2.layernorm_before", 4),
}


@pytest.mark.parametrize("name", LAYERS)
def test_class_activation_maps_read_the_last_tokens(name: Any) -> None:
    options, layer, side = LAYERS[name]
    network, images = made(name, **options), torch.randn(2, 3, *[side_of(name)] * 2)
    assert Subject(network, images[:1]).default_layer == layer
    maps = explain(network, images, [1, 2], CAMS)
    assert all(values.shape == (2, side, side) and bool(values.isfinite().all()) for values in maps.values())


@pytest.mark.parametrize("method", ATTENTION)
def test_one_kernel_is_as_good_as_another(method: Any) -> None:
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    fused, written_out = (
        explain(made("ViT", **SIZES, attn_implementation=way).double(), images, [1, 2], [method])[method]
        for way in ("sdpa", "eager")
    )
    torch.testing.assert_close(fused, written_out, rtol=1e-4, atol=1e-7)  # one has its softmax in single precision


@pytest.mark.parametrize(
    ("name", "reason"), [("Swin", "such as windows"), ("Cvt", r"4×4 \+ 1 as queries and 2×2 \+ 1 as keys")]
)
def test_a_rollout_needs_one_grid_and_relevance_does_not(name: Any, reason: Any) -> None:
    network, images = made(name, **LAYERS[name][0]), torch.randn(1, 3, *[side_of(name)] * 2)
    for method in ATTENTION[:2]:
        with pytest.raises(NotApplicable, match=reason):
            explain(network, images, [1], [method])
    maps = explain(network, images, [1], ["attn_lrp"])["attn_lrp"]
    assert bool(maps.isfinite().all()) and float(maps.abs().max()) > 0


def test_attention_of_the_library_is_what_a_rollout_reads() -> None:
    network: Any = made("ViT", **SIZES, attn_implementation="eager").double()
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        weights = network(images, output_attentions=True).attentions
    product = torch.eye(17, dtype=torch.float64)
    for layer in weights:
        product = (layer.mean(1) + torch.eye(17)) / 2 @ product
    maps = explain(network, images, [1, 2], ["attention_rollout"])["attention_rollout"]
    torch.testing.assert_close(maps, product[:, 0, 1:].view(2, 4, 4), rtol=1e-9, atol=1e-12)
