"""Attention rollout and its gradient-weighted form against the papers' formulas, in double precision."""

from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.selection import select
from tests.networks import Tiny, seeded
from tests.transformers import Encoder, WrittenOut

pytestmark = pytest.mark.numeric

TARGETS = torch.tensor([3, 1])


@pytest.fixture
def images() -> Any:
    return torch.randn(2, 3, 24, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def shaken(network: Any) -> Any:
    generator = torch.Generator().manual_seed(9)
    for parameter in network.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data = noise * parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 1 + 0.3 * noise
    return network.double().eval()


def attention_of(network: Any, images: Any) -> tuple[list[Any], Any]:
    """[N, heads, tokens, tokens] of each layer of an `Encoder`, with a graph, and the scores."""
    weights: list[Any] = []

    def written_out(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> Any:
        weights.append((query @ key.mT / query.shape[-1] ** 0.5).softmax(-1))
        return weights[-1] @ value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "scaled_dot_product_attention", written_out)
        return weights, network(images)


ROWS: dict[str, Any] = {
    "class token first": ({}, [1.0, *[0.0] * 6], slice(1, None)),
    "class token last": ({"token": "last"}, [*[0.0] * 6, 1.0], slice(0, 6)),
    "registers too": ({"registers": 2}, [1.0, *[0.0] * 8], slice(3, None)),
    "tokens averaged": ({"token": "none"}, [1 / 6] * 6, slice(None)),
    "sequence first": ({"sequence_first": True}, [1.0, *[0.0] * 6], slice(1, None)),
}
layouts = pytest.mark.parametrize(("options", "row", "patches"), ROWS.values(), ids=ROWS)


@layouts
def test_rollout_is_the_product_of_all_layers(options: Any, row: Any, patches: Any, images: Any) -> None:
    network = shaken(Encoder(**options))
    weights, _ = attention_of(network, images)
    product = torch.eye(len(row), dtype=torch.float64).expand(2, -1, -1)
    for layer in weights:
        mixed = layer.mean(1) + torch.eye(len(row))
        product = mixed / mixed.sum(-1, keepdim=True) @ product
    expected = (torch.tensor(row, dtype=torch.float64) @ product)[:, patches].view(2, 3, 2)
    maps = explain(network, images, TARGETS, ["attention_rollout"])["attention_rollout"]
    torch.testing.assert_close(maps, expected.detach(), rtol=1e-10, atol=1e-12)


@layouts
def test_its_gradient_form_adds_layer_after_layer(options: Any, row: Any, patches: Any, images: Any) -> None:
    network = shaken(Encoder(**options))
    weights, scores = attention_of(network, images)
    gradients = torch.autograd.grad(scores.gather(1, TARGETS[:, None]).sum(), weights)
    identity = torch.eye(len(row), dtype=torch.float64)
    relevance = identity.expand(2, -1, -1)
    for layer, gradient in zip(weights, gradients, strict=True):
        relevance = relevance + (layer * gradient).clamp(min=0).mean(1) @ relevance
    expected = (torch.tensor(row, dtype=torch.float64) @ (relevance - identity))[:, patches].view(2, 3, 2)
    name = "gradient_attention_rollout"
    maps = explain(network, images, TARGETS, [name])[name]
    torch.testing.assert_close(maps, expected.detach(), rtol=1e-10, atol=1e-12)


def test_rows_of_a_rollout_sum_to_one(images: Any) -> None:
    maps = explain(shaken(Encoder(token="none")), images, TARGETS, ["attention_rollout"])["attention_rollout"]
    torch.testing.assert_close(maps.sum((1, 2)), torch.ones(2, dtype=torch.float64))


@pytest.mark.parametrize("name", ["attention_rollout", "gradient_attention_rollout"])
def test_images_of_another_size_have_a_grid_of_their_own(name: Any, images: Any) -> None:
    network = shaken(Encoder())
    larger = torch.randn(2, 3, 32, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    tape = Tape(Subject(network, images[:1]), larger)
    (method,) = select([name])
    maps = method.function(tape, TARGETS[:, None] if method.batched_targets else TARGETS).view(2, 4, 5)
    torch.testing.assert_close(maps, explain(network, larger, TARGETS, [name])[name], rtol=0, atol=0)


def test_a_class_takes_one_pass_back_and_a_rollout_none(images: Any) -> None:
    network = shaken(Encoder())
    tape = Tape(Subject(network, images[:1]), images)
    list(tape.attention_weights())
    assert (tape.costs.own_forward, tape.costs.own_backward) == (0, 0)
    list(tape.attention_gradients(TARGETS))
    assert (tape.costs.own_forward, tape.costs.own_backward) == (0, 1)


class Windows(nn.Module):
    """Attention within quarters of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 5)

    def forward(self, x: Any) -> Any:
        x = self.patches(x).unflatten(3, (2, -1)).unflatten(2, (2, -1)).permute(0, 2, 4, 3, 5, 1)
        x = x.flatten(3, 4).flatten(1, 2)
        return self.head(F.scaled_dot_product_attention(x, x, x).mean((1, 2)))


class Reduced(nn.Module):
    """Keys and values from a coarser grid."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.less, self.head = nn.Conv2d(3, 8, 4, 4), nn.Conv2d(8, 8, 2, 2), nn.Linear(8, 5)

    def forward(self, x: Any) -> Any:
        x = self.patches(x)
        tokens, keys = (y.flatten(2).transpose(1, 2) for y in (x, self.less(x)))
        return self.head(((tokens @ keys.transpose(1, 2)).softmax(-1) @ keys).mean(1))


class Beside(nn.Module):
    """Two layers of attention side by side, or with a convolution in between."""

    def __init__(self, between: Any) -> None:
        super().__init__()
        self.patches, self.head, self.between = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 5), between
        self.mix = nn.Conv2d(8, 8, 3, padding=1)

    def attend(self, x: Any) -> Any:
        return x + (x @ x.transpose(1, 2)).softmax(-1) @ x

    def forward(self, x: Any) -> Any:
        maps = self.patches(x)
        x = maps.flatten(2).transpose(1, 2)
        if not self.between:
            return self.head((self.attend(x) + self.attend(x * 2)).mean(1))
        maps = self.mix(self.attend(x).transpose(1, 2).reshape(maps.shape))
        return self.head(self.attend(maps.flatten(2).transpose(1, 2)).mean(1))


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Windows(), "looks at parts of the picture, such as windows"),
        (Reduced(), "its attention has 6×4 as queries and 3×2 as keys"),
        (Beside(False), "two layers of its attention stand side by side"),
        (Beside(True), r"not only attention mixes its positions \(Convolution\)"),
        (Tiny(), "the network has no attention between positions"),
    ],
    ids=["windows", "reduced keys", "side by side", "a convolution between", "no attention"],
)
@pytest.mark.parametrize("name", ["attention_rollout", "gradient_attention_rollout"])
def test_where_it_is_not_defined_it_says_why(name: Any, network: Any, reason: Any, images: Any) -> None:
    with pytest.raises(NotApplicable, match=reason):
        explain(seeded(network).double(), images, TARGETS, [name])


