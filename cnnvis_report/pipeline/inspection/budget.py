"""What is shown of the layers, and how much."""

from dataclasses import dataclass

from cnnvis_report.data.labels.class_names import find_class
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.inspection.projections import Unit, parse_unit
from cnnvis_report.pipeline.config import ExplainConfig, InspectConfig
from cnnvis_report.pipeline.config.explain import SETS
from cnnvis_report.records.inspection import PICTURE_SIDE

LAYERS, TOP_IMAGES, RULES = 3, 9, 3  # main layers; images of a channel; backward rules of projections
INVERSION_STEPS = 256


@dataclass(frozen=True)
class InspectionBudget:
    """How much of the layers is shown.

    images: that are inspected one by one. values: of feature maps that are kept, in all; of fewer images, and larger
    maps averaged down, where there are more.
    channels: of each main layer, whose top images are shown. units: strongest channels of an image that are projected.
    maximized: units that are maximized, in `steps` steps. inverted: images whose features are inverted. classes: whose
    activation maps are shown, the first ones. side: that pictures of units are averaged down to, in pixels.
    operations: whether every operation is shown of an image, not the blocks alone.
    """

    name: str
    images: int
    values: int
    channels: int
    units: int
    maximized: int
    steps: int
    inverted: int
    classes: int
    side: int = PICTURE_SIDE
    operations: bool = False

    def passes(self, images: int, classes: int, layers: int = LAYERS) -> tuple[float, float]:
        """Forward and backward passes of one image that an inspection takes, of a set of so many.

        Args:
            layers: main ones.
        """
        inspected = min(self.images, images)
        tops = min(TOP_IMAGES, images) * self.channels if images > 1 else 0
        units = layers * (inspected * self.units * RULES + tops)
        optimized = min(self.maximized, classes) * self.steps + min(self.inverted, inspected) * layers * INVERSION_STEPS
        inspection = inspected + units + optimized
        return float(images + inspection), float(inspection)


BUDGETS = {
    "quick": InspectionBudget("quick", 2, 2_000_000, channels=3, units=2, maximized=3, steps=48, inverted=0, classes=6),
    "standard": InspectionBudget(
        "standard", 4, 3_000_000, channels=6, units=4, maximized=6, steps=96, inverted=0, classes=12
    ),
    "full": InspectionBudget(
        "full",
        24,
        400_000_000,
        channels=32,
        units=9,
        maximized=16,
        steps=256,
        inverted=2,
        classes=10_000,
        side=10**6,
        operations=True,
    ),
}

BY_EFFORT = {  # with "auto", where sets of methods are asked for
    "low": InspectionBudget("low", 2, 2_000_000, channels=2, units=1, maximized=2, steps=32, inverted=0, classes=6),
    "medium": InspectionBudget(
        "medium", 3, 2_000_000, channels=4, units=2, maximized=4, steps=64, inverted=0, classes=6
    ),
    "high": BUDGETS["standard"],
    "max": BUDGETS["standard"],
}


@dataclass(frozen=True)
class InspectionPlan:
    """What an inspection shows.

    units: that were asked for. objectives: of feature visualization; empty for the classes predicted most often.
    parametrization: "fourier" or "pixels". init: "noise", or "image" for the strongest image of the set.
    """

    budget: InspectionBudget
    units: tuple[Unit, ...] = ()
    objectives: tuple[Objective, ...] = ()
    parametrization: str = "fourier"
    init: str = "noise"


def plan_inspection(config: InspectConfig, explain: ExplainConfig, subject: Subject) -> InspectionPlan | None:
    """What the configuration asks for; None where nothing is to be shown.

    Raises:
        UnknownName, BadRequest, NotApplicable: there is no such budget, unit or class.
    """
    named = BY_EFFORT[explain.effort] if config.units or config.maximize else None
    budget = choose_inspection(config.inspect, explain) or named
    units = tuple(dict.fromkeys(parse_unit(unit, subject) for unit in config.units))
    objectives = tuple(parse_objective(text, subject) for text in config.maximize)
    return None if budget is None else InspectionPlan(budget, units, objectives, config.parametrization, config.init)


def choose_inspection(name: str, explain: ExplainConfig) -> InspectionBudget | None:
    """The budget called so; "auto" is that of the effort where sets of methods are asked for, else none.

    Raises:
        BadRequest: there is no such budget.
    """
    if name == "auto":
        return BY_EFFORT[explain.effort] if SETS & set(explain.methods) else None
    if name != "none" and name not in BUDGETS:
        raise BadRequest(f"--inspect {name!r}: it can be auto, none, quick, standard or full.")
    return BUDGETS.get(name)


def objective_of(unit: Unit) -> Objective:
    """The objective of maximizing a unit."""
    position = None if unit.row is None or unit.column is None else (unit.row, unit.column)
    return Objective(unit.layer, (unit.channel,), position)


def parse_objective(text: str, subject: Subject) -> Objective:
    """A class, LAYER:CHANNEL or LAYER:CHANNEL:ROW,COLUMN; several with + between them for their mean.

    Raises:
        UnknownName, BadRequest, NotApplicable: there is no such class, layer, channel or position.
    """
    if text in subject.classes:
        return Objective("", (subject.classes.index(text),))
    parts = [part.strip() for part in text.split("+")]
    layer, colon, first = parts[0].rpartition(":") if parts[0].count(":") == 1 else ("", "", "")
    if not colon and ":" in text:
        return objective_of(parse_unit(text, subject))
    if colon:
        units = [parse_unit(f"{layer}:{channel}", subject) for channel in (first, *parts[1:])]
        return Objective(units[0].layer, tuple(unit.channel for unit in units))
    return Objective("", tuple(find_class(part, subject.classes) for part in parts))
