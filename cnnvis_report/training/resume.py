"""Where a training stands after an epoch: kept beside the model, so that the same command goes on from there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnnvis_report import __version__
from cnnvis_report.errors import BadRequest, brief
from cnnvis_report.models.checkpoints.state_versions import put_tensors
from cnnvis_report.models.trained_file import TrainedModel, read_with_more
from cnnvis_report.training.epochs import Epochs
from cnnvis_report.training.model import Trainee
from cnnvis_report.training.splits import Data
from cnnvis_report.training.state import TrainState
from cnnvis_report.training.tensors import Pictures

SHOWN = 24  # letters of a setting that a message shows
DIGEST = "#"  # what a part begins with that can't be shown

RESUME = "resume"  # of a file that an unfinished training has left
FINISHED = "finished"  # of a model that is what its training comes to: the fingerprint of that

Parts = dict[str, str]  # what decides a training, by what it is, each in a few letters


@dataclass(frozen=True)
class ResumeState:
    """A training that an earlier start has left: its best model so far, and what else the next epoch depends on."""

    model: TrainedModel
    content: Mapping[str, Any]

    @property
    def epochs(self) -> int:
        """How many are through."""
        return len(self.model.training.history)


def parts_of(data: Data, trainee: Trainee, settings: Mapping[str, object], device: torch.device) -> Parts:
    """Everything that decides the result of a training: settings, images, the initial weights, versions."""
    weights = {name: _digest(value.cpu().numpy().tobytes()) for name, value in trainee.network.state_dict().items()}
    texts = {
        **{name: str(value) for name, value in settings.items()},
        "the version of cnnvis-report": __version__,
        "the version of PyTorch": str(torch.__version__),  # a text of its own class, which no plain reader takes
        "the device": device.type,
        "the classes": _digest(data.classes),
        "how pictures are read": _digest(_reading(data.training)),
        "the frozen layers": _digest(trainee.frozen),
        "the initial weights": _digest(weights),
        "the images for training": _images(data.training),
        "the images for validation": _images(data.validation),
        "the images for the test": "" if data.test is None else _images(data.test),
        "the files that can't be read": str(len(data.skipped)),
    }
    return {name: value if len(value) <= SHOWN else _digest(value) for name, value in texts.items()}


def fingerprint_of(parts: Parts) -> str:
    """Of all that decides a training: 32 hexadecimal digits."""
    return sha256(json.dumps(sorted(parts.items())).encode("utf-8", "replace")).hexdigest()[:32]


def changes(earlier: object, now: Parts) -> list[str]:
    """What decides the training and isn't as it was, in words; empty where everything is."""
    if not isinstance(earlier, Mapping):
        return ["what it was initialized from isn't known"]
    differences = []
    for name, value in now.items():
        before = earlier.get(name)
        if before != value:
            shown = isinstance(before, str) and DIGEST not in before + value
            differences.append(f"{name} {value or 'none'} instead of {before or 'none'}" if shown else name)
    return differences


def find_resume_state(path: Path) -> ResumeState | None:
    """What an earlier start has left; None where there is nothing, or nothing to go on from.

    Raises:
        BadRequest: the file can't be read.
    """
    stored = read_with_more(path) if path.is_file() else None
    content = stored[1].get(RESUME) if stored else None
    return ResumeState(stored[0], content) if stored and isinstance(content, Mapping) else None


def resume_state(epochs: Epochs, state: TrainState, parts: Parts) -> dict[str, Any]:
    """What the next epoch depends on."""
    # the best weights are those of the model in the same file
    last = len(state.history) == state.best
    weights = {name: value.cpu().contiguous() for name, value in epochs.network.state_dict().items()}
    return {
        "parts": dict(parts),
        "state": None if last else weights,
        "optimizer": epochs.optimizer.state_dict(),
        "schedule": epochs.schedule.state_dict(),
        "scaler": epochs.scaler.state_dict(),
        "random": _random(epochs.device),
    }


def resume(earlier: ResumeState, epochs: Epochs, state: TrainState, where: Path) -> None:
    """Bring a training to where an earlier start has left it.

    Raises:
        BadRequest: what was kept doesn't fit.
    """
    content = earlier.content
    try:
        best = dict(earlier.model.network.state_dict())
        put_tensors(epochs.network, best)
        if content["state"] is not None:
            put_tensors(epochs.network, content["state"])
        epochs.optimizer.load_state_dict(content["optimizer"])
        epochs.schedule.load_state_dict(content["schedule"])
        epochs.scaler.load_state_dict(content["scaler"])
        on_cpu, on_device = content["random"]
        torch.set_rng_state(on_cpu)
        if on_device is not None:
            torch.get_device_module(epochs.device).set_rng_state(on_device, epochs.device)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, IndexError) as error:
        raise BadRequest(
            f"{where}: what it keeps of a training is damaged ({brief(error)}). Remove it, and the training "
            "begins anew."
        ) from error
    record = earlier.model.training
    state.history, state.best, state.weights = list(record.history), record.best_epoch, best


def _random(device: torch.device) -> tuple[Tensor, Tensor | None]:
    if device.type == "cpu":
        return torch.get_rng_state(), None
    return torch.get_rng_state(), torch.get_device_module(device).get_rng_state(device)


def _reading(pictures: Pictures) -> str:
    return repr(pictures.preprocessing) + (" with all bits" if pictures.deep else "")


def _images(pictures: Pictures) -> str:
    """Of their contents in their order, and of the classes that they are of."""
    return _digest([[item.content for item in pictures.items], pictures.targets.tolist()])


def _digest(value: bytes | str | Sequence[object] | Mapping[str, object]) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode("utf-8", "replace")
    return DIGEST + sha256(content).hexdigest()[:16]
