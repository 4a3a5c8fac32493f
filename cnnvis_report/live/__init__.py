"""Reports on what a program holds: a module in memory, a dataset, tensors, pictures; for scripts and notebooks."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnvis_report.live.loggers import MLflowLogger, TensorBoardLogger, WandbLogger
    from cnnvis_report.live.training import EpochReports

__all__ = ["EpochReports", "MLflowLogger", "TensorBoardLogger", "WandbLogger"]


def __getattr__(name: str) -> Any:
    # later, so that a callback's library is there before it is looked for, and torch isn't needed until then
    if name == "EpochReports":
        from cnnvis_report.live.training import EpochReports

        return EpochReports
    if name in ("MLflowLogger", "TensorBoardLogger", "WandbLogger"):
        from cnnvis_report.live import loggers

        return getattr(loggers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
