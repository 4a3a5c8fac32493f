"""Models that were trained here: one file with all that is needed to use them, read without running anything in it."""

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import torch
from PIL import Image
from torch import Tensor, nn

from cnnvis_report.data.image_file import readable
from cnnvis_report.data.preprocessing.preprocessing import ASPECTS, FILLS, LARGEST, LIBRARIES, Preprocessing
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.architectures import Architecture, build
from cnnvis_report.models.checkpoints.read_checkpoint import is_plain, load_into, read_content
from cnnvis_report.records.codec import from_json
from cnnvis_report.records.training import TrainingRecord
from cnnvis_report.store.files.atomic import beside

FORMAT = "cnnvis-report-model/1"
PERMUTED = "permuted_state_dict"


@dataclass(frozen=True)
class TrainedModel:
    """What such a file holds.

    seen: fingerprints of the images that it was trained on. permuted: the same network, trained on permuted labels;
    None where none was.
    """

    network: nn.Module
    architecture: Architecture
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    training: TrainingRecord
    seen: frozenset[str]
    permuted: nn.Module | None = None


def write_trained(
    path: Path,
    trained: TrainedModel,
    *,
    weights: Mapping[str, Tensor] | None = None,
    more: Mapping[str, object] | None = None,
) -> None:
    """Write the file, whole or not at all; the same model gives the same bytes.

    Args:
        weights: in place of those that the network has.
        more: what is kept in it besides: plain values and tensors, by names that are none of a model's.

    Raises:
        OSError: the disk is full, say.
    """
    state = trained.network.state_dict() if weights is None else weights
    content = {
        **(more or {}),
        "format": FORMAT,
        "architecture": asdict(trained.architecture),
        "preprocessing": asdict(trained.preprocessing),
        "classes": list(trained.classes),
        "training": asdict(trained.training),
        "seen": sorted(trained.seen),
        "state_dict": _plain(state),
    }
    if trained.permuted is not None:
        content[PERMUTED] = _plain(trained.permuted.state_dict())
    # through an open file: by a path, the archive would have the file's name within
    with beside(path) as temporary, temporary.open("wb") as file:
        whole = _Whole(file)
        torch.save(content, cast(IO[bytes], whole))
        whole.check()


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu().contiguous() for key, value in state.items()}


class _Whole(io.RawIOBase):
    """A file whose errors are told at the end: PyTorch's writer hides them, or goes down with them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._error: OSError | None = None

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Write on, until the first error."""
        if self._error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self._error = error
        return memoryview(data).nbytes

    def check(self) -> None:
        """Raise the error, where there was one."""
        if self._error is not None:
            raise self._error


def read_trained(path: Path) -> TrainedModel | None:
    """The model of such a file, in eval mode; None where the file is a checkpoint of another kind.

    Raises:
        BadRequest: it can't be read, or is damaged.
    """
    trained = read_with_more(path)
    return trained[0] if trained else None


def read_with_more(path: Path) -> tuple[TrainedModel, dict[str, Any]] | None:
    """The model of such a file, and all that the file holds; None where it is a checkpoint of another kind.

    Raises:
        BadRequest: it can't be read, or is damaged.
    """
    content = read_content(path)
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        return None
    try:
        architecture = from_json(Architecture, content["architecture"])
        preprocessing = from_json(Preprocessing, content["preprocessing"])
        training = from_json(TrainingRecord, _all_readable(content["training"]))
        classes = tuple(map(readable, _texts(content["classes"])))
        seen = frozenset(_texts(content["seen"]))
        states = [_tensors(content[key]) for key in ("state_dict", PERMUTED) if key == "state_dict" or key in content]
        _check(preprocessing, architecture, classes, training)
        with torch.random.fork_rng(devices=[]):  # to read a file mustn't change what is drawn next
            networks = [build(architecture).eval() for _ in states]
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError, MemoryError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise BadRequest(f"{path}: isn't a model that this version can use ({reason}). Train it again.") from error
    for network, state in zip(networks, states, strict=True):
        load_into(network, state, path)
    permuted = networks[1] if len(networks) > 1 else None
    trained = TrainedModel(networks[0], architecture, preprocessing, classes, training, seen, permuted)
    return trained, dict(content)


def plain_name(name: str) -> bool:
    """Whether a file name from within a checkpoint stays in the folder of that checkpoint."""
    return bool(name) and Path(name).name == name and name not in (".", "..")


def _texts(content: object) -> tuple[str, ...]:
    if not isinstance(content, list | tuple) or not all(isinstance(text, str) for text in content):
        raise TypeError("a list of texts is something else")
    return tuple(content)


def _all_readable(content: object) -> object:
    """Plain values whose texts are all readable: folders may be called what no page can carry."""
    if isinstance(content, dict):
        return {key: _all_readable(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(map(_all_readable, content))
    return readable(content) if isinstance(content, str) else content


def _tensors(content: object) -> dict[str, Tensor]:
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise TypeError("the weights are something else")
    for key, value in content.items():
        if not is_plain(value):
            raise TypeError(f"{key} is no plain tensor")
    return dict(content)


def _check(
    preprocessing: Preprocessing, architecture: Architecture, classes: tuple[str, ...], training: TrainingRecord
) -> None:
    """Refuse numbers that no training gives."""
    numbers: list[Any] = [*preprocessing.mean, *preprocessing.std]
    if not all(isinstance(number, float) for number in numbers) or not all(std > 0 for std in preprocessing.std):
        raise ValueError("constants of the normalization")
    if len(preprocessing.mean) != len(preprocessing.std) or preprocessing.channels not in (1, 3):
        raise ValueError("channels of the normalization")
    resize = preprocessing.resize
    sides = [*(resize if isinstance(resize, tuple) else [resize or 1]), *(preprocessing.crop or ())]
    if not all(0 < side <= LARGEST for side in sides):
        raise ValueError("sizes of the preprocessing")
    levels = preprocessing.levels
    percentiles = levels.percentiles or (0.0, 100.0)
    if (
        (levels.range is not None and not levels.range[0] < levels.range[1])
        or not 0 < (levels.bits or 1) <= 32
        or not 0 <= percentiles[0] < percentiles[1] <= 100
    ):
        raise ValueError("levels of the preprocessing")
    if preprocessing.interpolation.upper() not in Image.Resampling.__members__:
        raise ValueError("interpolation of the preprocessing")
    if preprocessing.aspect not in ASPECTS or preprocessing.fill not in FILLS or preprocessing.library not in LIBRARIES:
        raise ValueError("geometry of the preprocessing")
    if len(classes) != architecture.classes:
        raise ValueError(f"{len(classes)} class names for {architecture.classes} classes")
    if not 1 <= training.best_epoch <= len(training.history):
        raise ValueError("the epoch that was kept")
