"""Detections of transformers: what a network returns becomes boxes in pixels by its image processor's own reading."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis_report.engine.outputs.boxes import are_detections
from cnnvis_report.errors import BadRequest, told
from cnnvis_report.models.hugging_face.network import PIXELS
from cnnvis_report.models.hugging_face.preprocessing import FILE, processor_of

LEAST = 0.05  # of the score of a box, as torchvision's detectors have it

PostProcess = Callable[..., list[dict[str, Tensor]]]


def returning_boxes(network: nn.Module, folder: Path) -> None:
    """Let a network return boxes, labels and scores of each image, in pixels of what it reads.

    Raises:
        BadRequest: the folder has no image processor that reads boxes.
    """
    if not (folder / FILE).is_file():
        raise BadRequest(f"{folder}: has no {FILE}, which says how boxes are read from what the network returns.")
    processor = processor_of(folder)
    read = getattr(processor, "post_process_object_detection", None)
    if read is None:
        raise BadRequest(f"{folder / FILE}: {type(processor).__name__} reads no boxes from what a network returns.")
    network.register_forward_hook(partial(_boxes, read, folder), with_kwargs=True)


def _boxes(
    read: PostProcess, folder: Path, _: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any], output: Any
) -> list[dict[str, Tensor]]:
    """A list with boxes, labels and scores for each image, those of an unlikely score left out."""
    images: Tensor = inputs[0] if inputs else named[PIXELS]
    sizes = torch.tensor([images.shape[-2:]] * len(images))
    try:
        images_of_boxes = read(output, threshold=LEAST, target_sizes=sizes.to(images.device))
    except (AttributeError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise BadRequest(
            f"{folder / FILE}: it can't read the boxes that the network returns ({told(error)})."
        ) from error
    if not are_detections(images_of_boxes, len(images)):
        raise BadRequest(f"{folder / FILE}: it reads something else than boxes, labels and scores of each image.")
    return images_of_boxes
