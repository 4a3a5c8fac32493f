"""Other images of the set, for methods that compare with them or fit something to them."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import Protocol

from torch import Tensor

Fitted = tuple[Tensor, ...]


class FitCache(Protocol):
    """Where what has been fitted outlives the process."""

    def find(self, key: str, like: Tensor) -> Fitted | None:
        """What was put there under the key, on the device of `like`; None where nothing was."""

    def put(self, key: str, fitted: Fitted) -> None:
        """Keep it, if that can be."""


class Reference:
    """A sample of the image set, read when it is first asked for.

    Args:
        load: gives [M, C, H, W], normalized, on the network's device.
        cache: where what is fitted is looked for, and put; nowhere but in memory where None.

    loading, fitting: seconds that it took to read the images, and to fit to them, which no image pays again.
    """

    def __init__(self, load: Callable[[], Tensor], cache: FitCache | None = None) -> None:
        self._load = load
        self._cache = cache
        self._fitted: dict[str, Fitted] = {}
        self.loading, self.fitting = 0.0, 0.0

    @cached_property
    def images(self) -> Tensor:
        """[M, C, H, W]."""
        start = time.perf_counter()
        images = self._load()
        self.loading += time.perf_counter() - start
        return images

    def with_cache(self, cache: FitCache) -> "Reference":
        """The same sample, with a cache."""
        return Reference(lambda: self.images, cache)

    def unfitted(self) -> "Reference":
        """The same sample without what was fitted to it, as for another network."""
        return Reference(lambda: self.images)

    def fitted(self, key: str, fit: Callable[[Tensor], Fitted]) -> Fitted:
        """What has been fitted to the images under the key; fitted now where nothing has been yet."""
        if key not in self._fitted:
            values = self._cache.find(key, self.images) if self._cache else None
            if values is None:
                images, start = self.images, time.perf_counter()
                values = fit(images)
                self.fitting += time.perf_counter() - start
                if self._cache:
                    self._cache.put(key, values)
            self._fitted[key] = values
        return self._fitted[key]
