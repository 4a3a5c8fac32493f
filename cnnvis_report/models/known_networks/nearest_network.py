"""Which network of torchvision or timm somebody's weights are of, by their names and shapes."""

from functools import lru_cache

import torch
import torchvision

from cnnvis_report.data.image_file import several
from cnnvis_report.models.checkpoints.candidates import State
from cnnvis_report.models.checkpoints.tensor_matching import prefixes
from cnnvis_report.models.known_networks.network_index import Known, find_networks
from cnnvis_report.models.torchvision_models.classifiers import head_of, skeleton

MOST = 60  # networks that are built to find the nearest
SURE = 0.97
NAMED = 3
MOSTLY = 0.6  # of the tensors, from which on they are of another network of the name that was asked for
Shapes = dict[str, torch.Tensor]


def advice(state: State, architecture: str = "") -> str:
    """A sentence that names the network that the tensors are of, or says that none is.

    One is named where every tensor of it before its head is there, by name and shape.

    Args:
        architecture: the name of the network that they don't fit.
    """
    name, share = _of_torchvision(state)
    known = find_networks(state) if not name else None
    if architecture and (name == architecture or (not (name or known) and _share(state, architecture) >= MOSTLY)):
        return (
            f" Where your {architecture} is another than torchvision's, give it from a factory, "
            f"path/to/file.py:function, and this file with --weights."
        )
    if name:
        return f" They fit {name} best: {share:.0%} of its tensors are there."
    if known is not None:
        return _of_index(known)
    return " No network of torchvision or timm that is known here has all of these tensors before its head."


def _of_index(known: Known) -> str:
    names = [name.replace("timm/", "timm:") for name in known.names]
    called = " or ".join(names) if len(names) <= NAMED else several(names, NAMED)
    stem = f", but that the first one reads {_channels(known.channels)}" if known.channels is not None else ""
    give = f" Give {names[0]} as MODEL." if names[0].startswith("timm:") else ""
    return f" They are of {called}: every tensor before the last layer is there, by name and shape{stem}.{give}"


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


def _of_torchvision(state: State) -> tuple[str, float]:
    """The classifier whose features are all there, and the share of its tensors that are; empty where there is none."""
    best = ("", 0.0)
    for name in _likely(state):
        share = _share(state, name)
        if share > best[1] and _has_features(state, name):
            best = (name, share)
        if best[1] >= SURE:
            break
    return best


def _share(state: State, name: str) -> float:
    """What part of the larger of the two is in both, by name and shape, behind whatever prefix."""
    shapes = _shapes(name)
    return max(prefixes(state, shapes).values(), default=0) / max(len(shapes), len(state), 1)


def _likely(state: State) -> list[str]:
    """The networks of the families that have the most names of tensors in common with the state."""
    families: dict[str, list[str]] = {}
    for name in torchvision.models.list_models(module=torchvision.models):
        families.setdefault(torchvision.models.get_model_builder(name).__module__, []).append(name)
    words = _words(state)
    ranked = sorted(families.values(), key=lambda family: -_overlap(words, _words(_shapes(family[0]))))
    return [name for family in ranked[:2] for name in family][:MOST]


def _has_features(state: State, name: str) -> bool:
    """Whether all is there but the head: the outermost part that holds what has a row a class."""
    shapes = _shapes(name)
    heads = _heads(name)
    features = {key: value for key, value in shapes.items() if not key.startswith(heads) and "num_batches" not in key}
    return max(prefixes(state, features).values(), default=0) >= len(features)


def _words(keys: State | Shapes) -> frozenset[str]:
    """The parts of names that aren't numbers, two and two."""
    parts = [[part for part in key.split(".") if not part.isdecimal()] for key in keys]
    return frozenset(".".join(part[-2:]) for part in parts)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


@lru_cache(maxsize=256)
def _shapes(name: str) -> Shapes:
    return skeleton(name).state_dict()


@lru_cache(maxsize=256)
def _heads(name: str) -> tuple[str, ...]:
    return tuple({f"{key.partition('.')[0]}." for key in head_of(name)})
