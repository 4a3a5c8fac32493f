"""Epochs of training, who is told of them, and scores on images that aren't trained on."""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnvis_report.errors import RunFailed, told
from cnnvis_report.records.training import Score
from cnnvis_report.training.augment import Augment
from cnnvis_report.training.state import Hyperparameters, TrainState
from cnnvis_report.training.tensors import Pictures, in_unit_range

DECAY = 1e-3
NAMED = 3  # images that a message names


def score(network: nn.Module, pictures: Pictures, device: torch.device, batch_size: int) -> Score:
    """Accuracy and mean loss on pictures as they are, all counting alike.

    Raises:
        RunFailed: the network fails on an image, which is named.
    """
    network.eval()
    right, loss = 0, 0.0
    with torch.no_grad(), _mixed(device):
        order = torch.arange(len(pictures)).tensor_split(1 + len(pictures) // batch_size)
        for indices, (images, targets) in zip(order, _ready(pictures, order, device), strict=True):
            with named_failures(network, pictures, indices, images):
                scores = network(images).float()
            loss += float(cross_entropy(scores, targets, reduction="sum"))
            right += int((scores.argmax(dim=1) == targets).sum())
    return Score(right / len(pictures), loss / len(pictures), len(pictures))


class EpochProgress:
    """Told how the epochs of a training go; does nothing by itself."""

    def begun(self, epochs: "Epochs", state: TrainState) -> None:
        """All is ready for the first epoch; both may be changed, to go on from where an earlier start has stopped."""

    def batch_done(self, epoch: int, share: float, loss: float, accuracy: float) -> None:
        """A batch is through, that share of the epoch; loss and accuracy are those of the epoch so far."""

    def epoch_done(self, state: TrainState) -> None:
        """An epoch is through, and the network has its weights."""


class Epochs:
    """Trains a network on all pictures, in a new random order each time.

    failing: names of images for which alone the network gave no finite scores, in an epoch whose loss wasn't finite.
    """

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
        self.failing: list[str] = []
        narrow = device.type == "cuda" and not torch.cuda.is_bf16_supported()
        self.scaler = torch.amp.GradScaler(device.type, enabled=narrow)

    def run(self, number: int, progress: EpochProgress) -> tuple[float, float]:
        """Train on every image once; gives mean loss and accuracy, taken as it goes.

        Raises:
            RunFailed: the network fails on an image, which is named.
        """
        _train_mode(self.network, self.hyperparameters.frozen)
        statistics = [(buffer, buffer.clone()) for buffer in self.network.buffers()]
        total, right, images_done = 0.0, 0, 0
        order = torch.randperm(len(self.training)).tensor_split(self.count)
        batches = _ready(self.training, order, self.device, self.hyperparameters.augment)
        for indices, (images, targets) in zip(order, batches, strict=True):
            with named_failures(self.network, self.training, indices, images):
                scores, loss = self._step(images, targets)
            if not math.isfinite(loss):
                for buffer, before in statistics:  # they have met the image that spoils everything
                    buffer.copy_(before)
                self.failing = failing_alone(self.network, self.training, indices, images)
                return loss, 0.0
            total += loss * len(targets)
            right += int((scores.argmax(dim=1) == targets).sum())
            images_done += len(targets)
            progress.batch_done(number, len(targets) / len(self.training), total / images_done, right / images_done)
        return total / images_done, right / images_done

    def score(self, validation: Pictures) -> Score:
        """Accuracy and mean loss on images for validation; those that alone give none are noted."""
        scored = score(self.network, validation, self.device, self.hyperparameters.batch_size)
        if not math.isfinite(scored.loss):
            order = torch.arange(len(validation)).tensor_split(1 + len(validation) // self.hyperparameters.batch_size)
            for indices, (images, _) in zip(order, _ready(validation, order, self.device), strict=True):
                self.failing += failing_alone(self.network, validation, indices, images)
        return scored

    def _step(self, images: Tensor, targets: Tensor) -> tuple[Tensor, float]:
        weights = None if self.hyperparameters.weights is None else self.hyperparameters.weights.to(self.device)
        with _mixed(self.device):
            scores = self.network(images)
        loss = cross_entropy(scores.float(), targets, weight=weights)
        if not math.isfinite(loss.item()):
            return scores, math.nan  # weights are left as they are
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
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
        moved = in_unit_range(changed.to(device, non_blocking=True))
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


@contextmanager
def named_failures(network: nn.Module, pictures: Pictures, indices: Tensor, images: Tensor) -> Iterator[None]:
    """What a network raises for single images of a batch says which they are.

    Raises:
        RunFailed: in place of what it raised, where it takes the others of the batch.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:
        names = failing_alone(network, pictures, indices, images)
        if not names:
            raise
        raise RunFailed(
            f"{listed(names)}: the network fails on it ({told(error)}). The epochs before are kept; leave it out "
            f"to train on the others."
        ) from error


def failing_alone(network: nn.Module, pictures: Pictures, indices: Tensor, images: Tensor) -> list[str]:
    """The names of the images of a batch that alone make the network fail; none where all of them do, or none."""
    network.eval()
    names = []
    for index, image in zip(indices.tolist(), images, strict=True):
        try:
            with torch.no_grad(), _mixed(image.device):
                sound = bool(network(image.unsqueeze(0)).isfinite().all())
        except Exception:  # whatever it was that the batch raised
            sound = False
        if not sound:
            names.append(pictures.items[index].name)
    return names if len(names) < len(images) else []


def listed(names: Sequence[str]) -> str:
    """The first of these names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