@pytest.mark.parametrize(
    ("name", "side", "grid"), [("vit_b_16", 224, (14, 14)), ("swin_t", 64, None)], ids=["vit_b_16", "swin_t"]
)
def test_networks_that_people_use(name: Any, side: Any, grid: Any) -> None:
    subject = Subject(torchvision.models.get_model(name, weights=None).eval(), torch.randn(1, 3, side, side))
    if grid is None:
        with pytest.raises(NotApplicable, match="windows"):
            subject.token_attention()
    else:
        tokens = subject.token_attention()
        assert tokens.layout.grid == grid and tokens.layout.before == 1 and tokens.reads == ((0, 1),)


@pytest.mark.parametrize("name", ["attention_rollout", "gradient_attention_rollout", "attn_lrp"])
def test_a_mask_and_a_scale_of_ones_own_are_part_of_the_weights(name: Any, images: Any) -> None:
    class Masked(WrittenOut):
        def __init__(self, fused: Any) -> None:
            super().__init__()
            self.fused = fused

        def forward(self, x: Any) -> Any:
            n, c, h, w = x.shape
            cut = x.reshape(n, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 3, 5, 1).reshape(n, -1, 64 * c)
            t = torch.cat([self.token.expand(n, -1, -1), self.embed(cut)], 1)
            u = t.unsqueeze(1)
            mask = torch.linspace(-1, 1, t.shape[1] ** 2, dtype=t.dtype).view(t.shape[1], -1)
            if self.fused:
                t = t + F.scaled_dot_product_attention(u, u, u, attn_mask=mask, scale=0.7)[:, 0]
            else:
                t = t + (t @ t.transpose(1, 2) * 0.7 + mask).softmax(-1) @ t
            return self.head(t[:, 0])

    one, other = (explain(shaken(Masked(fused)), images, TARGETS, [name])[name] for fused in (True, False))
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
