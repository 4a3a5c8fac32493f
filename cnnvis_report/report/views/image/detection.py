"""The predicted boxes upon the image: a picture and what its colors mean."""

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.pictures.segmentation import class_color
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image.segmentation import PICTURE, LegendRow, PredictedPicture
from cnnvis_report.report.views.links import Links


def detection(image: ImageRecord, classes: int, links: Links) -> PredictedPicture:
    """The boxes of an image, with the scores of the best ones; the network has so many classes."""
    listed = {score.index: score for score in (*image.top, *image.targets) if score.probability}.values()
    colors = ["rgb({} {} {})".format(*class_color(score.index % classes)) for score in listed]
    values = map(fmt.score_value, listed)
    rows = tuple(LegendRow(score.name, *row) for score, *row in zip(listed, colors, values, strict=True))
    return PredictedPicture("Predicted boxes", links.picture(PICTURE), rows, "")
