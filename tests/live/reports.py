"""A report of a small network after an epoch, for loggers; its measures are of two layers."""

from pathlib import Path

import torch

from cnnvis_report import create_report
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
