"""Heads of torchvision's networks that weights keep elsewhere than behind the features, or have none of."""

import re
from dataclasses import replace

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoint_candidates import State
from cnnvis_report.models.tensor_matching import Match
from cnnvis_report.models.torchvision_models import CLASSES, skeleton

# as networks of one's own call a last layer beside a backbone
CALLED = re.compile(r"^(\w*_)?(fc|head|heads|classifier|classification|cls|linear|logits|output|out|predictor)(_\w*)?$")


def with_head(name: str, found: Match, file: str) -> tuple[Match, tuple[str, ...]]:
    """The match with the head in it, where one linear layer outside the features can only be that.

    Args:
        name: of the torchvision network.

    Returns:
        The match, and what was guessed of it, a sentence each.

    Raises:
        BadRequest: all is there but a head.
    """
    own, other = skeleton(name).state_dict(), skeleton(name, num_classes=CLASSES + 1).state_dict()
    heads = [key for key in own if own[key].shape != other[key].shape]
    top = heads[0].rpartition(".")[0]
    if any(key.startswith(f"{top.partition('.')[0]}.") for key in found.state) or not _are_features(own, heads, found):
        return found, ()
    if heads != [f"{top}.weight", f"{top}.bias"]:
        return found, ()
    place = _linear(found.beside, int(own[heads[0]].shape[1])) if own[heads[0]].ndim == 2 else ""
    if not place:
        kept = [key for key, value in found.beside.items() if key.endswith("weight") and value.ndim == 2]
        there = f" What it holds beside, {', '.join(kept[:3])}, isn't one linear layer behind them." if kept else ""
        raise BadRequest(
            f"{file} holds the features of {name} without a head ({', '.join(heads)} are missing), as self-supervised "
            f"training and feature extractors have them.{there} Give a network with its head from a factory, "
            f"path/to/file.py:function."
        )
    ends = ("weight", "bias")
    state = {**found.state, **{f"{top}.{end}": found.beside[f"{place}.{end}"] for end in ends}}
    left = tuple(key for key in found.left if key not in [f"{place}.{end}" for end in ends])
    notice = (
        f"{file} keeps its last layer, {place}, apart from the features; it was taken for the head {top!r}, with "
        f"nothing between that does something in eval mode."
    )
    return replace(found, state=state, left=left), (notice,)


def _are_features(own: State, heads: list[str], found: Match) -> bool:
    """Whether everything but the head is there, in its own shape."""
    there = [key for key in own if key in found.state and found.state[key].shape == own[key].shape]
    wanted = [key for key in own if key not in heads and not key.endswith("num_batches_tracked")]
    return not found.strangers and set(wanted) <= set(there)


def _linear(beside: State, features: int) -> str:
    """The one linear layer with a bias among tensors outside the features, by its name; empty where there is none."""
    places = dict.fromkeys(key.rpartition(".")[0] for key in beside)
    fit = [place for place in places if any(CALLED.match(part) for part in place.split("."))]
    if len(fit) != 1:
        return ""
    weight, bias = beside.get(f"{fit[0]}.weight"), beside.get(f"{fit[0]}.bias")
    plain = weight is not None and bias is not None and weight.ndim == 2 and bias.shape == weight.shape[:1]
    return fit[0] if plain and weight is not None and weight.shape[1] == features else ""
