"""What takes the place of pixels that are taken away, the same for every map of an image."""

import math

from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from cnnvis_report.errors import UnknownName

SIGMA = 5.0
BASELINES = {"blur": "the blurred image", "mean": "the image's mean color", "black": "black"}  # in words


def baseline(image: Tensor, name: str, black: Tensor) -> Tensor:
    """[C, H, W]: the picture without information that an image is compared with.

    blur: the image under a Gaussian of 5 pixels. mean: the mean of each channel of the image. black: no light.

    Args:
        image: [C, H, W], normalized. name: one of BASELINES. black: [C, 1, 1], normalized.

    Raises:
        UnknownName: no baseline is called so.
    """
    match name:
        case "blur":
            return blurred(image)
        case "mean":
            return image.mean((1, 2), keepdim=True).expand_as(image)
        case "black":
            return black.to(image).expand_as(image)
    raise UnknownName("baseline", name, BASELINES)


def blurred(image: Tensor, sigma: float = SIGMA) -> Tensor:
    """[C, H, W] under a Gaussian of `sigma` pixels, mirrored at the edges, cut at 3 sigma or at the image's side."""
    height, width = image.shape[-2:]
    reach = [min(math.ceil(3 * sigma), side - 1) for side in (width, height)]
    soft: Tensor = gaussian_blur(image, [2 * pixels + 1 for pixels in reach], [sigma, sigma])
    return soft
