"""Heads of torchvision's networks that weights keep elsewhere than behind the features, or have none of."""

import re
from dataclasses import replace

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.candidates import State
from cnnvis_report.models.checkpoints.tensor_matching import Match
from cnnvis_report.models.torchvision_models.classifiers import head_of, skeleton

# as networks of one's own call a last layer beside a backbone
CALLED = re.compile(r"^(\w*_)?(fc|head|heads|classifier|classification|cls|linear|logits|output|out|predictor)(_\w*)?$")


def with_head(name: str, match: Match, file: str) -> tuple[Match, tuple[str, ...]]:
    """The match with the head in it, where one linear layer outside the features can only be that.

    Args:
        name: of the torchvision network.

    Returns:
        The match, and what was guessed of it, a sentence each.

    Raises:
        BadRequest: all is there but a head.
    """
    expected, heads = skeleton(name).state_dict(), head_of(name)
    top = heads[0].rpartition(".")[0]
    if any(key.startswith(f"{top.partition('.')[0]}.") for key in match.state) or not _are_features(
        expected, heads, match
    ):
        return match, ()
    if heads != [f"{top}.weight", f"{top}.bias"]:
        return match, ()
    linear = _linear(match.beside, int(expected[heads[0]].shape[1])) if expected[heads[0]].ndim == 2 else ""
    if not linear:
        weights = [key for key, value in match.beside.items() if key.endswith("weight") and value.ndim == 2]
        beside = (
            f" What it holds beside, {', '.join(weights[:3])}, isn't one linear layer behind them." if weights else ""
        )
        raise BadRequest(
            f"{file} holds the features of {name} without a head ({', '.join(heads)} are missing), as self-supervised "
            f"training and feature extractors have them.{beside} Give a network with its head from a factory, "
            f"path/to/file.py:function."
        )
    ends = ("weight", "bias")
    state = {**match.state, **{f"{top}.{end}": match.beside[f"{linear}.{end}"] for end in ends}}
    left = tuple(key for key in match.left if key not in [f"{linear}.{end}" for end in ends])
    notice = (
        f"{file} keeps its last layer, {linear}, apart from the features; it was taken for the head {top!r}, with "
        f"nothing between that does something in eval mode."
    )
    return replace(match, state=state, left=left), (notice,)


def _are_features(expected: State, heads: list[str], match: Match) -> bool:
    """Whether everything but the head is there, in its own shape."""
    same_shape = [key for key in expected if key in match.state and match.state[key].shape == expected[key].shape]
    wanted = [key for key in expected if key not in heads and not key.endswith("num_batches_tracked")]
    return not match.strangers and set(wanted) <= set(same_shape)


def _linear(beside: State, features: int) -> str:
    """The one linear layer with a bias among tensors outside the features, by its name; empty where there is none."""
    modules = dict.fromkeys(key.rpartition(".")[0] for key in beside)
    fit = [module for module in modules if any(CALLED.match(part) for part in module.split("."))]
    if len(fit) != 1:
        return ""
    weight, bias = beside.get(f"{fit[0]}.weight"), beside.get(f"{fit[0]}.bias")
    plain = weight is not None and bias is not None and weight.ndim == 2 and bias.shape == weight.shape[:1]
    return fit[0] if plain and weight is not None and weight.shape[1] == features else ""
