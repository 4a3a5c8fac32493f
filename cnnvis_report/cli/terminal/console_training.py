"""What a training says on the terminal."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from torch import Tensor

from cnnvis_report.cli.terminal.console import Console, listed
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.training.model import Trainee
from cnnvis_report.training.progress import TrainProgress
from cnnvis_report.training.splits import Data
from cnnvis_report.training.state import Hyperparameters, TrainState
from cnnvis_report.training.train import Trained

LISTED = 12  # classes and files that are named


class Reporter(TrainProgress):
    """Tells of a training: what was found, a bar for the files and one for the epochs, and a line an epoch."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bar = ExitStack()
        self.unchanged = False
        self._start, self._epochs, self._before = 0.0, 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()

    def reading(self, files: int) -> None:
        """A bar for the files."""
        self._bar.enter_context(self.console.progress("Read", files))

    def file_read(self, name: str) -> None:
        """One file on."""
        self.console.done(name)

    def ready(self, data: Data, trainee: Trainee, hyperparameters: Hyperparameters) -> None:
        """What was found, and what will be trained."""
        self._bar.close()
        say, console = self.console.say, self.console
        for skipped in data.skipped[:LISTED]:
            console.warn(f"{skipped.name}: {skipped.reason}. Skipped.")
        if len(data.skipped) > LISTED:
            console.warn(f"{len(data.skipped) - LISTED} more files can't be read. Skipped.")
        for note in data.notes:
            console.warn(f"{note}.")
        parts = [f"{len(data.training)} for training", f"{len(data.validation)} for validation"]
        parts += [f"{len(data.test)} for testing"] if data.test is not None else []
        say(f"Images    {', '.join(parts)}; {fmt.count(len(data.classes), 'class', 'classes')}")
        self._say_classes(data, hyperparameters.weights)
        say(f"          preprocessing: {data.training.preprocessing.describe()}")
        count = sum(parameter.numel() for parameter in trainee.network.parameters() if parameter.requires_grad)
        frozen = ", the rest frozen" if trainee.frozen else ""
        say(
            f"Network   {trainee.architecture.name}, {fmt.short(count)} trainable parameters{frozen}, "
            f"starting from {trainee.origin}"
        )
        self._start, self._epochs = time.monotonic(), hyperparameters.epochs
        self._bar.enter_context(console.progress("Train", hyperparameters.epochs))

    def resumed(self, epochs: int) -> None:
        """Where it goes on, and the bar moved there."""
        for _ in range(epochs):
            self.console.done("")
        self._before = epochs
        self.console.interject(
            f"Resume    from epoch {epochs + 1}: {fmt.count(epochs, 'epoch')} completed by an earlier start"
        )

    def anew(self, where: Path, changed: Sequence[str]) -> None:
        """Why an earlier start is of no use."""
        differences = listed(changed, LISTED)
        self.console.interject(f"Changed   since the training in {where.name}: {differences}; training starts over")

    def finished(self, path: Path) -> None:
        """That there is nothing to do."""
        self.unchanged = True
        self.console.interject(f"Trained   already: {path.name} is the result of this very command")

    def batch_done(self, epoch: int, share: float, loss: float, accuracy: float) -> None:
        """A batch on."""
        self.console.step(f"loss {loss:.3f}, accuracy {fmt.percent(accuracy)}", share)

    def epoch_done(self, state: TrainState) -> None:
        """A line for the epoch."""
        latest = state.history[-1]
        self.console.done("", in_steps=True)
        spent = time.monotonic() - self._start
        left = spent / (latest.number - self._before) * (self._epochs - latest.number)
        rest = f"  about {fmt.duration(left)} left" if left else f"  {fmt.duration(spent)}"
        best = "  best so far" if state.best == latest.number else ""
        self.console.interject(
            f"Epoch {latest.number:>3}  loss {latest.loss:.3f}, accuracy {latest.accuracy:6.1%}  "
            f"validation: loss {latest.validation_loss:.3f}, accuracy {latest.validation_accuracy:6.1%}{rest}{best}"
        )

    def permuted(self, epochs: int) -> None:
        """A bar for the epochs on permuted labels."""
        self._bar.close()
        self.console.say("Permuted  labels: the same network is trained on them, for the data randomization test")
        self._bar.enter_context(self.console.progress("Permuted", epochs))

    def permuted_epoch_done(self, state: TrainState) -> None:
        """One of these epochs on."""
        self.console.done("", in_steps=True)

    def result(self, trained: Trained) -> None:
        """Which epoch was kept, and how good it is."""
        record = trained.model.training
        why = f"; {record.stopped}" if record.stopped else ""
        self.console.say(
            f"Trained   epoch {record.best_epoch} of {len(record.history)} is kept{why}: validation accuracy "
            f"{fmt.percent(record.validation.accuracy)} ({fmt.count(record.validation.images, 'image')})"
        )
        if record.test is not None:
            accuracy = fmt.percent(record.test.accuracy)
            self.console.say(f"Test      accuracy {accuracy} ({fmt.count(record.test.images, 'image')})")
        if record.permuted is not None:
            accuracy = fmt.percent(record.permuted.accuracy)
            self.console.say(f"Permuted  labels: accuracy {accuracy} on those of the training images")
        if trained.interrupted:
            self.console.say(
                f"Stopped   by Ctrl-C: the same command continues from {trained.part.name}. Remove that file if this "
                f"is enough."
            )

    def _say_classes(self, data: Data, weights: Tensor | None) -> None:
        counts = data.counts(data.training)
        shown = [f"{name} {count}" for name, count in zip(data.classes, counts, strict=True)][:LISTED]
        more = f", … {len(counts) - LISTED} more" if len(counts) > LISTED else ""
        self.console.say(f"          for training: {', '.join(shown)}{more}")
        most, least = max(counts), min(counts)
        if most > 1.5 * least:
            how = "balanced by class weights" if weights is not None else "--class-weights balanced counts them alike"
            self.console.say(
                f"          imbalanced: {most} images in the largest class, {least} in the smallest; {how}"
            )
