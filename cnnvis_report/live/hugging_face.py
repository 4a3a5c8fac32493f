"""A callback of Hugging Face's Trainer that reports on the network while it trains."""

from pathlib import Path
from typing import Any

from cnnvis_report.live.training import EpochReports, ReportLogger

try:
    from transformers import TrainerCallback
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "transformers isn't installed: pip install 'cnnvis-report[hf]'", name=error.name
    ) from error


class ReportCallback(TrainerCallback):
    """Makes a report every few epochs, and one of the last epoch: `Trainer(…, callbacks=[ReportCallback(images)])`.

    Classes are called as the model's `id2label` has them. Epochs are counted from 1.

    Args:
        images: as `EpochReports` takes them, and `pixel_values` of a dataset's dictionaries among them; those of the
            evaluation without any.
        output: the folder of the reports; "reports" in the Trainer's `output_dir` without one.
        every, loggers, settings: as `EpochReports` takes them.

    Raises:
        BadRequest, UnknownName: a setting doesn't exist or isn't of its kind.
    """

    def __init__(
        self,
        images: object = None,
        output: str | Path | None = None,
        *,
        every: int = 1,
        loggers: tuple[ReportLogger, ...] = (),
        **settings: Any,
    ) -> None:
        self.reports = EpochReports(images, output or "reports", every=every, loggers=loggers, **settings)
        self._in_output_dir, self._of_evaluation = output is None, images is None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Find out where reports go, and what the classes are called."""
        if self._in_output_dir:
            self.reports.output = Path(args.output_dir) / "reports"
        names = getattr(getattr(kwargs.get("model"), "config", None), "id2label", None)
        if names:
            self.reports.settings.setdefault("classes", [str(names[index]) for index in sorted(names)])

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Make the report of the epoch where it is due and the images are known."""
        if not self._of_evaluation:
            self._report(state, kwargs)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Make the report of the epoch where it is due, on the images that were evaluated."""
        if self._of_evaluation:
            self.reports.images = getattr(kwargs.get("eval_dataloader"), "dataset", None)
            self._report(state, kwargs)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Make the report of the last epoch where it wasn't due."""
        if state.is_world_process_zero:
            self.reports.report(kwargs["model"], round(state.epoch or 0))

    def _report(self, state: Any, kwargs: dict[str, Any]) -> None:
        if state.is_world_process_zero:
            self.reports.on_epoch_end(kwargs["model"], round(state.epoch or 0))
