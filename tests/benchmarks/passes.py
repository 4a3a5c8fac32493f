"""What ten methods for three classes cost, against the passes that they need and against the peers.

    python tests/benchmarks/passes.py [MODEL] [--batch 4] [--size 224] [--rounds 5] [--device cpu]

All is measured in one process, in turn and several times; the medians and their ratios are printed, of wall time and
of CPU time. The bound is 1 forward pass and 9 backward passes to the pixels, without any method. The peers are captum
and pytorch-grad-cam (extra 'bench'), each map made as their documentation shows, class after class.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torchvision
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject

METHODS = [
    "saliency",
    "input_x_gradient",
    "guided_backprop",
    "deconvnet",
    "guided_grad_cam",
    "grad_cam",
    "grad_cam_plus_plus",
    "layer_cam",
    "hires_cam",
    "xgrad_cam",
]
CLASSES = 3


def bound(network: nn.Module, images: Tensor, targets: Tensor) -> None:
    """1 forward and 9 backward passes."""
    leaf = images.clone().requires_grad_()
    logits = network(leaf)
    for _ in range(3):
        for column in targets.unbind(1):
            chosen = torch.zeros_like(logits).scatter_(1, column[:, None], 1.0)
            torch.autograd.grad(logits, leaf, chosen, retain_graph=True)


def peers(network: nn.Module, layer: nn.Module, images: Tensor, targets: Tensor) -> None:
    """The same maps by captum and pytorch-grad-cam."""
    from captum import attr
    from pytorch_grad_cam import GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    for column in targets.unbind(1):
        leaf = images.clone().requires_grad_()
        attr.Saliency(network).attribute(leaf, column).amax(1)
        attr.InputXGradient(network).attribute(leaf, column)
        attr.GuidedBackprop(network).attribute(leaf, column)
        attr.Deconvolution(network).attribute(leaf, column)
        attr.GuidedGradCam(network, layer).attribute(leaf, column, interpolate_mode="bilinear")
        attr.LayerGradCam(network, layer).attribute(leaf, column, relu_attributions=True)
        wanted = [ClassifierOutputTarget(index) for index in column.tolist()]
        for kind in (GradCAMPlusPlus, LayerCAM, HiResCAM, XGradCAM):
            with kind(model=network, target_layers=[layer]) as cam:
                cam(input_tensor=images, targets=wanted)


def out_of_place(network: nn.Module) -> nn.Module:
    """captum's hooks don't bear operations in place."""
    for module in network.modules():
        if hasattr(module, "inplace"):
            setattr(module, "inplace", False)  # noqa: B010 - a module in general has no such attribute
    return network


def timed(action: Callable[[], object], device: str) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", default="resnet50")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()

    torch.manual_seed(0)
    extra = {"init_weights": False} if given.model in ("googlenet", "inception_v3") else {}
    network = getattr(torchvision.models, given.model)(weights=None, **extra).eval().to(given.device)
    images = torch.randn(given.batch, 3, given.size, given.size, device=given.device)
    targets = torch.arange(CLASSES, device=given.device).expand(given.batch, -1).contiguous()
    frozen = getattr(torchvision.models, given.model)(weights=None, **extra).eval().to(given.device)
    frozen.load_state_dict(network.state_dict())
    frozen.requires_grad_(False)
    apart = out_of_place(getattr(torchvision.models, given.model)(weights=None, **extra).eval().to(given.device))
    apart.load_state_dict(network.state_dict())
    layer = apart.get_submodule(Subject(network, images[:1]).layer().name)

    actions = {
        "bound: 1 forward, 9 backward": lambda: bound(frozen, images, targets),
        "explain: ten methods": lambda: explain(network, images, targets, METHODS),
        "captum and pytorch-grad-cam": lambda: peers(apart, layer, images, targets),
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for turn in range(given.rounds + 1):
        for name, action in actions.items():
            spent = timed(action, given.device)
            if turn:  # the first round sets up kernels and memory
                measured[name].append(spent)
    medians = {
        name: tuple(statistics.median(seconds) for seconds in zip(*spent, strict=True))
        for name, spent in measured.items()
    }
    base_wall, base_cpu = medians["bound: 1 forward, 9 backward"]
    print(
        f"{given.model}, {given.batch} images of {given.size}², {CLASSES} classes, {given.device}, "
        f"median of {given.rounds}"
    )
    print(f"{'':<32}{'wall s':>9}{'of bound':>10}{'CPU s':>9}{'of bound':>10}")
    for name, (wall, cpu) in medians.items():
        print(f"{name:<32}{wall:>9.2f}{wall / base_wall:>10.2f}{cpu:>9.2f}{cpu / base_cpu:>10.2f}")
    ours, theirs = medians["explain: ten methods"], medians["captum and pytorch-grad-cam"]
    print(f"{theirs[0] / ours[0]:.1f} times faster than the peers by wall time, {theirs[1] / ours[1]:.1f} by CPU time")


if __name__ == "__main__":
    main()
