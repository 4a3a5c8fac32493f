"""In which order a map ranks the pixels of an image."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from cnnvis_report.evaluation.resize import at_size

OUT_OF_PLACE = 10_000  # pixels of an image for one place by which equal values may miss the mirrored one


def ranking(values: Tensor, seed: int) -> Tensor:
    """Places [J, P] of values [J, P] in descending order, 0 for the largest.

    Equal values, as maps have many (whatever a ReLU has cut, a flat region), come in a drawn order that is the same
    for all J: by position, the upper left corner would always go first, and that is where objects rarely are.
    """
    values = values.detach().cpu()  # one order on every device
    drawn = torch.randperm(values.shape[1], generator=torch.Generator().manual_seed(seed))
    order = drawn[values[:, drawn].argsort(dim=1, descending=True, stable=True)]
    return torch.empty_like(order).scatter_(1, order, torch.arange(values.shape[1]).expand_as(order))


def stacked(maps: Iterable[Tensor], size: Sequence[int]) -> Tensor:
    """[J, H, W]: maps [h, w] of any sizes at the image's."""
    return torch.stack([at_size(values.cpu(), size) for values in maps])


def pixel_orders(maps: Sequence[Tensor], size: Sequence[int], seed: int) -> tuple[Tensor, list[int | None]]:
    """The orders that occur among maps, each once.

    Returns:
        [K, H, W] places, 0 for the pixel that comes first; and for each map the number of its order, None where it has
        none: a map of one value ranks nothing.
    """
    orders: list[Tensor] = []
    numbers: dict[bytes, int] = {}
    of_map: list[int | None] = []
    for values in maps:
        if not bool(values.isfinite().all()) or values.min() == values.max():
            of_map.append(None)
            continue
        order = ranking(stacked([values], size).flatten(1), seed)[0].to(torch.int32)
        number = numbers.setdefault(order.numpy().tobytes(), len(orders))
        if number == len(orders):
            orders.append(order.view(*size))
        of_map.append(number)
    return torch.stack(orders) if orders else torch.empty((0, *size), dtype=torch.int32), of_map


def without_mirrors(orders: Tensor) -> tuple[Tensor, list[tuple[int, bool]]]:
    """Those of the orders [K, H, W] that mirror none before them: that put first what the other puts last.

    Returns:
        [L, H, W]; and for each of the K its number among the L, and whether it is that one's mirror. A place or two off
        for pixels of equal value is a mirror still.
    """
    first: list[Tensor] = []
    numbers: list[tuple[int, bool]] = []
    for order in orders:
        last = order.numel() - 1
        misses = [int((other + order - last).abs().max()) for other in first]
        whose = next((k for k, miss in enumerate(misses) if miss <= last // OUT_OF_PLACE), -1)
        numbers.append((len(first), False) if whose < 0 else (whose, True))
        if whose < 0:
            first.append(order)
    return torch.stack(first), numbers
