"""Reports while a network trains: one every few epochs, and none of them can end the training."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import distributed, nn

from cnnvis_report.errors import BadRequest, told
from cnnvis_report.live.create import create_report
from cnnvis_report.methods.selection import select
from cnnvis_report.pipeline.arguments import config_of
from cnnvis_report.report.loaded_report import LoadedReport

log = logging.getLogger("cnnvis_report")
DEFAULTS: dict[str, Any] = {"methods": "quick", "metrics": "none", "inspect": "none", "limit": 16, "progress": "none"}
NO_SETTINGS = ("classes", "labels", "targets", "transform", "name", "progress")  # arguments of create_report alone


class ReportLogger(Protocol):
    """Takes a report to where the rest of the training is logged."""

    def log(self, report: LoadedReport, epoch: int) -> None:
        """Log the report of an epoch; whatever is raised becomes a warning."""
        ...


class EpochReports:
    """Makes a report every few epochs of a training, each in a folder of its own: `reports/epoch-0003`.

    The module is left exactly as it was, random numbers included: the training's results are the same without reports.
    A report that fails is a warning in Python's logging, once for each reason, and the training goes on. Where several
    processes train, the first one makes the reports and the others write nothing.

    Args:
        images: what `create_report` takes; the same ones at every epoch, so without random augmentation.
        output: the folder that gets a folder for each epoch.
        every: how many epochs apart reports are.
        loggers: what takes each report elsewhere: `TensorBoardLogger`, `MLflowLogger`, `WandbLogger`, or your own.
        settings: what `create_report` takes. Without any a report is cheap: quick methods on the first 16 images,
            without metrics and inspection, which is `methods="quick", limit=16, metrics="none", inspect="none"`.

    Raises:
        BadRequest, UnknownName: a setting doesn't exist or isn't of its kind; said before the training starts.
    """

    def __init__(
        self,
        images: object,
        output: str | Path = "reports",
        *,
        every: int = 1,
        loggers: Sequence[ReportLogger] = (),
        **settings: Any,
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise BadRequest(f"every is {every!r}; a number of epochs from 1 is needed.")
        self.images, self.output, self.every, self.loggers = images, Path(output), every, list(loggers)
        self.settings = DEFAULTS | settings
        self.failures = 0
        self._warned: set[str] = set()
        self._latest: int | None = None
        self._reported: int | None = None
        _check(self.settings, self.output)

    def on_epoch_end(self, module: nn.Module, epoch: int) -> LoadedReport | None:
        """Make the report of an epoch, where it is due.

        Args:
            module: the network that trains. epoch: its number; a report is due where `every` divides it.

        Returns:
            The report; None where none is due, or it failed.
        """
        self._latest = epoch
        return self.report(module, epoch) if epoch % self.every == 0 else None

    def close(self, module: nn.Module) -> LoadedReport | None:
        """Make the report of the last epoch, where it wasn't due."""
        return None if self._latest is None else self.report(module, self._latest)

    def report(self, module: nn.Module, epoch: int) -> LoadedReport | None:
        """Make the report of an epoch, unless there was one; None where it fails."""
        if epoch == self._reported or not is_first_process():
            return None
        self._reported = epoch
        folder = self.output / f"epoch-{epoch:04d}"
        try:
            report = self._create(module, folder)
        except (Exception, SystemExit) as error:  # the training is worth more than a report on it
            self.warn("There is no report", epoch, error)
            return None
        for logger in self.loggers:
            try:
                logger.log(report, epoch)
            except (Exception, SystemExit) as error:
                self.warn(f"{type(logger).__name__} did not log the report", epoch, error)
        return report

    def warn(self, what: str, epoch: int, error: BaseException) -> None:
        """Say what went wrong, once for each reason."""
        self.failures += 1
        reason = told(error)
        key = f"{what} {reason}".replace(f"epoch-{epoch:04d}", "")
        level = logging.DEBUG if key in self._warned else logging.WARNING
        self._warned.add(key)
        log.log(level, "%s after epoch %d, and the training goes on: %s", what, epoch, reason)

    def _create(self, module: nn.Module, folder: Path) -> LoadedReport:
        if self.images is None:
            raise BadRequest("There are no images to report on: give some, images=…")
        _check_whole(module)
        return create_report(module, self.images, output=folder, **self.settings)


def is_first_process() -> bool:
    """Whether this is the only process that trains, or the first of several."""
    return not distributed.is_available() or not distributed.is_initialized() or distributed.get_rank() == 0


def _check(settings: dict[str, Any], output: Path) -> None:
    """Refuse settings that no report can be made with.

    Raises:
        BadRequest, UnknownName: naming it.
    """
    named = {name: value for name, value in settings.items() if name not in NO_SETTINGS}
    config = config_of(output=output, classes=settings.get("targets", "auto"), **named)
    select(config.explain.methods)


def _check_whole(module: nn.Module) -> None:
    """Refuse a network of which every process has a part: a pass by one of them would wait for the others forever.

    Raises:
        BadRequest: it is one.
    """
    kinds = {type(part).__name__ for part in (*module.modules(), *module.parameters())}
    if kinds & {"FullyShardedDataParallel", "DTensor"}:
        raise BadRequest(
            "The network's weights are sharded over several processes, and one process reports: report on a checkpoint."
        )
