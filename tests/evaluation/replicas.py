"""What several tests need: drawn maps, a linear score, and slow replicas of resizing, ranking and curves."""

from typing import Any

import numpy as np
import torch


def drawn(*shape: Any, seed: Any = 0) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def drawn_map(*shape: Any, seed: Any = 0) -> Any:
    return drawn(*shape, seed=seed).float().numpy()


def noise(seed: Any = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def linear(weights: Any) -> Any:
    """Two classes, w·x and its double."""
    return lambda images: torch.stack([(images * weights).sum((1, 2, 3)), 2 * (images * weights).sum((1, 2, 3))], dim=1)


def slow_bilinear(values: Any, size: Any) -> Any:
    """Every pixel from the four positions around its center, positions beyond the edge being the edge."""
    h, w = values.shape
    found = np.zeros(size)
    for y in range(size[0]):
        for x in range(size[1]):
            v = max((y + 0.5) * h / size[0] - 0.5, 0)
            u = max((x + 0.5) * w / size[1] - 0.5, 0)
            for row, share in ((int(v), 1 - v % 1), (int(v) + 1, v % 1)):
                for column, part in ((int(u), 1 - u % 1), (int(u) + 1, u % 1)):
                    found[y, x] += share * part * float(values[min(row, h - 1), min(column, w - 1)])
    return found


def slow_order(values: Any, seed: Any) -> Any:
    """Indices, the largest value first; equal values in the order in which they were drawn."""
    lot = torch.randperm(values.size, generator=torch.Generator().manual_seed(seed)).tolist()
    flat = values.flatten().tolist()
    return sorted(range(values.size), key=lambda place: (-flat[place], lot.index(place)))


@torch.no_grad()
def slow_curve(start: Any, end: Any, values: Any, target: Any, score: Any, changed: Any, seed: Any = 0) -> Any:
    """The score after so many pixels have changed, the map's largest first."""
    order = slow_order(values, seed)
    found = []
    for count in changed:
        picture = start.clone()
        for place in order[: int(count)]:
            y, x = divmod(place, values.shape[1])
            for channel in range(len(picture)):
                picture[channel, y, x] = end[channel, y, x]
        found.append(float(score(picture[None])[0, target]))
    return found


class Watched:
    """A scorer that counts its images, keeps the largest batch and spoils what it was given."""

    def __init__(self, score: Any) -> None:
        self.score, self.images, self.largest = score, 0, 0

    def __call__(self, batch: Any) -> Any:
        self.images += len(batch)
        self.largest = max(self.largest, len(batch))
        scores = self.score(batch.clone())
        batch.fill_(float("nan"))
        return scores
