"""AttnLRP against its authors' library LXT: the same maps, and what they take.

    python -m tests.benchmarks.attention

Needs `pip install lxt transformers`. LXT's functions make up the network with attention written out; its patches work
on a ViT of transformers, small in double precision for the values, ViT-B/16 in single precision for the seconds.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.selection import select
from tests.transformers import WrittenOut

EXACT: dict[str, Any] = {"epsilon": 1e-12, "convolution_gamma": 0.0}


def random_weights(network: nn.Module) -> nn.Module:
    """The network with no parameter at a default that hides it."""
    generator = torch.Generator().manual_seed(9)
    for parameter in network.parameters():
        noise = torch.randn(parameter.shape, generator=generator).to(parameter)
        parameter.data = noise * parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 1 + 0.3 * noise
    return network.eval()


def written_with_lxt(network: Any, images: Tensor, target: int) -> Tensor:
    """Relevance at the pixels of a `WrittenOut` whose operations are LXT's."""
    import lxt.explicit.functional as lxt
    from lxt.explicit.rules import identity_fn

    def linear(layer: Any, x: Tensor) -> Tensor:
        result: Tensor = lxt.linear_epsilon(x, layer.weight, layer.bias, 1e-12)
        return result

    def norm(layer: Any, x: Tensor) -> Tensor:
        result: Tensor = lxt.layer_norm(x, layer.weight, layer.bias, layer.eps)
        return result

    x = images.clone().requires_grad_()
    n, c, h, w = x.shape
    cut = x.reshape(n, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 3, 5, 1).reshape(n, -1, 64 * c)
    t = torch.cat([network.token.expand(n, -1, -1), linear(network.embed, cut)], 1)
    for before, q, k, v, out in zip(network.norms, network.q, network.k, network.v, network.out, strict=False):
        y = norm(before, t)
        keys = lxt.mul2(linear(k, y).transpose(1, 2), torch.tensor(12**-0.5, dtype=x.dtype))
        weights = lxt.softmax(lxt.matmul(linear(q, y), keys, epsilon=1e-12), -1)
        t = lxt.add2(t, linear(out, lxt.matmul(weights, linear(v, y), epsilon=1e-12)), epsilon=1e-12)
        hidden = identity_fn.apply(functional.gelu, linear(network.mlp[0], t))
        t = lxt.add2(t, linear(network.mlp[2], hidden), epsilon=1e-12)
    logits = linear(network.head, norm(network.norms[2], t)[:, 0])
    (relevance,) = torch.autograd.grad(logits[:, target].sum(), x, grad_outputs=logits[0, target].detach())
    return relevance


def patched_vit() -> Callable[[nn.Module, Tensor, int], Tensor]:
    """LXT's own way: gradient × input of transformers' ViT with its patches, which stay for the whole process."""
    import lxt
    import transformers.activations

    package = ModuleType("lxt.efficient")  # its own beginning imports what transformers 5 doesn't have any more
    package.__path__ = [f"{path}/efficient" for path in lxt.__path__]
    sys.modules["lxt.efficient"] = package
    from lxt.efficient.patches import layer_norm_forward, non_linear_forward, patch_method, wrap_attention_forward
    from transformers.models.vit import modeling_vit

    patch_method(layer_norm_forward, nn.LayerNorm)
    patch_method(non_linear_forward, transformers.activations.GELUActivation, keep_original=True)
    ways = modeling_vit.ALL_ATTENTION_FUNCTIONS
    ways["sdpa"] = wrap_attention_forward(ways["sdpa"])

    def run(network: nn.Module, images: Tensor, target: int) -> Tensor:
        x = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(x).logits[:, target].sum(), x)
        return gradient * x.detach()

    return run


def apart(ours: Tensor, theirs: Tensor) -> float:
    """The relative difference of two maps."""
    return float((ours - theirs).norm() / theirs.norm())


def seconds(action: Callable[[], object], times: int = 5) -> float:
    """The shortest of several runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return min(taken)


def one_map(subject: Subject, image: Tensor, name: str) -> Tensor:
    """A map by a method, with its pass forward, of a network that has been examined."""
    (method,) = select([name])
    tape = Tape(subject, image, layer_inputs=name == "attn_lrp")
    targets = torch.tensor([[1]] if method.batched_targets else [1])
    maps: Tensor = method.function(tape, targets)
    return maps


def main() -> None:
    """Print both comparisons, and the seconds of both libraries beside those of a plain pass forward and back."""
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    images = torch.randn(1, 3, 32, 32, dtype=torch.float64)
    written: Any = random_weights(WrittenOut().double())
    ours = explain(written, images, [1], ["attn_lrp"], **EXACT)["attn_lrp"]
    print(f"LXT's functions, relative difference: {apart(ours, written_with_lxt(written, images, 1)):.1e}")
    sizes = {"image_size": 32, "patch_size": 8, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 3}
    small = random_weights(ViTForImageClassification(ViTConfig(**sizes, intermediate_size=48, num_labels=5)).double())
    large = random_weights(ViTForImageClassification(ViTConfig(num_labels=5)))
    for network in (small, large):
        network.requires_grad_(False)
    picture = torch.randn(1, 3, 224, 224)
    ours = explain(small, images, [1], ["attn_lrp"], **EXACT)["attn_lrp"]
    subject = Subject(large, picture)
    names = ("gradient", "attn_lrp", "attention_rollout", "gradient_attention_rollout")
    times = {name: seconds(partial(one_map, subject, picture, name)) for name in names}
    lxt = patched_vit()
    print(f"LXT's patches, relative difference: {apart(ours, lxt(small, images, 1)):.1e}")
    times["LXT"] = seconds(lambda: lxt(large, picture, 1))
    for name, value in times.items():
        print(f"{name:28}{value:.3f} s")


if __name__ == "__main__":
    main()
