"""Maps at another size, so that they can be laid over an image or over one another."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import interpolate


def at_size(values: Tensor, size: Sequence[int]) -> Tensor:
    """A map [h, w] at another size [H, W]: bilinear, align_corners=False, as the report shows it."""
    return _resized(values, size, "bilinear")


def on_grid(values: Tensor, size: Sequence[int]) -> Tensor:
    """A map [h, w] on a grid [H, W]: averaged over areas along a side that is longer, bilinear along a shorter one.

    Areas are those of adaptive average pooling: where the sides don't divide, neighbors share a row of positions.
    """
    reduced = [min(length, side) for length, side in zip(values.shape, size, strict=True)]
    return at_size(_resized(values, reduced, "area"), size)


def _resized(values: Tensor, size: Sequence[int], mode: str) -> Tensor:
    if tuple(values.shape) == tuple(size):
        return values
    corners = False if mode == "bilinear" else None
    # in float64, so that the rounding back to float32 leaves plateaus flat: ranks would turn noise into an order
    exact = values.detach().cpu().double()[None, None]
    return interpolate(exact, size=tuple(size), mode=mode, align_corners=corners)[0, 0].to(values)
