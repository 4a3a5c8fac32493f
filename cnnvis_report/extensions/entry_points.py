"""The entry points by which installed packages add to this one."""

from importlib.metadata import EntryPoint, entry_points


def installed(group: str) -> list[tuple[str, EntryPoint]]:
    """The entry points of a group with the distributions that they come from, in one order everywhere."""
    points = {
        (point.dist.name if point.dist else "", point.name, point.value): point for point in entry_points(group=group)
    }
    return [(distribution, point) for (distribution, *_), point in sorted(points.items())]
