"""Activation maximization: pictures that a unit, a class or several of them prefer to all others nearby."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnvis_report.engine.rounding import root_mean_square
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName
from cnnvis_report.inspection.objectives import Objective, checked_objective, objective_values
from cnnvis_report.inspection.parametrization import FourierPictures, PixelPictures, jittered, source_of, transformed
from cnnvis_report.isolation.context import grad_mode

PARAMETRIZATIONS = ("fourier", "pixels")
FRAMES = 6

__all__ = ["MaximizedImage", "Objective", "maximize_activations"]

Progress = Callable[[int], None]


@dataclass(frozen=True)
class MaximizedImage:
    """An image that was optimized for an objective.

    image: [C, H, W] float32 in 0..1, not normalized.
    reached: the objective's value for the image as it is.
    curve: the objective's value at each step, of the picture as it was transformed then.
    frames: [F, C, H, W], the picture on its way, from the start to the end.
    """

    image: Tensor
    reached: float
    curve: tuple[float, ...]
    frames: Tensor


def maximize_activations(
    subject: Subject,
    objectives: Sequence[Objective],
    *,
    parametrization: str = "fourier",
    steps: int = 256,
    size: tuple[int, int] | None = None,
    start: Tensor | None = None,
    seed: int = 0,
    robust: float = 1.0,
    smooth: float = 1.0,
    capacity: int = 16,
    progress: Progress = lambda _: None,
) -> list[MaximizedImage]:
    """An image for each objective, in order, that makes it as large as possible.

    x* = argmax of E[g(T x)], T a small random transformation. It depends on its objective and the seed alone. Sources:
    Olah et al. 2017 ("fourier"); Simonyan et al. 2013, Mahendran and Vedaldi 2016 ("pixels").

    Args:
        size: (height, width); that of the start, or else of the preprocessing, where None.
        start: a normalized image [C, H, W] to start from; noise where None.
        robust, smooth: strength of the transformations; and, for "pixels", of total variation and an L6 norm.
        capacity: how many images at a time. progress: called with how many steps, of all objectives, are done.

    Raises:
        BadRequest: no such layer, unit, position or parametrization, no steps, a size that isn't known or doesn't fit.
        NotApplicable: a layer has no channels, or doesn't depend on the image.
    """
    _check_request(len(objectives), parametrization, steps, capacity)
    known = [checked_objective(subject, objective) for objective in objectives]
    shape = _shape(subject, size, start)
    _check_fits(subject, shape)
    results = []
    capacity = 1 if subject.one_by_one else capacity  # or the others would have a part in each
    for first in range(0, len(known), capacity):
        ascent = _Ascent(subject, known[first : first + capacity], seed, robust)
        pictures = _first_pictures(ascent, parametrization, shape, start, smooth)
        results += ascent.run(pictures, steps, _counting_on(progress, first * steps))
    return results


def _check_request(objectives: int, parametrization: str, steps: int, capacity: int) -> None:
    if parametrization not in PARAMETRIZATIONS:
        raise UnknownName("parametrization", parametrization, PARAMETRIZATIONS)
    if not objectives or steps < 1 or capacity < 1:
        raise BadRequest(
            f"Activation maximization needs at least one objective, steps ≥ 1 and capacity ≥ 1, "
            f"not {objectives} objectives, steps={steps}, capacity={capacity}."
        )


class _Ascent:
    """Some objectives that are pursued side by side, each in its own row of the batch."""

    def __init__(self, subject: Subject, objectives: Sequence[Objective], seed: int, robust: float) -> None:
        self.subject = subject
        self._robust = robust
        self.objectives = objectives
        self.sources = [source_of(seed, _spelled(objective)) for objective in objectives]
        self.like = next(subject.network.parameters(), torch.zeros(()))
        self._moves = torch.Generator().manual_seed(seed % 2**63)

    def run(self, pictures: FourierPictures | PixelPictures, steps: int, progress: Progress) -> list[MaximizedImage]:
        """The pictures after so many steps."""
        curves: list[Tensor] = []
        stills: list[Tensor] = []
        shots = {round(steps * shot / (FRAMES - 1)) for shot in range(FRAMES)}
        move = transformed if isinstance(pictures, FourierPictures) else jittered
        with grad_mode(), self.subject.in_eval_mode():
            for step in range(steps):
                shown = pictures.pictures()
                if step in shots:
                    stills.append(shown.detach().float())
                values = self._values(move(shown, self._moves, self._robust))
                pictures.ascend(shown, self._slopes(values, shown), left=1 - step / steps)
                curves.append(values.detach())
                progress((step + 1) * len(self.objectives))
            with torch.no_grad():
                images = pictures.pictures()
                reached = self._values(images).tolist()
        images = images.float()
        frames, curve = torch.stack([*stills, images], dim=1), torch.stack(curves, dim=1).tolist()
        return [
            MaximizedImage(image, value, tuple(line), frame)
            for image, value, line, frame in zip(images, reached, curve, frames, strict=True)
        ]

    def _slopes(self, values: Tensor, shown: Tensor) -> Tensor:
        """The objectives' slopes at their pictures, of a mean square of 1, whatever the units of the layers."""
        if not values.requires_grad:
            raise NotApplicable("the objective doesn't depend on the image")
        (slopes,) = torch.autograd.grad(values.sum(), shown)
        sizes = root_mean_square(slopes)
        for row in (sizes.flatten() == 0).nonzero().flatten().tolist():
            # a unit behind a ReLU that sleeps everywhere has no slope: wander until it wakes
            slopes[row] = torch.randn(shown.shape[1:], generator=self.sources[row]).to(slopes)
            sizes[row] = 1
        return slopes / sizes

    def _values(self, pictures: Tensor) -> Tensor:
        """[N]: each objective's value for its own picture."""
        return objective_values(self.subject, self.objectives, self.subject.preprocessing.normalize(pictures))


