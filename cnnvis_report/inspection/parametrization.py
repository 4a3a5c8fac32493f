"""Pictures that are being optimized: how they are parametrized, kept smooth, and moved about meanwhile."""

from collections.abc import Sequence
from math import cos, pi, sin
from zlib import crc32

import torch
from torch import Tensor
from torch.fft import fftfreq, irfft2, rfft2, rfftfreq
from torch.nn.functional import affine_grid, grid_sample

# a picture in Fourier form
CONTRAST = 0.25  # of a spectrum of ones, in log-odds: larger makes steps coarser
FIRST = 0.01  # spread of the spectrum that an optimization starts from
RATE = 0.05
# luminance, blue against red, green against magenta: spreads beside the first, as measured in photographs
COLOUR_SPREADS = (1.0, 0.3, 0.12)
# a picture as pixels
PIXEL_RATE = 0.02
MOMENTUM = 0.8
TV_PULL = 1.0  # where the objective's slope has a mean square of 1
NORM_PULL = 1.0
PIXEL_FIRST = 0.02
# transformations: the largest, in shorter sides, as a share, and in degrees
JITTER = 1 / 24
SCALE = 0.1
ROTATION = 8.0


class FourierPictures:
    """Pictures given by their spectra, in which all frequencies and colors are about equally easy to change.

    picture = sigmoid(B s), s = c Σ z_f / f · cos(2π f·x + …): z the spectrum that is optimized (Adam), f its frequency
    in cycles a pixel, B the colors of `color_basis`, c a fixed contrast. Natural pictures have spectra of 1 / f, so
    that steps in z go to where pictures vary, and not into high frequencies (Olah et al. 2017).

    Args:
        spectra: z to start from, [N, C, H, W // 2 + 1, 2], real and imaginary parts.
        width: of the picture, which a spectrum leaves open.
        rate: of Adam, per step.
        soft: bounded by the sigmoid; else cut to 0..1, with slopes as if uncut, so that no pixel gets stuck at a bound.
    """

    def __init__(self, spectra: Tensor, width: int, *, rate: float = RATE, soft: bool = True) -> None:
        self._spectra = spectra.detach().clone().requires_grad_()
        self._width = width
        self._soft = soft
        height = spectra.shape[2]
        self._weights = CONTRAST / frequencies(height, width).to(spectra).unsqueeze(-1)
        self._basis = color_basis(spectra.shape[1]).to(spectra)
        self._rate = rate
        self._adam = torch.optim.Adam([self._spectra], lr=rate, eps=1e-12)

    @classmethod
    def from_noise(
        cls,
        shape: tuple[int, int, int],
        sources: Sequence[torch.Generator],
        like: Tensor,
        *,
        rate: float = RATE,
        soft: bool = True,
    ) -> "FourierPictures":
        """Nearly gray pictures of a shape (C, H, W), one from each source."""
        channels, height, width = shape
        drawn = [torch.randn(channels, height, width // 2 + 1, 2, generator=source) for source in sources]
        return cls(FIRST * torch.stack(drawn).to(like), width, rate=rate, soft=soft)

    @classmethod
    def from_pictures(cls, pictures: Tensor) -> "FourierPictures":
        """Pictures [N, C, H, W] in 0..1; black and white themselves, which no sigmoid reaches, become nearly so."""
        basis = color_basis(pictures.shape[1]).to(pictures)
        odds = torch.logit(pictures, eps=0.01)
        spectra = rfft2(torch.einsum("dc,nchw->ndhw", basis.inverse(), odds), norm="ortho")
        height, width = pictures.shape[2:]
        weights = frequencies(height, width).to(pictures) / CONTRAST
        return cls(torch.view_as_real(spectra * weights), width)

    def pictures(self) -> Tensor:
        """[N, C, H, W] in 0..1."""
        spectra = torch.view_as_complex(self._spectra * self._weights)
        shown = irfft2(spectra, s=(spectra.shape[2], self._width), norm="ortho")
        values = torch.einsum("cd,ndhw->nchw", self._basis, shown)
        if self._soft:
            return values.sigmoid()
        values = 0.5 + values / 4  # the sigmoid's tangent
        return values + (values.clamp(0, 1) - values).detach()

    def ascend(self, pictures: Tensor, slopes: Tensor, left: float) -> None:
        """One step: `pictures` is what `pictures()` gave, `slopes` of what is to grow, `left` 1 → 0 of the rate."""
        self._adam.param_groups[0]["lr"] = self._rate * left
        (self._spectra.grad,) = torch.autograd.grad(pictures, self._spectra, -slopes)
        self._adam.step()


class PixelPictures:
    """Pictures as they are, kept smooth by total variation (exponent 2) and small by their L6 norm.

    x ← x + r v, v ← m v + g / rms(g) - s (∇TV + ∇L6), cut to 0..1; g the slope of the objective (Simonyan 2013;
    Mahendran and Vedaldi 2016).

    Args:
        start: [N, C, H, W] in 0..1.
        smooth: s, the strength of what keeps them smooth and small; 0 for none.
    """

    def __init__(self, start: Tensor, *, smooth: float = 1.0) -> None:
        self._pixels = start.detach().clone().requires_grad_()
        self._speed = torch.zeros_like(start)
        self._smooth = smooth

    @classmethod
    def from_noise(
        cls, shape: tuple[int, int, int], sources: Sequence[torch.Generator], like: Tensor, *, smooth: float = 1.0
    ) -> "PixelPictures":
        """Nearly gray pictures of a shape (C, H, W), one from each source."""
        drawn = torch.stack([torch.randn(shape, generator=source) for source in sources]).to(like)
        return cls((0.5 + PIXEL_FIRST * drawn).clamp(0, 1), smooth=smooth)

    def pictures(self) -> Tensor:
        """[N, C, H, W] in 0..1."""
        return self._pixels.clone()

    def ascend(self, pictures: Tensor, slopes: Tensor, left: float) -> None:
        """One step: `pictures` is what `pictures()` gave, `slopes` of what is to grow, `left` 1 → 0 of the rate."""
        costs = TV_PULL * total_variation(pictures) + NORM_PULL * sixth_norm(pictures)
        (cost,) = torch.autograd.grad(costs.sum(), pictures)
        with torch.no_grad():
            self._speed = MOMENTUM * self._speed + slopes - self._smooth * cost
            self._pixels.add_(PIXEL_RATE * left * self._speed).clamp_(0, 1)


def frequencies(height: int, width: int) -> Tensor:
    """[H, W // 2 + 1]: cycles a pixel of each number in a real picture's spectrum, the mean's as the lowest but it."""
    down, across = fftfreq(height, dtype=torch.float64), rfftfreq(width, dtype=torch.float64)
    return torch.hypot(down.unsqueeze(1), across).clamp(min=1 / max(height, width))


def color_basis(channels: int) -> Tensor:
    """[C, D]: what each decorrelated color adds to each channel; the identity for other than three channels.

    The columns are orthogonal: luminance (1, 1, 1), red against blue (1, 0, -1) and green against magenta
    (-1, 2, -1), which are nearly the principal axes of photographs' colors (Ohta, Kanade and Sakai 1980), each of
    unit length times its spread there.
    """
    if channels != 3:
        return torch.eye(channels, dtype=torch.float64)
    axes = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 2.0, -1.0]], dtype=torch.float64)
    spreads = torch.tensor(COLOUR_SPREADS, dtype=torch.float64)
    lengths = axes.square().sum(dim=1).sqrt()
    return axes.T * (spreads / lengths)


