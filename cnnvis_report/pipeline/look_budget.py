"""How much is looked at inside the network."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnvis_report.errors import BadRequest


@dataclass(frozen=True)
class LookBudget:
    """How much of the inside is shown.

    images: that are looked at. values: of feature maps that are kept, in all; of fewer images, and larger maps averaged
    down, where there are more.
    channels: of each of three layers, whose strongest images are shown. units: strongest channels of an image that
    are projected. preferred: units whose preferred inputs are made, in `steps` steps. inverted: images whose features
    are inverted.
    """

    name: str
    images: int
    values: int
    channels: int
    units: int
    preferred: int
    steps: int
    inverted: int


BUDGETS = {
    "standard": LookBudget("standard", 4, 8_000_000, channels=6, units=4, preferred=6, steps=96, inverted=0),
    "all": LookBudget("all", 24, 400_000_000, channels=32, units=9, preferred=16, steps=256, inverted=2),
}


def choose_look(asked: str, methods: Sequence[str]) -> LookBudget | None:
    """The budget called so; "auto" is standard where sets of methods are asked for, and none where they are named.

    Raises:
        BadRequest: there is no such budget.
    """
    if asked == "auto":
        asked = "standard" if {"standard", "all"} & set(methods) else "none"
    if asked != "none" and asked not in BUDGETS:
        raise BadRequest(f"--inside {asked!r}: it can be auto, none, standard or all.")
    return BUDGETS.get(asked)
