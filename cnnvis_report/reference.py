"""Other images of the set, for methods that compare with them or fit something to them."""

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TypeVar

from torch import Tensor

Made = TypeVar("Made")


class Reference:
    """A sample of the image set, read when it is first asked for.

    Args:
        load: gives [M, C, H, W], normalised, on the network's device.
    """

    def __init__(self, load: Callable[[], Tensor]) -> None:
        self._load = load
        self._fitted: dict[Hashable, object] = {}

    @cached_property
    def images(self) -> Tensor:
        """[M, C, H, W]."""
        return self._load()

    def fitted(self, key: Hashable, fit: Callable[[Tensor], Made]) -> Made:
        """What has been fitted to the images under the key; fitted now where nothing has been yet."""
        if key not in self._fitted:
            self._fitted[key] = fit(self.images)
        found: Made = self._fitted[key]  # type: ignore[assignment] # put there by a call with the same key
        return found
