"""The headline figure of the overview: one picture, whose parts lead to what they show."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnvis_report.report.figure.caption import caption, latex
from cnnvis_report.report.figure.content import Figure
from cnnvis_report.report.figure.save import DARK_PICTURE, LIGHT_PICTURE, PRINT, SMALL_PICTURE, page_sheet
from cnnvis_report.report.figure.sheet import Box, Cell, Sheet
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.files.names import FIGURE

PIXELS_A_POINT = 96 / 72  # of a page


@dataclass(frozen=True)
class FigureLink:
    """A part of the picture that leads somewhere.

    box: its place in percent of the picture, as CSS. stop: whether the tab key stops there; a row's maps lie behind the
    page of its image, where it stops at each of them.
    """

    address: str
    name: str
    box: str
    stop: bool


@dataclass(frozen=True)
class HeadlineFigure:
    """The figure as the overview shows it.

    light, dark: addresses of its picture, for light pages and dark ones; one file has the light one for both, as each
    weighs as much as the maps of an image. small: the light one at half its size. width, height: in pixels of a page.
    alt: what is to be seen, in words. latex: the figure with its caption as LaTeX. file: the address of the picture for
    print; empty where the report is one file. command: what writes it as PDF, where that isn't `cnnvis-report figure`.
    """

    light: str
    small: str
    dark: str
    width: int
    height: int
    alt: str
    caption: str
    latex: str
    file: str
    command: str
    links: tuple[FigureLink, ...]


def headline_figure(report: Report, links: Links) -> HeadlineFigure | None:
    """Gather the figure; None where there are no maps."""
    figure = report.figure
    if figure is None:
        return None
    return figure_view(figure, caption(figure), links)


def figure_view(figure: Figure, text: str, links: Links, command: str = "") -> HeadlineFigure:
    """A figure with its caption, as an overview shows it.

    Args:
        command: what writes it as PDF; that for the figure of a run without it.
    """
    sheet, file = page_sheet(figure), links.file(FIGURE)
    return HeadlineFigure(
        light=links.picture(LIGHT_PICTURE),
        small=links.picture(SMALL_PICTURE) if file else "",
        dark=links.picture(DARK_PICTURE) if file else "",
        width=round(sheet.width * PIXELS_A_POINT),
        height=round(sheet.height * PIXELS_A_POINT),
        alt=_alt(figure),
        caption=text,
        latex=latex(text, PRINT.width_mm),
        file=file,
        command=command,
        links=tuple(_links(figure, sheet, links)),
    )


def _alt(figure: Figure) -> str:
    """What the picture shows, row by row."""
    columns = ", ".join(column.title for column in figure.columns)
    rows = "; ".join(f"{row.image.name}: {_prediction(figure, number)}" for number, row in enumerate(figure.rows))
    return f"{fmt.count(len(figure.rows), 'row')} of images with the maps of {columns}. {rows}."


def _prediction(figure: Figure, number: int) -> str:
    row = figure.rows[number]
    if row.head:
        return ", ".join(line.text for line in row.head[1:])
    verdict = {True: ", correct", False: ", misclassified", None: ""}[row.image.correct]
    top = row.image.top
    return f"{fmt.named_score(top[0]) if top else row.image.kind.nothing}{verdict}"


def _links(figure: Figure, sheet: Sheet, links: Links) -> Iterator[FigureLink]:
    for cell in sheet.cells:
        link = _link(figure, cell, links)
        if link is not None:
            address, name, stop = link
            yield FigureLink(address, name, _place(cell.box, sheet), stop)


def _link(figure: Figure, cell: Cell, links: Links) -> tuple[str, str, bool] | None:
    """Where a cell leads, what that is, and whether the tab key stops there; None for the title of the inputs."""
    column = figure.columns[cell.column - 1] if cell.column else None
    if cell.row is None:
        return (links.page("methods", column.method.name), f"Method: {column.title}", True) if column else None
    image = figure.rows[cell.row].image
    if column is None:
        return links.image(image.id), f"{image.name}: all maps", cell.column is None
    return links.tile(image.id, column.method.name), f"{column.title} of {image.name}", False


def _place(box: Box, sheet: Sheet) -> str:
    left, width = (f"{length / sheet.width:.3%}" for length in (box.x, box.width))
    top, height = (f"{length / sheet.height:.3%}" for length in (box.y, box.height))
    return f"left: {left}; top: {top}; width: {width}; height: {height}"
