"""How a training is done, and where it stands."""

from dataclasses import dataclass, field

from torch import Tensor

from cnnvis_report.records.training import Epoch
from cnnvis_report.training.augment import Augment

BY_HAND = "stopped by hand"


@dataclass(frozen=True)
class Hyperparameters:
    """How to train.

    weights: what an image of each class counts in the loss, None for all alike. patience: epochs without a better one
    before it stops, 0 for never. frozen: names of modules that stay as they are.
    """

    epochs: int
    batch_size: int
    rate: float
    patience: int
    augment: Augment
    weights: Tensor | None = None
    frozen: tuple[str, ...] = ()


@dataclass
class TrainState:
    """Where a training stands.

    history: what each epoch gave. best: the number of the best one, 0 before there is one. weights: of the best one.
    stopped: why it stopped early; empty where it didn't.
    """

    history: list[Epoch] = field(default_factory=list)
    best: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    stopped: str = ""

    @property
    def chosen(self) -> Epoch:
        """The best epoch."""
        return self.history[self.best - 1]
