"""Which reader an output needs, by what was asked for and by its shape."""

from typing import Any

from torch import nn

from cnnvis_report.engine.outputs.boxes import BoxScores, are_detections
from cnnvis_report.engine.outputs.readers import ClassScores, OutputReader
from cnnvis_report.engine.outputs.regions import RegionMeans, is_regular, score_maps_in
from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.context import described, fits_as_scores
from cnnvis_report.records.scores import ScoreKind, kind_named


def choose_reader(
    output: Any, count: int, size: tuple[int, int], requested: str, network: nn.Module, name: str
) -> OutputReader:
    """The reader of a network's first output.

    Args:
        count: images of the pass. size: height and width of the images. requested: "auto", a task, or a kind by its
            name. network: that gave it, called `name`.

    Raises:
        BadRequest: a segmentation is asked for, and there are no maps of scores; or a detection, and no boxes.
    """
    wanted = kind_named(requested)
    if wanted in (None, ScoreKind.DETECTION) and are_detections(output, count):
        return BoxScores.of(output, network, name)
    if wanted is ScoreKind.DETECTION:
        raise BadRequest(
            f"--task detection: {name} returns {described(output)}; a detector gives a dictionary with boxes, labels "
            f"and scores for each image."
        )
    if wanted is not ScoreKind.SEGMENTATION and (wanted is not None or fits_as_scores(output, count)):
        return ClassScores(name)
    maps, note = score_maps_in(output, count)
    if wanted is ScoreKind.SEGMENTATION:
        if maps is None:
            raise BadRequest(
                f"--task segmentation: {name} returns {described(output)}; a segmentation gives N×classes×h×w scores."
            )
        return RegionMeans.of(maps, note, name)
    if maps is not None and is_regular((int(maps.shape[2]), int(maps.shape[3])), size):
        return RegionMeans.of(maps, note, name)
    return ClassScores(name)
