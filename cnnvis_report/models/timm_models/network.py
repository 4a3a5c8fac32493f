"""timm's networks, built as somebody's weights need them."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnvis_report.errors import BadRequest, told
from cnnvis_report.isolation.user_code import redirect_user_output
from cnnvis_report.models.architectures import MOST_CLASSES
from cnnvis_report.models.checkpoints.candidates import Candidate, State
from cnnvis_report.models.checkpoints.read_checkpoint import check_fits, load_into
from cnnvis_report.models.checkpoints.tensor_matching import Match, match
from cnnvis_report.models.torchvision_models.classifiers import make_room, without_values

COLOR = 3  # channels that timm's networks read where nobody says otherwise
LOGGERS = ("timm", "huggingface_hub", "urllib3", "httpx", "transformers")


@dataclass(frozen=True)
class Recipe:
    """What timm builds a network from.

    name: as timm's factory takes it. arguments: of the factory. config: replaces what timm knows of the weights.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] | None = None

    def build(self, **more: Any) -> nn.Module:
        """The network, with random weights unless `more` says otherwise.

        Raises:
            BadRequest: timm can't build it.
        """
        import timm

        known = {"pretrained_cfg": dict(self.config)} if self.config is not None else {}
        try:
            with quiet(), redirect_user_output(), torch.random.fork_rng(devices=[]):
                network: nn.Module = timm.create_model(self.name, **{**known, **self.arguments, **more})
        except Exception as error:  # arguments are checked where they are used, deep within
            raise BadRequest(f"{self.name}: timm can't build it ({told(error)}).") from error
        return network

    def skeleton(self, **more: Any) -> nn.Module:
        """The network without values, however large it says to be."""
        with torch.device("meta"):
            return self.build(**more)


def loaded(recipe: Recipe, candidates: list[Candidate], path: Path) -> tuple[nn.Module, Match, dict[str, Any]]:
    """The network with weights from a file, and as many classes and channels, and of the size, that they have.

    Returns:
        The network, the weights, and what timm's factory was told beside the recipe.

    Raises:
        BadRequest: they are of another network.
    """
    plain = recipe.skeleton()
    first = match(candidates, plain.state_dict())
    options = {**_classes(plain, first, path), **_channels(plain, first.state), **_size(plain, first.state)}
    if options:
        plain = recipe.skeleton(**options)
    weights = match(candidates, plain.state_dict())
    check_fits(plain, weights, path, architecture=recipe.name)
    network = _with_room(recipe, options)
    load_into(network, weights, path)
    return network, weights, options


def _with_room(recipe: Recipe, options: Mapping[str, Any]) -> nn.Module:
    """The network whose parameters get their values later; buffers, which no file may hold, have theirs."""
    try:
        with without_values():
            network = recipe.build(**options)
    except BadRequest:  # a buffer is computed where a parameter lies, and copied
        return recipe.build(**options)
    if any(buffer.is_meta for buffer in network.buffers()):  # or stays there, as a mask of Swin does
        return recipe.build(**options)
    return make_room(network)


def traits(network: nn.Module) -> Mapping[str, Any]:
    """What timm knows of a network's weights: names of the first convolution and the last layer among it."""
    config = getattr(network, "pretrained_cfg", None)
    return config if isinstance(config, Mapping) else {}


def _classes(network: nn.Module, weights: Match, path: Path) -> dict[str, int]:
    """The classes of the weights' last layer, where they are other than the network's."""
    stored = [
        value
        for name in _names(traits(network).get("classifier"))
        for value in (weights.state.get(f"{name}.weight"), weights.beside.get(f"{name}.weight"))
        if value is not None and value.ndim
    ]
    if not stored or stored[0].shape[0] == getattr(network, "num_classes", None):
        return {}
    count = int(stored[0].shape[0])
    if count > MOST_CLASSES:
        raise BadRequest(f"{path}: its head is for {count:,} classes; at most {MOST_CLASSES:,} can be shown.")
    return {"num_classes": count}


def _channels(network: nn.Module, state: State) -> dict[str, int]:
    """The channels that the weights' first convolution reads, where it reads others than the network's."""
    for name in _names(traits(network).get("first_conv")):
        expected, stored = network.state_dict().get(f"{name}.weight"), state.get(f"{name}.weight")
        if expected is None or stored is None or expected.ndim != stored.ndim or expected.ndim < 2:
            continue
        # some stems put pixels beside each other first, and read several values a channel
        channels, rest = divmod(int(stored.shape[1]) * COLOR, int(expected.shape[1]))
        if stored.shape[1] != expected.shape[1] and not rest and channels:
            return {"in_chans": channels}
    return {}


def _size(network: nn.Module, state: State) -> dict[str, int]:
    """The side of the pictures that the weights' position embedding is for, where it is for a square of others."""
    expected, stored = network.state_dict().get("pos_embed"), state.get("pos_embed")
    patch = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    if expected is None or stored is None or expected.shape == stored.shape or stored.ndim != 3 or not patch:
        return {}
    prefix = 0 if getattr(network, "no_embed_class", False) else int(getattr(network, "num_prefix_tokens", 0))
    side = isqrt(max(0, int(stored.shape[1]) - prefix))
    square = side > 0 and side * side + prefix == stored.shape[1] and patch[0] == patch[1]
    return {"img_size": side * int(patch[0])} if square else {}


def _names(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names or ())


@contextmanager
def quiet() -> Iterator[None]:
    """While it is open, neither timm nor the Hugging Face hub say anything but errors."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
