"""Who is told how a training comes about."""

from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.training.epochs import EpochProgress
from cnnvis_report.training.model import Trainee
from cnnvis_report.training.splits import Data
from cnnvis_report.training.state import Hyperparameters, TrainState


class TrainProgress(EpochProgress):
    """Told how a training comes about, from the first file on; this one says nothing of it."""

    def reading(self, files: int) -> None:
        """So many files are being read."""

    def file_read(self, name: str) -> None:
        """One more was read."""

    def ready(self, data: Data, trainee: Trainee, hyperparameters: Hyperparameters) -> None:
        """All is there; training begins."""

    def resumed(self, epochs: int) -> None:
        """So many epochs are through already, in an earlier start, and it goes on from there."""

    def anew(self, where: Path, changed: Sequence[str]) -> None:
        """What an earlier start has left in a file is of another training, and isn't used: what has changed since."""

    def permuted(self, epochs: int) -> None:
        """The network is trained once more, on permuted labels, for so many epochs; batches are told as before."""

    def permuted_epoch_done(self, state: TrainState) -> None:
        """One of these epochs is through."""

    def finished(self, path: Path) -> None:
        """The file is what this training comes to, and nothing is trained."""
