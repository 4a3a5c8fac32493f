"""The predicted segmentation or boxes upon the image: a picture and what its colors mean."""

from dataclasses import dataclass

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.pictures.segmentation import class_color
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links

PICTURE = "prediction"


@dataclass(frozen=True)
class LegendRow:
    """A class with its color in CSS, and the share of the picture that it covers, in words."""

    name: str
    color: str
    share: str


@dataclass(frozen=True)
class PredictedPicture:
    """What is predicted where: title, address of the picture, what its colors mean, and what other classes cover."""

    title: str
    picture: str
    legend: tuple[LegendRow, ...]
    rest: str


def segmentation(image: ImageRecord, links: Links) -> PredictedPicture:
    """The segmentation of an image."""
    listed = {score.index: score for score in (*image.top, *image.targets)}.values()
    rows = tuple(
        LegendRow(score.name, "rgb({} {} {})".format(*class_color(score.index)), fmt.score_value(score))
        for score in listed
    )
    rest = 1 - sum(score.area or 0.0 for score in listed)
    return PredictedPicture(
        "Predicted segmentation", links.picture(PICTURE), rows, fmt.percent(rest) if rest > 1e-6 else ""
    )


def detection(image: ImageRecord, classes: int, links: Links) -> PredictedPicture:
    """The boxes of an image, with the scores of the best ones; the network has so many classes."""
    listed = {score.index: score for score in (*image.top, *image.targets) if score.probability}.values()
    colors = ["rgb({} {} {})".format(*class_color(score.index % classes)) for score in listed]
    values = map(fmt.score_value, listed)
    rows = tuple(LegendRow(score.name, *row) for score, *row in zip(listed, colors, values, strict=True))
    return PredictedPicture("Predicted boxes", links.picture(PICTURE), rows, "")
