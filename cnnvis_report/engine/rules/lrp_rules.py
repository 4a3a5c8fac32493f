"""Rules of relevance propagation for one layer, in multiplier form: m = R / x goes back in place of R.

With m at z (R = z m), a rule gives m at x. Contributions that it weighs are x w, so that R never has to be divided by
an x that may be 0. The rules of a first layer give R at x itself. Sources: Bach et al. 2015,
doi:10.1371/journal.pone.0130140; Montavon et al. 2017, arXiv:1512.02479, and 2019, doi:10.1007/978-3-030-28954-6_10.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor

from cnnvis_report.engine.rounding import beyond_rounding
from cnnvis_report.engine.rules.affine import Affine

Cache = dict[Any, Any]


class LayerRule(Protocol):
    """How one layer sends multipliers back; what doesn't depend on the class is kept for the next one."""

    def back(self, layer: Affine, m: Tensor, cache: Cache) -> Tensor:
        """M at z to m at x."""


class EntryRule(Protocol):
    """How a first layer spreads relevance over the image."""

    def spread(self, layer: Affine, relevance: Tensor) -> Tensor:
        """From R at z to R at x."""


@dataclass(frozen=True)
class Z:
    """R_i = sum_j x_i w_ij / z_j R_j: the layer's own way back."""

    def back(self, layer: Affine, m: Tensor, cache: Cache) -> Tensor:
        """M at z to m at x."""
        return layer.back(m, layer.weight)


@dataclass(frozen=True)
class Epsilon:
    """R_i = sum_j x_i w_ij / (z_j + e sign z_j) R_j, sign 0 = 1: the bias and e take their part."""

    epsilon: float

    def back(self, layer: Affine, m: Tensor, cache: Cache) -> Tensor:
        """M at z to m at x."""

        def share() -> Tensor:
            z = layer.z()
            return safe_divide(z, z + self.epsilon * torch.where(z < 0, -1.0, 1.0).to(z.dtype))

        return layer.back(m * cached(cache, layer, share), layer.weight)


@dataclass(frozen=True)
class AlphaBeta:
    """R_i = sum_j (alpha (x_i w_ij)+ / z_j+ - beta (x_i w_ij)- / z_j-) R_j; (1, 0) is the z+ rule.

    z+ and z- are sums of the positive and of the negative contributions, the bias's included.
    """

    alpha: float
    beta: float

    def back(self, layer: Affine, m: Tensor, cache: Cache) -> Tensor:
        """From m at z to m at x."""
        halves = Halves(layer)
        positive, negative = cached(cache, layer, lambda: self._shares(layer, halves))
        back = layer.back(m * positive, halves.up)
        if not layer.nonnegative:
            back = torch.where(layer.x < 0, layer.back(m * positive, halves.down), back)
        if negative is None:
            return back * self.alpha
        against = layer.back(m * negative, halves.down)
        if not layer.nonnegative:
            against = torch.where(layer.x < 0, layer.back(m * negative, halves.up), against)
        return back * self.alpha - against * self.beta

    def _shares(self, layer: Affine, halves: "Halves") -> tuple[Tensor, Tensor | None]:
        positive = halves.positive()
        if not self.beta:
            return safe_divide(layer.z(), positive), None
        negative = halves.negative()
        z = positive + negative
        return safe_divide(z, positive), safe_divide(z, negative)


@dataclass(frozen=True)
class Gamma:
    """R_i = sum_j (c_ij + g c_ij+) / (sum_k c_kj + g c_kj+) R_j, c_ij = x_i w_ij; with c- in place of c+ where z_j < 0.

    The bias is one of the contributions. A large g leaves what speaks for z_j alone.
    """

    gamma: float

    def back(self, layer: Affine, m: Tensor, cache: Cache) -> Tensor:
        """From m at z to m at x."""
        halves = Halves(layer)
        above, below = cached(cache, layer, lambda: self._shares(halves))
        back = self._half(layer, m * above, halves, positive=True)
        against = m * below
        return back + self._half(layer, against, halves, positive=False) if bool(against.any()) else back

    def _half(self, layer: Affine, signal: Tensor, halves: "Halves", *, positive: bool) -> Tensor:
        """Back by w + g w+ where x isn't negative, by w + g w- where it is; the other way round otherwise."""

        def weight(upper: bool) -> Tensor:
            return torch.add(layer.weight, halves.up if upper else halves.down, alpha=self.gamma)

        back = layer.back(signal, weight(positive))
        return back if layer.nonnegative else torch.where(layer.x < 0, layer.back(signal, weight(not positive)), back)

    def _shares(self, halves: "Halves") -> tuple[Tensor, Tensor]:
        positive, negative = halves.positive(), halves.negative()
        z = positive + negative
        above, below = safe_divide(z, z + self.gamma * positive), safe_divide(z, z + self.gamma * negative)
        return torch.where(z > 0, above, 0), torch.where(z < 0, below, 0)


