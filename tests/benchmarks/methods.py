"""What each method costs, in backward passes, and against its peer where one makes the same map.

    python tests/benchmarks/methods.py [MODEL] [--batch 4] [--size 224] [--rounds 3] [--device cpu]

All is measured in one process, in turn; medians of CPU time and their ratios are printed. One pass is a plain backward
pass to the pixels, of the batch; each method runs by itself, for one class. Peers are captum, pytorch-grad-cam and
Zennit (extra 'bench').
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from tests.benchmarks.passes import out_of_place, timed

OPTIONS: dict[str, dict[str, Any]] = {
    "smoothgrad": {"n": 8},
    "integrated_gradients": {"steps": 8},
    "occlusion": {"patch": 56, "stride": 28},
    "score_cam": {"max_channels": 64},
    "ablation_cam": {"max_channels": 64},
}
ALONE = (
    *("lrp_z", "lrp_epsilon", "lrp_gamma", "lrp_alpha_beta", "lrp_flat", "lrp_w2", "deep_taylor"),
    *("full_grad", "eigen_cam"),
)


def zennit(network: nn.Module, name: str, images: Tensor, targets: Tensor) -> None:
    """One of Zennit's composites, with the canonizer that the family needs."""
    from zennit.attribution import Gradient
    from zennit.composites import EpsilonPlusFlat
    from zennit.torchvision import ResNetCanonizer, VGGCanonizer

    canonizer = ResNetCanonizer if "resne" in name else VGGCanonizer
    with Gradient(network, EpsilonPlusFlat(epsilon=1e-6, canonizers=[canonizer()])) as attributor:
        attributor(images, lambda out: out * nn.functional.one_hot(targets, out.shape[1]))


Calls = dict[str, Callable[[], object]]


def peers(
    network: nn.Module, layer: nn.Module, name: str, images: Tensor, targets: Tensor
) -> dict[str, Callable[[], object]]:
    """By method: its peer's call, with the same number of passes."""
    from captum import attr
    from pytorch_grad_cam import AblationCAM, EigenCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    wanted = [ClassifierOutputTarget(index) for index in targets.tolist()]

    def cam(kind: type) -> Callable[[], object]:
        def run() -> object:
            with kind(model=network, target_layers=[layer]) as made:
                return made(input_tensor=images, targets=wanted)

        return run

    leaf = images.clone().requires_grad_()
    black = torch.zeros_like(images)
    calls: Calls = {
        "saliency": lambda: attr.Saliency(network).attribute(leaf, targets),
        "input_x_gradient": lambda: attr.InputXGradient(network).attribute(leaf, targets),
        "guided_backprop": lambda: attr.GuidedBackprop(network).attribute(leaf, targets),
        "deconvnet": lambda: attr.Deconvolution(network).attribute(leaf, targets),
        "guided_grad_cam": lambda: attr.GuidedGradCam(network, layer).attribute(leaf, targets),
        "grad_cam": lambda: attr.LayerGradCam(network, layer).attribute(leaf, targets),
        "integrated_gradients": lambda: attr.IntegratedGradients(network).attribute(leaf, black, targets, n_steps=8),
        "deep_lift": lambda: attr.DeepLift(network).attribute(leaf, black, targets),
        "smoothgrad": lambda: attr.NoiseTunnel(attr.Saliency(network)).attribute(leaf, nt_samples=8, target=targets),
        "occlusion": lambda: attr.Occlusion(network).attribute(leaf, (3, 56, 56), strides=(3, 28, 28), target=targets),
        "lrp_composite": lambda: zennit(network, name, images, targets),
    }
    kinds = {
        "grad_cam_plus_plus": GradCAMPlusPlus, "hires_cam": HiResCAM, "xgrad_cam": XGradCAM, "layer_cam": LayerCAM,
        "eigen_cam": EigenCAM, "score_cam": ScoreCAM, "ablation_cam": AblationCAM,
    }  # fmt: skip
    return calls | {method: cam(kind) for method, kind in kinds.items()}


def main() -> None:
    """Measure, and print a row a method."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="?", default="resnet50")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--methods", default="", help="names with commas between them; all that have a row where empty")
    given = parser.parse_args()

    torch.manual_seed(0)
    network = torchvision.models.get_model(given.model, weights=None).eval().to(given.device)
    apart = out_of_place(torchvision.models.get_model(given.model, weights=None).eval().to(given.device))
    apart.load_state_dict(network.state_dict())
    images = torch.randn(given.batch, 3, given.size, given.size, device=given.device)
    targets = torch.zeros(given.batch, dtype=torch.long, device=given.device)
    layer = apart.get_submodule(Subject(network, images[:1]).layer().name)
    theirs = peers(apart, layer, given.model, images, targets)
    names = [name for name in given.methods.split(",") if name] or [
        *theirs,
        *(name for name in ALONE if name not in theirs),
    ]
    if not given.methods:  # they score every channel, one image after the other: minutes
        names = [name for name in names if name not in ("score_cam", "ablation_cam")]

    frozen = torchvision.models.get_model(given.model, weights=None).eval().requires_grad_(False).to(given.device)
    leaf = images.clone().requires_grad_()
    logits = frozen(leaf)
    onehot = torch.zeros_like(logits).scatter_(1, targets[:, None], 1.0)

    def median(action: Callable[[], object]) -> float:
        action()
        return statistics.median(timed(action, given.device)[1] for _ in range(given.rounds))

    backward = median(lambda: torch.autograd.grad(logits, leaf, onehot, retain_graph=True))
    forward = median(lambda: frozen(leaf))
    print(f"{given.model}, batch {given.batch}, {given.size}², {given.device}")
    print(f"CPU seconds: forward {forward:.3f}, backward {backward:.3f}")
    print(f"{'method':<22}{'backward passes':>18}{'peer / explain':>18}")
    for name in names:
        ours = median(partial(explain, network, images, targets, [name], **OPTIONS.get(name, {})))
        peer = "–"
        if name in theirs:
            try:
                peer = f"{median(theirs[name]) / ours:.1f}"
            except RuntimeError:  # captum's DeepLift, of a network that calls a ReLU twice
                peer = "raises"
        # explain() runs the network once on an example and once on the batch: what is left is the method
        alone = (ours - forward * (1 + 1 / given.batch)) / backward
        print(f"{name:<22}{alone:>18.2f}{peer:>18}", flush=True)


if __name__ == "__main__":
    main()
