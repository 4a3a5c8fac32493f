"""What a figure shows and its form, as settings: the same for the command and for Python."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cnnvis_report.errors import UnknownName
from cnnvis_report.report.figure.style import Style
from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, Integer, Kind, Names, Real
from cnnvis_report.settings.numbers import number

if TYPE_CHECKING:
    from cnnvis_report.report.pictures.drawing import Look

WIDEST = 600.0  # mm
MOST_ROWS = 100
PREDICTION, LABEL = "prediction", "label"
MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72}


@dataclass(frozen=True)
class Length(Kind):
    """A length in mm above 0 and up to `high`; a text may have another unit."""

    high: float

    name = "length"

    def parse(self, value: object) -> float:
        """Such as "178mm", "17.8cm", "7in" or 178 to mm."""
        match = re.fullmatch(r"\s*([0-9.]{1,20})\s*(mm|cm|in|pt)?\s*", value) if isinstance(value, str) else None
        length = number(match[1]) if match else number(value)
        if length is not None:
            length *= MM[match[2] or "mm"] if match else 1.0
        if length is None or not 0 < length <= self.high:
            raise self.refusal(value, f"a width such as 178mm, 17.8cm or 7in, of at most {self.high:g}mm")
        return length


@dataclass(frozen=True)
class FigureConfig:
    """What a figure shows, and its form.

    images: none for those that say most of the network. methods: none for the best of each family. rows: None for as
    many as the rules of the choice give. target: the class whose maps are shown. palette: of positive maps, of signed
    ones, or both.
    """

    group: ClassVar = Group.EXPLAIN

    images: tuple[str, ...] = setting(
        (),
        "Images in the rows, by the names in the report, e.g. cats/a.jpg,b.jpg.",
        Names(),
        metavar="NAMES",
        default_text="the most and least confident, and errors",
        completes="images of run",
        stated=Stated.NEVER,
    )
    methods: tuple[str, ...] = setting(
        (),
        "Methods in the columns, e.g. grad_cam,cam or grad_cam@layer4.",
        Names(),
        metavar="NAMES",
        default_text="the best of each family, one to avoid, random",
        completes="methods of run",
        stated=Stated.NEVER,
    )
    rows: int | None = setting(
        None,
        "How many images to choose.",
        Integer(1, MOST_ROWS),
        metavar="N",
        default_text="at most 8",
        stated=Stated.NEVER,
    )
    target: str = setting(
        PREDICTION, "The class whose maps are shown.", Choice((PREDICTION, LABEL)), key="class", stated=Stated.NEVER
    )
    palette: tuple[str, ...] = setting(
        (),
        "Colors of maps, e.g. viridis, of signed maps, e.g. PuOr, or one of each.",
        Names(),
        metavar="NAMES",
        default_text="turbo,RdBu",
        stated=Stated.NEVER,
    )
    width_mm: float = setting(
        178.0,
        "Width of the figure in mm, or with a unit, e.g. 17.8cm or 7in.",
        Length(WIDEST),
        key="width",
        metavar="LENGTH",
        group=Group.REPORT,
        stated=Stated.NEVER,
    )
    font_size: float = setting(
        8.0, "Size of the letters, in points.", Real(1, 72), metavar="POINTS", group=Group.REPORT, stated=Stated.NEVER
    )

    @property
    def look(self) -> "Look":
        """How maps are drawn.

        Raises:
            UnknownName: there is no such palette.
        """
        from cnnvis_report.report.pictures.drawing import Look  # later, as colors are slow to import
        from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED

        chosen = {}
        for name in self.palette:
            if name not in POSITIVE and name not in SIGNED:
                raise UnknownName("palette", name, [*POSITIVE, *SIGNED])
            chosen["positive" if name in POSITIVE else "signed"] = name
        return Look(**chosen)  # type: ignore[arg-type] # names alone

    @property
    def style(self) -> Style:
        """Its form, for a white page."""
        return Style(self.width_mm, self.font_size)
