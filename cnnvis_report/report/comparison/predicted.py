"""What a run predicts for an image, in words."""

from cnnvis_report.records.compared_images import ComparedPrediction
from cnnvis_report.report.views import formatting as fmt


def answer(prediction: ComparedPrediction) -> str:
    """The class, the labels or the output."""
    return prediction.name or "nothing"


def extent(prediction: ComparedPrediction) -> str:
    """The probability, the share of the picture or the value; empty where there is none."""
    if prediction.value is not None:
        return fmt.number(prediction.value)
    return "" if prediction.probability is None else fmt.percent(prediction.probability)


def predicted(prediction: ComparedPrediction) -> str:
    """Such as "cat (98.2%)", or "age = 41.2" where scores are values; the class alone where nothing more is known."""
    value = extent(prediction)
    if prediction.value is not None:
        return f"{answer(prediction)} = {value}"
    return f"{answer(prediction)} ({value})" if value else answer(prediction)
