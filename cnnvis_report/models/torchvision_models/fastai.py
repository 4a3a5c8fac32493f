"""Networks as fastai's learners build them: the features of a network of torchvision, and a head of their own.

fastai cuts the network behind its features, numbers its parts, and puts behind them: pooling by maximum and by mean,
side by side; then once or more a batch norm, a dropout and a linear layer, with ReLUs between.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnvis_report.models.torchvision_models.classifiers import make_room, skeleton

FIRST, STEP = 2, 4  # where the first batch norm stands in the head, and how far the next ones are
PART = re.compile(r"[01]\.(\d+)\..+")
State = Mapping[str, Tensor]


class MaxAndMean(nn.Module):
    """The largest and the mean value of each channel, in this order."""

    def forward(self, maps: Tensor) -> Tensor:
        """[N, 2K] of [N, K, h, w]."""
        return torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], dim=1)


class Mean(nn.Module):
    """The mean value of each channel."""

    def forward(self, maps: Tensor) -> Tensor:
        """[N, K] of [N, K, h, w]."""
        return maps.mean((2, 3))


@dataclass(frozen=True)
class Learner:
    """The network, with values to be loaded, and what was taken for what."""

    network: nn.Module
    notice: str


def fastai_network(name: str, state: State, file: str) -> Learner | None:
    """The network that such weights are of; None where they aren't a fastai learner's with this network in it.

    Args:
        name: of torchvision's network.
    """
    if not state or not all(PART.fullmatch(key) for key in state):
        return None
    body = _body(name, state)
    head = _head({key[2:]: value for key, value in state.items() if key.startswith("1.")}) if body is not None else None
    if body is None or head is None:
        return None
    channels, read = _channels(body), len(state[f"1.{FIRST}.running_mean"])
    if channels == read:
        head[0] = Mean()
    elif 2 * channels != read:
        return None
    network = nn.Sequential(body, head)
    expected = network.state_dict()
    missing = [key for key in expected if key not in state and not key.endswith("num_batches_tracked")]
    if missing or any(key not in expected or expected[key].shape != value.shape for key, value in state.items()):
        return None
    pooled = "maximum and mean" if isinstance(head[0], MaxAndMean) else "mean"
    notice = (
        f"{file} is of a fastai learner: the features of {name}, pooled by {pooled}, and a head of "
        f"{sum(isinstance(layer, nn.Linear) for layer in head)} linear layers with ReLUs between. "
        f"Give --resize and --crop, each the side that it was trained at: fastai takes the whole middle of a picture."
    )
    return Learner(network, notice)


def _body(name: str, state: State) -> nn.Sequential | None:
    """The parts of the network that the weights have, without values for now."""
    indices = [int(match[1]) for key in state if key.startswith("0.") and (match := PART.fullmatch(key))]
    if not indices:
        return None
    parts = list(skeleton(name).children())
    # behind the last part with weights come others without, such as ReLUs, that belong to the features all the same
    end = next((at for at in range(max(indices) + 1, len(parts)) if _ends_features(parts[at])), len(parts))
    if max(indices) >= len(parts):
        return None
    body = nn.Sequential(*parts[:end])
    expected = body.state_dict()
    shapes = {key[2:]: value.shape for key, value in state.items() if key.startswith("0.")}
    if any(
        shapes.get(key) != value.shape for key, value in expected.items() if not key.endswith("num_batches_tracked")
    ):
        return None
    make_room(body)
    return body


def _channels(body: nn.Sequential) -> int:
    """How many channels the features have, found by sizes alone."""
    colors = next(module.in_channels for module in body.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        return int(deepcopy(body).eval().to("meta")(torch.empty(1, colors, 64, 64, device="meta")).shape[1])


def _ends_features(part: nn.Module) -> bool:
    return isinstance(part, nn.AdaptiveAvgPool2d) or any(True for _ in part.parameters())


def _head(state: State) -> nn.Sequential | None:
    """Pooling, and for each linear layer a batch norm and a dropout before it."""
    norms = sorted(int(key.partition(".")[0]) for key in state if key.endswith("running_mean"))
    linears = [index + 2 for index in norms]
    if not norms or norms != list(range(FIRST, FIRST + STEP * len(norms), STEP)):
        return None
    weights = [state.get(f"{index}.weight") for index in linears]
    layers: list[nn.Module] = [MaxAndMean(), nn.Flatten()]
    for index, weight in zip(norms, weights, strict=True):
        if weight is None or weight.ndim != 2 or weight.shape[1] != len(state[f"{index}.running_mean"]):
            return None
        linear = nn.Linear(int(weight.shape[1]), int(weight.shape[0]), bias=f"{index + 2}.bias" in state)
        layers += [nn.BatchNorm1d(linear.in_features), nn.Dropout(), linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
