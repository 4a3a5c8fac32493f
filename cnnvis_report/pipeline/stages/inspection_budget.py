"""How much is looked at inside the network."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnvis_report.data.class_names import find_class
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.inspection.projections import parse_unit

LAYERS, TOPS, WAYS = 3, 9, 3  # that are looked at; images of a channel; rules of projections
INVERSION = 256  # steps
FILMED = 6  # images that are shown over the epochs
FORMS, STARTS = ("fourier", "pixels"), ("noise", "image")


@dataclass(frozen=True)
class Preferences:
    """Of what preferred inputs are made, and how.

    goals: empty for the classes that the set is seen as. form: "fourier" or "pixels". start: "noise", or "image" for
    the best image of the set.
    """

    goals: tuple[Objective, ...] = ()
    form: str = FORMS[0]
    start: str = STARTS[0]


@dataclass(frozen=True)
class LookBudget:
    """How much of the inside is shown.

    images: that are looked at. values: of feature maps that are kept, in all; of fewer images, and larger maps averaged
    down, where there are more.
    channels: of each of three layers, whose strongest images are shown. units: strongest channels of an image that
    are projected. preferred: units whose preferred inputs are made, in `steps` steps. inverted: images whose features
    are inverted. classes: whose score maps are shown, the first ones.
    """

    name: str
    images: int
    values: int
    channels: int
    units: int
    preferred: int
    steps: int
    inverted: int
    classes: int

    def passes(self, images: int, classes: int, layers: int = LAYERS) -> tuple[float, float]:
        """Forward and backward passes of one image that looking inside takes, of a set of so many.

        Args:
            layers: that are looked at.
        """
        looked = min(self.images, images)
        units = layers * (looked * self.units * WAYS + (min(TOPS, images) * self.channels if images > 1 else 0))
        made = min(self.preferred, classes) * self.steps + min(self.inverted, looked) * layers * INVERSION
        both = looked + units + made
        return float(images + both), float(both)


BUDGETS = {
    "quick": LookBudget("quick", 2, 4_000_000, channels=3, units=2, preferred=3, steps=48, inverted=0, classes=6),
    "standard": LookBudget(
        "standard", 4, 11_000_000, channels=6, units=4, preferred=6, steps=96, inverted=0, classes=12
    ),
    "full": LookBudget(
        "full", 24, 400_000_000, channels=32, units=9, preferred=16, steps=256, inverted=2, classes=10_000
    ),
}


def choose_look(asked: str, methods: Sequence[str]) -> LookBudget | None:
    """The budget called so; "auto" is standard where sets of methods are asked for, and none where they are named.

    Raises:
        BadRequest: there is no such budget.
    """
    if asked == "auto":
        asked = "standard" if {"standard", "all"} & set(methods) else "none"
    if asked != "none" and asked not in BUDGETS:
        raise BadRequest(f"--inspect {asked!r}: it can be auto, none, quick, standard or full.")
    return BUDGETS.get(asked)


def parse_goal(text: str, subject: Subject) -> Objective:
    """A class, LAYER:CHANNEL or LAYER:CHANNEL:ROW,COLUMN; several with + between them for their mean.

    Raises:
        UnknownName, BadRequest, NotApplicable: there is no such class, layer, channel or position.
    """
    if text in subject.classes:
        return Objective("", (subject.classes.index(text),))
    parts = [part.strip() for part in text.split("+")]
    layer, colon, first = parts[0].rpartition(":") if parts[0].count(":") == 1 else ("", "", "")
    if not colon and ":" in text:
        unit = parse_unit(text, subject)
        place = None if unit.row is None or unit.column is None else (unit.row, unit.column)
        return Objective(unit.layer, (unit.channel,), place)
    if colon:
        units = [parse_unit(f"{layer}:{channel}", subject) for channel in (first, *parts[1:])]
        return Objective(units[0].layer, tuple(unit.channel for unit in units))
    return Objective("", tuple(find_class(part, subject.classes) for part in parts))
