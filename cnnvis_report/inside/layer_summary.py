"""All feature maps of a layer as one picture."""

from torch import Tensor


def layer_summary(values: Tensor) -> Tensor:
    """How far a layer's maps are from their means, position by position.

    s = mean over c of abs(f_c - mean f_c), then (s - min s) / (max s - min s); 0 everywhere where all are equal.
    Source: Jaso1024/VisualCNN.

    Args:
        values: [..., K, h, w].

    Returns:
        [..., h, w] in 0..1, at the layer's own size.
    """
    away = (values - values.mean((-2, -1), keepdim=True)).abs().mean(-3)
    low, high = away.amin((-2, -1), keepdim=True), away.amax((-2, -1), keepdim=True)
    return (away - low) / (high - low).where(high > low, 1.0)
