"""Feature inversion: what a layer still knows of an image, shown as another image with the same features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.inspection.objectives import layer_name
from cnnvis_report.inspection.parametrization import FourierPictures, source_of, total_variation
from cnnvis_report.isolation.context import grad_mode

SMOOTH = 1.0  # of the total variation's mean over channels and pixels, beside a relative distance of features
RATE = 0.1


@dataclass(frozen=True)
class Inverted:
    """An image whose features at a layer are those of a given image, as nearly as was found.

    image: [C, H, W] float32 in 0..1, not normalized.
    error: ||Φ(x) - Φ(x0)||² / ||Φ(x0)||² of the image as it is, 0 for a perfect match; the distance alone where Φ(x0)
        is zero everywhere.
    curve: the same at each step, of the image before it.
    """

    layer: str
    image: Tensor
    error: float
    curve: tuple[float, ...]


def invert(
    subject: Subject,
    image: Tensor,
    layers: Sequence[str],
    *,
    steps: int = 256,
    seed: int = 0,
    smooth: float = 1.0,
    capacity: int = 16,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Inverted]:
    """For each layer, in order, an image found from noise that has the features of a given image there.

    x* = argmin of ||Φ(x) - Φ(x0)||² / ||Φ(x0)||² + s TV(x), the total variation (exponent 2) a mean over channels and
    pixels (Mahendran and Vedaldi 2015, eq. 1); x by its spectrum (Olah et al. 2017). It shows what the layer keeps.

    Args:
        image: [C, H, W], normalized. layers: names of layers, of any shape.
        smooth: strength of the total variation, 1 as the usual one; 0 for none.
        capacity: how many images are optimized at a time.
        progress: called after each step with how many have been made, layers × steps in the end.

    Raises:
        BadRequest: no such layer, no layers or steps, or something that isn't one image.
        NotApplicable: a layer doesn't depend on the image.
    """
    if not layers or steps < 1 or capacity < 1 or image.ndim != 3:
        raise BadRequest(
            f"Feature inversion needs one image C×H×W, at least one layer, steps ≥ 1 and capacity ≥ 1, not "
            f"{image.ndim} dimensions, {len(layers)} layers, steps={steps}, capacity={capacity}."
        )
    names, inverted = [layer_name(subject, layer) for layer in layers], []
    capacity = 1 if subject.one_by_one else capacity  # or the others' pictures would have a part in each
    for first in range(0, len(names), capacity):
        descent = _Descent(subject, image, names[first : first + capacity], seed)
        for step in range(steps):
            descent.step(smooth, left=1 - step / steps)
            progress(first * steps + (step + 1) * len(descent.names))
        inverted += descent.found()
    return inverted


class _Descent:
    """Some layers of an image that are inverted side by side, each in its own row of the batch."""

    def __init__(self, subject: Subject, image: Tensor, names: Sequence[str], seed: int) -> None:
        self.names = names
        self._subject = subject
        channels, height, width = image.shape
        with grad_mode(), torch.no_grad():
            features = self._features(image.unsqueeze(0).expand(len(names), -1, -1, -1))
        self._wanted = features
        self._sizes = [float(feature.square().sum()) or 1.0 for feature in features]
        sources = [source_of(seed, repr(name)) for name in names]
        self._pictures = FourierPictures.from_noise((channels, height, width), sources, image, rate=RATE, soft=False)
        self._curves: list[Tensor] = []

    def step(self, smooth: float, left: float) -> None:
        """One step down, at what is left of the rate."""
        with grad_mode(), self._subject.in_eval_mode():
            shown = self._pictures.pictures()
            errors = self._errors(shown)
            if not errors.requires_grad:
                raise NotApplicable("none of these layers depends on the image")
            cost = errors + smooth * SMOOTH * total_variation(shown) / shown[0].numel()
            (slopes,) = torch.autograd.grad(cost.sum(), shown)
            self._pictures.ascend(shown, -slopes, left)
        self._curves.append(errors.detach())

    def found(self) -> list[Inverted]:
        """The images as they are now."""
        with grad_mode(), torch.no_grad(), self._subject.in_eval_mode():
            images = self._pictures.pictures()
            errors = self._errors(images).tolist()
        curves = torch.stack(self._curves, dim=1).tolist()
        return [
            Inverted(name, image, error, tuple(curve))
            for name, image, error, curve in zip(self.names, images.float(), errors, curves, strict=True)
        ]

    def _errors(self, pictures: Tensor) -> Tensor:
        """[N]: the relative squared distance of each picture's features to those at its layer."""
        features = self._features(self._subject.preprocessing.normalize(pictures))
        distances = [(now - wanted).square().sum() for now, wanted in zip(features, self._wanted, strict=True)]
        return torch.stack([distance / size for distance, size in zip(distances, self._sizes, strict=True)])

    def _features(self, images: Tensor) -> list[Tensor]:
        """For each row of [N, C, H, W], normalized, what the row's layer gives for it."""
        read: dict[int, Tensor] = {}

        def keep(name: str, output: Tensor) -> None:
            # a copy: an operation in place may follow
            read.update({row: output[row].clone() for row, layer in enumerate(self.names) if layer == name})

        with self._subject.watching(list(dict.fromkeys(self.names)), keep):
            self._subject.forward(images)
        return [read[row] for row in range(len(self.names))]
