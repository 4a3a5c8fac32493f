"""AttnLRP against the paper's rules, written out slowly in double precision as relevance and not as multipliers."""

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
from cnnvis_report.methods.attn_lrp import attn_lrp
from tests.exhaustive import represented
from tests.networks import Tiny, seeded
from tests.transformers import Encoder, WrittenOut

pytestmark = pytest.mark.numeric

EXACT: dict[str, Any] = {"epsilon": 0.0, "convolution_gamma": 0.0}
TARGETS = torch.tensor([3, 1])


@pytest.fixture
def images() -> Any:
    return torch.randn(2, 3, 24, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def shaken(network: Any) -> Any:
    """No parameter is left at a default that hides it."""
    generator = torch.Generator().manual_seed(9)
    for parameter in network.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data = noise * parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 1 + 0.3 * noise
    return network.double().eval()


class Slow:
    """Relevance of `WrittenOut` back to its pixels, rule by rule, and what is taken on the way."""

    def __init__(self, network: Any, images: Any, targets: Any) -> None:
        self.network, self.taken = network, torch.zeros(len(images), dtype=torch.float64)
        with torch.no_grad():
            self.maps = self.run(images, targets)

    def linear(self, layer: Any, x: Any, relevance: Any) -> Any:
        """Eq. 4 with e = 0: R_i = sum_j x_i w_ji R_j / z_j, z_j with the bias, which takes its share."""
        shares = relevance / layer(x)
        self.taken += (shares * layer.bias).flatten(1).sum(1)
        return x * (shares @ layer.weight)

    def norm(self, layer: Any, x: Any, relevance: Any) -> Any:
        """Prop. 3.4: what is divided by is a constant; the mean is a linear layer, the shift a bias."""
        spread = (x.var(-1, unbiased=False, keepdim=True) + layer.eps).sqrt()
        shares = relevance / layer(x)
        self.taken += (shares * layer.bias).flatten(1).sum(1)
        scaled = shares * layer.weight / spread
        return x * scaled - x * scaled.mean(-1, keepdim=True)

    def product(self, left: Any, right: Any, relevance: Any) -> tuple[Any, Any]:
        """Prop. 3.3: R_ji = sum_p A_ji V_ip R_jp / (2 O_jp), and the same for V."""
        terms = torch.einsum("nji,nip,njp->njip", left, right, relevance / (left @ right)) / 2
        return terms.sum(3), terms.sum(1)

    def softmax(self, scores: Any, relevance: Any) -> Any:
        """Prop. 3.1: R_i = x_i (R_i - s_i sum_j R_j)."""
        result = scores * (relevance - scores.softmax(-1) * relevance.sum(-1, keepdim=True))
        self.taken += (relevance.sum((1, 2)) - result.sum((1, 2))).flatten()
        return result

    def run(self, images: Any, targets: Any) -> Any:
        net = self.network
        n, c, h, w = images.shape
        cut = images.reshape(n, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 3, 5, 1).reshape(n, -1, 64 * c)
        t = torch.cat([net.token.expand(n, -1, -1), net.embed(cut)], 1)
        kept = []
        for norm, q, k, v, out in zip(net.norms, net.q, net.k, net.v, net.out, strict=False):
            y = norm(t)
            scores = q(y) @ k(y).transpose(1, 2) / 12**0.5
            heads = scores.softmax(-1) @ v(y)
            between = t + out(heads)
            hidden = net.mlp[0](between)
            kept.append((norm, q, k, v, out, t, y, scores, heads, between, hidden))
            t = between + net.mlp[2](F.gelu(hidden))
        last = net.norms[2](t)
        logits = net.head(last[:, 0])
        start = torch.zeros_like(logits).scatter(1, targets[:, None], logits.gather(1, targets[:, None]))
        relevance = torch.zeros_like(last)
        relevance[:, 0] = self.linear(net.head, last[:, 0], start)
        relevance = self.norm(net.norms[2], t, relevance)
        for layer in reversed(kept):
            relevance = self.block(relevance, *layer)
        self.taken += relevance[:, 0].sum(1)  # the class token's own
        pixels = self.linear(net.embed, cut, relevance[:, 1:])
        return pixels.reshape(n, h // 8, w // 8, 8, 8, c).permute(0, 5, 1, 3, 2, 4).reshape(n, c, h, w)

    def block(
        self,
        relevance: Any,
        norm: Any,
        q: Any,
        k: Any,
        v: Any,
        out: Any,
        t: Any,
        y: Any,
        scores: Any,
        heads: Any,
        between: Any,
        hidden: Any,
    ) -> Any:
        mlp = self.network.mlp
        after = mlp[2](F.gelu(hidden))
        through = relevance * after / (between + after)  # a sum: each by its part
        through = self.linear(mlp[0], between, self.linear(mlp[2], F.gelu(hidden), through))  # GELU: as it is
        relevance = relevance * between / (between + after) + through
        branch = out(heads)
        at_heads = self.linear(out, heads, relevance * branch / (t + branch))
        at_weights, at_values = self.product(scores.softmax(-1), v(y), at_heads)
        at_queries, at_keys = self.product(q(y), k(y).transpose(1, 2), self.softmax(scores, at_weights))
        parts = ((q, at_queries), (k, at_keys.transpose(1, 2)), (v, at_values))
        at_norm = sum(self.linear(layer, y, part) for layer, part in parts)
        return relevance * t / (t + branch) + self.norm(norm, t, at_norm)


def test_it_is_what_the_papers_rules_give(images: Any) -> None:
    network = shaken(WrittenOut())
    slow = Slow(network, images, TARGETS)
    maps = explain(network, images, TARGETS, ["attn_lrp"], **EXACT)["attn_lrp"]
    torch.testing.assert_close(maps, slow.maps, rtol=1e-7, atol=1e-9)


def test_what_biases_tokens_and_softmaxes_take_is_all_that_is_missing_from_the_sum(images: Any) -> None:
    network = shaken(WrittenOut())
    slow = Slow(network, images, TARGETS)
    tape = Tape(Subject(network, images[:1]), images)
    with tape.costs.measure() as cost:
        maps = attn_lrp(tape, TARGETS, **EXACT)
    score = network(images).gather(1, TARGETS[:, None])[:, 0].detach()
    torch.testing.assert_close(maps.sum((1, 2, 3)) + slow.taken, score, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(cost.notes["conservation"], maps.sum((1, 2, 3)) / score, rtol=1e-9, atol=0)


class OneHead(nn.Module):
    """One attention of one-dimensional tokens, which are the columns of the image; nothing has a bias."""

    def __init__(self, fused: Any) -> None:
        super().__init__()
        self.embed, self.fused = nn.Conv2d(1, 1, 1, bias=False), fused

    def forward(self, x: Any) -> Any:
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        if self.fused:
            result = F.scaled_dot_product_attention(*[tokens.unsqueeze(1)] * 3)[:, 0]
        else:
            result = (tokens @ tokens.transpose(1, 2)).softmax(-1) @ tokens
        return result[:, :2, 0]


@pytest.mark.parametrize("fused", [True, False])
def test_one_attention_has_a_closed_form(fused: Any) -> None:
    network = OneHead(fused).double()
    nn.init.ones_(network.embed.weight)
    x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    a = (x[0] * x).softmax(0)
    # half of a @ x goes by the values, half by the weights, of which queries and keys have half each
    by_weights = a * x / 2
    by_scores = x[0] * x * (by_weights - a * by_weights.sum())
    expected = a * x / 2 + by_scores / 2
    expected[0] += by_scores.sum() / 2
    maps = explain(network, x.view(1, 1, 1, 3), [0], ["attn_lrp"], **EXACT)["attn_lrp"]
    torch.testing.assert_close(maps.flatten(), expected, rtol=1e-12, atol=1e-12)


def attention(way: Any) -> Any:
    """One transformer, its attention calculated in several ways."""
    network = shaken(Encoder(sequence_first=way == "sequence first"))
    if way == "weights asked for":
        for layer in network.encoder.layers:
            inner = layer.self_attn.forward
            layer.self_attn.forward = lambda *a, inner=inner, **k: inner(*a, **{**k, "need_weights": True})
    return network


@pytest.mark.parametrize("way", ["sequence first", "weights asked for"])
@pytest.mark.parametrize("name", ["attn_lrp", "attention_rollout", "gradient_attention_rollout"])
def test_it_is_the_same_however_attention_is_calculated(name: Any, way: Any, images: Any) -> None:
    expected = explain(attention("as it is"), images, TARGETS, [name])[name]
    torch.testing.assert_close(explain(attention(way), images, TARGETS, [name])[name], expected, rtol=1e-8, atol=1e-11)


class Cosine(nn.Module):
    """Attention by the cosine of queries and keys, and a norm written out; what they divide by may be a constant."""

    def __init__(self, constant: Any) -> None:
        super().__init__()
        self.embed, self.head = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 5)
        self.constant = constant

    def forward(self, x: Any) -> Any:
        t = self.embed(x).flatten(2).transpose(1, 2)
        if self.constant:
            t = (t - t.mean(-1, True)) / t.std(-1, keepdim=True).detach()
            unit = t / t.norm(dim=-1, keepdim=True).detach()
        else:
            t = (t - t.mean(-1, True)) / t.std(-1, keepdim=True)
            unit = F.normalize(t, dim=-1)
        return self.head(((unit @ unit.transpose(1, 2) * 3).softmax(-1) @ t).mean(1))


def test_what_features_are_divided_by_is_a_constant(images: Any) -> None:
    one, other = (
        explain(shaken(Cosine(constant)), images, TARGETS, ["attn_lrp"], **EXACT)["attn_lrp"]
        for constant in (True, False)
    )
    assert float(one.abs().max()) > 0
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_a_network_without_attention_is_left_to_the_other_methods(images: Any) -> None:
    with pytest.raises(NotApplicable, match="the network has no attention"):
        explain(seeded(Tiny()).double(), images, TARGETS, ["attn_lrp"])


def test_the_other_methods_say_which_one_has_rules(images: Any) -> None:
    with pytest.raises(NotApplicable, match=r"no rule for 4 Bmm, 2 Softmax; attn_lrp has rules for attention"):
        explain(shaken(WrittenOut()), images, TARGETS, ["lrp_composite"])


@pytest.mark.parametrize("name", represented(["swin_t", "swin_v2_t", "maxvit_t"], by=("swin_t", "swin_v2_t")))
def test_windows_and_hybrids_have_it_too(name: Any) -> None:
    torch.manual_seed(0)
    side = 224 if name == "maxvit_t" else 64
    small = torchvision.models.get_model(name, weights=None, num_classes=4).eval()
    maps = explain(small, torch.randn(1, 3, side, side), [1], ["attn_lrp"])["attn_lrp"]
    assert maps.shape == (1, 3, side, side) and bool(maps.isfinite().all()) and float(maps.abs().max()) > 0
