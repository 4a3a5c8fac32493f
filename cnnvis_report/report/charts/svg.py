"""SVG elements as safe markup, and the frame of a chart.

A chart is as wide as its place while its text keeps its size: positions are percentages of the plot, and the space for
the axes' text is padding around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Margins:
    """Pixels around the plot, for the text of its axes."""

    top: int = 24
    right: int = 16
    bottom: int = 42
    left: int = 52


@dataclass(frozen=True)
class Words:
    """What a chart says to those who don't see it.

    title: what it shows. description: what is to be seen on it, with the numbers that matter.
    """

    title: str
    description: str = ""


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element: text is escaped unless it is markup; attributes are named with _ for -, those of None left out."""
    written = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _written(value))
        for name, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), written, Markup("").join(map(escape, children)))


def share(value: float) -> str:
    """A share of the plot's width or height as a percentage."""
    return f"{_written(100 * value)}%"


def chart(
    words: Words, plot: Iterable[Markup], *, height: int, margins: Margins, legend: Iterable[tuple[str, str]] = ()
) -> Markup:
    """A figure with its legend.

    Args:
        plot: what is drawn, in percentages of the plot's width and height.
        height: of the whole in pixels.
        legend: a class of the style sheet, and what is drawn in it.
    """
    labels = [element("title", words.title)]
    if words.description:
        labels.append(element("desc", words.description))
    padding = f"padding:{margins.top}px {margins.right}px {margins.bottom}px {margins.left}px"
    drawn = element("svg", *labels, *plot, role="img", height=height, style=f"height:{height}px;{padding}")
    items = [element("li", element("span", class_=f"key {kind}"), name) for kind, name in legend]
    listed = [element("ul", *items, class_="legend")] if items else []
    return element("figure", *listed, drawn, class_="chart")


def mark(tag: str, hint: str, **attributes: str | float | None) -> Markup:
    """Something drawn that says what it is when it is pointed at."""
    return element(tag, *([element("title", hint)] if hint else []), **attributes)


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.3f}".rstrip("0").rstrip(".")
