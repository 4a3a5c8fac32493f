"""The methods written a second time, slowly: module hooks and operator overrides in place of the recorded graph."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

RELUS = {F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, F.relu_}
CEILINGS = {F.relu6, F.hardtanh, F.hardtanh_}


class _Override(torch.autograd.Function):
    """A (clipped) ReLU with another way back."""

    @staticmethod
    def forward(ctx: Any, z: Any, ceiling: Any, gated: Any) -> Any:
        ctx.save_for_backward(z)
        ctx.ceiling, ctx.gated = ceiling, gated
        return z.clamp(0, ceiling)

    @staticmethod
    def backward(ctx: Any, signal: Any) -> Any:
        (z,) = ctx.saved_tensors
        back = signal * (signal > 0)
        if ctx.gated:
            back = back * (z > 0) * (z < ctx.ceiling)
        return back, None, None


class ReluOverride(TorchFunctionMode):
    """Every ReLU that Python calls, as a function, in place or from a module, goes through `_Override`."""

    def __init__(self, gated: bool) -> None:
        super().__init__()
        self.gated = gated

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function in RELUS:
            return _Override.apply(args[0], float("inf"), self.gated)
        if function in CEILINGS:
            return _Override.apply(args[0], 6.0, self.gated)
        if function is Tensor.clamp and (kwargs or {}).get("min") == 0:
            return _Override.apply(args[0], float("inf"), self.gated)
        return function(*args, **(kwargs or {}))


def pixel_gradient(network: nn.Module, images: Tensor, targets: Tensor, gated: bool | None = None) -> Tensor:
    """The gradient, or guided backpropagation (gated) or deconvnet (not gated) by overriding operators."""
    leaf = images.clone().requires_grad_()
    if gated is None:
        scores = network(leaf.clone())
    else:
        with ReluOverride(gated):
            scores = network(leaf.clone())
    (found,) = torch.autograd.grad(scores.gather(1, targets[:, None]).sum(), leaf)
    return found


def layer_values(network: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[np.ndarray, np.ndarray]:
    """Activations and gradients of a layer, by a module hook that hands a copy on."""
    kept = []

    def hook(module: Any, inputs: Any, output: Any) -> Any:
        output.retain_grad()
        kept.append(output)
        return output.clone()

    handle = network.get_submodule(layer).register_forward_hook(hook)
    try:
        scores = network(images.clone().requires_grad_().clone())
        scores.gather(1, targets[:, None]).sum().backward()
    finally:
        handle.remove()
    return kept[-1].detach().double().numpy(), kept[-1].grad.double().numpy()


def relu(values: Any) -> Any:
    return np.maximum(values, 0)


def weighted(weights: Any, activations: Any) -> Any:
    return (weights[:, :, None, None] * activations).sum(1)


def grad_cam(a: Any, g: Any) -> Any:
    return relu(weighted(g.mean((2, 3)), a))


def grad_cam_plus_plus(a: Any, g: Any) -> Any:
    """Equation 19 as printed, position by position."""
    n, channels, h, w = a.shape
    maps = np.zeros((n, h, w))
    for i in range(n):
        for k in range(channels):
            weight = 0.0
            for y in range(h):
                for x in range(w):
                    slope = g[i, k, y, x]
                    below = 2 * slope**2 + a[i, k].sum() * slope**3
                    weight += (slope**2 / below if below != 0 else 0.0) * max(slope, 0)
            maps[i] += weight * a[i, k]
    return relu(maps)


def xgrad_cam(a: Any, g: Any) -> Any:
    total = a.sum((2, 3))
    weights = np.divide((g * a).sum((2, 3)), total, out=np.zeros_like(total), where=total != 0)
    return relu(weighted(weights, a))


def hires_cam(a: Any, g: Any) -> Any:
    return (g * a).sum(1)


def layer_cam(a: Any, g: Any) -> Any:
    return relu((relu(g) * a).sum(1))


CAMS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "grad_cam": grad_cam,
    "xgrad_cam": xgrad_cam,
    "hires_cam": hires_cam,
    "layer_cam": layer_cam,
}


def occlusion(network: Any, images: Any, targets: Any, patch: Any, stride: Any) -> Any:
    """Window by window and pixel by pixel, as the definition reads."""
    n, _, height, width = images.shape
    with torch.no_grad():
        score = network(images.clone()).gather(1, targets[:, None])[:, 0]
        drop, cover = torch.zeros(n, height, width, dtype=images.dtype), torch.zeros(height, width)
        tops = list(range(0, max(1, height - patch + stride), stride))
        lefts = list(range(0, max(1, width - patch + stride), stride))
        for top in tops:
            for left in lefts:
                covered = images.clone()
                covered[:, :, top : top + patch, left : left + patch] = 0
                fall = score - network(covered).gather(1, targets[:, None])[:, 0]
                for y in range(top, min(top + patch, height)):
                    for x in range(left, min(left + patch, width)):
                        drop[:, y, x] += fall
                        cover[y, x] += 1
    return drop / cover
