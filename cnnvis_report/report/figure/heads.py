"""The words at the head of a figure's rows and below its color bars."""

from dataclasses import dataclass, replace

from cnnvis_report.records.images import ClassScore
from cnnvis_report.records.methods import Kind, MethodInfo, Sign
from cnnvis_report.report.figure.columns import Column
from cnnvis_report.report.figure.content import Figure, HeadLine, Row
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.verdict import predicted_scores

NAMED = 2  # labels of an image that can have several


@dataclass(frozen=True)
class Scale:
    """What a color bar stands for: values of one sign, over the picture or alone.

    low, middle, high: its ends and its middle. below: where it ends, the longest wording first.
    """

    sign: Sign
    kind: Kind
    low: str
    middle: str
    high: str
    below: tuple[str, ...]


def head(row: Row) -> list[HeadLine]:
    """What is said of an image: its name, what is predicted, its label where that is something else, and the reason."""
    if row.head:
        return list(row.head)
    image = row.image
    state = {True: "correct", False: "misclassified", None: ""}[image.correct]
    lines = [HeadLine(row.name, "ink", instead=f"image {row.number}")]
    lines += [
        HeadLine(
            score.name + value,
            state or "ink",
            state if not number else "",
            instead=f"{fmt.column(image.kind)} {score.index}{value}",
        )
        for number, score in enumerate(predicted_scores(image)[:NAMED])
        if (value := _behind_name(score))
    ] or [HeadLine(image.kind.nothing, state or "ink", state)]
    labels = [label.name for label in image.named]
    if labels and not image.correct and image.kind.judged:
        numbers = [str(label.index) for label in image.named if label.index is not None]
        plural = "s" if len(labels) > 1 else ""
        lines.append(
            HeadLine(
                f"label{plural}: {', '.join(labels)}",
                "muted",
                instead=f"label{plural}: {fmt.column(image.kind)} {', '.join(numbers)}" if numbers else "label unknown",
            )
        )
    return [*lines, *([HeadLine(row.reason, "muted")] if row.reason else [])]


def _behind_name(score: ClassScore) -> str:
    """The score as it follows the name: " (94.4%)", or " = 41.2" where it is a value; empty where it isn't known."""
    value = fmt.score_value(score)
    return value and (f" = {value}" if score.share is None else f" ({value})")


def scale_of(method: MethodInfo) -> tuple[Sign, bool]:
    """What a method's colors depend on: the sign, and whether the map stands alone."""
    return method.shown_sign, method.kind is Kind.PIXEL


def scale(method: MethodInfo) -> Scale:
    """The scale of a method's maps, in words."""
    signed, alone = method.shown_sign is Sign.SIGNED, method.kind is Kind.PIXEL
    largest = ("to the largest value of each map", "to each map's maximum", "to its maximum")
    below: tuple[str, ...] = (f"over the input, {largest[0]}", *largest)
    if alone:
        below = ("to the 99th percentile of each map", "to the 99th percentile", "to 99%")
    if signed:
        return Scale(method.shown_sign, method.kind, "against", "0", "for", below)
    return Scale(method.shown_sign, method.kind, "0", "", "high", below)


def scales(figure: Figure) -> list[tuple[Scale, int, int]]:
    """Each kind of scale once, with the first and last of the columns side by side that it is drawn below."""
    bars = []
    kinds = [(scale_of(column.method), column.ends) for column in figure.columns]
    for first, kind in enumerate(kinds):
        if kind in kinds[:first]:
            continue
        last = first
        while last + 1 < len(kinds) and kinds[last + 1] == kind:
            last += 1
        bars.append((_scale_below(figure.columns[first]), first, last))
    return bars


def _scale_below(column: Column) -> Scale:
    """The scale of a column, with words of its own at its ends where it has them."""
    words = scale(column.method)
    return replace(words, low=column.ends[0], high=column.ends[1]) if column.ends else words
