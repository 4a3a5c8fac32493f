"""Reports in TensorBoard, MLflow and Weights & Biases: figure, findings, measures, and the folder itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from io import BytesIO
from math import isfinite
from typing import Any

import numpy as np
from PIL import Image

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.report.figure.content import NoMaps
from cnnvis_report.report.figure.save import figure_png
from cnnvis_report.report.loaded_report import Drawing, LoadedReport
from cnnvis_report.report.views.summary import summarize

GROUP = "cnnvis_report"  # that the names of what is logged begin with


@dataclass(frozen=True)
class Content:
    """What is logged of a report.

    picture: the headline figure; None without maps. caption: of the figure. findings: sentences.
    scalars: accuracy, calibration error, and the mean of every measure as "METHOD/MEASURE".
    """

    picture: Image.Image | None
    caption: str
    findings: tuple[str, ...]
    scalars: dict[str, float]


class ReportContents:
    """What is logged of the reports of a training: the figures have the images and methods of the first one."""

    def __init__(self) -> None:
        self._rows: tuple[str, ...] = ()
        self._columns: tuple[str, ...] = ()

    def of(self, report: LoadedReport) -> Content:
        """Gather what is logged of a report."""
        drawing = self._drawing(report)
        scalars = {name: value for name, value in _scalars(report) if isfinite(value)}
        if drawing is None:
            return Content(None, "", report.findings, scalars)
        picture = Image.open(BytesIO(figure_png(drawing.content))).convert("RGB")
        return Content(picture, drawing.caption, report.findings, scalars)

    def _drawing(self, report: LoadedReport) -> Drawing | None:
        try:
            if not self._rows:
                content = report.figure().content
                self._rows = tuple(row.image.name for row in content.rows)
                self._columns = tuple(f"{column.method.name}@{column.layer}" for column in content.columns)
            drawing = report.figure(images=self._rows, methods=self._columns)
            return drawing if drawing.content.rows else None
        except NoMaps:
            return None
        except (BadRequest, UnknownName):  # an image or a method of the first report is missing from this one
            return report.figure()


class TensorBoardLogger:
    """Logs reports by a `SummaryWriter` of `torch.utils.tensorboard`, or another with its calls; its step is the epoch.

    TensorBoard keeps no files: the text names the folder of the report.
    """

    def __init__(self, writer: Any) -> None:
        self._writer, self._contents = writer, ReportContents()

    def log(self, report: LoadedReport, epoch: int) -> None:
        """Log the report of an epoch."""
        content = self._contents.of(report)
        if content.picture is not None:
            self._writer.add_image(f"{GROUP}/figure", np.asarray(content.picture), epoch, dataformats="HWC")
        lines = [*(f"- {finding}" for finding in content.findings), "", content.caption, "", f"`{report.page}`"]
        self._writer.add_text(f"{GROUP}/findings", "\n".join(lines), epoch)
        for name, value in content.scalars.items():
            self._writer.add_scalar(f"{GROUP}/{name}", value, epoch)
        self._writer.flush()


class MLflowLogger:
    """Logs reports into a run of MLflow: the folder below `cnnvis_report/epoch-0003`, figure and findings beside it.

    Args:
        run_id: of the run; that of the active run without one, or of a new one.
        client: an `MlflowClient`; one of the current tracking address without.
    """

    def __init__(self, run_id: str | None = None, client: Any = None) -> None:
        import mlflow

        self._client = client if client is not None else mlflow.MlflowClient()
        self._run = run_id or (mlflow.active_run() or mlflow.start_run()).info.run_id
        self._contents = ReportContents()

    def log(self, report: LoadedReport, epoch: int) -> None:
        """Log the report of an epoch."""
        content, folder = self._contents.of(report), f"{GROUP}/epoch-{epoch:04d}"
        if content.picture is not None:
            self._client.log_image(self._run, content.picture, f"{folder}.png")
        findings = "".join(f"- {finding}\n" for finding in content.findings)
        self._client.log_text(self._run, f"{findings}\n{content.caption}\n", f"{folder}.md")
        for name, value in content.scalars.items():
            self._client.log_metric(self._run, f"{GROUP}/{name}", value, step=epoch)
        self._client.log_artifacts(self._run, str(report.folder), folder)


class WandbLogger:
    """Logs reports into a run of Weights & Biases, and each folder as a version of one artifact.

    Args:
        run: what `wandb.init` gives; the current run without one.
    """

    def __init__(self, run: Any = None) -> None:
        import wandb

        self._run = run if run is not None else wandb.run or wandb.init()
        self._contents = ReportContents()

    def log(self, report: LoadedReport, epoch: int) -> None:
        """Log the report of an epoch."""
        import wandb

        content = self._contents.of(report)
        findings = "".join(f"<li>{escape(finding)}</li>" for finding in content.findings)
        entries: dict[str, Any] = {**content.scalars, "epoch": epoch, "findings": wandb.Html(f"<ul>{findings}</ul>")}
        if content.picture is not None:
            entries["figure"] = wandb.Image(content.picture, caption=content.caption)
        self._run.log({f"{GROUP}/{name}": value for name, value in entries.items()})
        artifact = wandb.Artifact(f"{GROUP}-{self._run.id}", type="report", metadata={"epoch": epoch})
        artifact.add_dir(str(report.folder))
        self._run.log_artifact(artifact, aliases=["latest", f"epoch-{epoch}"])


def _scalars(report: LoadedReport) -> Iterator[tuple[str, float]]:
    """The numbers of a report by their names; a layer's is a part of the name, as MLflow takes no "@"."""
    summary = summarize(report)
    if summary.predictions is not None:
        yield "accuracy", summary.predictions.accuracy
        yield "calibration_error", summary.predictions.calibration_error
    labels = summary.label_predictions
    if labels is not None and labels.mean_average_precision is not None:
        yield "mean_average_precision", labels.mean_average_precision
    for method, measures in report.metrics.items():
        for name, value in measures.items():
            yield f"{method.replace('@', '/')}/{name}", value
