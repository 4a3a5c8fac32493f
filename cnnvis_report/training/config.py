"""What a user asks of a training, and who is told how it comes about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.models.architectures import SMALL
from cnnvis_report.training.model import Trainee
from cnnvis_report.training.splits import Data
from cnnvis_report.training.state import EpochProgress, Hyperparameters


@dataclass(frozen=True)
class TrainConfig:
    """What a user asks for; the names are those of the command line.

    test: a folder with images that nothing is chosen by. weights: a file, "none", or None for what is usual.
    channels: "auto", "1" or "3". rate: None takes what suits the network. balance: rare classes count more.
    patience: epochs without a better one before it stops, 0 for never. snapshots: epochs that are kept.
    """

    images: Path
    output: Path
    arch: str = SMALL
    weights: str | None = None
    test: Path | None = None
    split: float = 0.2
    size: str | None = None
    channels: str = "auto"
    epochs: int = 25
    batch_size: int = 32
    rate: float | None = None
    augment: str = "light"
    head: str = "linear"
    freeze: str | None = None
    balance: bool = False
    patience: int = 10
    seed: int = 0
    snapshots: tuple[int, ...] = ()


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

    def finished(self, path: Path) -> None:
        """The file is what this training comes to, and nothing is trained."""
