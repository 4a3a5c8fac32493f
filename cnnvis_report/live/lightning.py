"""A callback of Lightning that reports on the network while it trains."""

from pathlib import Path
from typing import Any

from torch import nn

from cnnvis_report.live.loggers import MLflowLogger, TensorBoardLogger, WandbLogger
from cnnvis_report.live.training import EpochReports, ReportLogger
from cnnvis_report.models.network_within import network_within

try:
    from lightning.pytorch import Callback
except ModuleNotFoundError:
    try:
        from pytorch_lightning import Callback
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Lightning isn't installed: pip install 'cnnvis-report[lightning]'", name=error.name
        ) from error


class ReportCallback(Callback):
    """Makes a report every few epochs, and one of the last epoch: `Trainer(callbacks=[ReportCallback(every=5)])`.

    The trainer's own TensorBoard, MLflow and W&B loggers get each report. Epochs are counted from 1. Works with
    `lightning.pytorch` and `pytorch_lightning` alike.

    Args:
        images: as `EpochReports` takes them; those of the first validation loader without any.
        output: the folder of the reports; "reports" below the trainer's `default_root_dir` without one.
        network: the name of the part of the LightningModule that takes images, such as "model"; its own forward, or
            the only network in it, without one.
        every, settings: as `EpochReports` takes them.

    Raises:
        BadRequest, UnknownName: a setting doesn't exist or isn't of its kind.
    """

    def __init__(
        self,
        images: object = None,
        output: str | Path | None = None,
        *,
        network: str = "",
        every: int = 1,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.reports = EpochReports(images, output or "reports", every=every, **settings)
        self._network, self._below_root = network, output is None
        self._loggers = tuple(self.reports.loggers)

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Find out where reports go."""
        if self._below_root:
            self.reports.output = Path(trainer.default_root_dir) / "reports"
        if not trainer.is_global_zero:
            return
        try:
            loggers = [logger_of(logger) for logger in trainer.loggers]
            self.reports.loggers = [*self._loggers, *(logger for logger in loggers if logger is not None)]
        except Exception as error:
            self.reports.warn("The trainer's loggers get no reports", int(trainer.current_epoch), error)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Make the report of the epoch where it is due, its validation being over."""
        self._report(trainer, pl_module, last=False)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Make the report of the last epoch where it wasn't due."""
        self._report(trainer, pl_module, last=True)

    def _report(self, trainer: Any, pl_module: Any, *, last: bool) -> None:
        if not trainer.is_global_zero:
            return
        epoch = int(trainer.current_epoch) + 1
        try:
            if self.reports.images is None:
                self.reports.images = _validation_images(trainer)
            network = self._network_of(pl_module)
        except Exception as error:
            self.reports.warn("There is no report", epoch, error)
            return
        if last:
            self.reports.close(network)
        else:
            self.reports.on_epoch_end(network, epoch)

    def _network_of(self, pl_module: Any) -> nn.Module:
        if self._network:
            network: nn.Module = pl_module.get_submodule(self._network)
            return network
        return network_within(pl_module, type(pl_module).__name__)[0]


def logger_of(logger: Any) -> ReportLogger | None:
    """What logs reports where one of Lightning's loggers logs; None for those that keep neither images nor files."""
    kinds = {kind.__name__ for kind in type(logger).__mro__}
    if "TensorBoardLogger" in kinds:
        return TensorBoardLogger(logger.experiment)
    if "MLFlowLogger" in kinds:
        return MLflowLogger(logger.run_id, logger.experiment)
    return WandbLogger(logger.experiment) if "WandbLogger" in kinds else None


def _validation_images(trainer: Any) -> object:
    """The first validation loader; None without validation."""
    loaders = trainer.val_dataloaders
    if isinstance(loaders, dict):
        loaders = list(loaders.values())
    return loaders[0] if isinstance(loaders, list | tuple) and loaders else loaders