def total_variation(pictures: Tensor) -> Tensor:
    """[N]: Σ (∂x)² + (∂y)² by differences of neighbors in [N, C, H, W]: total variation of exponent 2."""
    down, across = pictures.diff(dim=2), pictures.diff(dim=3)
    return down.square().sum((1, 2, 3)) + across.square().sum((1, 2, 3))


def sixth_norm(pictures: Tensor) -> Tensor:
    """[N]: Σ (2x - 1)⁶ / 12 of [N, C, H, W]: the L6 norm's power about mid-gray, with a slope of 1 at the bounds."""
    return (2 * pictures - 1).pow(6).sum((1, 2, 3)) / 12


def jittered(pictures: Tensor, source: torch.Generator, strength: float = 1.0) -> Tensor:
    """Pictures [N, C, H, W], all shifted around by the same few whole pixels."""
    most = round(JITTER * strength * min(pictures.shape[2:]))
    shifts = torch.randint(-most, most + 1, (2,), generator=source).tolist()
    return pictures.roll(shifts, dims=(2, 3))


def transformed(pictures: Tensor, source: torch.Generator, strength: float = 1.0) -> Tensor:
    """Pictures [N, C, H, W], all jittered, scaled, turned and jittered again by the same small amounts.

    What only works at an exact place, size or angle, as high-frequency noise does, doesn't survive that (Olah et al.
    2017). What is out of sight is mirrored in.
    """
    drawn = (2 * torch.rand(6, generator=source) - 1).mul(strength).tolist()
    height, width = pictures.shape[2:]
    largest = JITTER * min(height, width)
    zoom, angle = 1 + SCALE * drawn[0], ROTATION * drawn[1] * pi / 180
    (a, b), (c, d) = (cos(angle) / zoom, -sin(angle) / zoom), (sin(angle) / zoom, cos(angle) / zoom)
    x, y = drawn[2] * largest, drawn[3] * largest
    across, down = a * x + b * y + drawn[4] * largest / 2, c * x + d * y + drawn[5] * largest / 2
    where = [[a, b * height / width, 2 * across / width], [c * width / height, d, 2 * down / height]]
    grid = affine_grid(pictures.new_tensor([where]), [1, 1, height, width], align_corners=False)
    grid = grid.expand(len(pictures), -1, -1, -1)
    warped: Tensor = grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return warped


def source_of(seed: int, purpose: str) -> torch.Generator:
    """The source of one picture's noise: the seed and what the picture is for, whatever else is optimized with it."""
    return torch.Generator().manual_seed((seed * 1_000_003 + crc32(purpose.encode())) % 2**63)
