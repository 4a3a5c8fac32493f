"""All feature maps of a layer as one picture."""

from torch import Tensor

from cnnvis_report.engine.rounding import beyond_rounding


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
    varies = beyond_rounding(high - low, values.abs().amax((-3, -2, -1)).unsqueeze(-1).unsqueeze(-1))
    return (away - low) * (1 / (high - low)).where(varies, 0.0)
