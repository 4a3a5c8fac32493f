"""A report of a small network after an epoch, for loggers; its measures are of two layers."""

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cnnvis_report import create_report
from cnnvis_report.report.figure.save import figure_png
from cnnvis_report.report.loaded_report import LoadedReport
from tests.live.small import inputs, network


def epoch_report(folder: Path) -> LoadedReport:
    return create_report(
        network(),
        (inputs(), torch.tensor([0, 1, 2])),
        output=folder,
        methods="grad_cam,gradient",
        layers=["0.0", "0.3"],
        metrics="quick",
        inspect="none",
        progress="none",
    )


def same_picture(png: bytes, report: LoadedReport) -> bool:
    """Whether an image file has the pixels of the figure of the images and methods that the report chooses."""
    content = report.figure().content
    images = [row.image.name for row in content.rows]
    methods = [f"{column.method.name}@{column.layer}" for column in content.columns]
    assert len(images) > 1 and len(methods) > 1
    expected = figure_png(report.figure(images=images, methods=methods).content)
    pixels, other = (np.asarray(Image.open(BytesIO(data)).convert("RGB")) for data in (png, expected))
    return np.array_equal(pixels, other)


def a_measure(report: LoadedReport) -> tuple[str, float]:
    """The name that a logger has to use for a measure, and its value."""
    name, value = next(iter(report.metrics["grad_cam@0.3"].items()))
    return f"cnnvis_report/grad_cam/0.3/{name}", value


def scalars(report: LoadedReport) -> set[str]:
    """The names that a logger has to use."""
    return {"cnnvis_report/accuracy", "cnnvis_report/calibration_error"} | {
        f"cnnvis_report/{method.replace('@', '/')}/{measure}"
        for method, values in report.metrics.items()
        for measure in values
    }
