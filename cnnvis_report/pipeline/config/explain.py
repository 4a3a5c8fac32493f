"""What is explained, measured and inspected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cnnvis_report.records.methods import EFFORTS, Option
from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, Names, Several, Text
from cnnvis_report.settings.text_kinds import Duration, MethodOptions

SETS = frozenset({"standard", "all"})  # of methods, with which layers are inspected where nobody says otherwise


def _without_layers(values: Mapping[str, object]) -> str:
    """The setting with which others of layers do nothing, and what to do then; empty where layers are inspected."""
    return "with --inspect none: give one of the two" if values.get("inspect") == "none" else ""


def _without_visualizations(values: Mapping[str, object]) -> str:
    """The same of settings that say how features are visualized, and don't ask for any."""
    methods = values.get("methods")
    has_reason = values.get("units") or values.get("maximize") or (isinstance(methods, tuple) and SETS & set(methods))
    is_left_out = values.get("inspect") == "auto" and not has_reason
    return "where no layer is inspected: give --inspect quick, too" if is_left_out else _without_layers(values)


@dataclass(frozen=True)
class ExplainConfig:
    """Which methods explain which class scores.

    options: method to option to value.
    """

    group: ClassVar = Group.EXPLAIN

    methods: tuple[str, ...] = setting(
        ("standard",),
        "Comma-separated methods, or quick, standard, all; package.module:function for one of your own. "
        "'cnnvis-report methods' lists them.",
        Names(),
        short="-m",
        metavar="NAMES",
        completes="methods",
        decides=False,
    )
    effort: str = setting(
        "medium",
        "How many passes through the network the maps of an image may take with --methods standard: about 40 (low), "
        "100 (medium), 500 (high), or as many as methods are defined with (max). The plan says how long each takes. "
        "Options that you set stay as they are.",
        Choice(EFFORTS),
        decides=False,
    )
    time: float | None = setting(
        None,
        "The time that you have, such as 90s, 10m or 1h30m: takes the highest effort whose plan fits.",
        Duration(),
        metavar="TIME",
        instead_of="effort",
        stated=Stated.NEVER,
        decides=False,
    )
    options: Mapping[str, Mapping[str, Option]] = setting(
        {},
        "Set an option of a method, e.g. smoothgrad.n=50. Repeatable.",
        MethodOptions(),
        key="option",
        short="-O",
        metavar="METHOD.NAME=VALUE",
        decides=False,
    )
    classes: str = setting(
        "auto",
        "Classes to explain for each image, comma-separated: top:K for the K highest scores, label, or class names "
        "and indices. auto is the predicted and the labeled class with --effort low or medium, else top:3, as it is of "
        "boxes.",
        Text(numbers=True, several=True, empty=True),
        short="-c",
        metavar="CHOICE",
        decides=False,
    )
    layers: tuple[str, ...] = setting(
        (),
        "Layer that class activation maps are computed from. Repeatable. 'cnnvis-report layers MODEL' lists them.",
        Several(Text()),
        key="layer",
        short="-l",
        metavar="NAME",
        default_text="the last features with a spatial size",
        completes="layers",
        decides=False,
    )
    precision: str = setting(
        "auto",
        "Floating-point type of methods and metrics that need forward passes only, such as RISE and insertion. auto "
        "takes bfloat16 where it is faster, a sample of maps keeps its ranking of pixels (rank correlation of 0.99 or "
        "more), and a sample of metrics its values (up to 5% of the distance between maps).",
        Choice(("auto", "float32", "bfloat16")),
        decides=False,
    )


@dataclass(frozen=True)
class EvaluateConfig:
    """How much the maps are measured."""

    group: ClassVar = Group.EXPLAIN

    metrics: str = setting(
        "auto",
        "How much to measure the maps' faithfulness and localization: quick on 16 images, full on all. auto is quick "
        "with --methods standard or all, and less of it with --effort low or medium; else none.",
        Choice(("auto", "none", "quick", "full")),
        decides=False,
    )


@dataclass(frozen=True)
class InspectConfig:
    """How much of what the layers hold is shown, and of which units."""

    group: ClassVar = Group.INSPECT

    inspect: str = setting(
        "auto",
        "How much to show of what layers compute: filters, feature maps, projections, top images and feature "
        "visualizations; full adds inverted features. auto is standard with --methods standard or all, or where --unit "
        "or --maximize names something, and less of it with --effort low or medium; else none.",
        Choice(("auto", "none", "quick", "standard", "full")),
        decides=False,
    )
    units: tuple[str, ...] = setting(
        (),
        "Show this unit: its projections, top images and feature visualization. Repeatable.",
        Several(Text()),
        key="unit",
        metavar="LAYER:CHANNEL[:ROW,COLUMN]",
        idle_with=_without_layers,
        decides=False,
    )
    maximize: tuple[str, ...] = setting(
        (),
        "Feature visualization of a class or a unit, LAYER:CHANNEL[:ROW,COLUMN]; several joined by + are maximized "
        "together. Repeatable.",
        Several(Text()),
        metavar="WHAT",
        default_text="the classes predicted most often",
        idle_with=_without_layers,
        decides=False,
    )
    parametrization: str = setting(
        "fourier",
        "What feature visualization optimizes: a Fourier spectrum under random transformations, or pixels under "
        "total variation.",
        Choice(("fourier", "pixels")),
        stated=Stated.CHANGED,
        idle_with=_without_visualizations,
        decides=False,
    )
    init: str = setting(
        "noise",
        "What feature visualization starts from: noise, or the image that activates the unit most.",
        Choice(("noise", "image")),
        stated=Stated.CHANGED,
        idle_with=_without_visualizations,
        decides=False,
    )
