"""The network that is to be trained: small, or one of torchvision's with a new head on what others have taught it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.models.architectures import (
    HEADS,
    SMALL,
    Architecture,
    GapNetwork,
    blocks_for,
    build,
    check,
    torchvision_kwargs,
)
from cnnvis_report.models.checkpoints.read_checkpoint import read_state
from cnnvis_report.models.checkpoints.state_versions import put_tensors
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.load import load_model
from cnnvis_report.models.model import Model
from cnnvis_report.models.unknown_name import is_of_timm
from cnnvis_report.training.learning_rate import default_rate

NO_WEIGHTS = "none"
BACKBONE = "backbone"


@dataclass(frozen=True)
class Source:
    """Where a network begins: its name, and what it was taught before, None where nothing.

    weights: a file for a small network. taught: torchvision's network with its weights.
    """

    name: str
    weights: Path | None = None
    taught: Model | None = None

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What the weights expect; None where the pictures decide."""
        return self.taught.preprocessing if self.taught else None


@dataclass(frozen=True)
class Trainee:
    """A network to train. frozen: modules, by name, that stay as they are. rate: that suits it."""

    network: nn.Module
    architecture: Architecture
    frozen: tuple[str, ...]
    rate: float
    origin: str


def find_source(name: str, weights: str | None) -> Source:
    """What `--arch` and `--weights` stand for.

    Args:
        weights: a file, "none", or None for torchvision's own (and none for `small`).

    Raises:
        UnknownName, BadRequest: there is no such architecture, or the weights can't be had or are another's.
    """
    if name == SMALL:
        path = Path(weights) if weights not in (None, NO_WEIGHTS) else None
        return Source(name, weights=path)
    try:
        check(Architecture(name.partition("@")[0], 2))
    except BadRequest:
        known = [SMALL, *torchvision.models.list_models(module=torchvision.models)]
        if is_of_timm(name):
            raise BadRequest(
                f"--arch {name} is a model of timm, and train takes 'small' or one of torchvision's classifiers "
                f"({', '.join(known[1:4])}, … {len(known) - 1} in all). One of timm that is trained already can be "
                f"explained: cnnvis-report run timm:{name} IMAGES."
            ) from None
        raise UnknownName("architecture", name, known) from None
    if weights == NO_WEIGHTS:
        return Source(name.partition("@")[0])
    return Source(name.partition("@")[0], taught=load_model(name, Path(weights) if weights else None))


def make_trainee(source: Source, preprocessing: Preprocessing, classes: int, head: str, freeze: str | None) -> Trainee:
    """The network with a head for so many classes, its weights drawn where nothing was taught before.

    Args:
        preprocessing: of the pictures; a network that was taught before reads three channels.
        head: "linear" is the architecture's own, "cam" as of `GapNetwork`.
        freeze: a layer, which stays as it is with all before it; "backbone" is all but the head; "none" nothing.
            None freezes the backbone under a gap head that was taught before, and nothing else.

    Raises:
        UnknownName, BadRequest: a layer doesn't exist, or the network doesn't take pictures of this size.
    """
    if head not in HEADS:
        raise UnknownName("head", head, HEADS)
    channels, size = preprocessing.channels, preprocessing.size or (0, 0)
    if source.name == SMALL:
        plain = Architecture(SMALL, classes, channels, blocks_for(size))
    else:
        plain = Architecture(source.name, classes, 3, options=_options(source))
    subject = _tried(plain, size)
    if head == "cam" and not subject.layout(subject.default_layer).is_plain:
        raise BadRequest(
            f"--head cam: layer {subject.default_layer!r} of {source.name} gives {subject.layer().layout}, and "
            f"convolutions read channels first. Use --head linear."
        )
    architecture = plain if head == "linear" else replace(plain, head=head, layer=subject.default_layer)
    network = subject.network if head == "linear" else build(architecture)
    taught = _teach(network, source)
    frozen = _frozen(network, architecture, subject, freeze, taught=bool(taught))
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(f"{part}." for part in frozen)))
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise BadRequest(f"--freeze {freeze}: leaves nothing to train. Freeze an earlier layer, or 'backbone'.")
    rate = default_rate(small=source.name == SMALL, taught=bool(taught), frozen=bool(frozen))
    return Trainee(network, architecture, frozen, rate, taught or "random initialization")


