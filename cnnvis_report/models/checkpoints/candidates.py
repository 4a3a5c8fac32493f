"""All sets of tensors by name that a checkpoint holds, wherever a training script has put them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

State = dict[str, Tensor]

# as training scripts call them, the likeliest first
KEYS = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "weights",
    "model_weights",
    "params",
)
AVERAGED = {"ema", "swa", "averaged", "average", "avg", "polyak", "shadow"}
NEVER = re.compile(r"optim|exp_avg|moment|grad|sched", re.IGNORECASE)  # keys under which no weights stand
DEPTH = 4
MOST_LOOKS = 4  # at one and the same mapping: a file of some bytes may hold it a thousand million times


@dataclass(frozen=True)
class Candidate:
    """Tensors of a checkpoint that belong together.

    key: where they stand, dotted; empty for the whole file. notices: what was done to them, a sentence each.
    """

    key: str
    state: State
    averaged: bool = False
    notices: tuple[str, ...] = ()


def candidates(content: object) -> list[Candidate]:
    """All sets of tensors by name that a checkpoint holds, the likeliest first."""
    state_dicts = [candidate for candidate in _walk(content, (), DEPTH, Counter()) if candidate.state]
    return sorted(state_dicts, key=lambda candidate: _rank(candidate.key))


def key_name(key: object) -> str:
    """A key as text; of anything but texts and numbers, which may be nested without end, its type."""
    return str(key) if isinstance(key, str | int | float) else type(key).__name__


def _walk(
    content: object, path: tuple[str, ...], depth: int, looks: Counter[int], resting: bool = False
) -> Iterator[Candidate]:
    looks[id(content)] += 1
    if looks[id(content)] > MOST_LOOKS:
        return
    if isinstance(content, list | tuple) and len(content) <= 16:
        content = dict(enumerate(content))
    if not isinstance(content, Mapping) or depth < 0 or "param_groups" in content:
        return
    tensors = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
    # an average that has taken in nothing yet is what the network began with
    resting = resting or not _as_number(content.get("n_averaged", 1))
    averaged = not resting and ("n_averaged" in content or any(map(says_averaged, path)))
    yield Candidate(".".join(path), tensors, averaged)
    for key, value in content.items():
        if not isinstance(value, Tensor) and not NEVER.search(key_name(key)):
            yield from _walk(value, (*path, key_name(key)), depth - 1, looks, resting)


def says_averaged(name: str) -> bool:
    """Whether a key names averaged weights, such as ema_model or swa."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return bool(AVERAGED & set(re.split(r"[^a-z]+", words)))


def _as_number(value: object) -> float:
    if isinstance(value, Tensor):
        try:
            return float(value.flatten()[0]) if value.numel() else 0.0
        except (RuntimeError, TypeError, ValueError):  # sparse, without data, complex
            return 1.0
    return float(value) if isinstance(value, int | float) else 1.0


def _rank(key: str) -> tuple[int, int]:
    parts = key.split(".") if key else []
    known = KEYS.index(parts[0]) if parts and parts[0] in KEYS else len(KEYS)
    return (len(parts), known)
