"""The outline of a ground-truth mask."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Corner = tuple[int, int]  # row and column, where four pixels meet
Polygon = list[tuple[float, float]]


def outline(mask: Mask) -> list[Polygon]:
    """The closed lines round a mask [H, W] and round its holes.

    Returns:
        Polygons as points (x, y) in pixels from the upper left corner of the picture, so from 0 to W and from 0 to H;
        the last point is joined to the first. They go through the middles of the sides between a pixel of the mask
        and one outside it, so that slanted edges are straight.
    """
    edges = _edges(mask)
    polygons = []
    while edges:
        start, direction = next(iter(edges))
        polygons.append(_straightened(list(_middles(edges, start, direction))))
    return polygons


def _edges(mask: Mask) -> dict[tuple[Corner, tuple[int, int]], None]:
    """The sides of pixels where the mask ends, by first corner and direction, in order; the mask is on their right."""
    padded = np.pad(mask.astype(bool), 1)
    inside = padded[1:-1, 1:-1]
    sides = (
        (inside & ~padded[:-2, 1:-1], (0, 0), (0, 1)),
        (inside & ~padded[1:-1, 2:], (0, 1), (1, 0)),
        (inside & ~padded[2:, 1:-1], (1, 1), (0, -1)),
        (inside & ~padded[1:-1, :-2], (1, 0), (-1, 0)),
    )
    edges = [
        ((int(row) + offset[0], int(column) + offset[1]), direction)
        for ends, offset, direction in sides
        for row, column in np.argwhere(ends)
    ]
    return dict.fromkeys(sorted(edges))


def _middles(
    edges: dict[tuple[Corner, tuple[int, int]], None], corner: Corner, direction: tuple[int, int]
) -> Iterator[tuple[float, float]]:
    """The middles of the sides of one closed line, which are taken out of the `edges`."""
    while (corner, direction) in edges:
        del edges[corner, direction]
        down, across = direction
        yield corner[1] + across / 2, corner[0] + down / 2
        corner = (corner[0] + down, corner[1] + across)
        # right first, so that pixels that touch at a corner alone have lines of their own
        turns = ((across, -down), (down, across), (-across, down))
        direction = next((turn for turn in turns if (corner, turn) in edges), direction)


def _straightened(points: Polygon) -> Polygon:
    """Without the points that lie on a straight line between their neighbors."""
    if len(points) < 3:
        return points
    corners = []
    for before, point, after in zip([points[-1], *points[:-1]], points, [*points[1:], points[0]], strict=True):
        cross = (point[0] - before[0]) * (after[1] - point[1]) - (point[1] - before[1]) * (after[0] - point[0])
        if cross != 0:
            corners.append(point)
    return corners
