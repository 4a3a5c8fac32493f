"""The predicted boxes upon the image: a picture and what its colors mean."""

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.pictures.segmentation import class_color
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.segmentation import PICTURE, LegendRow, PredictedPicture


def detection(image: ImageRecord, links: Links) -> PredictedPicture:
    """The boxes of an image, with the score of the best one of each class."""
    listed = {score.index: score for score in (*image.top, *image.targets) if score.probability}.values()
    rows = tuple(
        LegendRow(score.name, "rgb({} {} {})".format(*class_color(score.index)), fmt.score_value(score))
        for score in listed
    )
    return PredictedPicture("Predicted boxes", links.picture(PICTURE), rows, "")
