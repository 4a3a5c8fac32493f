"""Which channels of a layer are worth a forward pass of their own."""

from torch import Tensor


def top_channels(activations: Tensor, most: int) -> Tensor:
    """[N, most]: the channels with the largest mean absolute activation, the strongest first; all where `most` is 0."""
    strength = activations.abs().mean(dim=(2, 3))
    return strength.argsort(dim=1, descending=True, stable=True)[:, : most or None]