@dataclass(frozen=True)
class Flat:
    """R_i = sum_j R_j / n_j: the same for every input of a unit, n_j of them."""

    def spread(self, layer: Affine, relevance: Tensor) -> Tensor:
        """From R at z to R at x."""
        return _spread(layer, relevance, torch.ones_like(layer.weight))


@dataclass(frozen=True)
class WSquare:
    """R_i = sum_j w_ij^2 / (sum_k w_kj^2) R_j: by the weights alone."""

    def spread(self, layer: Affine, relevance: Tensor) -> Tensor:
        """From R at z to R at x."""
        return _spread(layer, relevance, layer.weight.square())


@dataclass(frozen=True)
class ZBox:
    """z^B: R_i = sum_j (x_i w_ij - l w_ij+ - h w_ij-) / (sum of these) R_j, for inputs between l and h.

    low, high: one number a channel of the input, in the units that the network reads.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    def spread(self, layer: Affine, relevance: Tensor) -> Tensor:
        """From R at z to R at x."""
        # x w - l w+ - h w- is (x - l) w+ + (x - h) w-, of which nothing cancels: black beside black is 0, not rounding
        up, down = layer.weight.clamp(min=0), layer.weight.clamp(max=0)
        shape = (1, -1, *[1] * (layer.x.ndim - 2))
        low, high = (layer.x.new_tensor(bound).view(shape) for bound in (self.low, self.high))
        size = low.abs() + high.abs()
        above, below = (torch.where(beyond_rounding(x, size), x, 0) for x in (layer.x - low, layer.x - high))
        share = safe_divide(relevance, layer.forward(above, up) + layer.forward(below, down))
        return above * layer.back(share, up) + below * layer.back(share, down)


def safe_divide(a: Tensor, b: Tensor) -> Tensor:
    """A / b, and 0 where b is: nothing is there that could carry relevance."""
    return torch.where(b == 0, 0, a / torch.where(b == 0, 1, b))


def cached(cache: Cache, layer: Affine, make: Callable[[], Any]) -> Any:
    """What `make` has made for the layer, now or for another class."""
    if layer.node not in cache:
        cache[layer.node] = make()
    return cache[layer.node]


class Halves:
    """A layer's positive and negative weights, and the sums of its positive and of its negative contributions.

    Where no x is negative, half of it is never worked out: linear layers may have 100 million weights.
    """

    def __init__(self, layer: Affine) -> None:
        self._layer = layer

    @cached_property
    def up(self) -> Tensor:
        """max(w, 0)."""
        return self._layer.weight.clamp(min=0)

    @cached_property
    def down(self) -> Tensor:
        """min(w, 0)."""
        return self._layer.weight.clamp(max=0)

    def positive(self) -> Tensor:
        """Sums of max(x w, 0), the bias's part included."""
        layer = self._layer
        total = layer.forward(layer.x.clamp(min=0), self.up)
        if not layer.nonnegative:
            total = total + layer.forward(layer.x.clamp(max=0), self.down)
        return total + layer.bias.clamp(min=0)

    def negative(self) -> Tensor:
        """Sums of min(x w, 0), the bias's part included."""
        layer = self._layer
        total = layer.forward(layer.x.clamp(min=0), self.down)
        if not layer.nonnegative:
            total = total + layer.forward(layer.x.clamp(max=0), self.up)
        return total + layer.bias.clamp(max=0)


def _spread(layer: Affine, relevance: Tensor, weight: Tensor) -> Tensor:
    share = safe_divide(relevance, layer.forward(torch.ones_like(layer.x), weight))
    return layer.back(share, weight)
