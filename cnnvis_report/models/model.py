"""A network as it was loaded, with what is known of its use."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.records.training import TrainingRecord


@dataclass(frozen=True)
class Training:
    """How a model was trained.

    seen: fingerprints of the images. folder: where snapshots are, if they are there. permuted: the same network,
    trained on permuted labels; None where there is none.
    """

    record: TrainingRecord
    seen: frozenset[str] = frozenset()
    folder: Path | None = None
    permuted: nn.Module | None = None


def _as_it_is(outputs: Tensor) -> Tensor:
    return outputs


@dataclass(frozen=True)
class Original:
    """A converted network as its own library runs it, to compare with on the first image.

    library: its name and version. outputs: of normalized images [N, C, H, W] on the CPU, [N, ...]. ending: makes the
    converted network's output the same quantity, such as a softmax that was taken off.
    """

    library: str
    outputs: Callable[[Tensor], Tensor]
    ending: Callable[[Tensor], Tensor] = _as_it_is


@dataclass(frozen=True)
class Model:
    """A network as it was loaded, and what is known of how it is meant to be used.

    weights: where its weights come from, in words, without any folder of this machine.
    classes: names in index order, or None where nobody has said. training: where it was trained here. notices: what
    a user has to know of how it was loaded, a sentence each. original: where it was converted from another
    library's form. loader: what opened it, in words; `load_model` fills it in where it is empty. layer: the default
    layer of class activation maps; empty for the last features. task: what the network does, as `--task` says it.
    """

    network: nn.Module
    name: str
    weights: str
    preprocessing: Preprocessing
    classes: tuple[str, ...] | None
    training: Training | None = None
    notices: tuple[str, ...] = ()
    original: Original | None = None
    loader: str = ""
    layer: str = ""
    task: str = "auto"
