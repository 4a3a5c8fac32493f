"""The learning rate of a training: what suits the network, and what a user may ask for."""

MOST_RATE = 10


def default_rate(*, small: bool, taught: bool, frozen: bool) -> float:
    """The highest rate of the schedule: of the small network, of a new head alone, or of all layers.

    Args:
        taught: whether the network begins with weights. frozen: whether some of its layers stay as they are.
    """
    if taught:
        return 3e-3 if frozen else 3e-4
    return 1e-2 if small else 1e-3
