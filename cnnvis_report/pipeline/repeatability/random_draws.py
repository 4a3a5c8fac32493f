"""Whether somebody's network draws random numbers: seen by what it draws from, not by what comes of it."""

import random
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from types import NoneType
from typing import Any

import torch
from torch import nn

# of nearly all attributes of modules, which hold no generator
PLAIN = frozenset({bool, int, float, str, tuple, dict, set, OrderedDict, NoneType})


class Draws:
    """What the pass within `watched` has drawn from; false where from nothing."""

    any_drawn = False

    def __bool__(self) -> bool:
        return self.any_drawn


@contextmanager
def watched(network: nn.Module) -> Iterator[Draws]:
    """Tells afterwards whether anybody has drawn from the process's random numbers, or from the network's own.

    Generators that are neither PyTorch's, NumPy's nor Python's, or that no module holds as an attribute, are not seen.
    """
    draws, before = Draws(), _states(network)
    yield draws
    draws.any_drawn = _states(network) != before


def _states(network: nn.Module) -> list[Any]:
    states: list[Any] = [torch.get_rng_state().numpy().tobytes(), random.getstate()]
    if torch.cuda.is_available():
        states += [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()]
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        kind, keys, position, *rest = numpy.random.get_state()
        states.append((kind, keys.tobytes(), position, *rest))
    for module in network.modules():
        states += [_state(value) for value in vars(module).values() if type(value) not in PLAIN]
    return states


def _state(value: Any) -> Any:
    """Where an attribute is a generator, its state."""
    if isinstance(value, torch.Generator):
        return value.get_state().cpu().numpy().tobytes()
    if isinstance(value, random.Random):
        return value.getstate()
    inner = getattr(value, "bit_generator", None) if type(value).__module__.startswith("numpy.random") else None
    return None if inner is None else repr(inner.state)
