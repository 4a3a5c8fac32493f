"""Vision transformers of timm: fused attention and written-out attention have the same maps."""

from typing import Any

import pytest

from tests.extras.needs import needs

needs("timm")

import timm  # noqa: E402
import torch  # noqa: E402
from timm.layers import set_fused_attn  # noqa: E402

from cnnvis_report import explain  # noqa: E402
from cnnvis_report.engine.subject import Subject  # noqa: E402
from cnnvis_report.errors import NotApplicable  # noqa: E402


@pytest.mark.parametrize("method", ["attention_rollout", "gradient_attention_rollout", "attn_lrp"])
@pytest.mark.parametrize("name", ["test_vit", "test_vit2"])
def test_one_kernel_is_as_good_as_another(name: Any, method: Any) -> None:
    maps = []
    for fused in (True, False):
        set_fused_attn(fused)
        try:
            torch.manual_seed(2)
            network = timm.create_model(name, num_classes=5).double().eval()
        finally:
            set_fused_attn(True)
        side = network.pretrained_cfg["input_size"][-1]
        images = torch.randn(2, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        maps.append(explain(network, images, [1, 2], [method])[method])
    torch.testing.assert_close(*maps, rtol=1e-8, atol=1e-14)


def test_attention_that_pools_by_queries_of_its_own_is_no_rollout() -> None:
    network = timm.create_model("test_vit3", num_classes=5).eval()
    images = torch.randn(1, 3, *network.pretrained_cfg["input_size"][1:])
    with pytest.raises(NotApplicable, match="has queries or keys of its own"):
        explain(network, images, [1], ["attention_rollout"])
    assert bool(explain(network, images, [1], ["attn_lrp"])["attn_lrp"].isfinite().all())


def test_both_tokens_of_a_distilled_network_are_read() -> None:
    network = timm.create_model("deit_tiny_distilled_patch16_224", img_size=32, depth=2, num_classes=5).eval()
    tokens = Subject(network, torch.randn(1, 3, 32, 32)).token_attention()
    assert sorted(tokens.reads) == [(0, 1), (1, 2)] and (tokens.layout.grid, tokens.layout.before) == ((2, 2), 2)
