"""A converted network beside the one that it was made of, on the first image of a run."""

import torch
from torch import Tensor

from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, CnnVisError, told
from cnnvis_report.isolation.context import scores_in
from cnnvis_report.models.model import Model, Original
from cnnvis_report.records.network import ConversionRecord

LARGEST_DIFFERENCE = 1e-2  # of the largest output; a wrong layer or a wrong axis is far beyond
AS_GOOD_AS_EQUAL = 1e-4


def compare_with_original(model: Model, subject: Subject, example: Tensor) -> ConversionRecord | None:
    """The largest difference of the outputs, relative to the largest output; None where nothing was converted.

    Args:
        example: [1, C, H, W], the first image, normalized.

    Raises:
        BadRequest: the converted network computes something else.
    """
    if model.original is None:
        return None
    expected, actual = _outputs(model.original, subject, example)
    if expected.shape != actual.shape:
        shapes = [" × ".join(map(str, outputs.shape)) for outputs in (expected, actual)]
        raise BadRequest(
            f"{model.name}: {model.original.library} gives {shapes[0]} numbers for an image and the converted network "
            f"{shapes[1]}: it can't be explained in the original's place."
        )
    scale = max(float(expected.abs().max()), torch.finfo(torch.float32).tiny)
    difference = float((expected - actual).abs().max()) / scale
    if not difference <= LARGEST_DIFFERENCE:
        raise BadRequest(
            f"{model.name}: on the first image the converted network differs by {difference:.1e} of the largest output "
            f"from what {model.original.library} computes: it can't be explained in the original's place."
        )
    return ConversionRecord(model.original.library, difference, close=difference <= AS_GOOD_AS_EQUAL)


def _outputs(original: Original, subject: Subject, example: Tensor) -> tuple[Tensor, Tensor]:
    """What the original gives, and the converted network, in float64 on the CPU."""
    with torch.no_grad(), subject.in_eval_mode():
        converted, _ = scores_in(subject.network(example.clone()), 1)
    try:
        expected = original.outputs(example.detach().cpu())
    except CnnVisError:
        raise
    except Exception as error:
        raise BadRequest(f"{subject.name}: {original.library} fails on the first image: {told(error)}.") from error
    return expected.detach().double().cpu(), original.ending(converted.detach().double().cpu())
