"""Rounds through the training pictures, and the choice of the best one by those for validation."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnvis_report.errors import RunFailed
from cnnvis_report.records.training import Epoch, Score
from cnnvis_report.training.augment import Augment
from cnnvis_report.training.tensors import Pictures

DECAY = 1e-3
GAIN = 1e-3  # by which the loss has to fall, where the accuracy doesn't rise, for an epoch to be worth waiting for

BY_HAND = "stopped by hand"

Kept = dict[str, Tensor]


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
class Progress:
    """Where a training stands: what each epoch gave, the best one and its weights, and why it stopped early."""

    history: list[Epoch] = field(default_factory=list)
    best: int = 0
    state: Kept = field(default_factory=dict)
    stopped: str = ""

    @property
    def chosen(self) -> Epoch:
        """The best epoch."""
        return self.history[self.best - 1]


class EpochProgress:
    """Told how a training goes on; this one says nothing of it."""

    def begun(self, rounds: "Rounds", progress: Progress) -> None:
        """All is ready for the first epoch; what is done to the two counts."""

    def batch_done(self, epoch: int, share: float, loss: float, accuracy: float) -> None:
        """A batch, which was that share of the epoch; loss and accuracy so far in it."""

    def epoch_done(self, progress: Progress) -> None:
        """An epoch is through; the network has its weights."""


def fit(
    network: nn.Module,
    training: Pictures,
    validation: Pictures,
    hyperparameters: Hyperparameters,
    device: torch.device,
    listener: EpochProgress,
) -> Progress:
    """Train the network: AdamW under a one-cycle rate (Smith & Topin 2017, arXiv:1708.07120).

    Draws from PyTorch's own random numbers: the same seed gives the same weights on a CPU. Ctrl-C ends it, with the
    best epoch so far.

    Returns:
        What came of it; the network is left in eval mode with the weights of the best epoch.

    Raises:
        RunFailed: the loss isn't finite in the first epoch.
    """
    progress = Progress()
    rounds = Rounds(network, training, hyperparameters, device)
    try:
        listener.begun(rounds, progress)
        for number in range(len(progress.history) + 1, hyperparameters.epochs + 1):
            if (
                progress.history
                and hyperparameters.patience
                and number - 1 - _last_gain(progress) >= hyperparameters.patience
            ):
                progress.stopped = f"nothing gained for {hyperparameters.patience} epochs"
                break
            loss, right = rounds.run(number, listener)
            if not math.isfinite(loss):
                progress.stopped = f"the loss wasn't finite in epoch {number}"
                break
            on_validation = score(network, validation, device, hyperparameters.batch_size)
            if not math.isfinite(on_validation.loss):
                progress.stopped = f"the loss wasn't finite in epoch {number}"
                break
            on_both = (loss, right, on_validation.loss, on_validation.accuracy)
            progress.history.append(Epoch(number, *on_both, rounds.rate))
            _keep_if_best(progress, network)
            listener.epoch_done(progress)
    except KeyboardInterrupt:
        progress.stopped = BY_HAND
    if progress.state:
        network.load_state_dict(progress.state)
    elif progress.stopped.startswith("the loss"):
        raise RunFailed(f"The loss isn't finite in the first epoch. Try a smaller --lr than {hyperparameters.rate:g}.")
    network.eval()
    return progress


def score(network: nn.Module, pictures: Pictures, device: torch.device, batch_size: int) -> Score:
    """Accuracy and mean loss on pictures as they are, all counting alike."""
    network.eval()
    right, loss = 0, 0.0
    with torch.no_grad(), _mixed(device):
        for images, targets in _ready(
            pictures, torch.arange(len(pictures)).tensor_split(1 + len(pictures) // batch_size), device
        ):
            scores = network(images).float()
            loss += float(cross_entropy(scores, targets, reduction="sum"))
            right += int((scores.argmax(dim=1) == targets).sum())
    return Score(right / len(pictures), loss / len(pictures), len(pictures))


class Rounds:
    """Rounds through all training pictures, each in an order of chance."""

    def __init__(
        self, network: nn.Module, training: Pictures, hyperparameters: Hyperparameters, device: torch.device
    ) -> None:
        self.network, self.training, self.hyperparameters, self.device = network, training, hyperparameters, device
        network.to(device).to(memory_format=torch.channels_last)
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(parameters, hyperparameters.rate, weight_decay=DECAY)
        # a rest that is smaller than a batch goes to the others: of one picture alone no statistics can be made
        self.count = max(1, len(training) // hyperparameters.batch_size)
        steps = hyperparameters.epochs * self.count
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, hyperparameters.rate, total_steps=steps)
        self.rate = hyperparameters.rate
        narrow = device.type == "cuda" and not torch.cuda.is_bf16_supported()
        self.scaler = torch.amp.GradScaler(device.type, enabled=narrow)

    def run(self, number: int, listener: EpochProgress) -> tuple[float, float]:
        """One round; gives mean loss and accuracy, taken as it goes."""
        _train_mode(self.network, self.hyperparameters.frozen)
        total, right, seen = 0.0, 0, 0
        order = torch.randperm(len(self.training)).tensor_split(self.count)
        for images, targets in _ready(self.training, order, self.device, self.hyperparameters.augment):
            scores, loss = self._step(images, targets)
            total += loss * len(targets)
            right += int((scores.argmax(dim=1) == targets).sum())
            seen += len(targets)
            listener.batch_done(number, len(targets) / len(self.training), total / seen, right / seen)
        return total / seen, right / seen

    def _step(self, images: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        weights = None if self.hyperparameters.weights is None else self.hyperparameters.weights.to(self.device)
        with _mixed(self.device):
            scores = self.network(images)
        loss = cross_entropy(scores.float(), targets, weight=weights)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.rate = float(self.schedule.get_last_lr()[0])
        self.schedule.step()
        return scores.detach(), float(loss.detach())


def _ready(
    pictures: Pictures, order: tuple[Tensor, ...], device: torch.device, augment: Augment | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches as the network reads them."""
    for pixels, targets in pictures.batches(order):
        changed = pixels if augment is None else augment(pixels)
        moved = changed.to(device, non_blocking=True).float().div(255)
        images = pictures.preprocessing.normalize(moved).contiguous(memory_format=torch.channels_last)
        yield images, targets.to(device, non_blocking=True)


def _mixed(device: torch.device) -> AbstractContextManager[object]:
    """Half the bits where the device gains by it; a CPU trains in full precision, bit for bit the same each time."""
    if device.type != "cuda":
        return nullcontext()
    return torch.autocast("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)


def _train_mode(network: nn.Module, frozen: tuple[str, ...]) -> None:
    """Training mode, but for what stays as it is: its running statistics too."""
    network.train()
    for name, module in network.named_modules():
        if name in frozen or name.startswith(tuple(f"{part}." for part in frozen)):
            module.eval()


def _keep_if_best(progress: Progress, network: nn.Module) -> None:
    latest = progress.history[-1]
    if not progress.best or _order(latest) > _order(progress.chosen):
        progress.best = latest.number
        progress.state = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _order(epoch: Epoch) -> tuple[float, float]:
    return epoch.validation_accuracy, -epoch.validation_loss


def _last_gain(progress: Progress) -> int:
    """The last epoch that was better than all before it by more than noise."""
    last = progress.history[0]
    for epoch in progress.history[1:]:
        more = epoch.validation_accuracy - last.validation_accuracy
        if more > 0 or (more == 0 and epoch.validation_loss < last.validation_loss - GAIN):
            last = epoch
    return last.number
