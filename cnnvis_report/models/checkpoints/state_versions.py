"""Tensors for a network, with the versions of its layers beside them: MNASNet takes none without."""

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn


def put_tensors(network: nn.Module, tensors: Mapping[str, Tensor], *, strict: bool = True) -> list[str]:
    """Put tensors into a network as its own are now; the names of those that are missing.

    A file's tensors, and a dict that was put together, are without the versions that `state_dict` notes.

    Raises:
        RuntimeError: PyTorch's own, of names or shapes that don't fit; `strict=False` lets names differ.
    """
    versioned: OrderedDict[str, Tensor] = OrderedDict(tensors)
    versioned._metadata = network.state_dict()._metadata  # type: ignore[attr-defined]
    return list(network.load_state_dict(versioned, strict=strict).missing_keys)