def _options(source: Source) -> dict[str, bool]:
    options = torchvision_kwargs(source.name)
    if "transform_input" in options and source.taught is not None:
        options["transform_input"] = bool(source.taught.network.transform_input)
    return options


def _tried(architecture: Architecture, size: tuple[int, int]) -> Subject:
    """The network, after a pass over a picture of the size."""
    network = build(architecture).eval()
    channels = input_channels(network) or architecture.channels
    subject = Subject(network, torch.zeros(1, channels, *size), name=architecture.name)
    if not subject.default_layer:
        raise BadRequest(f"{architecture.name} keeps no maps at {size[0]}×{size[1]} pixels; give a larger --size.")
    return subject


def _teach(network: nn.Module, source: Source) -> str:
    """Put in what was taught before, all but a head for other classes; gives where it is from."""
    if source.taught is not None:
        state: dict[str, Tensor] = source.taught.network.state_dict()
        where, origin = source.taught.name, source.taught.weights
    elif source.weights is not None:
        state = _of_backbone(read_state(source.weights))
        where, origin = str(source.weights), source.weights.name
    else:
        return ""
    body = network.backbone if isinstance(network, GapNetwork) else network
    expected = body.state_dict()
    fitting = {key: value for key, value in state.items() if key in expected and expected[key].shape == value.shape}
    left = [key for key in expected if key not in fitting and not key.endswith("num_batches_tracked")]
    heads = (
        {key.rpartition(".")[0] for key in list(expected)[-2:]} if source.taught is None else _heads(expected, state)
    )
    strangers = [key for key in left if key.rpartition(".")[0] not in heads]
    if source.taught is None:  # a deeper network begins like a shallower one
        strangers += [key for key in state if key not in expected and not key.startswith("classifier.")]
    if strangers:
        raise BadRequest(
            f"{where}: the weights are of another network; {len(strangers)} tensors don't fit its {len(expected)}, "
            f"such as {strangers[0]}."
        )
    put_tensors(body, {**expected, **fitting})
    return origin


def _of_backbone(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights as the architecture itself calls them, where a gap head was put on it."""
    within = {key.removeprefix("backbone."): value for key, value in state.items() if key.startswith("backbone.")}
    return within or state


def _heads(expected: dict[str, Tensor], state: dict[str, Tensor]) -> set[str]:
    """Modules whose weights differ in nothing but the number of classes."""
    return {
        key.rpartition(".")[0]
        for key, value in expected.items()
        if key in state and state[key].ndim == value.ndim and state[key].shape[1:] == value.shape[1:]
    }


def _frozen(
    network: nn.Module, architecture: Architecture, subject: Subject, freeze: str | None, *, taught: bool
) -> tuple[str, ...]:
    """Names of the modules of the network that stay as they are."""
    gap = architecture.head == "cam"
    if freeze is None:
        freeze = BACKBONE if gap and taught else "none"
    if freeze == "none":
        return ()
    names = [layer.name for layer in subject.layers]
    if freeze == BACKBONE:
        return ("backbone",) if gap else tuple(_before_the_head(network))
    matching = [index for index, name in enumerate(names) if name == freeze or name.startswith(f"{freeze}.")]
    if not matching:
        raise UnknownName("layer", freeze, [*names, BACKBONE], "See: cnnvis-report layers MODEL.")
    prefix = "backbone." if gap else ""
    frozen = [freeze, *names[: matching[-1] + 1]]
    inside = set(dict(network.named_modules()))
    return tuple(
        dict.fromkeys(prefix + name for name in frozen if prefix + name in inside and _whole(name, names, matching[-1]))
    )


def _whole(name: str, names: Sequence[str], last: int) -> bool:
    """Whether nothing within a module runs after the last frozen layer."""
    return not any(later.startswith(f"{name}.") for later in names[last + 1 :])


def _before_the_head(network: nn.Module) -> list[str]:
    """All modules at the top but the one with the last weights."""
    weighed = [name for name, child in network.named_children() if any(True for _ in child.parameters())]
    return weighed[:-1]
