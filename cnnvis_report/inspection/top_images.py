"""The images of a set that excite each channel most, kept while the set streams by."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Top:
    """The images that excite the channels of a layer most, strongest first.

    values: [K, n]. images: [K, n], places in the order of streaming. rows, columns: [K, n], where in the layer.
    """

    values: Tensor
    images: Tensor
    rows: Tensor
    columns: Tensor


class TopImages:
    """The n strongest images of every channel of some layers; memory doesn't grow with the set.

    An image counts once for a channel, by its largest value; of equal ones the earlier comes first.

    Args:
        layers: names. n: images a channel.
    """

    def __init__(self, layers: Sequence[str], n: int = 9) -> None:
        self.layers = tuple(layers)
        self._n = n
        self._seen: dict[str, int] = defaultdict(int)
        self._best: dict[str, Tensor] = {}
        self._positions: dict[str, Tensor] = {}
        self._sums: dict[str, dict[int, Tensor]] = defaultdict(dict)
        self._counts: dict[int, int] = defaultdict(int)

    def add(self, layer: str, values: Tensor, classes: Sequence[int]) -> None:
        """Take in a batch.

        Args:
            values: [N, K, h, w]. classes: [N], the class of each image, below 0 for none.
        """
        peaks, indices = values.flatten(2).max(dim=2)
        peaks, indices = peaks.T.float().cpu(), indices.T.cpu()
        numbers = torch.arange(self._seen[layer], self._seen[layer] + len(values)).expand(len(peaks), -1)
        positions = torch.stack([numbers, indices // values.shape[3], indices % values.shape[3]])
        self._rank(layer, peaks, positions)
        self._seen[layer] += len(values)
        self._by_class(layer, values.flatten(2).amax(dim=2).double().cpu(), classes)

    def merge(self, later: "TopImages") -> None:
        """Take in what another one has kept of the images that follow."""
        for layer, peaks in later._best.items():
            positions = later._positions[layer].clone()
            positions[0] += self._seen[layer]
            self._rank(layer, peaks, positions)
            self._seen[layer] += later._seen[layer]
        for layer, sums in later._sums.items():
            totals = self._sums[layer]
            for index, total in sums.items():
                totals[index] = totals[index] + total if index in totals else total
        for index, count in later._counts.items():
            self._counts[index] += count

    def _rank(self, layer: str, peaks: Tensor, positions: Tensor) -> None:
        """Keep the strongest of those that are there and of these that follow, [K, N] and [3, K, N]."""
        if layer in self._best:
            peaks = torch.cat([self._best[layer], peaks], dim=1)
            positions = torch.cat([self._positions[layer], positions], dim=2)
        order = peaks.argsort(dim=1, descending=True, stable=True)[:, : self._n]
        self._best[layer] = peaks.gather(1, order)
        self._positions[layer] = positions.gather(2, order.expand(3, -1, -1))

    def top(self, layer: str) -> Top:
        """What has been found so far."""
        return Top(self._best[layer], *self._positions[layer])

    def excitement(self, layer: str) -> dict[int, Tensor]:
        """By class: [K], the mean over its images of how strongly each channel was excited at most."""
        first = self.layers[0]
        counts = {index: self._counts[index] for index in self._sums[first]}
        return {index: (total / counts[index]).float() for index, total in sorted(self._sums[layer].items())}

    def _by_class(self, layer: str, peaks: Tensor, classes: Sequence[int]) -> None:
        sums = self._sums[layer]
        for peak, index in zip(peaks, classes, strict=True):
            if index >= 0:
                sums[index] = sums[index] + peak if index in sums else peak
                self._counts[index] += layer == self.layers[0]