def _spelled(objective: Objective) -> str:
    """What the noise that a picture starts from depends on, beside the seed; other words would be other pictures."""
    return f"Goal(layer={objective.layer!r}, channels={objective.channels!r}, position={objective.position!r})"


def _first_pictures(
    ascent: _Ascent, parametrization: str, shape: tuple[int, int, int], start: Tensor | None, smooth: float
) -> FourierPictures | PixelPictures:
    like = ascent.like
    if start is None:
        if parametrization == "fourier":
            return FourierPictures.from_noise(shape, ascent.sources, like)
        return PixelPictures.from_noise(shape, ascent.sources, like, smooth=smooth)
    picture = ascent.subject.preprocessing.restore(start.to(like))
    rows = picture.expand(len(ascent.objectives), -1, -1, -1)
    return FourierPictures.from_pictures(rows) if parametrization == "fourier" else PixelPictures(rows, smooth=smooth)


def _shape(subject: Subject, size: tuple[int, int] | None, start: Tensor | None) -> tuple[int, int, int]:
    """(C, H, W) of the pictures."""
    channels = subject.preprocessing.channels
    if start is not None and (start.ndim != 3 or len(start) != channels or size not in (None, tuple(start.shape[1:]))):
        sides, expected = "×".join(map(str, start.shape)), "×".join(map(str, (channels, *(size or ("H", "W")))))
        raise BadRequest(f"The image to start from is {sides}, and {expected} is needed.")
    height, width = size or (tuple(start.shape[1:]) if start is not None else subject.preprocessing.size) or (0, 0)
    if height < 2 or width < 2:
        raise BadRequest(f"{subject.name} reads images of any size; give the size that the pictures are to have.")
    return channels, height, width


def _check_fits(subject: Subject, shape: tuple[int, int, int]) -> None:
    like = next(subject.network.parameters(), torch.zeros(()))
    try:
        with grad_mode(), torch.no_grad():
            subject.forward(like.new_zeros(1, *shape))
    except (RuntimeError, ValueError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        reason = next(iter(str(error).splitlines()), "")
        raise BadRequest(f"{subject.name} doesn't take images of {shape[1]}×{shape[2]} ({reason}).") from error


def _counting_on(progress: Progress, before: int) -> Progress:
    return lambda done: progress(before + done)
